//! Replies that one list of words is all of.

use crate::check::types::Type;
use crate::ir::{Form, Piece, Program, SlotId};

/// The slot of a reply that shows one list of words and nothing else.
pub fn only_words(program: &Program) -> Option<SlotId> {
    match program.layout.reply[..] {
        [Piece::Value(slot, Form::Plain)] => {
            let kind = &program.slots[slot as usize].kind;
            (kind.element() == Some(&Type::Token)).then_some(slot)
        }
        _ => None,
    }
}
