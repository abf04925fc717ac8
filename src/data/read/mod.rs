//! A reply back to values: what a model wrote in place of the template's reply.

mod cut;
mod fresh;
mod natural;
mod outputs;
mod record;
mod rows;
mod scalar;
mod separators;
mod spaces;
mod spelling;
mod unreadable;

use std::sync::Arc;

use smallvec::SmallVec;

use super::layout::{self, Escape, TextWriter, cells};
use super::longest;
use super::symbols::Symbols;
use super::vocab::Vocabulary;
use crate::check::types::Type;
use crate::ir::reply::{Normal, Pattern, patterns};
use crate::ir::{Form, Piece, Program, Rows, SlotId, TextBound};
use crate::runtime::bound::Blanks;
use crate::runtime::{Fault, Memory};
use cut::{Cut, first, lines};
pub use fresh::Fresh;
use natural::Natural;
pub(in crate::data) use natural::{Unbound, phrase};
use outputs::only_words;
pub use record::Unfit;
use rows::{Source, sources};
use separators::{is_apart, parts};
use spaces::{each_word, is_ascii_space, trimmed, words_of};
use spelling::Spelling;
pub use unreadable::Unreadable;
use unreadable::shortened;

/// The lines of a text, without what they begin with.
type Lines<'t> = SmallVec<[&'t str; 8]>;

/// A text with fewer bytes has room for a word in two.
const MANY: usize = 4096;

/// Reads replies of one program. Threads share it.
///
/// A reply is read in a normal form, see [`ir::reply`](crate::ir::reply): white space around it
/// and around its lines does not matter, nor how much of it is between two words, nor how lines
/// end. Otherwise literals must be as they are. A word that no pool has, and a text that the
/// sample does not have, get their own symbol, the same everywhere in one reply;
/// what has a symbol that no word has is no word. The lists of rows that the prompt shows must be
/// those of the sample; all others are read like values.
#[derive(Clone, Debug)]
pub struct Reader {
    program: Arc<Program>,
    vocabulary: Arc<Vocabulary>,
    texts: Symbols,
    /// True if a text of a reply may be empty or have white space in it.
    loose_texts: bool,
    /// Shows what rows of a reply must have.
    keys: TextWriter,
    /// Where the lists of rows come from, by piece.
    sources: Vec<Vec<Source>>,
    words_max: u64,
    normal: Normal,
    /// The pieces of the reply in the normal form.
    pieces: Vec<Piece>,
    patterns: Vec<Pattern>,
    /// The list of words that is all of a reply.
    words: Option<SlotId>,
    /// How natural text becomes words; none where texts are the template's own.
    natural: Option<Natural>,
    /// How values may be spelled beside the template's own way; none where only that is read.
    spelling: Option<Arc<Spelling>>,
}

impl Reader {
    /// For the replies of a program.
    pub fn new(program: Arc<Program>, vocabulary: Arc<Vocabulary>) -> Reader {
        let mut texts = Symbols::default();
        for (text, symbol) in program.texts.iter().zip(0..) {
            texts.insert(text.as_bytes(), symbol);
        }
        let normal = Normal::new(&program);
        let is_loose = |text: TextBound| text.low == 0 || text.blanks > Blanks::None;
        let loose_texts = crate::ir::reply::texts(&program).any(is_loose);
        Reader {
            texts,
            loose_texts,
            keys: TextWriter::new(&program, vocabulary.clone(), Escape::None),
            words_max: 4 * longest::reply_words(&program) + 64,
            normal,
            pieces: program.layout.reply.iter().map(|piece| normal.of_piece(piece)).collect(),
            patterns: patterns(&program, normal),
            words: only_words(&program),
            sources: sources(&program),
            natural: None,
            spelling: None,
            program,
            vocabulary,
        }
    }

    /// The same, which reads the usual spellings of values too.
    pub fn lenient(self) -> Reader {
        let spelling = Some(Arc::new(Spelling::new(&self.program, &self.vocabulary)));
        Reader { spelling, ..self }
    }

    /// The same, which cuts replies of words alone like any others.
    #[cfg(test)]
    pub(in crate::data) fn cutting(self) -> Reader {
        Reader { words: None, ..self }
    }

