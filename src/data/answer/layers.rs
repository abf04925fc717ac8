//! Decoration around an answer, peeled a layer at a time where a layer encloses all of it.

use super::marks::matching;
use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Bound, Cell, Form, Piece, Program, Rows, SlotId};

/// What decoration begins and ends with.
const PAIRS: [[&str; 2]; 17] = [
    ["```", "```"],
    ["**", "**"],
    ["__", "__"],
    ["*", "*"],
    ["_", "_"],
    ["`", "`"],
    ["$$", "$$"],
    ["$", "$"],
    [r"\(", r"\)"],
    [r"\[", r"\]"],
    ["\"", "\""],
    ["'", "'"],
    ["“", "”"],
    ["‘", "’"],
    ["[", "]"],
    ["(", ")"],
    [r"\text{", "}"],
];

/// What a single item of a list begins with.
const BULLETS: [&str; 3] = ["- ", "* ", "• "];

/// The decoration that a template's own replies cannot be taken for.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pairs: Vec<[&'static str; 2]>,
    bullets: Vec<&'static str>,
    /// Whether a full stop at the end is not the reply's own.
    stop: bool,
}

impl Layers {
    /// Around the replies of a program.
    pub fn new(program: &Program, vocabulary: &Vocabulary) -> Layers {
        let edges = Edges { program, vocabulary };
        let is_own = |pair: &[&str; 2]| edges.may_begin(pair[0]) && edges.may_end(pair[1]);
        Layers {
            pairs: PAIRS.into_iter().filter(|pair| !is_own(pair)).collect(),
            bullets: BULLETS.into_iter().filter(|it| !edges.may_begin(it.trim_end())).collect(),
            stop: !edges.may_end("."),
        }
    }

    /// A text without the decoration around it.
    pub fn peeled<'t>(&self, text: &'t str) -> &'t str {
        let (mut text, mut stop) = (text.trim(), self.stop);
        loop {
            let bullet = || self.bullets.iter().find_map(|bullet| text.strip_prefix(bullet));
            let inner = self.pairs.iter().find_map(|pair| enclosed(text, *pair)).or_else(bullet);
            text = match inner {
                Some(inner) => inner,
                None if stop && text.ends_with('.') && !text.ends_with("..") => {
                    stop = false;
                    &text[..text.len() - 1]
                }
                None => return text,
            }
            .trim();
        }
    }
}

/// What a pair encloses, if that is all.
fn enclosed<'t>(text: &'t str, [open, close]: [&str; 2]) -> Option<&'t str> {
    let inner = text.strip_prefix(open)?.strip_suffix(close)?;
    let is_all = match open {
        "[" | "(" => is_balanced(inner, open, close),
        r"\text{" => matching(&text[open.len()..]) == Some(inner.len()),
        _ => !inner.contains(open) && !inner.contains(close),
    };
    match open {
        _ if !is_all || inner.trim().is_empty() => None,
        // The language of a fence is on its first line.
        "```" => inner.split_once('\n').map_or(Some(inner), |(language, lines)| {
            let is_name = language.trim().bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_name.then_some(lines)
        }),
        _ => Some(inner),
    }
}

fn may_be_negative(bound: &Bound) -> bool {
    match bound {
        Bound::Int { low, .. } => *low < 0,
        Bound::List { element, .. } => may_be_negative(element),
        Bound::Any => true,
        Bound::Token(_) | Bound::Text(_) => false,
    }
}

fn is_balanced(inner: &str, open: &str, close: &str) -> bool {
    let mut depth = 0_i64;
    let is_in = inner.chars().all(|letter| {
        depth += i64::from(open.starts_with(letter)) - i64::from(close.starts_with(letter));
        depth >= 0
    });
    is_in && depth == 0
}

/// What a reply may begin or end with.
struct Edge<'t> {
    with: &'t str,
    is_start: bool,
}

