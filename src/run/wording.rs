//! The tokenizer of a run: made of the templates' words for a model from scratch, or the model's.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use super::glued;
use crate::check::types::Type;
use crate::data::layout::{Encoded, TokenIds};
use crate::data::vocab::Vocabulary;
use crate::data::{Sampler, Split};
use crate::ir::{Bound, Cell, Form, Piece, Program, SlotId};
use crate::model::Tokenizer;

/// Samples that show whether pieces which are not known alone are known together.
const TRIED: u64 = 64;

/// More integers than a model from scratch has as words.
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
    let all = programs.clone();
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
    for (program, vocabulary) in all {
        // Too many are reported with the first sample that has one.
        words.extend(glued::words(program, vocabulary).into_iter().flatten());
    }
    Tokenizer::words(&words).map(Ok)
}

/// The first text of a template that the tokenizer does not know, and why.
pub fn unknown(tokenizer: &Tokenizer, sampler: &Sampler, seed: u64) -> Option<anyhow::Error> {
    let error = unknown_piece(tokenizer, sampler.program(), sampler.vocabulary())?;
    // Where letters are not known one by one, a piece may be known with its neighbours alone.
    if tokenizer.knows_by_letters() {
        Some(error)
    } else {
        unknown_sample(tokenizer, sampler, seed)
    }
}

/// Why the text of one of the first samples is not known.
fn unknown_sample(tokenizer: &Tokenizer, sampler: &Sampler, seed: u64) -> Option<anyhow::Error> {
    let tokenize = Arc::new(tokenizer.clone());
    let ids =
        TokenIds::new(sampler.program(), sampler.vocabulary().clone(), tokenize).without_tables();
    let (mut memory, mut encoded) = (sampler.memory(Split::Train, seed), Encoded::default());
    (0..TRIED).find_map(|index| {
        // One that cannot be drawn is another error, later.
        sampler.sample(&mut memory, index).ok()?;
        ids.encode(&memory, &mut encoded).err().map(|why| anyhow::anyhow!(why))
    })
}

fn unknown_piece(
    tokenizer: &Tokenizer,
    program: &Program,
    vocabulary: &Vocabulary,
) -> Option<anyhow::Error> {
    let mut made: Vec<String> = Vec::new();
    if shows(program, |kind| *kind == Type::Bool) {
        made.extend(["true", "false"].map(String::from));
    }
    // One made of words knows numbers, not digits.
    if !tokenizer.is_of_words() && shows(program, |kind| matches!(kind, Type::Int | Type::Real)) {
        made.extend(numbers(program));
    }
    let made = made.iter().map(String::as_str);
    let mut texts = texts(program).chain(vocabulary.words()).chain(made);
    texts.find_map(|text| tokenizer.encode_known(text).err())
}

/// Whether a text of the samples shows values of that kind, alone or in a list.
fn shows(program: &Program, is_meant: fn(&Type) -> bool) -> bool {
    fn innermost(kind: &Type) -> &Type {
        match kind {
            Type::List(element) => innermost(element),
            kind => kind,
        }
    }
    let kind = |slot: SlotId| is_meant(innermost(&program.slots[slot as usize].kind));
    pieces(program).any(|piece| {
        let is_numbered = matches!(piece, Piece::Rows(rows) if rows.cells.contains(&Cell::Number));
        is_numbered && is_meant(&Type::Int) || piece.shown().any(|(slot, _)| kind(slot))
    })
}

/// The numbers that samples may show; where those are too many, the digits.
fn numbers(program: &Program) -> Vec<String> {
    let mut numbers = BTreeSet::new();
    let all = pieces(program).all(|piece| {
        let is_numbered = matches!(piece, Piece::Rows(rows) if rows.cells.contains(&Cell::Number));
        let last = piece.shown().last();
        let rows = last.map_or(0, |(slot, _)| program.slots[slot as usize].bound.sizes().1);
        (!is_numbered || add(1, rows, &mut numbers))
            && piece.shown().all(|(slot, form)| slot_numbers(program, slot, form, &mut numbers))
    });
    match all {
        true => numbers.iter().map(i64::to_string).collect(),
        false => (0..10).map(|digit: i64| digit.to_string()).collect(),
    }
}

/// The words of the model: of three lower-case letters or more, and one token at every position.
/// A model may have few of those, as most of its tokens bring their space; then the words that are
/// one token after a space, or else those that are one token alone.
///
/// # Errors
/// If the tokenizer cannot decode one of its own ids.
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
    texts(program).chain(["true false"])
}

/// The texts of the layout and of the template's values.
fn texts(program: &Program) -> impl Iterator<Item = &str> {
    let shown = pieces(program).flat_map(Piece::literals);
    shown.chain(program.texts.iter().map(String::as_str))
}

/// Adds the integers that a slot may show; false if they are too many, or no whole ones.
fn slot_numbers(program: &Program, slot: SlotId, form: &Form, numbers: &mut BTreeSet<i64>) -> bool {
    let shown = &program.slots[slot as usize];
    !matches!(form, Form::Digits(_)) && bound_numbers(&shown.bound, &shown.kind, numbers)
}

fn bound_numbers(bound: &Bound, kind: &Type, numbers: &mut BTreeSet<i64>) -> bool {
    match (bound, kind) {
        (_, Type::Bool | Type::Token) => true,
        // One that is made has no words that are known.
        (bound, Type::Text) => bound.literals().is_some(),
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
