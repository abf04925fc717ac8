//! The values that the search meets, each once: two values are equal just where their cells are.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::kind::{Kind, Scalar};
use crate::runtime::memory::Needs;
use crate::runtime::{FaultKind, Memory, Pools};

/// Cells of eight bytes for the lists and texts of a search, in each megabyte that it may take.
const CELLS_A_MEGABYTE: u64 = 32 << 10;

/// A memory whose lists have one handle each.
pub struct Values {
    memory: Memory,
    /// The handles of all lists, by the hash of their elements, beside it.
    lists: HashTable<(u64, i64)>,
    /// Results of operations, each at the place that its operands hash to.
    results: Vec<Known>,
    hash: DefaultHashBuilder,
    /// True once a value had no room.
    pub is_full: bool,
}

/// The results that are kept; more would not fit into a core's own cache.
const RESULTS: usize = 1 << 14;

/// The result of an operation on these operands.
#[derive(Clone, Copy)]
struct Known {
    /// Its number, from 1; 0 where nothing is known.
    operation: u16,
    of: [i64; 3],
    result: Option<i64>,
}

impl Known {
    const NOTHING: Known = Known { operation: 0, of: [0; 3], result: None };
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
        let (lists, hash) = (HashTable::new(), DefaultHashBuilder::default());
        let (memory, results) = (Memory::with(needs, &pools), Vec::new());
        Values { memory, lists, results, hash, is_full: false }
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.memory.clear();
        self.lists.clear();
        self.results.fill(Known::NOTHING);
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
        if self.results.is_empty() {
            self.results.resize(RESULTS, Known::NOTHING);
        }
        let [a, b, c] = of.map(|one| one as u64);
        let key = a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ u64::from(operation).rotate_left(55);
        let place = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - RESULTS.ilog2());
        let known = &self.results[place as usize];
        if known.operation == operation + 1 && known.of == of {
            return known.result;
        }
        let result = make(self);
        self.results[place as usize] = Known { operation: operation + 1, of, result };
        result
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
        self.make(kind, |memory| {
            let made = if kind.element().is_some_and(|element| element.shape().is_narrow()) {
                memory.push_narrow(&elements.iter().map(|&one| one as u32).collect::<Vec<_>>())
            } else {
                memory.push_wide(elements)
            };
            made.map_err(|fault| fault.kind)
        })
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
        let is_same = |&(other_hash, other): &(u64, i64)| {
            other_hash == hash && same(&self.memory, other, cell, kind)
        };
        if let Some(&(_, known)) = self.lists.find(hash, is_same) {
            if known != cell {
                self.memory.release(mark);
            }
            return Ok(known);
        }
        self.lists.insert_unique(hash, (hash, cell), |&(hash, _)| hash);
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
