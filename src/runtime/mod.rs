//! Values: their types, what is known of them, one thread's memory for them, its random streams,
//! samplers and builtins. Both engines call it.
//!
//! A **list handle** is one 64-bit cell: the upper half is where the elements start in the
//! [`Memory`]'s arena, counted in half cells of four bytes; the lower half is their number. Tokens,
//! texts and booleans take half a cell each (*narrow*), all other elements a full one (*wide*).
//! Lists are immutable, so a slice of a list shares its elements.

/// `ROW_OF`: where the row of each variant is in a table, by the variant's number. A variant that
/// has no row, or two, does not compile.
macro_rules! row_of {
    ($rows:ident, $field:ident: $variants:ident) => {
        const ROW_OF: [usize; $variants::VARIANTS.len()] = {
            let mut row_of = [usize::MAX; $variants::VARIANTS.len()];
            let mut at = 0;
            while at < $rows.len() {
                let variant = $rows[at].$field as usize;
                assert!(row_of[variant] == usize::MAX, "a variant has one row");
                row_of[variant] = at;
                at += 1;
            }
            assert!(at == row_of.len(), "every variant has a row");
            row_of
        };
    };
}

pub(crate) mod arena;
pub mod bound;
pub mod builtins;
pub mod digits;
pub mod fault;
pub mod lanes;
pub mod memory;
pub mod random;
pub mod samplers;
mod scratch;
pub mod shape;
pub mod signs;
pub(crate) mod texts;
pub mod types;

use std::sync::Arc;

pub use fault::{Fault, FaultKind};
pub use memory::Memory;
pub use random::RunKey;

/// Index into [`Program::slots`](crate::ir::Program::slots).
pub type SlotId = u32;
/// Index into [`Program::streams`](crate::ir::Program::streams).
pub type StreamId = u32;
/// Index into [`Program::pools`](crate::ir::Program::pools); pool 0 is `vocab`.
pub type PoolId = u32;
/// Index into [`Program::steps`](crate::ir::Program::steps).
pub type StepId = u32;

/// The tokens of each pool of a program, as symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pools {
    /// Pool by pool; the first is `vocab`, whose tokens are 0, 1, … in this order.
    pub tokens: Vec<Vec<u32>>,
    /// The words of all tokens, by their symbols.
    pub words: Arc<Vec<Box<str>>>,
}

impl Pools {
    /// `vocab` of this size, then the other pools in the order of
    /// [`Program::pools`](crate::ir::Program::pools); the words are `w0`, `w1`, …
    pub fn new(vocab: u32, others: impl IntoIterator<Item = Vec<u32>>) -> Pools {
        let tokens: Vec<Vec<u32>> = std::iter::once((0..vocab).collect()).chain(others).collect();
        let most = tokens.iter().flatten().max().map_or(0, |&most| most + 1);
        let words = (0..most).map(|symbol| format!("w{symbol}").into()).collect();
        Pools { tokens, words: Arc::new(words) }
    }
}