impl Edge<'_> {
    fn is_of(&self, text: &str) -> bool {
        match self.is_start {
            true => text.trim_start().starts_with(self.with),
            false => text.trim_end().ends_with(self.with),
        }
    }
}

/// What the replies of a program may begin and end with.
struct Edges<'a> {
    program: &'a Program,
    vocabulary: &'a Vocabulary,
}

impl Edges<'_> {
    fn may_begin(&self, with: &str) -> bool {
        self.may(self.program.layout.reply.iter(), &Edge { with, is_start: true })
    }

    fn may_end(&self, with: &str) -> bool {
        self.may(self.program.layout.reply.iter().rev(), &Edge { with, is_start: false })
    }

    /// Whether the first piece that is not nothing may have that edge.
    fn may<'p>(&self, pieces: impl Iterator<Item = &'p Piece>, edge: &Edge) -> bool {
        for piece in pieces {
            let (found, may_be_nothing) = match piece {
                Piece::Literal(text) => (edge.is_of(text), text.trim().is_empty()),
                Piece::Value(slot, form) => self.value(*slot, form, edge),
                Piece::Rows(rows) => self.rows(rows, edge),
            };
            if found || !may_be_nothing {
                return found;
            }
        }
        false
    }

    /// Whether rows may have that edge, and whether they may be nothing.
    fn rows(&self, rows: &Rows, edge: &Edge) -> (bool, bool) {
        let found = rows.cells.iter().any(|cell| match cell {
            Cell::Literal(text) => edge.is_of(text),
            Cell::Number => edge.is_of("1"),
            Cell::Column(slot, form) => self.value(*slot, form, edge).0,
        });
        let found = found
            || rows.nothing.as_deref().is_some_and(|text| edge.is_of(text))
            || edge.is_of(&rows.between);
        let may_be_nothing = rows.nothing.is_none()
            && rows.columns().last().is_none_or(|(slot, form)| self.value(slot, form, edge).1);
        (found, may_be_nothing)
    }

    /// Whether a value may have that edge, and whether it may be nothing.
    fn value(&self, slot: SlotId, form: &Form, edge: &Edge) -> (bool, bool) {
        let own = self.scalar(slot, edge);
        let found = match form {
            Form::Plain | Form::Digits(_) => own,
            Form::Joined(between) => own || edge.is_of(between),
        };
        let may_be_nothing = match &self.program.slots[slot as usize].bound {
            Bound::List { low, .. } => *low < 1,
            Bound::Text(text) => match &text.literals {
                Some(texts) => {
                    texts.iter().any(|&text| self.program.texts[text as usize].trim().is_empty())
                }
                None => text.low == 0 || text.has_blank_ends(),
            },
            Bound::Any => true,
            _ => false,
        };
        (found, may_be_nothing)
    }

    fn scalar(&self, slot: SlotId, edge: &Edge) -> bool {
        let mut kind = &self.program.slots[slot as usize].kind;
        while let Some(element) = kind.element() {
            kind = element;
        }
        match kind {
            Type::Token => self.vocabulary.words().any(|word| edge.is_of(word)),
            Type::Text => {
                let Some(texts) = self.program.slots[slot as usize].texts() else { return true };
                // One that is made may have its characters anywhere.
                let Some(own) = texts.literals else {
                    return edge.with.chars().all(|sign| texts.signs.has(sign));
                };
                // The others may be right too, but for those that are only parts of longer ones.
                let is_value = |text: &&String| {
                    text.trim() == text.as_str() && text.contains(char::is_alphanumeric)
                };
                own.iter().any(|&text| edge.is_of(&self.program.texts[text as usize]))
                    || self.program.texts.iter().filter(is_value).any(|text| edge.is_of(text))
            }
            Type::Int => {
                may_be_negative(&self.program.slots[slot as usize].bound) && edge.is_of("-")
            }
            Type::Real => edge.is_of("-"),
            Type::Bool => false,
            Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => true,
        }
    }
}
