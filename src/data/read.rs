//! A reply back to values: what a model wrote in place of the template's reply.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::layout::{Escape, TextWriter, cells, is_narrow};
use super::longest;
use super::vocab::Vocabulary;
use crate::check::types::Type;
use crate::ir::{Bound, Form, Piece, Program, SlotId};
use crate::runtime::{Fault, Memory};

/// Reads replies of one program. Threads share it.
///
/// Literals must stand as they are. White space around the reply does not matter, nor does how
/// much of it stands between two words. A word that no pool has, and a text that the template does
/// not have, get a symbol of their own, the same wherever they stand in one reply.
#[derive(Clone, Debug)]
pub struct Reader {
    program: Arc<Program>,
    vocabulary: Arc<Vocabulary>,
    texts: HashMap<String, u32>,
    /// Shows the keys that lines of a reply must begin with.
    keys: TextWriter,
    words_max: u64,
    /// Whether line breaks at the start and at the end may stand for an empty first or last value.
    edges: [bool; 2],
}

/// Why a reply cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is far longer than any reply that the template makes.
    TooLong {
        /// Its words, by white space.
        words: u64,
        /// The most that is read.
        words_max: u64,
    },
    /// A literal of the layout is not where it must stand.
    Missing(String),
    /// There is text behind the last literal, or before the first.
    Around(String),
    /// Something else stands in the place of a value.
    Value {
        /// The output's name.
        name: String,
        /// What it must be.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// There is no room for it.
    Room(Fault),
}

impl Reader {
    /// For the replies of a program.
    pub fn new(program: Arc<Program>, vocabulary: Arc<Vocabulary>) -> Reader {
        let by_symbol = program.texts.iter().zip(0..);
        Reader {
            texts: by_symbol.map(|(text, symbol)| (text.clone(), symbol)).collect(),
            keys: TextWriter::new(&program, vocabulary.clone(), Escape::None),
            words_max: 4 * longest::reply_words(&program) + 64,
            edges: edges(&program),
            program,
            vocabulary,
        }
    }

    /// Binds the outputs of the sample in the memory to what the reply says. When it cannot be
    /// read, some may be bound already. Lists made here live until the next sample.
    pub fn read(&self, reply: &str, memory: &mut Memory) -> Result<(), Unreadable> {
        let words = reply.split_whitespace().count() as u64;
        if words > self.words_max {
            return Err(Unreadable::TooLong { words, words_max: self.words_max });
        }
        let mut fresh = Fresh::default();
        for (slot, form, text) in self.split(reply)? {
            let kind = &self.program.slots[slot as usize].kind;
            let cell = self
                .value(kind, form, slot, text, &mut fresh, memory)
                .map_err(|problem| self.named(slot, problem))?;
            memory.bind(slot, cell);
        }
        Ok(())
    }

