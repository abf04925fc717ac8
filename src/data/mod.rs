//! From programs to data: words, texts, token ids, replies read back, and samples in bulk.

pub mod audit;
pub mod budget;
pub mod examples;
pub mod generate;
pub mod judge;
pub mod layout;
pub mod lessons;
pub mod longest;
pub mod preview;
mod promises;
pub mod read;
#[cfg(test)]
mod round_trip;
pub mod rows;
pub mod sinks;
mod split;
pub mod vocab;
pub mod words;

use std::sync::Arc;

use crate::check::typed::Template;
use crate::engine::Engine;
use crate::ir::Program;
use crate::runtime::{Fault, Memory, Pools, RunKey};
pub use split::Split;
use split::Splits;
use vocab::Vocabulary;

/// The split that training samples come from.
pub const TRAIN: &str = "train";
/// The split that held-out samples come from: it shares no random number and no prompt with the
/// other.
pub const EVAL: &str = "eval";
/// What the level is called where nobody chose one.
pub const DEFAULT_LEVEL: &str = "default";

/// A program with all that makes data from it. Threads share it, and a clone costs nothing.
#[derive(Clone)]
pub struct Maker {
    pub(crate) engine: Arc<dyn Engine>,
    /// The words of its tokens.
    pub vocabulary: Arc<Vocabulary>,
    /// Its pools.
    pub pools: Arc<Pools>,
    program: Arc<Program>,
    /// Where a prompt may come twice.
    splits: Option<Arc<Splits>>,
}

impl Maker {
    /// Of a program, the engine that runs it, and the words and pools that it was lowered with.
    pub fn new(
        program: Arc<Program>,
        engine: Box<dyn Engine>,
        vocabulary: Arc<Vocabulary>,
        pools: Arc<Pools>,
    ) -> Maker {
        let splits = Splits::new(&program, &vocabulary, &pools).map(Arc::new);
        Maker { engine: engine.into(), vocabulary, pools, program, splits }
    }

    /// What is run.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The name of the level.
    pub fn level(&self) -> &str {
        level_name(&self.program.level)
    }

    /// A thread's memory for the samples of a split and a seed.
    pub fn memory(&self, split: &str, seed: u64) -> Memory {
        let mut memory = Memory::new(&self.program, &self.pools);
        self.ready(&mut memory, split, seed);
        memory
    }

    /// Makes a memory of this program ready for the samples of another split and seed.
    pub fn ready(&self, memory: &mut Memory, split: &str, seed: u64) {
        memory.seed(&RunKey::new(&self.program.name, &self.program.level, split, seed));
        memory.held_out = split == EVAL;
    }

    /// Judges the values in the memory: one score a rule, from 0 to 1, into `scores`, which is
    /// emptied first.
    pub fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        self.engine.judge(memory, scores);
    }

    /// Makes the sample with this index, whose prompt belongs to the memory's split. Only where
    /// all of many draws belong to the other is there an overlap; the audit finds it.
    pub fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault> {
        self.engine.sample(memory, index)?;
        let Some(splits) = &self.splits else { return Ok(()) };
        let mut attempt = 0;
        while splits.holds_out(memory) != memory.held_out {
            attempt = (attempt + 1) % split::TRIES;
            self.engine.sample(memory, split::index_of(index, attempt))?;
            if attempt == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// What a level is called, also where nobody chose one.
pub fn level_name(level: &str) -> &str {
    if level.is_empty() { DEFAULT_LEVEL } else { level }
}

/// The words of a run, with those of the template's own pools added, and the pools.
pub fn pools(template: &Template, mut words: Vocabulary) -> (Arc<Vocabulary>, Arc<Pools>) {
    let named = template.pools.iter().skip(1).map(|pool| pool.words.as_slice());
    let tokens = words.add_pools(named);
    (Arc::new(words), Arc::new(Pools { tokens }))
}
