//! Few-shot examples before a prompt: solved samples, from which a model learns in its context.

use crate::data::Split;
use crate::data::dataset::{Dataset, Part, Why, other};
use crate::data::layout::{Draft, Encoded, Pair};
use crate::model::Tokenizer;
use crate::runtime::{Memory, RunKey, random};

/// Between a shot and what follows it.
pub const BETWEEN: &str = "\n\n";

/// The most ids of that text.
pub fn between_max(tokenizer: &Tokenizer) -> u64 {
    // Each line break alone is the most that a tokenizer makes of it.
    let ids = |text: &str| tokenizer.encode(text).map_or(0, |ids| ids.len());
    ids(BETWEEN).max(BETWEEN.len() * ids("\n")) as u64
}

/// Makes the shots of a run: each sample has its own, chosen by seed, split and index alone.
pub struct Shots<'a> {
    dataset: &'a Dataset,
    /// Shots of a sample.
    count: usize,
    /// Of each template: what its choices depend on, and what makes its samples.
    samplers: Vec<([u64; 4], Memory)>,
}

impl<'a> Shots<'a> {
    /// For the samples of a split. Shots are training samples even before held-out ones: what is
    /// held out is shown nowhere else.
    pub fn new(dataset: &'a Dataset, count: usize, split: Split) -> Shots<'a> {
        let seed = dataset.seed;
        let sampler = |part: &Part| {
            let (name, level) = (&part.sampler.program().name, part.sampler.level());
            let key = RunKey::new(name, level, split.name(), seed).stream("shots");
            (key, part.sampler.memory(Split::Train, seed))
        };
        let samplers = dataset.parts.iter().map(sampler).collect();
        Shots { dataset, count, samplers }
    }

    /// The ids of a template's shots and of the sample that has this index; what went wrong comes
    /// with the index of the sample. `is_checked`: the ids are held against those of the whole
    /// text.
    pub fn before(
        &mut self,
        template: usize,
        index: u64,
        sample: Pair,
        is_checked: bool,
    ) -> Result<Encoded, (u64, Why)> {
        let mut draft = self.dataset.parts[template].ids.draft();
        let encoded = self.put(template, index, &mut draft).map(|()| draft.end(sample))?;
        let told = |why| (index, Why::Ids(why));
        let encoded = encoded.map_err(told)?;
        if is_checked {
            let mut whole = self.dataset.parts[template].ids.draft_whole();
            self.put(template, index, &mut whole)?;
            whole.check(sample, &encoded).map_err(told)?;
        }
        Ok(encoded)
    }

    /// The text of a template's shots before the sample with this index.
    pub fn text(&mut self, template: usize, index: u64) -> Result<String, (u64, Why)> {
        let mut draft = self.dataset.parts[template].ids.draft_whole();
        self.put(template, index, &mut draft)?;
        Ok(draft.text().to_string())
    }

    fn put(&mut self, template: usize, index: u64, draft: &mut Draft) -> Result<(), (u64, Why)> {
        let (key, memory) = &mut self.samplers[template];
        let mut stream = random::start(key, index);
        for _ in 0..self.count {
            let shot = other(&mut stream, index);
            let sampler = &self.dataset.parts[template].sampler;
            sampler.sample(memory, shot).map_err(|why| (shot, why.into()))?;
            draft.shot(memory);
        }
        Ok(())
    }
}
