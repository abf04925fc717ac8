//! The patterns of a reply: what is between its values, for each choice of empty ones.
//!
//! A reply is read in a normal form: lines end with `\n`, no white space is around the reply or at
//! the end or the start of a line, and one space is between words. An empty value leaves the
//! literals around it side by side, whose white space is then brought into the same form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Bound, Form, Piece, Program, TextBound};
use crate::check::types::Type;
use crate::runtime::bound::Blanks;

/// No more values of a reply are tried as empty in all combinations.
const VALUES_MAX: usize = 5;

/// What is read in turn, where some of the values are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The pieces whose values are empty.
    pub empty: Vec<usize>,
    /// The literals, and between them the pieces whose values are not empty.
    pub parts: Vec<Part>,
    /// True if the template can write such a reply.
    pub may_be: bool,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// These characters.
    Literal(String),
    /// The value of this piece.
    Value(usize),
}

/// How the replies of a program are brought into the normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normal {
    /// True if one space stands for all white space inside of a line. Not where a text of the
    /// template is empty or has other white space, or where a tab tells values apart.
    collapses: bool,
}

impl Normal {
    /// For a program's replies.
    pub fn new(program: &Program) -> Normal {
        let all = Normal { collapses: true };
        let is_normal = |text: TextBound| match &text.literals {
            Some(literals) => literals.iter().all(|&literal| {
                let text = &program.texts[literal as usize];
                !text.is_empty() && all.of_literal(text) == *text
            }),
            // One that is made may have two spaces side by side.
            None => text.low > 0 && text.blanks == Blanks::None,
        };
        let has_tab = |piece: &Piece| match piece {
            Piece::Literal(text) | Piece::Value(_, Form::Joined(text) | Form::Lines(_, text)) => {
                text.contains('\t')
            }
            Piece::Value(..) => false,
        };
        let reply = &program.layout.reply;
        let collapses = texts(program).all(is_normal) && !reply.iter().any(has_tab);
        Normal { collapses }
    }

    /// A reply in the normal form.
    pub fn of_reply<'t>(self, reply: &'t str) -> Cow<'t, str> {
        let reply = reply.trim();
        let is_space = |byte: u8| byte == b' ' || byte == b'\t';
        // Without a branch, so that many are looked at together.
        let is_odd = |a: u8, b: u8| {
            let is_wide = is_space(a) & (is_space(b) | (b == b'\n'));
            let is_loose = is_wide | (a == b'\n') & is_space(b) | (b == b'\t');
            (b == b'\r') | self.collapses & is_loose
        };
        let bytes = reply.as_bytes();
        let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
        match pairs.fold(false, |odd, (&a, &b)| odd | is_odd(a, b)) {
            true => Cow::Owned(self.of_literal(reply).trim().to_string()),
            false => Cow::Borrowed(reply),
        }
    }

    /// What is between values in the normal form. White space at its ends stays.
    pub fn of_literal(self, text: &str) -> String {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if !self.collapses {
            return text;
        }
        let (mut normal, mut has_space) = (String::with_capacity(text.len()), false);
        for character in text.chars().map(Some).chain([None]) {
            match character {
                Some(' ' | '\t') => has_space = true,
                Some('\n') => {
                    has_space = false;
                    normal.push('\n');
                }
                other => {
                    if std::mem::take(&mut has_space) && !normal.ends_with('\n') {
                        normal.push(' ');
                    }
                    normal.extend(other);
                }
            }
        }
        normal
    }

    /// A piece in the normal form.
    pub fn of_piece(self, piece: &Piece) -> Piece {
        match piece {
            Piece::Literal(text) => Piece::Literal(self.of_literal(text)),
            Piece::Value(slot, form) => Piece::Value(
                *slot,
                match form {
                    Form::Joined(between) => Form::Joined(self.of_literal(between)),
                    Form::Lines(keys, between) => Form::Lines(*keys, self.of_literal(between)),
                    Form::Plain | Form::Numbered | Form::Labelled(_) | Form::Digits(_) => {
                        form.clone()
                    }
                },
            ),
        }
    }
}

/// What is known of the texts that a reply shows, as values or as keys.
pub fn texts(program: &Program) -> impl Iterator<Item = TextBound> {
    let slots = program.layout.reply.iter().flat_map(|piece| match piece {
        Piece::Value(slot, Form::Lines(keys, _) | Form::Labelled(keys)) => {
            [Some(*slot), Some(*keys)]
        }
        Piece::Value(slot, _) => [Some(*slot), None],
        Piece::Literal(_) => [None, None],
    });
    slots.flatten().filter_map(|slot| program.slots[slot as usize].texts())
}

/// The patterns of a program's reply: first those that it can write, with few empty values first.
pub fn patterns(program: &Program, normal: Normal) -> Vec<Pattern> {
    let reply = &program.layout.reply;
    let is_value = |at: &usize| matches!(reply[*at], Piece::Value(..));
    let values: Vec<usize> = (0..reply.len()).filter(is_value).collect();
    // Of many values, those that can be empty are tried first.
    let mut order = values.clone();
    order.sort_by_key(|&at| !may_be_empty(program, &reply[at]));
    order.truncate(VALUES_MAX);
    let mut patterns: Vec<Pattern> = (0..1_usize << order.len())
        .map(|chosen| {
            let chosen = order.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1);
            let mut empty: Vec<usize> = chosen.map(|(_, &at)| at).collect();
            empty.sort_unstable();
            let may_be = empty.iter().all(|&at| may_be_empty(program, &reply[at]));
            Pattern { parts: parts(reply, &empty, normal), empty, may_be }
        })
        .collect();
    patterns.sort_by_key(|pattern| (!pattern.may_be, pattern.empty.len()));
    patterns
}

