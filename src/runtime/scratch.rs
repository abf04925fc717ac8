//! What samplers and builtins need only while they run, kept so that nothing is allocated twice.

use crate::runtime::arena::List;
use crate::runtime::shape::Shape;

/// Working memory of samplers and builtins; between two of their runs all marks are off.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// The pool `vocab`, if it is 0, 1, …: then an element of it is its position.
    pub(crate) vocab: List,
    pub(crate) marks: Marks,
    pub(crate) set: CellSet,
    pub(crate) positions: Vec<u32>,
    pub(crate) left: Vec<u32>,
    pub(crate) rest: Vec<u32>,
}

impl Scratch {
    pub(crate) fn new(vocab: List) -> Scratch {
        Scratch {
            vocab,
            marks: Marks::default(),
            set: CellSet::default(),
            positions: Vec::new(),
            left: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// The first token of a list that is a slice of `vocab`: then each element is the first plus
    /// its position.
    pub(crate) fn vocab_start(&self, list: List, shape: Shape) -> Option<u32> {
        let start = list.start.checked_sub(self.vocab.start)?;
        let is_run = shape.is_narrow() && start as u64 + list.size as u64 <= self.vocab.size as u64;
        is_run.then_some(start)
    }
}

/// A set of small numbers, a byte each: a bit each would make a mark wait for the one before it
/// more often than a thousand bytes more cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    bytes: Vec<u8>,
}

impl Marks {
    /// The marks of the numbers below `size`, all off before the first use.
    pub(crate) fn below(&mut self, size: usize) -> &mut [u8] {
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
        &mut self.bytes[..size]
    }
}

/// A set of cells, by hashing into a table at most half full. Nothing depends on its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct CellSet {
    table: Vec<(Place, i64)>,
    /// The table has 2^(64 - shift) positions in use.
    shift: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Free,
    Held,
    Taken,
}

impl CellSet {
    /// Empties the set and makes room for this many cells.
    pub(crate) fn clear(&mut self, cells: usize) {
        let positions = (2 * cells).next_power_of_two().max(2);
        self.shift = 64 - positions.trailing_zeros();
        self.table.clear();
        self.table.resize(positions, (Place::Free, 0));
    }

    /// Empties the set and puts these cells in.
    pub(crate) fn fill(&mut self, cells: impl ExactSizeIterator<Item = i64>) {
        self.clear(cells.len());
        for cell in cells {
            self.insert(cell);
        }
    }

    /// Puts a cell in; true if it was not in before.
    pub(crate) fn insert(&mut self, cell: i64) -> bool {
        let position = self.find(cell);
        let is_new = self.table[position].0 == Place::Free;
        self.table[position] = (Place::Held, cell);
        is_new
    }

    pub(crate) fn contains(&self, cell: i64) -> bool {
        self.table[self.find(cell)].0 == Place::Held
    }

    /// Takes a cell out; true if it was in.
    pub(crate) fn take(&mut self, cell: i64) -> bool {
        let position = self.find(cell);
        let was_in = self.table[position].0 == Place::Held;
        if was_in {
            self.table[position].0 = Place::Taken;
        }
        was_in
    }

    /// The position where the cell is or would be: the first from its hash on that is it or free.
    fn find(&self, cell: i64) -> usize {
        let mask = self.table.len() - 1;
        let mut position =
            ((cell as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        while self.table[position].0 != Place::Free && self.table[position].1 != cell {
            position = (position + 1) & mask;
        }
        position
    }
}
