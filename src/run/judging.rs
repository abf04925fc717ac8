//! The held-out samples of a run, and the model's answers to them.

use std::collections::HashSet;

use super::observer::{Event, Observer};
use super::setup::Setup;
use super::shots::Shots;
use crate::data::Split;
use crate::data::dataset::Why;
use crate::data::layout::Encoded;
use crate::eval::{self, Answer, Decoding, Question};
use crate::model::{Model, walk};
use crate::tasks::{self, Prepared, Responses, Summary};
use crate::template::Error;

/// Ids that a reply may have beyond the longest that the template makes: a model that does not
/// stop must be seen not to stop, not be cut off at the right position.
const SLACK: usize = 8;

/// The held-out samples of every template.
pub struct HeldOut<'a> {
    setup: &'a Setup,
    /// Those of each template.
    pub questions: Vec<Vec<Question>>,
    /// Their prompts as ids, without shots.
    pub prompts: HashSet<Vec<u32>>,
}

impl<'a> HeldOut<'a> {
    /// Makes those that the recipe's evaluations ask.
    pub fn new(setup: &'a Setup) -> Result<HeldOut<'a>, Error> {
        HeldOut::of(setup, &|_| setup.recipe.eval.samples)
    }

    /// Makes the number that `count` says of each template.
    pub fn of(setup: &'a Setup, count: &dyn Fn(usize) -> u64) -> Result<HeldOut<'a>, Error> {
        let seed = setup.recipe.data.seed;
        let mut questions = Vec::new();
        for (at, part) in setup.dataset.parts.iter().enumerate() {
            let made = eval::questions(part, seed, count(at));
            questions.push(made.map_err(|(index, why)| setup.sample_error(at, index, why))?);
        }
        let prompts = questions.iter().flatten().map(|asked| asked.prompt_ids.clone()).collect();
        if setup.recipe.data.shots > 0 {
            let mut shots = setup.shots(Split::Eval);
            for (at, asked) in questions.iter_mut().enumerate() {
                let told = |(index, why)| setup.sample_error(at, index, why);
                put_shots(setup, &mut shots, at, asked).map_err(told)?;
            }
        }
        Ok(HeldOut { setup, questions, prompts })
    }

    /// The model's judged answers, those of each template.
    pub fn judge(
        &self,
        model: &Model,
        when: &str,
        observer: &Observer,
    ) -> Result<Vec<Vec<Answer>>, Error> {
        let seed = self.setup.recipe.data.seed;
        let total = self.questions.iter().map(Vec::len).sum::<usize>() as u64;
        let tell = |done| observer.tell(Event::Judging { when, done, total });
        // Packed once for all templates.
        let model = walk::to_infer(model)?;
        let (mut done, mut all) = (0, Vec::new());
        for (at, asked) in self.questions.iter().enumerate() {
            let mut go_on = |count: usize| {
                tell((done + count) as u64);
                !observer.is_cancelled()
            };
            let (tokenizer, ends) = (&self.setup.tokenizer, &self.setup.ends);
            let decoding = Decoding { tokenizer, ends, tokens_max: self.tokens_max(at) };
            let replies = eval::ask(&model, &decoding, asked, &mut go_on)?;
            let Some(replies) = replies else { return Err(Error::Cancelled) };
            all.push(eval::judge(&self.setup.dataset.parts[at], seed, asked, replies));
            done += asked.len();
        }
        tell(total);
        Ok(all)
    }

    /// The model's figures in each task with known answers.
    pub fn ask(
        &self,
        model: &Model,
        when: &str,
        observer: &Observer,
    ) -> Result<Vec<Summary>, Error> {
        ask_all(self.setup, &self.setup.tasks, model, (when, observer))
    }

    /// The most ids of a reply to a template's questions.
    fn tokens_max(&self, at: usize) -> usize {
        let asked = &self.questions[at];
        let made = asked.iter().map(|asked| asked.made_ids).max().unwrap_or(0);
        let longest = self.setup.budgets[at].map_or(made, |budget| budget.reply as usize);
        let prompt = asked.iter().map(|asked| asked.prompt_ids.len()).max().unwrap_or(0);
        (longest + SLACK).min(self.setup.config.tokens_max().saturating_sub(prompt)).max(1)
    }
}

/// A model's figures in some tasks.
pub fn ask_all(
    setup: &Setup,
    all: &[Prepared],
    model: &Model,
    (when, observer): (&str, &Observer),
) -> Result<Vec<Summary>, Error> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let model = walk::to_infer(model)?;
    let total = all.iter().map(|task| task.items.len()).sum::<usize>() as u64;
    let (mut done, mut summaries) = (0, Vec::new());
    for asked in all {
        let mut go_on = |responses: &Responses| {
            let done = (done + responses.items(asked)) as u64;
            observer.tell(Event::Judging { when, done, total });
            !observer.is_cancelled()
        };
        let by = (&model, &setup.tokenizer);
        let summary = tasks::ask(asked, by, &mut Responses::default(), &mut go_on)?;
        summaries.push(summary.ok_or(Error::Cancelled)?);
        done += asked.items.len();
    }
    Ok(summaries)
}

/// Puts a template's shots before its questions.
fn put_shots(
    setup: &Setup,
    shots: &mut Shots,
    at: usize,
    asked: &mut [Question],
) -> Result<(), (u64, Why)> {
    let sampler = &setup.dataset.parts[at].sampler;
    let mut memory = sampler.memory(Split::Eval, setup.recipe.data.seed);
    for asked in asked {
        let index = asked.index;
        sampler.sample(&mut memory, index).map_err(|why| (index, why.into()))?;
        let Encoded { mut ids, reply_start } = shots.before(at, index, (&memory).into(), false)?;
        ids.truncate(reply_start);
        asked.prompt_ids = ids;
        asked.prompt.insert_str(0, &shots.text(at, index)?);
    }
    Ok(())
}
