//! The tokenizer of a run: made of the templates' words for a model from scratch, or the model's.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Bound, Form, Piece, Program, SlotId};
use crate::model::Tokenizer;

/// More whole numbers than a model from scratch learns as words of their own.
const NUMBERS_MAX: i64 = 4096;

/// A tokenizer that has a token for every word of the programs, or the name of a value that has
/// no such words.
pub fn of_words<'a>(
    programs: impl Iterator<Item = (&'a Program, &'a Vocabulary)> + Clone,
) -> Result<Result<Tokenizer, String>> {
    // The vocabularies first, so that a word's id is the same for every template.
    let mut words: Vec<String> =
        programs.clone().flat_map(|(_, words)| words.words()).map(String::from).collect();
    let mut numbers = BTreeSet::new();
    for (program, _) in programs {
        words.extend(literals(program).map(String::from));
        for piece in pieces(program) {
            let Piece::Value(slot, form) = piece else { continue };
            if !slot_numbers(program, *slot, form, &mut numbers) {
                return Ok(Err(program.slots[*slot as usize].name.clone()));
            }
        }
    }
    words.extend(numbers.iter().map(|number: &i64| number.unsigned_abs().to_string()));
    Tokenizer::words(&words).map(Ok)
}

/// The first text of the programs that the tokenizer does not know, and why.
pub fn unknown(
    tokenizer: &Tokenizer,
    program: &Program,
    vocabulary: &Vocabulary,
) -> Option<anyhow::Error> {
    // One made of words knows numbers, not digits.
    let shows =
        !tokenizer.is_of_words() && pieces(program).any(|piece| shows_numbers(program, piece));
    let digits = shows.then_some("0 1 2 3 4 5 6 7 8 9 -1").into_iter();
    let mut texts = literals(program).chain(vocabulary.words()).chain(digits);
    texts.find_map(|text| tokenizer.encode_known(text).err())
}

fn shows_numbers(program: &Program, piece: &Piece) -> bool {
    fn is_number(kind: &Type) -> bool {
        match kind {
            Type::List(element) => is_number(element),
            kind => matches!(kind, Type::Int | Type::Real),
        }
    }
    let kind = |slot: SlotId| is_number(&program.slots[slot as usize].kind);
    match piece {
        Piece::Literal(_) => false,
        Piece::Value(_, Form::Numbered) => true,
        Piece::Value(slot, Form::Lines(keys, _) | Form::Labelled(keys)) => {
            kind(*slot) || kind(*keys)
        }
        Piece::Value(slot, _) => kind(*slot),
    }
}

/// The words of the model: of three lower-case letters or more, and one token wherever they stand.
/// A model may have few of those, as most of its tokens bring their space; then the words that are
/// one token behind a space, or else those that are one token alone.
pub fn words_of(tokenizer: &Tokenizer) -> Result<Vec<String>> {
    /// Shorter pieces are seldom words.
    const LETTERS_MIN: usize = 3;
    /// With fewer words, samples would be much alike.
    const WORDS_MIN: usize = 1000;
    let is_one = |text: &str| tokenizer.encode(text).is_ok_and(|ids| ids.len() == 1);
    let mut seen = BTreeSet::new();
    let [mut stable, mut spaced, mut alone] = [const { Vec::new() }; 3];
    for id in 0..tokenizer.vocab_size() as u32 {
        let text = tokenizer.decode(&[id])?;
        let word = text.trim_start().to_string();
        let plain = word.len() >= LETTERS_MIN && word.bytes().all(|b| b.is_ascii_lowercase());
        if !plain || !seen.insert(word.clone()) {
            continue;
        }
        match (is_one(&word), is_one(&format!(" {word}"))) {
            (true, true) => stable.push(word),
            (false, true) => spaced.push(word),
            (true, false) => alone.push(word),
            (false, false) => {}
        }
    }
    let fewer = [stable.clone(), [&stable[..], &spaced].concat()];
    let all = [&stable[..], &spaced, &alone].concat();
    Ok(fewer.into_iter().find(|words| words.len() >= WORDS_MIN).unwrap_or(all))
}

fn pieces(program: &Program) -> impl Iterator<Item = &Piece> {
    let layout = &program.layout;
    layout.system.iter().flatten().chain(&layout.prompt).chain(&layout.reply)
}

fn literals(program: &Program) -> impl Iterator<Item = &str> {
    let shown = pieces(program).filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text.as_str()),
        Piece::Value(_, Form::Joined(text) | Form::Lines(_, text)) => Some(text.as_str()),
        Piece::Value(..) => None,
    });
    shown.chain(program.texts.iter().map(String::as_str)).chain(["true false"])
}

/// Adds the whole numbers that a slot may show; false if they are too many, or no whole ones.
fn slot_numbers(program: &Program, slot: SlotId, form: &Form, numbers: &mut BTreeSet<i64>) -> bool {
    let shown = &program.slots[slot as usize];
    let beside = match (form, &shown.bound) {
        (Form::Numbered, Bound::List { high, .. }) => add(1, *high, numbers),
        (Form::Lines(keys, _) | Form::Labelled(keys), _) => {
            let keys = &program.slots[*keys as usize];
            bound_numbers(&keys.bound, &keys.kind, numbers)
        }
        _ => true,
    };
    beside && bound_numbers(&shown.bound, &shown.kind, numbers)
}

fn bound_numbers(bound: &Bound, kind: &Type, numbers: &mut BTreeSet<i64>) -> bool {
    match (bound, kind) {
        (_, Type::Bool | Type::Text | Type::Token) => true,
        (Bound::Int { low, high }, Type::Int) => add(*low, *high, numbers),
        (Bound::List { element, .. }, Type::List(kind)) => bound_numbers(element, kind, numbers),
        (_, Type::List(kind)) => bound_numbers(bound, kind, numbers),
        (_, Type::Any(_) | Type::Unknown | Type::Shown) => true,
        (_, Type::Int | Type::Real) => false,
    }
}

fn add(low: i64, high: i64, numbers: &mut BTreeSet<i64>) -> bool {
    let few = high.checked_sub(low).is_some_and(|count| count < NUMBERS_MAX);
    if few {
        numbers.extend(low..=high);
    }
    few
}
