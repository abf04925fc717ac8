//! What a model is trained on: the samples of several templates as rows of ids.

use std::fmt;

use super::layout::{Encoded, TokenIds};
use super::{Sampler, Split};
use crate::runtime::{Fault, Memory};

/// Samples whose ids are compared with those of complete texts before a run.
const HELD: u64 = 4;

/// Why there is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The sample cannot be made.
    Fault(Fault),
    /// It has no ids: what the tokenizer says.
    Ids(String),
}

impl From<Fault> for Why {
    fn from(error: Fault) -> Why {
        Why::Fault(error)
    }
}

/// One template to train on, compiled. Threads share it.
pub struct Part {
    /// Makes its samples.
    pub sampler: Sampler,
    /// Writes them as ids.
    pub ids: TokenIds,
}

impl Part {
    /// The same; if the first samples show that ids of pieces are not those of complete texts, with
    /// all samples encoded as one text.
    pub fn held(self, seed: u64) -> Part {
        let mut memory = self.sampler.memory(Split::Train, seed);
        let mut encoded = Encoded::default();
        let is_good = |index: u64| {
            let made = self.encode(&mut memory, index, &mut encoded);
            made.is_err() || self.ids.draft_whole().check(&memory, &encoded).is_ok()
        };
        if (0..HELD).all(is_good) {
            return self;
        }
        Part { ids: self.ids.without_tables(), ..self }
    }

    /// Draws a sample, and writes its ids.
    ///
    /// # Errors
    /// If the sample cannot be drawn, or has no ids.
    pub fn encode(
        &self,
        memory: &mut Memory,
        index: u64,
        encoded: &mut Encoded,
    ) -> Result<(), Why> {
        self.sampler.sample(memory, index)?;
        self.ids.encode(memory, encoded).map_err(Why::Ids)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let program = self.sampler.program();
        f.debug_struct("Part").field("name", &program.name).field("level", &program.level).finish()
    }
}

/// The templates of a run, with the seed of their samples.
#[derive(Debug)]
pub struct Dataset {
    /// The templates; at least one.
    pub parts: Vec<Part>,
    /// That of the run.
    pub seed: u64,
}

impl Dataset {
    /// Draws rows to train on, on one thread.
    pub fn rows(&self) -> Rows<'_> {
        let memory = |part: &Part| part.sampler.memory(Split::Train, self.seed);
        let memories = self.parts.iter().map(memory).collect();
        Rows { dataset: self, memories, encoded: Encoded::default() }
    }
}

/// One thread's sampler of rows.
#[derive(Debug)]
pub struct Rows<'a> {
    dataset: &'a Dataset,
    memories: Vec<Memory>,
    encoded: Encoded,
}

impl Rows<'_> {
    /// The row of a part with this index.
    ///
    /// # Errors
    /// If the sample cannot be drawn, or has no ids.
    pub fn row(&mut self, part: usize, index: u64) -> Result<&Encoded, Why> {
        let memory = &mut self.memories[part];
        self.dataset.parts[part].encode(memory, index, &mut self.encoded)?;
        Ok(&self.encoded)
    }

    /// What holds the sample of the last row, of the template with this index.
    pub fn memory(&self, part: usize) -> &Memory {
        &self.memories[part]
    }
}
