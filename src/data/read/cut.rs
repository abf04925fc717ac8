//! A reply cut at the literals of its layout, and a value's text cut into its elements.

use super::unreadable::{Unreadable, shortened};
use crate::ir::{Bound, Form, Piece, Program, SlotId};

/// A value's slot, its form, and the text that stands for it.
pub type Part<'p, 't> = (SlotId, &'p Form, &'t str);

/// Which of a reply's edges may be an empty value's, so that white space there may belong to the
/// literal beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edges {
    /// The first value may be empty.
    first: bool,
    /// The last value may be empty.
    last: bool,
}

impl Edges {
    /// Those of a program's reply.
    pub fn new(program: &Program) -> Edges {
        let reply = &program.layout.reply;
        let may_be_empty = |piece: Option<&Piece>| match piece {
            Some(Piece::Value(slot, _)) => match &program.slots[*slot as usize].bound {
                Bound::List { low, .. } => *low < 1,
                Bound::Text(texts) => texts.iter().any(|at| program.texts[*at as usize].is_empty()),
                _ => false,
            },
            _ => false,
        };
        Edges { first: may_be_empty(reply.first()), last: may_be_empty(reply.last()) }
    }

    /// A reply without the white space around it. A line break at an edge stays if it may be the
    /// literal between an empty value and the next.
    fn trimmed<'t>(self, pieces: &[Piece], reply: &'t str) -> &'t str {
        let is_space = |character: char| character == ' ' || character == '\t';
        let literal = |at: usize| match pieces.get(at) {
            Some(Piece::Literal(text)) => text.as_str(),
            _ => "",
        };
        let (after_first, before_last) = (literal(1), literal(pieces.len().wrapping_sub(2)));
        let reply = match self.first && after_first.starts_with(char::is_whitespace) {
            true => reply.trim_start_matches(is_space),
            false => reply.trim_start(),
        };
        match self.last && before_last.ends_with(char::is_whitespace) {
            true => reply.trim_end_matches(is_space),
            false => reply.trim_end(),
        }
    }

    /// The text that stands for each value. White space around the reply is left out, unless the
    /// literals are found only with it: an empty first value leaves a reply that starts with one.
    pub fn cut<'p, 't>(
        self,
        pieces: &'p [Piece],
        reply: &'t str,
    ) -> Result<Vec<Part<'p, 't>>, Unreadable> {
        let trimmed = self.trimmed(pieces, reply);
        let cut = split(pieces, trimmed, Edges::default(), true);
        cut.or_else(|why| {
            split(pieces, reply, Edges::default(), false)
                .or_else(|_| split(pieces, reply.trim(), self, true))
                .map_err(|_| why)
        })
    }
}

/// Cuts a reply at its literals. `trimmed`: white space around the whole reply is gone already. An
/// empty value at one of the `edges` may have taken the literal's white space there with it.
fn split<'p, 't>(
    pieces: &'p [Piece],
    text: &'t str,
    edges: Edges,
    trimmed: bool,
) -> Result<Vec<Part<'p, 't>>, Unreadable> {
    let (mut values, mut rest) = (Vec::new(), text);
    let mut open: Option<(SlotId, &Form)> = None;
    for (at, piece) in pieces.iter().enumerate() {
        let literal = match piece {
            Piece::Value(slot, form) => {
                open = Some((*slot, form));
                continue;
            }
            Piece::Literal(literal) => literal.as_str(),
        };
        let (first, last) = (at == 0, at + 1 == pieces.len());
        let literal = if trimmed && first { literal.trim_start() } else { literal };
        let literal = if trimmed && last { literal.trim_end() } else { literal };
        let missing = || Unreadable::Missing(literal.to_string());
        // Text before the last value, and nothing after it.
        let ending = literal.trim_end();
        let ends = edges.last && at + 2 == pieces.len() && !ending.is_empty();
        let Some((slot, form)) = open.take() else {
            rest = match rest.strip_prefix(literal) {
                None if ends && rest == ending => "",
                after => after.ok_or_else(missing)?,
            };
            continue;
        };
        let starts = edges.first && at == 1 && !literal.trim_start().is_empty();
        let (value, after) = match rest.strip_prefix(literal.trim_start()).filter(|_| starts) {
            Some(after) => ("", after),
            None if last => (rest.strip_suffix(literal).ok_or_else(missing)?, ""),
            None => match rest.split_once(literal) {
                None if ends => (rest.strip_suffix(ending).ok_or_else(missing)?, ""),
                cut => cut.ok_or_else(missing)?,
            },
        };
        values.push((slot, form, value));
        rest = after;
    }
    match open {
        Some((slot, form)) => values.push((slot, form, rest)),
        None if !rest.is_empty() => return Err(Unreadable::Around(shortened(rest))),
        None => {}
    }
    Ok(values)
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
