//! The values that the search meets, each once: two values are equal just where their cells are.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use super::kind::{Kind, Scalar};
use super::table::Table;
use crate::runtime::memory::{Mark, Needs};
use crate::runtime::{FaultKind, Memory, Pools};

/// Cells of eight bytes for the lists and texts of a search, in each megabyte that it may take.
const CELLS_A_MEGABYTE: u64 = 32 << 10;

/// A memory whose lists have one handle each.
pub struct Values {
    memory: Memory,
    /// The handles of all lists, by the hash of their elements.
    lists: Table<i64>,
    /// Results of operations, each at the place that its operands hash to.
    results: Vec<Known>,
    /// Room for lists that are made together.
    batch: Batch,
    hash: DefaultHashBuilder,
    /// True once a value had no room.
    pub is_full: bool,
}

/// The results that are kept; more would not fit into a core's own cache.
const RESULTS: usize = 1 << 14;

/// The result of an operation: the hash of it and its operands, whose last bit says whether there
/// is a result, and the result. Other operands of the same 63 bits would give a wrong value, and
/// a rule that is found is computed again.
type Known = (u64, i64);

/// The place of a result.
#[inline]
fn place(hash: u64) -> usize {
    (hash >> (64 - RESULTS.ilog2())) as usize
}

/// Lists that are made together.
#[derive(Default)]
struct Batch {
    /// The hashes of the operands, of all places.
    operands: Vec<u64>,
    /// The places whose lists are not known.
    missing: Vec<usize>,
    /// The hashes of the lists that were made for those, and the memory's marks behind them.
    made: Vec<u64>,
    marks: Vec<Mark>,
    /// Places with new lists that lie behind others which go away.
    later: Vec<(usize, Vec<i64>)>,
}

impl Batch {
    fn clear(&mut self) {
        self.operands.clear();
        self.missing.clear();
        self.made.clear();
        self.marks.clear();
        self.later.clear();
    }
}

/// A value outside the memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Value {
    Int(i64),
    Bool(bool),
    Text(String),
    List(Vec<Value>),
}

impl Value {
    /// It as JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Value::Int(int) => (*int).into(),
            Value::Bool(is) => (*is).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(elements) => elements.iter().map(Value::json).collect(),
        }
    }
}

impl Values {
    /// For a search that may take so many megabytes, terms and values together.
    pub fn of_megabytes(megabytes: u64) -> Values {
        Values::new(megabytes.saturating_mul(CELLS_A_MEGABYTE))
    }

    /// With room for this many cells of eight bytes, and half as many bytes of texts.
    pub fn new(cells: u64) -> Values {
        let needs = Needs {
            cells,
            texts: (&[], 4 * cells),
            slots: Vec::new(),
            streams: Vec::new(),
            registers: 0,
            program: 0,
        };
        let pools = Pools::new(0, []);
        let (lists, hash) = (Table::new(), DefaultHashBuilder::default());
        let (memory, results) = (Memory::with(needs, &pools), Vec::new());
        Values { memory, lists, results, batch: Batch::default(), hash, is_full: false }
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.memory.clear();
        self.lists.clear();
        self.results.fill(Known::default());
    }

    /// The result of an operation with this number on these operands: made unless it is known,
    /// since many expressions have the same operands in one example.
    #[inline]
    pub fn result(
        &mut self,
        operation: u16,
        of: [i64; 3],
        make: impl FnOnce(&mut Values) -> Option<i64>,
    ) -> Option<i64> {
        let hash = self.hash_of_operands(operation, of);
        self.known(hash).unwrap_or_else(|| {
            let result = make(self);
            self.remember(hash, result);
            result
        })
    }

