//! What is between elements, found whatever white space is beside its signs.

use super::Lines;
use super::spaces::trimmed;
use crate::check::types::Type;
use crate::source::is_word_character;

/// The parts of a text. White space beside the signs between them says nothing where one of these
/// signs is in no part; else what is between must be as it is written.
pub fn parts<'t>(text: &'t str, between: &str, is_own: impl Fn(char) -> bool) -> Lines<'t> {
    let signs: Vec<char> = between.chars().filter(|sign| !sign.is_whitespace()).collect();
    if between.contains('\n') || !signs.iter().any(|&sign| is_own(sign)) {
        return text.split(between).collect();
    }
    let (mut parts, mut start, mut at) = (Lines::new(), 0, 0);
    while let Some(letter) = text[at..].chars().next() {
        match length(&text[at..], &signs) {
            Some(length) => {
                parts.push(trimmed(&text[start..at]));
                at += length;
                start = at;
            }
            None => at += letter.len_utf8(),
        }
    }
    parts.push(trimmed(&text[start..]));
    parts
}

/// How long the signs are that a text begins with, with the white space between them.
fn length(text: &str, signs: &[char]) -> Option<usize> {
    let mut rest = text;
    for (at, &sign) in signs.iter().enumerate() {
        rest = if at > 0 { rest.trim_start_matches(' ') } else { rest };
        rest = rest.strip_prefix(sign)?;
    }
    Some(text.len() - rest.len())
}

/// True if no value of a type can hold the sign, nor a list of such but for what is between its
/// elements.
pub fn is_apart(kind: &Type, sign: char) -> bool {
    match kind.element() {
        Some(element) => is_apart(element, sign),
        None => match kind {
            Type::Int => !sign.is_ascii_digit() && sign != '-',
            Type::Token => !is_word_character(sign),
            _ => false,
        },
    }
}