/// Two pieces of a reply of which nothing tells which one is empty, or where the first ends.
pub fn alike(program: &Program) -> Option<(usize, usize)> {
    let normal = Normal::new(program);
    let patterns = patterns(program, normal);
    let mut seen: BTreeMap<Vec<Part>, &Pattern> = BTreeMap::new();
    for pattern in patterns.iter().filter(|pattern| pattern.may_be) {
        let shape = pattern.parts.iter().map(|part| match part {
            Part::Literal(_) => part.clone(),
            Part::Value(_) => Part::Value(0),
        });
        if let Some(other) = seen.insert(shape.collect(), pattern) {
            let only = |these: &[usize], those: &[usize]| {
                these.iter().copied().find(|at| !those.contains(at))
            };
            let first = only(&other.empty, &pattern.empty);
            let second = only(&pattern.empty, &other.empty);
            let all = first.into_iter().chain(second);
            return Some((all.clone().min()?, all.max()?));
        }
        if let Some(found) = begins_alike(program, pattern, normal) {
            return Some(found);
        }
    }
    None
}

/// An empty value and one after it that begins the reply, and may hold what is between the two:
/// its start may be taken for the first.
fn begins_alike(program: &Program, pattern: &Pattern, normal: Normal) -> Option<(usize, usize)> {
    let reply = &program.layout.reply;
    let [Part::Value(second), ..] = pattern.parts[..] else { return None };
    let first = pattern.empty.iter().copied().rfind(|&at| at < second)?;
    let between = reply[first..second].iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text.as_str()),
        Piece::Value(..) => None,
    });
    let between = normal.of_literal(&between.collect::<String>());
    let is_made = |piece: &Piece| match piece {
        Piece::Value(slot, _) => {
            let texts = program.slots[*slot as usize].texts();
            texts.is_some_and(|texts| texts.literals.is_none())
        }
        Piece::Literal(_) => false,
    };
    let holds = is_made(&reply[second])
        || separators(program, &reply[second], normal).iter().any(|it| it.contains(&between));
    (holds && may_be_part(program, &reply[first], &reply[second])).then_some((first, second))
}

/// What is between the parts of a value.
fn separators(program: &Program, piece: &Piece, normal: Normal) -> Vec<String> {
    let Piece::Value(slot, form) = piece else { return Vec::new() };
    let kind = &program.slots[*slot as usize].kind;
    let mut all: Vec<String> = match (form, kind.depth()) {
        (Form::Plain | Form::Digits(_), 0) => Vec::new(),
        (Form::Plain, 1) => vec![" ".to_string()],
        (Form::Joined(between), _) => vec![normal.of_literal(between)],
        _ => vec![" ".to_string(), "\n".to_string()],
    };
    if scalar(kind) == &Type::Text {
        all.extend(program.texts.iter().map(|text| normal.of_literal(text)));
    }
    all
}

/// May the start of the second value be read as the first? Signs that begin a line do not.
fn may_be_part(program: &Program, first: &Piece, second: &Piece) -> bool {
    let (Piece::Value(one, _), Piece::Value(other, form)) = (first, second) else { return false };
    let [one, other] = [one, other].map(|slot| scalar(&program.slots[*slot as usize].kind));
    let is_signed = matches!(form, Form::Numbered | Form::Labelled(_) | Form::Lines(..));
    match one {
        Type::Text => true,
        Type::Token => !is_signed,
        _ => !is_signed && one == other,
    }
}

fn scalar(kind: &Type) -> &Type {
    kind.element().map_or(kind, scalar)
}

/// The literals and values of a reply, in the normal form.
fn parts(reply: &[Piece], empty: &[usize], normal: Normal) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, piece) in reply.iter().enumerate() {
        match (parts.last_mut(), piece) {
            (_, Piece::Value(..)) if empty.contains(&at) => {}
            (_, Piece::Value(..)) => parts.push(Part::Value(at)),
            (Some(Part::Literal(before)), Piece::Literal(text)) => before.push_str(text),
            (_, Piece::Literal(text)) => parts.push(Part::Literal(text.clone())),
        }
    }
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter_mut().enumerate() {
        if let Part::Literal(text) = part {
            let mut literal = normal.of_literal(text);
            if at == 0 {
                literal = literal.trim_start().to_string();
            }
            if at == last {
                literal = literal.trim_end().to_string();
            }
            *text = literal;
        }
    }
    parts.retain(|part| !matches!(part, Part::Literal(text) if text.is_empty()));
    parts
}

/// True for a value that may be shown as nothing.
fn may_be_empty(program: &Program, piece: &Piece) -> bool {
    let Piece::Value(slot, _) = piece else { return false };
    match &program.slots[*slot as usize].bound {
        Bound::List { low, .. } => *low < 1,
        Bound::Text(text) => text.low == 0,
        _ => false,
    }
}
