//! Which slots a reply binds, and which it does not.

use std::collections::BTreeSet;

use super::keys_of;
use crate::check::types::Type;
use crate::ir::{Form, Piece, Program, Role, SlotId};

/// The slots that the prompt shows, as values or as keys, and those without a name.
pub fn given(program: &Program) -> BTreeSet<SlotId> {
    let layout = &program.layout;
    let mut given = BTreeSet::new();
    for piece in layout.system.iter().flatten().chain(&layout.prompt) {
        if let Piece::Value(slot, form) = piece {
            given.insert(*slot);
            given.extend(keys_of(form).map(|(keys, _)| keys));
        }
    }
    let placeholders =
        program.slots.iter().zip(0..).filter(|(slot, _)| slot.role == Role::Placeholder);
    given.extend(placeholders.map(|(_, id)| id));
    given
}

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
