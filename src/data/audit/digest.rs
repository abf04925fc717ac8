//! All values of a sample as one digest: equal where they are equal in depth, bit for bit.

use std::collections::HashMap;

use crate::check::types::Type;
use crate::ir::Program;
use crate::runtime::Memory;

/// The digest of the values in a memory's slots.
pub fn values(program: &Program, memory: &Memory) -> [u8; 32] {
    let mut walk = Walk { memory, known: HashMap::new() };
    let mut hasher = blake3::Hasher::new();
    for (slot, id) in program.slots.iter().zip(0..) {
        hasher.update(&walk.value(&slot.kind, memory.slot(id)));
    }
    *hasher.finalize().as_bytes()
}

/// A walk that looks at each list once, however many lists hold it.
struct Walk<'a> {
    memory: &'a Memory,
    /// The digests of lists, by their handle and the lists that are in them.
    known: HashMap<(i64, usize), [u8; 32]>,
}

impl Walk<'_> {
    fn value(&mut self, kind: &Type, cell: i64) -> [u8; 32] {
        let Some(element) = kind.element() else {
            let made = (*kind == Type::Text).then(|| self.memory.made_text(cell)).flatten();
            return *match made {
                Some(text) => blake3::hash(text.as_bytes()),
                None => blake3::hash(&cell.to_le_bytes()),
            }
            .as_bytes();
        };
        let key = (cell, kind.depth());
        if let Some(digest) = self.known.get(&key) {
            return *digest;
        }
        let mut hasher = blake3::Hasher::new();
        let memory = self.memory;
        match element {
            Type::Text => {
                for &text in memory.narrow(cell) {
                    hasher.update(&self.value(element, text.into()));
                }
            }
            Type::Token | Type::Bool => {
                hasher.update(bytemuck::cast_slice(self.memory.narrow(cell)));
            }
            // Only the empty list has elements of no type.
            Type::Unknown => {}
            _ if element.depth() == 0 => {
                hasher.update(bytemuck::cast_slice(self.memory.wide(cell)));
            }
            _ => {
                for &inner in memory.wide(cell) {
                    hasher.update(&self.value(element, inner));
                }
            }
        }
        let digest = *hasher.finalize().as_bytes();
        self.known.insert(key, digest);
        digest
    }
}
