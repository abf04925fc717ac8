//! A reply cut at the literals of its layout, and a value's text cut into its elements.

use smallvec::SmallVec;

use super::spaces::trimmed;
use super::unreadable::{Unreadable, shortened};
use crate::ir::reply::{Part, Pattern};

/// A value's piece, and its text.
pub type Found<'t> = (usize, &'t str);

/// The values of a reply, in its order.
pub type Cut<'t> = SmallVec<[Found<'t>; 4]>;

/// Why a reply does not fit a pattern.
enum Unfit<'t> {
    /// This literal is missing.
    Missing(&'t str),
    /// This text comes after the last literal.
    Around(&'t str),
}

impl From<Unfit<'_>> for Unreadable {
    fn from(unfit: Unfit) -> Unreadable {
        match unfit {
            Unfit::Missing(literal) => Unreadable::Missing(literal.to_string()),
            Unfit::Around(text) => Unreadable::Around(shortened(text)),
        }
    }
}

/// Reads a reply in the normal form by the first pattern that it fits and whose values can be read.
/// Those that leave white space at the ends of values, as no template writes it, come last.
pub fn first<'t>(
    patterns: &'t [Pattern],
    reply: &'t str,
    mut read: impl FnMut(Cut<'t>) -> Result<(), Unreadable>,
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
        let is_exact = found.iter().all(|(_, value)| trimmed(value).len() == value.len());
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
    Err(why.unwrap_or_else(|| unfit.unwrap_or(Unfit::Around(reply)).into()))
}

/// The texts of the values that are not empty.
fn fit<'t>(pattern: &'t Pattern, reply: &'t str) -> Result<Cut<'t>, Unfit<'t>> {
    let (mut found, mut rest, mut open) = (Cut::new(), reply, None);
    let last = pattern.parts.len().saturating_sub(1);
    for (at, part) in pattern.parts.iter().enumerate() {
        let literal = match part {
            Part::Value(piece) => {
                open = Some(*piece);
                continue;
            }
            Part::Literal(literal) => literal.as_str(),
        };
        let missing = || Unfit::Missing(literal);
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
        None if !rest.is_empty() => return Err(Unfit::Around(rest)),
        None => {}
    }
    // An empty one has another pattern.
    match found.iter().any(|(_, value)| value.is_empty()) {
        true => Err(Unfit::Missing(last_literal(pattern))),
        false => Ok(found),
    }
}

/// What is missing where a value is.
fn last_literal(pattern: &Pattern) -> &str {
    let mut literals = pattern.parts.iter().filter_map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        Part::Value(_) => None,
    });
    literals.next_back().unwrap_or_default()
}

/// The lines of a value that has an element on each: blank ones say nothing.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.trim().is_empty())
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

/// The same, with the start in any case.
pub fn without_start_in_any_case<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    let mut rest = line.chars();
    let is_same = |letter: char| {
        rest.next().is_some_and(|found| found.to_lowercase().eq(letter.to_lowercase()))
    };
    start.chars().all(is_same).then_some(rest.as_str())
}

/// A line's key, and its value. An empty value may have lost the white space before it.
pub fn at_key<'t>(line: &'t str, between: &str) -> Option<(&'t str, &'t str)> {
    line.split_once(between)
        .or_else(|| Some((line.trim_end().strip_suffix(between.trim_end())?, "")))
}