    /// The lists that an operation with this number gives, for the operands of each place: as
    /// [`Values::result`] and [`Values::make`], with the looks of all places side by side. Gives
    /// how many were computed, which are all just where there is one at each. Such an operation
    /// makes no texts.
    pub fn lists(
        &mut self,
        (operation, kind): (u16, Kind),
        [a, b, c]: [&[i64]; 3],
        into: &mut [i64],
        make: impl Fn(&mut Memory, [i64; 3]) -> Result<i64, FaultKind>,
    ) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        let operands = |at: usize| [a[at], b[at], c[at]];
        let hashes = (0..into.len()).map(|at| self.hash_of_operands(operation, operands(at)));
        batch.operands.extend(hashes);
        let failed = (0..into.len()).find(|&at| match self.known(batch.operands[at]) {
            Some(Some(result)) => {
                into[at] = result;
                false
            }
            Some(None) => true,
            None => {
                batch.missing.push(at);
                false
            }
        });
        let count = match failed {
            Some(at) => at - batch.missing.len(),
            None => {
                let make = |at: usize, memory: &mut Memory| make(memory, operands(at));
                self.make_missing(kind, &mut batch, into, make).unwrap_or(into.len())
            }
        };
        self.batch = batch;
        count
    }

    /// Makes the missing lists of a batch; gives the first that there is none for.
    fn make_missing(
        &mut self,
        kind: Kind,
        batch: &mut Batch,
        into: &mut [i64],
        make: impl Fn(usize, &mut Memory) -> Result<i64, FaultKind>,
    ) -> Option<usize> {
        let mut kept = self.memory.mark();
        for &at in &batch.missing {
            match make(at, &mut self.memory) {
                Ok(cell) => into[at] = cell,
                Err(fault) => {
                    self.is_full |= fault == FaultKind::Memory;
                    self.memory.release(kept);
                    self.remember(batch.operands[at], None);
                    return Some(at);
                }
            }
            batch.marks.push(self.memory.mark());
            batch.made.push(self.hash_of(into[at], kind));
        }
        self.lists.touch(batch.made.iter().copied());
        let mut has_gap = false;
        for (one, &at) in batch.missing.iter().enumerate() {
            let (hash, cell) = (batch.made[one], into[at]);
            let is_same = |other| same(&self.memory, other, cell, kind);
            if let Some(known) = self.lists.find(hash, is_same) {
                into[at] = known;
                has_gap = true;
            } else if !has_gap {
                self.lists.insert(hash, cell);
                kept = batch.marks[one];
            } else {
                batch.later.push((at, self.elements(cell, kind)));
            }
        }
        self.memory.release(kept);
        for (at, elements) in batch.later.drain(..) {
            match self.list(&elements, kind) {
                Ok(cell) => into[at] = cell,
                Err(_) => return Some(at),
            }
        }
        for &at in &batch.missing {
            self.remember(batch.operands[at], Some(into[at]));
        }
        None
    }

    #[inline]
    fn hash_of_operands(&self, operation: u16, of: [i64; 3]) -> u64 {
        let mut hasher = self.hash.build_hasher();
        of.into_iter().for_each(|one| hasher.write_i64(one));
        hasher.write_u16(operation);
        hasher.finish()
    }

    /// What is known of these operands: a result, or that there is none.
    #[inline]
    fn known(&self, hash: u64) -> Option<Option<i64>> {
        let (known, result) = *self.results.get(place(hash))?;
        (known | 1 == hash | 1).then(|| (known & 1 == 1).then_some(result))
    }

    #[inline]
    fn remember(&mut self, hash: u64, result: Option<i64>) {
        if self.results.is_empty() {
            self.results.resize(RESULTS, Known::default());
        }
        self.results[place(hash)] = match result {
            Some(result) => (hash | 1, result),
            None => (hash & !1, 0),
        };
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// If the memory is full.
    pub fn put(&mut self, value: &Value, kind: Kind) -> Result<i64, FaultKind> {
        let elements = match value {
            Value::Int(int) => return Ok(*int),
            Value::Bool(is) => return Ok(i64::from(*is)),
            Value::Text(text) => return self.text(text),
            Value::List(elements) => elements,
        };
        let element = kind.element().expect("a list has elements");
        let cells: Vec<i64> =
            elements.iter().map(|one| self.put(one, element)).collect::<Result<_, _>>()?;
        self.list(&cells, kind)
    }

    /// The symbol of a text.
    ///
    /// # Errors
    /// If the memory is full.
    pub fn text(&mut self, text: &str) -> Result<i64, FaultKind> {
        self.memory.push_text(text).map(i64::from).map_err(|fault| fault.kind)
    }

    /// A list of these elements.
    ///
    /// # Errors
    /// If the memory is full.
    pub fn list(&mut self, elements: &[i64], kind: Kind) -> Result<i64, FaultKind> {
        self.make(kind, |memory| push(memory, elements, kind))
    }

    /// Makes a value of this kind; if there is an equal one, it is that one, and the new one's room
    /// is free again.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn make(
        &mut self,
        kind: Kind,
        make: impl FnOnce(&mut Memory) -> Result<i64, FaultKind>,
    ) -> Result<i64, FaultKind> {
        let mark = self.memory.mark();
        let cell = match make(&mut self.memory) {
            Ok(cell) => cell,
            Err(fault) => {
                self.is_full |= fault == FaultKind::Memory;
                self.memory.release(mark);
                return Err(fault);
            }
        };
        if kind.depth == 0 {
            return Ok(cell);
        }
        let cell = if kind.depth > 1 { self.settled(cell, kind)? } else { cell };
        let hash = self.hash_of(cell, kind);
        let is_same = |other| same(&self.memory, other, cell, kind);
        if let Some(known) = self.lists.find(hash, is_same) {
            if known != cell {
                self.memory.release(mark);
            }
            return Ok(known);
        }
        self.lists.insert(hash, cell);
        Ok(cell)
    }

    /// A list of lists whose elements are the known ones.
    fn settled(&mut self, cell: i64, kind: Kind) -> Result<i64, FaultKind> {
        let element = kind.element().expect("a list has elements");
        let inner = self.memory.wide(cell).to_vec();
        let mut known = Vec::with_capacity(inner.len());
        for &one in &inner {
            let found = self.make(element, |_| Ok(one))?;
            known.push(found);
        }
        if known == inner {
            return Ok(cell);
        }
        self.memory.push_wide(&known).map_err(|fault| fault.kind)
    }

    /// The hash of a list's elements and of how they lie in memory: lists of two kinds that lie
    /// there alike may be one.
    fn hash_of(&self, cell: i64, kind: Kind) -> u64 {
        let mut hasher = self.hash.build_hasher();
        let is_narrow = kind.element().is_some_and(|element| element.shape().is_narrow());
        if is_narrow {
            hasher.write(bytemuck::cast_slice(self.memory.narrow(cell)));
        } else {
            hasher.write(bytemuck::cast_slice(self.memory.wide(cell)));
        }
        hasher.write_u64(u64::from(cell as u32) << 1 | u64::from(is_narrow));
        hasher.finish()
    }

    /// The number of a list's elements.
    pub fn size(cell: i64) -> usize {
        cell as u32 as usize
    }

    /// The elements of a list of this kind.
    pub fn elements(&self, cell: i64, kind: Kind) -> Vec<i64> {
        if kind.element().is_some_and(|element| element.shape().is_narrow()) {
            self.memory.narrow(cell).iter().map(|&one| i64::from(one)).collect()
        } else {
            self.memory.wide(cell).to_vec()
        }
    }

    /// An element of a list of this kind, if it has so many.
    #[inline]
    pub fn at(&self, index: i64, cell: i64, kind: Kind) -> Option<i64> {
        let index = usize::try_from(index).ok()?;
        if kind.element().is_some_and(|element| element.shape().is_narrow()) {
            self.memory.narrow(cell).get(index).map(|&one| i64::from(one))
        } else {
            self.memory.wide(cell).get(index).copied()
        }
    }

    /// The text of a symbol.
    pub fn shown(&self, symbol: i64) -> &str {
        self.memory.made_text(symbol).expect("a text that the search made")
    }

    /// Takes a value out.
    pub fn get(&self, cell: i64, kind: Kind) -> Value {
        match (kind.element(), kind.scalar) {
            (Some(element), _) => Value::List(
                self.elements(cell, kind).iter().map(|&one| self.get(one, element)).collect(),
            ),
            (None, Scalar::Int) => Value::Int(cell),
            (None, Scalar::Bool) => Value::Bool(cell != 0),
            (None, Scalar::Text) => Value::Text(self.shown(cell).to_string()),
        }
    }
}

