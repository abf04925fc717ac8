//! A reply cut at the literals of its layout, and a value's text cut into its elements.

use super::unreadable::{Unreadable, shortened};
use crate::ir::reply::{Part, Pattern};
use crate::ir::{Form, SlotId};

/// A value's piece, and the text that stands for it.
pub type Found<'t> = (usize, &'t str);

/// Reads a reply in the normal form by the first pattern that it fits and whose values can be read.
/// Those that leave white space at the ends of values, as no template writes it, come last.
pub fn first<'t>(
    patterns: &[Pattern],
    reply: &'t str,
    mut read: impl FnMut(Vec<Found<'t>>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let (mut others, mut why, mut unfit) = (Vec::new(), None, None);
    for pattern in patterns {
        let mut found = match fit(pattern, reply) {
            Ok(found) => found,
            // That of the reply without an empty value says most.
            Err(problem) => {
                unfit.get_or_insert(problem);
                continue;
            }
        };
        let is_exact = found.iter().all(|(_, value)| value.trim().len() == value.len());
        if !pattern.empty.is_empty() {
            found.extend(pattern.empty.iter().map(|&at| (at, "")));
            found.sort_unstable_by_key(|(at, _)| *at);
        }
        if !is_exact {
            others.push(found);
        } else if let Err(problem) = read(found) {
            why.get_or_insert(problem);
        } else {
            return Ok(());
        }
    }
    for found in others {
        match read(found) {
            Ok(()) => return Ok(()),
            Err(problem) => drop(why.get_or_insert(problem)),
        }
    }
    Err(why.or(unfit).unwrap_or_else(|| Unreadable::Around(shortened(reply))))
}

/// The texts of the values that are not empty.
fn fit<'t>(pattern: &Pattern, reply: &'t str) -> Result<Vec<Found<'t>>, Unreadable> {
    let (mut found, mut rest, mut open) = (Vec::new(), reply, None);
    let last = pattern.parts.len().saturating_sub(1);
    for (at, part) in pattern.parts.iter().enumerate() {
        let literal = match part {
            Part::Value(piece) => {
                open = Some(*piece);
                continue;
            }
            Part::Literal(literal) => literal.as_str(),
        };
        let missing = || Unreadable::Missing(literal.to_string());
        let Some(piece) = open.take() else {
            rest = rest.strip_prefix(literal).ok_or_else(missing)?;
            continue;
        };
        let (value, after) = match at == last {
            true => (rest.strip_suffix(literal).ok_or_else(missing)?, ""),
            false => rest.split_once(literal).ok_or_else(missing)?,
        };
        found.push((piece, value));
        rest = after;
    }
    match open {
        Some(piece) => found.push((piece, rest)),
        None if !rest.is_empty() => return Err(Unreadable::Around(shortened(rest))),
        None => {}
    }
    // One that is empty makes another pattern.
    match found.iter().any(|(_, value)| value.is_empty()) {
        true => Err(Unreadable::Missing(first_literal(pattern))),
        false => Ok(found),
    }
}

/// What is missing where a value is.
fn first_literal(pattern: &Pattern) -> String {
    let mut literals = pattern.parts.iter().filter_map(|part| match part {
        Part::Literal(text) => Some(text.clone()),
        Part::Value(_) => None,
    });
    literals.next_back().unwrap_or_default()
}

/// The slot of the keys that a form begins its lines with, and what stands after a key.
pub fn keys_of(form: &Form) -> Option<(SlotId, &str)> {
    match form {
        Form::Lines(keys, between) => Some((*keys, between)),
        Form::Labelled(keys) => Some((*keys, ". ")),
        Form::Plain | Form::Joined(_) | Form::Numbered => None,
    }
}

/// The lines without `1. `, `2. ` and so on; the error is the start that is wanted, and the line.
pub fn unnumbered(text: &str) -> Result<Vec<&str>, (String, &str)> {
    let numbered = text.split('\n').zip(1..);
    let unnumber = |(line, number): (_, u64)| {
        let start = format!("{number}. ");
        without_start(line, &start).ok_or((start, line))
    };
    numbered.map(unnumber).collect()
}

/// A line without its start. An empty value may have lost the white space before it.
pub fn without_start<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    let (line, start) = match line.strip_prefix(start) {
        Some(value) => return Some(value),
        None => (line.trim_start(), start.trim_start()),
    };
    let value = line.strip_prefix(start);
    value.or_else(|| (line.trim_end() == start.trim_end()).then_some(""))
}

/// A line's key, and its value. An empty value may have lost the white space before it.
pub fn at_key<'t>(line: &'t str, between: &str) -> Option<(&'t str, &'t str)> {
    line.split_once(between)
        .or_else(|| Some((line.trim_end().strip_suffix(between.trim_end())?, "")))
}
