//! The memory that a program needs.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ir::Program;
use crate::runtime::Pools;
use crate::runtime::memory::{Memory, Needs, cells};
use crate::runtime::shape::Shape;

impl Memory {
    /// Memory for a program whose pools hold these tokens.
    ///
    /// # Panics
    /// If there are fewer pools than the program has.
    pub fn new(program: &Program, pools: &Pools) -> Memory {
        Memory::with_cells(program, pools, program.bounds.cells)
    }

    /// Memory in which a program's values may take this many cells, and more than twice as many
    /// are set aside: for rules on rows that may be longer than any sample.
    ///
    /// # Panics
    /// As [`Memory::new`].
    pub fn with_cells(program: &Program, pools: &Pools, cells: u64) -> Memory {
        assert!(pools.tokens.len() >= program.pools.len(), "each pool needs its tokens");
        let needs = Needs {
            cells,
            texts: (&program.texts, program.bounds.text_bytes),
            slots: program.slots.iter().map(|slot| Shape::of(&slot.kind)).collect(),
            streams: program.streams.clone(),
            registers: program.registers.len(),
            program: fingerprint(program),
        };
        Memory::with(needs, pools)
    }

    /// The bytes that a memory for a program sets aside.
    pub fn bytes(program: &Program, pools: &Pools) -> u64 {
        cells(program.bounds.cells, pools).saturating_mul(8)
    }

    /// Has the interpreter count from now on how often it takes each branch of a program.
    pub fn count_branches(&mut self, program: &Program) {
        self.branches = vec![[0; 2]; program.steps.len()];
    }
}

/// Tells programs apart: code made for one must not run in the memory of another.
pub(super) fn fingerprint(program: &Program) -> u64 {
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    hasher.finish()
}