/// A list of this kind, which may be there already.
///
/// # Errors
/// If the memory is full.
pub fn push(memory: &mut Memory, elements: &[i64], kind: Kind) -> Result<i64, FaultKind> {
    let made = if kind.element().is_some_and(|element| element.shape().is_narrow()) {
        memory.push_narrow(&elements.iter().map(|&one| one as u32).collect::<Vec<_>>())
    } else {
        memory.push_wide(elements)
    };
    made.map_err(|fault| fault.kind)
}

/// Do two lists have the same elements, whose own cells tell them apart?
fn same(memory: &Memory, left: i64, right: i64, kind: Kind) -> bool {
    if left == right {
        return true;
    }
    match kind.element() {
        Some(element) if element.shape().is_narrow() => memory.narrow(left) == memory.narrow(right),
        _ => memory.wide(left) == memory.wide(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_made_together_are_those_made_one_by_one() {
        let mut values = Values::new(1 << 12);
        let kind = Kind::INT.list();
        let known = values.list(&[1, 2], kind).expect("there is room");
        let (a, b) = ([5, 1, 3, 1, 2, 3], [6, 2, 4, 2, 2, 4]);
        let mut into = [0; 6];
        for _ in 0..2 {
            let make = |memory: &mut Memory, [a, b, _]: [i64; 3]| push(memory, &[a, b], kind);
            let count = values.lists((0, kind), [&a, &b, &[0; 6]], &mut into, make);
            assert_eq!(count, 6);
            assert_eq!([into[1], into[3]], [known; 2]);
            assert_eq!(into[2], into[5]);
            for at in 0..6 {
                assert_eq!(values.elements(into[at], kind), [a[at], b[at]]);
                assert_eq!(values.list(&[a[at], b[at]], kind), Ok(into[at]));
            }
        }
    }

    #[test]
    fn a_list_that_cannot_be_made_is_known_the_next_time() {
        let mut values = Values::new(1 << 12);
        let kind = Kind::INT.list();
        for _ in 0..2 {
            let make = |memory: &mut Memory, [a, ..]: [i64; 3]| match a {
                2 => Err(FaultKind::TooFew),
                _ => push(memory, &[a], kind),
            };
            let count = values.lists((1, kind), [&[1, 2, 3]; 3], &mut [0; 3], make);
            assert!(count < 3);
        }
        assert!(!values.is_full);
    }
}
