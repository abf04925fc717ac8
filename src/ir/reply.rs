//! The patterns of a reply: what is between its values, for each choice of empty ones.
//!
//! A reply is read in a normal form: lines end with `\n`, no white space is around the reply or at
//! the end or the start of a line, and one space is between words. An empty value leaves the
//! literals around it side by side, whose white space is then brought into the same form.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Bound, Cell, Form, Piece, Program, Role, Rows, SlotId, TextBound};
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
        let mut literals = program.layout.reply.iter().flat_map(Piece::literals);
        let has_tab = literals.any(|text| text.contains('\t'));
        let collapses = texts(program).all(is_normal) && !has_tab;
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
            Piece::Value(slot, form) => Piece::Value(*slot, self.of_form(form)),
            Piece::Rows(rows) => {
                let cells = rows.cells.iter().map(|cell| match cell {
                    Cell::Literal(text) => Cell::Literal(self.of_literal(text)),
                    Cell::Number => Cell::Number,
                    Cell::Column(slot, form) => Cell::Column(*slot, self.of_form(form)),
                });
                Piece::Rows(Rows {
                    cells: cells.collect(),
                    between: self.of_literal(&rows.between),
                    nothing: rows.nothing.as_deref().map(|text| self.of_literal(text)),
                })
            }
        }
    }

    fn of_form(self, form: &Form) -> Form {
        match form {
            Form::Joined(between) => Form::Joined(self.of_literal(between)),
            Form::Plain | Form::Digits(_) => form.clone(),
        }
    }
}

/// What is known of the texts that a reply shows.
pub fn texts(program: &Program) -> impl Iterator<Item = TextBound> {
    let slots = program.layout.reply.iter().flat_map(Piece::shown);
    slots.filter_map(|(slot, _)| program.slots[slot as usize].texts())
}

/// The slots that the prompt shows, and those without a name.
pub fn given(program: &Program) -> BTreeSet<SlotId> {
    let layout = &program.layout;
    let read = layout.system.iter().flatten().chain(&layout.prompt).flat_map(Piece::shown);
    let mut given: BTreeSet<SlotId> = read.map(|(slot, _)| slot).collect();
    let placeholders =
        program.slots.iter().zip(0..).filter(|(slot, _)| slot.role == Role::Placeholder);
    given.extend(placeholders.map(|(_, id)| id));
    given
}

/// True for a list of rows that is read from the reply; the others are those of the sample.
pub fn is_read(program: &Program, list: SlotId) -> bool {
    let is_alone = |piece: &Piece| matches!(piece, Piece::Value(slot, _) if *slot == list);
    !given(program).contains(&list) || program.layout.reply.iter().any(is_alone)
}

/// The patterns of a program's reply: first those that it can write, with few empty values first.
pub fn patterns(program: &Program, normal: Normal) -> Vec<Pattern> {
    let reply = &program.layout.reply;
    let is_value = |at: &usize| !matches!(reply[*at], Piece::Literal(_));
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
        Piece::Value(..) | Piece::Rows(_) => None,
    });
    let between = normal.of_literal(&between.collect::<String>());
    let is_made = |piece: &Piece| {
        let texts = piece.shown().filter_map(|(slot, _)| program.slots[slot as usize].texts());
        texts.into_iter().any(|texts| texts.literals.is_none())
    };
    let holds = is_made(&reply[second])
        || separators(program, &reply[second], normal).iter().any(|it| it.contains(&between));
    (holds && may_be_part(program, &reply[first], &reply[second])).then_some((first, second))
}

/// What is between the parts of a value.
fn separators(program: &Program, piece: &Piece, normal: Normal) -> Vec<String> {
    let mut all: Vec<String> = piece.literals().map(|text| normal.of_literal(text)).collect();
    let is_row = matches!(piece, Piece::Rows(_));
    for (slot, form) in piece.shown() {
        let kind = &program.slots[slot as usize].kind;
        let depth = kind.depth().saturating_sub(usize::from(is_row));
        match form {
            Form::Plain if depth > 0 => all.push(" ".to_string()),
            Form::Plain | Form::Digits(_) | Form::Joined(_) => {}
        }
        all.extend((*form == Form::Plain && depth > 1).then(|| "\n".to_string()));
        if scalar(kind) == &Type::Text {
            all.extend(program.texts.iter().map(|text| normal.of_literal(text)));
        }
    }
    all
}

/// May the start of the second value be read as the first? A row of several parts is none.
fn may_be_part(program: &Program, first: &Piece, second: &Piece) -> bool {
    let kind = |slot: SlotId| scalar(&program.slots[slot as usize].kind);
    let is_signed = matches!(second, Piece::Rows(rows) if rows.cells.len() > 1);
    let others: Vec<&Type> = second.shown().map(|(slot, _)| kind(slot)).collect();
    first.shown().any(|(slot, _)| match kind(slot) {
        Type::Text => true,
        Type::Token => !is_signed,
        one => !is_signed && others.contains(&one),
    })
}

fn scalar(kind: &Type) -> &Type {
    kind.element().map_or(kind, scalar)
}

/// The literals and values of a reply, in the normal form.
fn parts(reply: &[Piece], empty: &[usize], normal: Normal) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, piece) in reply.iter().enumerate() {
        match (parts.last_mut(), piece) {
            (Some(Part::Literal(before)), Piece::Literal(text)) => before.push_str(text),
            (_, Piece::Literal(text)) => parts.push(Part::Literal(text.clone())),
            _ if empty.contains(&at) => {}
            _ => parts.push(Part::Value(at)),
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
    let is_short = |slot: SlotId| match &program.slots[slot as usize].bound {
        Bound::List { low, .. } => *low < 1,
        Bound::Text(text) => text.low == 0,
        _ => false,
    };
    match piece {
        Piece::Literal(_) => false,
        Piece::Value(slot, _) => is_short(*slot),
        Piece::Rows(rows) => rows.nothing.is_none() && rows.last().is_some_and(is_short),
    }
}
