//! The samples of a step, made between steps, and one of them as text for an error.

use std::cell::RefCell;
use std::collections::HashSet;

use anyhow::{Result, bail};

use super::setup::Setup;
use super::shots::Shots;
use super::texts::{Source, Taken};
use crate::data::Split;
use crate::data::dataset::{Rows, Why};
use crate::data::layout::{Encoded, Escape, Part as Text, TextWriter};
use crate::mix::Mixture;
use crate::template::Error;
use crate::train::{Example, Group};

/// Letters of a sample that an error shows.
const SHOWN: usize = 600;

/// One of this many samples is also encoded as one text: the ids must be those of its pieces.
const CHECKED: u64 = 256;

/// Makes the samples of a run.
pub struct Samples<'a> {
    setup: &'a Setup,
    group: &'a Group,
    mixture: &'a RefCell<Mixture>,
    taken: &'a RefCell<Taken>,
    rows: Rows<'a>,
    shots: Shots<'a>,
    /// Prompts that are held out.
    held_out: &'a HashSet<Vec<u32>>,
    /// How many of the last step's samples have one of those.
    pub prompts_shared: u64,
    /// The sample that could not be made: its template, its index, and why.
    error: Option<(usize, u64, Why)>,
}

impl<'a> Samples<'a> {
    /// In the order of a mixture, which may change between two steps, and after the rows that were
    /// taken.
    pub fn new(
        setup: &'a Setup,
        group: &'a Group,
        mixture: &'a RefCell<Mixture>,
        taken: &'a RefCell<Taken>,
        held_out: &'a HashSet<Vec<u32>>,
    ) -> Samples<'a> {
        let (rows, shots) = (setup.dataset.rows(), setup.shots(Split::Train));
        let (prompts_shared, error) = (0, None);
        Samples { setup, group, mixture, taken, rows, shots, held_out, prompts_shared, error }
    }

    /// This process's share of the samples of the step after `steps_done` steps.
    pub fn of_step(&mut self, steps_done: u64) -> Result<Vec<Example>> {
        let count = self.setup.samples_of_a_step();
        self.prompts_shared = 0;
        let all = steps_done * count..(steps_done + 1) * count;
        let share = self.group.share(all.clone());
        let order =
            self.mixture.borrow().order(Split::Train, steps_done).map_err(anyhow::Error::msg)?;
        let sources = self.taken.borrow_mut().begin(steps_done, &order, all.clone());
        let own = all.zip(sources).filter(|(index, _)| share.contains(index));
        own.map(|(index, source)| match source {
            Source::Template(template) => self.example(template, index),
            Source::Text(text, taken) => {
                let text = &self.setup.texts[text];
                Ok(example(text.rows[text.row(taken)].clone()))
            }
        })
        .collect()
    }

    fn example(&mut self, template: usize, index: u64) -> Result<Example> {
        let encoded = match self.rows.row(template, index) {
            Ok(encoded) => encoded,
            Err((sample, why)) => {
                self.error = Some((template, sample, why));
                bail!("sample {sample} cannot be made");
            }
        };
        let prompt = &encoded.ids[..encoded.reply_start];
        self.prompts_shared += u64::from(self.held_out.contains(prompt));
        let is_checked = index.is_multiple_of(CHECKED);
        let alone = (self.setup.recipe.data.shots == 0 && !is_checked).then(|| encoded.clone());
        let sample = self.rows.sample(template);
        let made = match alone {
            Some(encoded) => Ok(encoded),
            None => self.shots.before(template, index, sample, is_checked),
        };
        let mut encoded = match made {
            Ok(encoded) => encoded,
            Err((shot, why)) => {
                self.error = Some((template, shot, why));
                bail!("sample {shot} cannot be made");
            }
        };
        encoded.ids.extend_from_slice(&self.setup.closing);
        Ok(example(encoded))
    }

    /// The failure of a sample that could not be made, if there was one.
    pub fn failure(&self) -> Option<Error> {
        let error = self.error.clone();
        error.map(|(part, index, why)| self.setup.sample_error(part, index, why))
    }
}

fn example(encoded: Encoded) -> Example {
    let loss = encoded.mask().collect();
    Example { ids: encoded.ids, loss }
}

/// Where a sample comes from, and its text.
pub fn described(setup: &Setup, source: Source, index: u64) -> String {
    let template = match source {
        Source::Template(template) => template,
        Source::Text(text, taken) => {
            return setup.texts[text].described(taken, &setup.tokenizer, SHOWN);
        }
    };
    let seed = setup.recipe.data.seed;
    let sampler = &setup.dataset.parts[template].sampler;
    let program = sampler.program();
    let mut rows = setup.dataset.rows();
    let text = match rows.row(template, index) {
        Ok(_) => {
            let writer = TextWriter::new(program, sampler.vocabulary().clone(), Escape::None);
            let sample = rows.sample(template);
            let prompt = writer.text(Text::Prompt, sample.prompt);
            format!("{prompt} {}", writer.text(Text::Reply, sample.reply))
        }
        Err(_) => String::new(),
    };
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { " …" } else { "" };
    let (name, level) = (&program.name, sampler.level());
    format!("sample {index} of {name} (level {level}, seed {seed}):\n{shown}{more}")
}
