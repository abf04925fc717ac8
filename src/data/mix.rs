//! Several templates as one stream of samples: which template a row is of, and the row's ids.

use std::fmt;

use super::layout::{Encoded, TokenIds};
use super::{Maker, TRAIN};
use crate::runtime::random::{self, RunKey};
use crate::runtime::{Fault, Memory};

/// One template of a mix, ready to run. Threads share it.
pub struct Part {
    /// Makes its samples.
    pub maker: Maker,
    /// Writes them as ids.
    pub ids: TokenIds,
    /// How often, beside the others.
    pub weight: f64,
}

impl Part {
    /// Makes a sample, and its ids.
    pub fn encode(
        &self,
        memory: &mut Memory,
        index: u64,
        encoded: &mut Encoded,
    ) -> Result<(), Fault> {
        self.maker.engine.sample(memory, index)?;
        self.ids.encode(memory, encoded);
        Ok(())
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
pub struct Mix {
    /// The templates; at least one.
    pub parts: Vec<Part>,
    seed: u64,
    key: [u64; 4],
}

impl Mix {
    /// The mix of a seed.
    pub fn new(parts: Vec<Part>, seed: u64) -> Mix {
        assert!(!parts.is_empty(), "a mix has a part");
        let key = RunKey::new("", "", "mix", seed).stream("template");
        Mix { parts, seed, key }
    }

    /// Which part the row with this index is of: a function of seed and index alone.
    pub fn part_of(&self, index: u64) -> usize {
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        let mut stream = random::start(&self.key, index);
        // 53 bits are what a number between 0 and 1 holds.
        let mut place = (stream.word() >> 11) as f64 / (1u64 << 53) as f64 * total;
        for (at, part) in self.parts.iter().enumerate() {
            place -= part.weight;
            if place < 0.0 {
                return at;
            }
        }
        self.parts.len() - 1
    }

    /// Makes rows to learn from, on one thread.
    pub fn rows(&self) -> Rows<'_> {
        let memory = |part: &Part| part.maker.memory(TRAIN, self.seed);
        let memories = self.parts.iter().map(memory).collect();
        Rows { mix: self, memories, encoded: Encoded::default() }
    }
}

/// One thread's maker of rows.
#[derive(Debug)]
pub struct Rows<'a> {
    mix: &'a Mix,
    memories: Vec<Memory>,
    encoded: Encoded,
}

impl Rows<'_> {
    /// The row with this index; a fault comes with the part that it is of.
    pub fn row(&mut self, index: u64) -> Result<&Encoded, (usize, Fault)> {
        let at = self.mix.part_of(index);
        let part = &self.mix.parts[at];
        part.encode(&mut self.memories[at], index, &mut self.encoded).map_err(|why| (at, why))?;
        Ok(&self.encoded)
    }
}
