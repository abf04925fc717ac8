//! What a model learns from: the samples of several templates as one stream of rows of ids.

use std::fmt;

use super::layout::{Encoded, TokenIds};
use super::mix::Mix;
use super::{Maker, TRAIN};
use crate::runtime::{Fault, Memory};

/// Samples whose ids are held against those of whole texts before a run.
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

/// One template to learn, ready to run. Threads share it.
pub struct Part {
    /// Makes its samples.
    pub maker: Maker,
    /// Writes them as ids.
    pub ids: TokenIds,
    /// How often, beside the others.
    pub weight: f64,
}

impl Part {
    /// The same; if the first samples show that ids of pieces are not those of whole texts, with
    /// all samples encoded whole.
    pub fn held(self, seed: u64) -> Part {
        let mut memory = self.maker.memory(TRAIN, seed);
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

    /// Makes a sample, and its ids.
    pub fn encode(
        &self,
        memory: &mut Memory,
        index: u64,
        encoded: &mut Encoded,
    ) -> Result<(), Why> {
        self.maker.sample(memory, index)?;
        self.ids.encode(memory, encoded).map_err(Why::Ids)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let program = self.maker.program();
        f.debug_struct("Part").field("name", &program.name).field("level", &program.level).finish()
    }
}

/// Rows of several templates, each as often as its weight says.
#[derive(Debug)]
pub struct Lessons {
    /// The templates; at least one.
    pub parts: Vec<Part>,
    mix: Mix,
    /// That of the run.
    pub seed: u64,
}

impl Lessons {
    /// The rows of a seed; the weights must be above 0.
    pub fn new(parts: Vec<Part>, seed: u64) -> Lessons {
        let weights: Vec<f64> = parts.iter().map(|part| part.weight).collect();
        let mix = Mix::new(&weights, TRAIN, seed).expect("a recipe's weights are in their range");
        Lessons { parts, mix, seed }
    }

    /// Which template makes a row, by its place among the parts.
    pub fn template_of(&self, index: u64) -> usize {
        self.mix.template(index)
    }

    /// Makes rows to learn from, on one thread.
    pub fn rows(&self) -> Rows<'_> {
        let memory = |part: &Part| part.maker.memory(TRAIN, self.seed);
        let memories = self.parts.iter().map(memory).collect();
        Rows { lessons: self, memories, encoded: Encoded::default() }
    }
}

/// One thread's maker of rows.
#[derive(Debug)]
pub struct Rows<'a> {
    lessons: &'a Lessons,
    memories: Vec<Memory>,
    encoded: Encoded,
}

impl Rows<'_> {
    /// The row with this index; what went wrong comes with the part that it is of.
    pub fn row(&mut self, index: u64) -> Result<&Encoded, (usize, Why)> {
        let at = self.lessons.mix.template(index);
        let part = &self.lessons.parts[at];
        part.encode(&mut self.memories[at], index, &mut self.encoded).map_err(|why| (at, why))?;
        Ok(&self.encoded)
    }

    /// What holds the sample of the last row, whose template has this place among the parts.
    pub fn memory(&self, part: usize) -> &Memory {
        &self.memories[part]
    }
}
