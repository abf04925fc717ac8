//! How long a text can get, from what is known of its values.

use crate::ir::{Bound, Form, Piece, Program, SlotId};

/// The most words, by white space, that a reply can have.
pub fn reply_words(program: &Program) -> u64 {
    let words = program.layout.reply.iter().map(|piece| match piece {
        Piece::Literal(text) => words_of(text),
        Piece::Value(slot, form) => value_words(program, *slot, form),
    });
    words.fold(0, u64::saturating_add)
}

fn value_words(program: &Program, slot: SlotId, form: &Form) -> u64 {
    let bound = &program.slots[slot as usize].bound;
    let elements = match bound {
        Bound::List { high, .. } => u64::try_from(*high).unwrap_or(0),
        _ => 1,
    };
    let beside = match form {
        Form::Plain => 0,
        Form::Joined(between) => words_of(between),
        Form::Numbered => 1,
        Form::Lines(keys, between) => key_words(program, *keys) + words_of(between),
        Form::Labelled(keys) => key_words(program, *keys) + 1,
    };
    bound_words(program, bound).saturating_add(elements.saturating_mul(beside))
}

fn key_words(program: &Program, keys: SlotId) -> u64 {
    match &program.slots[keys as usize].bound {
        Bound::List { element, .. } => bound_words(program, element),
        _ => program.bounds.words,
    }
}

fn bound_words(program: &Program, bound: &Bound) -> u64 {
    match bound {
        Bound::Int { .. } | Bound::Token(_) => 1,
        Bound::Text(symbols) => {
            let texts = symbols.iter().map(|&symbol| words_of(&program.texts[symbol as usize]));
            texts.max().unwrap_or(1)
        }
        Bound::List { high, element, .. } => {
            let count = u64::try_from(*high).unwrap_or(0);
            count.saturating_mul(bound_words(program, element).max(1))
        }
        // Nothing is known of it, but all texts together have so many words.
        Bound::Any => program.bounds.words,
    }
}

fn words_of(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
