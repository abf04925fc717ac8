//! Evaluation: a model replies to held-out samples, and the compiled rules score its replies.

mod ids;
pub mod page;
pub(crate) mod plot;
pub mod report;

use anyhow::Result;

use crate::data::Split;
use crate::data::dataset::{Part, Why};
use crate::data::judge::{Judge, Verdict};
use crate::data::layout::{Encoded, Escape, Part as Text, TextWriter};
use crate::model::{Ends, Model, Tokenizer, greedy_until};

/// Questions asked between two checks whether to go on.
const AT_ONCE: usize = 128;

/// A held-out sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its index.
    pub index: u64,
    /// What the model reads, but for what a chat template puts around it.
    pub prompt: String,
    /// The same as ids, as the model is trained on it.
    pub prompt_ids: Vec<u32>,
    /// The reply that the template makes.
    pub made: String,
    /// Its ids.
    pub made_ids: usize,
}

/// A model's reply and its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The text.
    pub reply: String,
    /// The scores.
    pub verdict: Verdict,
}

/// The first held-out samples of a template.
///
/// # Errors
/// The index of the first sample that cannot be drawn or has no token ids, and why.
pub fn questions(part: &Part, seed: u64, count: u64) -> Result<Vec<Question>, (u64, Why)> {
    let sampler = &part.sampler;
    let writer = TextWriter::new(sampler.program(), sampler.vocabulary().clone(), Escape::None);
    let (mut memory, mut encoded) = (sampler.memory(Split::Eval, seed), Encoded::default());
    let has_system = sampler.program().layout.system.is_some();
    let mut made = Vec::new();
    for index in 0..count {
        part.encode(&mut memory, index, &mut encoded).map_err(|why| (index, why))?;
        let prompt = writer.text(Text::Prompt, &memory);
        let system = has_system.then(|| writer.text(Text::System, &memory) + "\n");
        made.push(Question {
            index,
            prompt: system.unwrap_or_default() + &prompt,
            prompt_ids: encoded.ids[..encoded.reply_start].to_vec(),
            made: writer.text(Text::Reply, &memory),
            made_ids: encoded.ids.len() - encoded.reply_start,
        });
    }
    Ok(made)
}

/// How a model's replies are decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoding<'a> {
    /// Ids to text.
    pub tokenizer: &'a Tokenizer,
    /// What ends a reply.
    pub ends: &'a Ends,
    /// The most ids of a reply.
    pub tokens_max: usize,
}

/// The model's replies by greedy decoding. `go_on` gets the number that is done, and may end it:
/// then there is no result.
///
/// # Errors
/// If the model's device fails, or ids of a reply have no text.
pub fn ask(
    model: &Model,
    decoding: &Decoding,
    questions: &[Question],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Vec<String>>> {
    let Decoding { tokenizer, ends, tokens_max } = *decoding;
    let mut replies = Vec::with_capacity(questions.len());
    for some in questions.chunks(AT_ONCE) {
        if !go_on(replies.len()) {
            return Ok(None);
        }
        let prompts: Vec<Vec<u32>> = some.iter().map(|asked| asked.prompt_ids.clone()).collect();
        for ids in greedy_until(model, &prompts, ends, tokens_max)? {
            replies.push(ends.cut_text(&tokenizer.decode(&ids)?).to_string());
        }
    }
    Ok(Some(replies))
}

/// Scores replies to questions of this part and seed.
///
/// # Panics
/// If a question is not one that [`questions`] returned for this part and seed.
pub fn judge(part: &Part, seed: u64, asked: &[Question], replies: Vec<String>) -> Vec<Answer> {
    let judge = Judge::new(&part.sampler);
    let mut memory = part.sampler.memory(Split::Eval, seed);
    let one = |(asked, reply): (&Question, String)| {
        let made = part.sampler.sample(&mut memory, asked.index);
        made.expect("a sample that was made once is made again");
        let verdict = judge.judge(&reply, &mut memory);
        Answer { reply, verdict }
    };
    asked.iter().zip(replies).map(one).collect()
}

/// The names of a part's rules, in the order of a verdict's scores.
pub fn rules(part: &Part) -> Vec<String> {
    Judge::new(&part.sampler).rules().into_iter().map(String::from).collect()
}