    /// The slots that a reply shows, in its order.
    pub fn outputs(&self) -> impl Iterator<Item = SlotId> {
        self.program.layout.reply.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Value(slot, _) => Some(*slot),
        })
    }

    /// The text that stands for each value. White space around the reply is left out, unless the
    /// literals are found only with it: an empty first value leaves a reply that starts with one.
    fn split<'t>(&self, reply: &'t str) -> Result<Vec<(SlotId, &Form, &'t str)>, Unreadable> {
        let is_space = |character: char| character == ' ' || character == '\t';
        let [start, end] = self.edges;
        let trimmed = if start { reply.trim_start_matches(is_space) } else { reply.trim_start() };
        let trimmed = if end { trimmed.trim_end_matches(is_space) } else { trimmed.trim_end() };
        let pieces = &self.program.layout.reply;
        split(pieces, trimmed, true).or_else(|why| split(pieces, reply, false).map_err(|_| why))
    }

    fn value(
        &self,
        kind: &Type,
        form: &Form,
        slot: SlotId,
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let Some(element) = kind.element() else {
            return self.scalar(kind, text, fresh);
        };
        let parts: Vec<&str> = match form {
            Form::Plain => {
                let some = self.program.slots[slot as usize].bound.at_least_one();
                return self.list(element, text, some, fresh, memory);
            }
            _ if text.trim().is_empty() => Vec::new(),
            Form::Joined(between) if between.trim().is_empty() => text.split_whitespace().collect(),
            Form::Joined(between) => text.split(between.as_str()).collect(),
            Form::Numbered => unnumbered(text)?,
            Form::Lines(keys, between) => self.unkeyed(*keys, between, text, memory)?,
            Form::Labelled(keys) => self.unkeyed(*keys, ". ", text, memory)?,
        };
        let mut cells = Vec::with_capacity(parts.len());
        for part in parts {
            cells.push(match element.element() {
                Some(inner) => self.list(inner, part, false, fresh, memory)?,
                None => self.scalar(element, part, fresh)?,
            });
        }
        push(element, cells, memory)
    }

    /// A list with white space between its elements, or of a line each. `some`: it is never empty.
    fn list(
        &self,
        element: &Type,
        text: &str,
        some: bool,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let mut cells = Vec::new();
        match element.element() {
            Some(_) if text.trim().is_empty() && !some => {}
            Some(inner) => {
                for line in text.split('\n') {
                    cells.push(self.list(inner, line, false, fresh, memory)?);
                }
            }
            None => {
                for word in text.split_whitespace() {
                    cells.push(self.scalar(element, word, fresh)?);
                }
            }
        }
        push(element, cells, memory)
    }

    fn scalar(&self, kind: &Type, text: &str, fresh: &mut Fresh) -> Result<i64, Problem> {
        let text = text.trim();
        let wanted = |wanted: &'static str| Problem::Found(wanted, text.to_string());
        match kind {
            Type::Token => {
                if text.is_empty() || text.contains(char::is_whitespace) {
                    return Err(wanted("one word"));
                }
                let known = self.vocabulary.symbol(text);
                Ok(known.unwrap_or_else(|| fresh.token(text, self.vocabulary.len())).into())
            }
            Type::Text => {
                let known = self.texts.get(text).copied();
                Ok(known.unwrap_or_else(|| fresh.text(text, self.texts.len())).into())
            }
            Type::Int => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let decimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                let number = text.parse().ok().filter(|_| decimal);
                number.ok_or_else(|| wanted("a whole number"))
            }
            Type::Real => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.map(|number| number.to_bits() as i64).ok_or_else(|| wanted("a number"))
            }
            Type::Bool => match text {
                "true" => Ok(1),
                "false" => Ok(0),
                _ => Err(wanted("`true` or `false`")),
            },
            Type::List(_) | Type::Any(_) | Type::Shown | Type::Unknown => {
                Err(wanted("a value of a known type"))
            }
        }
    }

    /// The lines without their keys, which must stand as the sample has them.
    fn unkeyed<'t>(
        &self,
        slot: SlotId,
        between: &str,
        text: &'t str,
        memory: &Memory,
    ) -> Result<Vec<&'t str>, Problem> {
        let kind = &self.program.slots[slot as usize].kind;
        let key_kind = kind.element().unwrap_or(&Type::Unknown);
        let mut keys = cells(memory, memory.slot(slot), key_kind).into_iter();
        let mut values = Vec::new();
        for line in text.split('\n') {
            let Some(key) = keys.next() else {
                return Err(Problem::Found("no more lines than keys", line.to_string()));
            };
            let mut start = Vec::new();
            self.keys.write_plain(memory, key, key_kind, &mut start);
            start.extend_from_slice(between.as_bytes());
            let start = String::from_utf8_lossy(&start);
            values.push(without_start(line, &start).ok_or_else(|| Problem::line(&start, line))?);
        }
        Ok(values)
    }

    fn named(&self, slot: SlotId, problem: Problem) -> Unreadable {
        let name = self.program.slots[slot as usize].name.clone();
        match problem {
            Problem::Found(wanted, found) => {
                Unreadable::Value { name, wanted: wanted.to_string(), found: shortened(&found) }
            }
            Problem::Line(wanted, found) => {
                let wanted = format!("a line that starts with `{wanted}`");
                Unreadable::Value { name, wanted, found: shortened(&found) }
            }
            Problem::Room(fault) => Unreadable::Room(fault),
        }
    }
}

