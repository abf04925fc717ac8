//! The memory that a program needs.

use std::hash::{Hash, Hasher};

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
    let mut hasher = Mixed(0);
    program.hash(&mut hasher);
    hasher.finish()
}

/// A hash of a program's many small numbers, for which the standard one takes as long as to lower
/// it.
struct Mixed(u64);

impl Mixed {
    fn mix(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        for part in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..part.len()].copy_from_slice(part);
            self.mix(u64::from_le_bytes(eight));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_i64(&mut self, number: i64) {
        self.mix(number as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