    /// Binds the outputs of the sample in the memory to what the reply says. Lists made here live
    /// until the next sample.
    ///
    /// # Errors
    /// [`Unreadable`] if the reply does not have the layout's form; some outputs may be bound then.
    pub fn read(&self, reply: &str, memory: &mut Memory) -> Result<(), Unreadable> {
        self.read_with(reply, &Fresh::default(), memory)
    }

    /// The same, with the symbols that unknown words and texts have already.
    pub(super) fn read_with(
        &self,
        reply: &str,
        fresh: &Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unreadable> {
        // A word has a letter, and a space between it and the next: most replies are too short for
        // too many.
        if reply.len() as u64 / 2 >= self.words_max {
            let words = words_of(reply);
            if words > self.words_max {
                return Err(Unreadable::TooLong { words, words_max: self.words_max });
            }
        }
        // White space parts the words of a list, and what it is says nothing: such a reply need not
        // be brought into the normal form, nor cut.
        if let Some(slot) = self.words
            && self.spelling.is_none()
            && reply.is_ascii()
            && !trimmed(reply).is_empty()
        {
            let fresh = &mut fresh.clone();
            let cell = self.tokens(reply, fresh, memory);
            memory.bind(slot, cell.map_err(|problem| self.named(slot, problem))?);
            self.learn(fresh, memory);
            return Ok(());
        }
        let reply = self.normal.of_reply(reply);
        first(&self.patterns, &reply, |found| self.read_parts(found, &mut fresh.clone(), memory))
    }

    /// Binds the outputs to the texts of one way to cut a reply.
    fn read_parts(
        &self,
        found: Cut,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unreadable> {
        let mut later: SmallVec<[(usize, &Rows, &str); 2]> = SmallVec::new();
        for (at, text) in found {
            let (slot, form) = match &self.pieces[at] {
                Piece::Literal(_) => continue,
                Piece::Value(slot, form) => (*slot, form),
                // What they share with a value of the reply is known then.
                Piece::Rows(rows) => {
                    later.push((at, rows, text));
                    continue;
                }
            };
            let kind = &self.program.slots[slot as usize].kind;
            let cell = self.value(kind, form, text, fresh, memory);
            memory.bind(slot, cell.map_err(|problem| self.named(slot, problem))?);
        }
        for (at, rows, text) in later {
            self.read_rows((rows, &self.sources[at]), text, fresh, memory)?;
        }
        self.learn(fresh, memory);
        Ok(())
    }

    /// Has the memory know words that no pool has, where texts may be made of them.
    fn learn(&self, fresh: &Fresh, memory: &mut Memory) {
        if self.program.bounds.text_bytes > 0 {
            memory.set_unknown(fresh.words());
        }
    }

    /// The slots that a reply is read into, in its order: what it shows, but for lists of rows that
    /// the prompt shows.
    pub fn outputs(&self) -> impl Iterator<Item = SlotId> {
        let mut outputs = Vec::new();
        for (piece, sources) in self.program.layout.reply.iter().zip(&self.sources) {
            let read = match piece {
                Piece::Literal(_) => continue,
                Piece::Value(slot, _) => vec![*slot],
                Piece::Rows(rows) => {
                    let cells = rows.cells.iter().zip(sources);
                    let read = cells.filter(|(_, source)| **source != Source::Sample);
                    read.filter_map(|(cell, _)| Some(cell.column()?.0)).collect()
                }
            };
            read.into_iter().for_each(|slot| {
                if !outputs.contains(&slot) {
                    outputs.push(slot);
                }
            });
        }
        outputs.into_iter()
    }

    fn value(
        &self,
        kind: &Type,
        form: &Form,
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        if let Form::Digits(digits) = form {
            return self.digits(*digits, text);
        }
        let Some(element) = kind.element() else {
            let number = self.spelling.as_ref().filter(|_| *kind == Type::Int);
            return match number.and_then(|spelling| spelling.number(trimmed(text))) {
                Some(number) => Ok(number),
                None => self.scalar(kind, text, fresh, memory),
            };
        };
        let text = trimmed(text);
        if let (Form::Joined(between), true) = (form, self.spelling.is_some())
            && Spelling::is_usual(between)
            && !text.contains(if between.trim().is_empty() { between } else { between.trim() })
            && matches!(element, Type::Int | Type::Token)
        {
            return self.list(element, text, fresh, memory);
        }
        match form {
            Form::Plain | Form::Digits(_) => self.list(element, text, fresh, memory),
            Form::Joined(_) if text.is_empty() => push(element, &[], memory),
            Form::Joined(between) if between.is_empty() => {
                let letters =
                    text.char_indices().map(|(at, letter)| &text[at..at + letter.len_utf8()]);
                self.elements(element, letters, fresh, memory)
            }
            Form::Joined(between) if between.trim().is_empty() && !self.is_loose(element) => {
                self.elements(element, text.split_whitespace(), fresh, memory)
            }
            Form::Joined(between) => {
                let found = parts(text, between, |sign| is_apart(element, sign));
                self.elements(element, found.into_iter(), fresh, memory)
            }
        }
    }

    /// True for an element that may be empty or have white space in it.
    fn is_loose(&self, element: &Type) -> bool {
        *element == Type::Text && self.loose_texts
    }

    /// A list of what each of these texts says.
    fn elements<'t>(
        &self,
        element: &Type,
        parts: impl Iterator<Item = &'t str>,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let mut cells: SmallVec<[i64; 16]> = SmallVec::new();
        for part in parts {
            cells.push(match element.element() {
                Some(inner) => self.list(inner, part, fresh, memory)?,
                None => self.scalar(element, part, fresh, memory)?,
            });
        }
        push(element, &cells, memory)
    }

    /// A list with white space between its elements, or of a line each: no row of such is empty,
    /// so that line breaks around them say nothing.
    fn list(
        &self,
        element: &Type,
        text: &str,
        fresh: &mut Fresh,
        memory: &mut Memory,
    ) -> Result<i64, Problem> {
        let text = trimmed(text);
        if let (Type::Token, Some(natural)) = (element, &self.natural) {
            return self.words(natural, text, fresh, memory);
        }
        let spelled = self.spelling.as_ref().and_then(|it| it.elements(element, text));
        match element.element() {
            _ if text.is_empty() => push(element, &[], memory),
            None if let Some(parts) = spelled => {
                self.elements(element, parts.into_iter(), fresh, memory)
            }
            None if *element == Type::Token && text.is_ascii() => self.tokens(text, fresh, memory),
            Some(_) => self.elements(element, lines(text), fresh, memory),
            None if text.is_ascii() => {
                let words = text.split(is_ascii_space).filter(|word| !word.is_empty());
                self.elements(element, words, fresh, memory)
            }
            None => self.elements(element, text.split_whitespace(), fresh, memory),
        }
    }

    /// A list of words in ASCII, nearly all of which the vocabulary has.
    fn tokens(&self, text: &str, fresh: &mut Fresh, memory: &mut Memory) -> Result<i64, Problem> {
        // A letter and a space each; of a text with much white space they are counted.
        let most = match text.len() {
            0..MANY => text.len().div_ceil(2),
            _ => words_of(text) as usize,
        };
        memory.fill_narrow(most, |symbols| {
            let mut count = 0;
            each_word::<Problem>(text, |word| {
                symbols[count] = match self.vocabulary.symbol_in(text, word.clone()) {
                    Some(symbol) => symbol,
                    None => self.token(&text[word], fresh)? as u32,
                };
                count += 1;
                Ok(())
            })?;
            Ok(count)
        })
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
            Problem::Keyed(wanted, found) => {
                Unreadable::Value { name, wanted, found: shortened(&found) }
            }
            Problem::NotAWord(found) => Unreadable::NotAWord { name, found: shortened(&found) },
            Problem::Room(error) => Unreadable::Room(error),
        }
    }
}

/// What is wrong with the text of one value.
enum Problem {
    Found(&'static str, String),
    Line(String, String),
    Keyed(String, String),
    NotAWord(String),
    Room(Fault),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        Problem::Room(fault)
    }
}

impl Problem {
    fn line(start: &str, line: &str) -> Problem {
        Problem::Line(start.to_string(), line.to_string())
    }
}

/// True if a list begins with all elements of another.
fn begins(element: &Type, memory: &Memory, list: i64, start: i64) -> bool {
    let (all, first) = (cells(memory, list, element), cells(memory, start, element));
    let same = |(&a, b): (&i64, i64)| match element.element() {
        Some(inner) => cells(memory, a, inner) == cells(memory, b, inner),
        None => a == b,
    };
    first.len() <= all.len() && all.iter().zip(first).all(same)
}

fn push(element: &Type, cells: &[i64], memory: &mut Memory) -> Result<i64, Problem> {
    layout::push(memory, element, cells).map_err(Problem::Room)
}