/// What is wrong with the text of one value.
enum Problem {
    Found(&'static str, String),
    Line(String, String),
    Room(Fault),
}

impl Problem {
    fn line(start: &str, line: &str) -> Problem {
        Problem::Line(start.to_string(), line.to_string())
    }
}

/// Symbols for what no pool and no literal has.
#[derive(Default)]
struct Fresh {
    tokens: HashMap<String, u32>,
    texts: HashMap<String, u32>,
}

impl Fresh {
    fn token(&mut self, word: &str, known: usize) -> u32 {
        let next = (known + self.tokens.len()) as u32;
        *self.tokens.entry(word.to_string()).or_insert(next)
    }

    fn text(&mut self, text: &str, known: usize) -> u32 {
        let next = (known + self.texts.len()) as u32;
        *self.texts.entry(text.to_string()).or_insert(next)
    }
}

/// Cuts a reply at its literals. `outer`: white space around the whole reply is gone already.
fn split<'p, 't>(
    pieces: &'p [Piece],
    text: &'t str,
    outer: bool,
) -> Result<Vec<(SlotId, &'p Form, &'t str)>, Unreadable> {
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
        let literal = if outer && first { literal.trim_start() } else { literal };
        let literal = if outer && last { literal.trim_end() } else { literal };
        let missing = || Unreadable::Missing(literal.to_string());
        let Some((slot, form)) = open.take() else {
            rest = rest.strip_prefix(literal).ok_or_else(missing)?;
            continue;
        };
        let (value, after) = match last {
            true => (rest.strip_suffix(literal).ok_or_else(missing)?, ""),
            false => rest.split_once(literal).ok_or_else(missing)?,
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

/// The lines without `1. `, `2. ` and so on.
fn unnumbered(text: &str) -> Result<Vec<&str>, Problem> {
    let numbered = text.split('\n').zip(1..);
    let unnumber = |(line, number): (_, u64)| {
        let start = format!("{number}. ");
        without_start(line, &start).ok_or_else(|| Problem::line(&start, line))
    };
    numbered.map(unnumber).collect()
}

/// A line without its start. An empty value may have lost the white space before it.
fn without_start<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    let line = line.trim_start();
    let value = line.strip_prefix(start);
    value.or_else(|| (line.trim_end() == start.trim_end()).then_some(""))
}

fn push(element: &Type, cells: Vec<i64>, memory: &mut Memory) -> Result<i64, Problem> {
    let list = if is_narrow(element) {
        let symbols: Vec<u32> = cells.into_iter().map(|cell| cell as u32).collect();
        memory.push_narrow(&symbols)
    } else {
        memory.push_wide(&cells)
    };
    list.map_err(Problem::Room)
}

/// Whether the first and the last value of a reply may be empty at its outer edge.
fn edges(program: &Program) -> [bool; 2] {
    let reply = &program.layout.reply;
    let may_be_empty = |piece: Option<&Piece>| match piece {
        Some(Piece::Value(slot, Form::Plain)) => match &program.slots[*slot as usize].bound {
            Bound::List { low, element, .. } => {
                *low < 1 || matches!(**element, Bound::List { low, .. } if low < 1)
            }
            _ => false,
        },
        _ => false,
    };
    [may_be_empty(reply.first()), may_be_empty(reply.last())]
}

impl Bound {
    /// True for a list that always has an element.
    fn at_least_one(&self) -> bool {
        matches!(self, Bound::List { low, .. } if *low > 0)
    }
}

/// The start of a text, for a message.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unreadable::TooLong { words, words_max } => {
                write!(f, "it has {words} words, and a reply of up to {words_max} is read")
            }
            Unreadable::Missing(literal) => write!(f, "`{}` is missing", literal.escape_debug()),
            Unreadable::Around(text) => write!(f, "`{}` is too much", text.escape_debug()),
            Unreadable::Value { name, wanted, found } if found.is_empty() => {
                write!(f, "`{name}` must be {wanted}, and there is nothing")
            }
            Unreadable::Value { name, wanted, found } => {
                write!(f, "`{name}` must be {wanted}, and is `{}`", found.escape_debug())
            }
            Unreadable::Room(fault) => write!(f, "it is too long: {fault}"),
        }
    }
}
