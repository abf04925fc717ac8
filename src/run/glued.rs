//! The words that the pieces of a layout make where no space is between them: `{word}s`, `{n}th`.

use std::collections::BTreeSet;

use crate::check::types::Type;
use crate::data::vocab::Vocabulary;
use crate::ir::{Bound, Cell, Piece, Program, Rows, SlotId};

/// More such words than a model from scratch is trained on.
const WORDS_MAX: usize = 1 << 16;

/// The words of one text's pieces that are made of several; what they are made of is known. None
/// of the pieces' lists is looked into: their first and last elements are what is beside them.
#[derive(Debug)]
pub struct Glued<'a> {
    program: &'a Program,
    vocabulary: &'a Vocabulary,
    /// Words that are over.
    done: BTreeSet<String>,
    /// Words that may go on with what comes next; an empty one where none does.
    open: BTreeSet<String>,
}

/// All such words of a program; none if they are too many.
pub fn words(program: &Program, vocabulary: &Vocabulary) -> Option<BTreeSet<String>> {
    let layout = &program.layout;
    let mut all = BTreeSet::new();
    for pieces in layout.system.iter().chain([&layout.prompt, &layout.reply]) {
        let mut glued = Glued { program, vocabulary, done: BTreeSet::new(), open: nothing() };
        for (at, piece) in pieces.iter().enumerate() {
            glued.add(piece, pieces.get(at + 1))?;
        }
        all.append(&mut glued.done);
        all.append(&mut glued.open);
    }
    all.remove("");
    Some(all)
}

fn nothing() -> BTreeSet<String> {
    [String::new()].into()
}

impl Glued<'_> {
    fn add(&mut self, piece: &Piece, next: Option<&Piece>) -> Option<()> {
        let slot = match piece {
            Piece::Literal(text) => return self.add_all([text.clone()].into()),
            Piece::Value(slot, _) => *slot,
            Piece::Rows(rows) => return self.add_rows(rows),
        };
        let goes_on = match next {
            None => false,
            Some(Piece::Literal(text)) => text.starts_with(is_word),
            Some(Piece::Value(..) | Piece::Rows(_)) => true,
        };
        let is_glued = goes_on || self.open.iter().any(|word| !word.is_empty());
        let Some(texts) = is_glued.then(|| self.texts(slot)).flatten() else {
            self.done.append(&mut self.open);
            self.open = nothing();
            return Some(());
        };
        let is_list = matches!(self.program.slots[slot as usize].kind, Type::List(_));
        let mut alone = texts.clone();
        match is_list {
            true => {
                let before = std::mem::take(&mut self.open);
                self.open = before.clone();
                self.add_all(texts)?;
                // The first of several, the last of several, and nothing of none.
                self.done.extend(self.open.iter().cloned());
                self.open.append(&mut alone);
                self.open.extend(before);
            }
            false => self.add_all(texts)?,
        }
        Some(())
    }

    /// The words that the parts of rows make.
    fn add_rows(&mut self, rows: &Rows) -> Option<()> {
        self.add_all([rows.nothing.clone().unwrap_or_default()].into())?;
        let whole = std::mem::replace(&mut self.open, nothing());
        for (at, cell) in rows.cells.iter().enumerate() {
            match cell {
                Cell::Literal(text) => self.add_all([text.clone()].into())?,
                // A number stands alone, or is known by its digits.
                Cell::Number => self.open = nothing(),
                Cell::Column(slot, form) => {
                    let element = Piece::Value(*slot, form.clone());
                    let next = match rows.cells.get(at + 1) {
                        Some(Cell::Literal(text)) => Some(Piece::Literal(text.clone())),
                        _ => None,
                    };
                    self.add(&element, next.as_ref())?;
                }
            }
        }
        self.add_all([rows.between.clone()].into())?;
        self.open.extend(whole);
        Some(())
    }

    /// What a value may show beside another piece.
    fn texts(&self, slot: SlotId) -> Option<BTreeSet<String>> {
        fn innermost<'b>(kind: &'b Type, bound: &'b Bound) -> (&'b Type, &'b Bound) {
            match (kind, bound) {
                (Type::List(kind), Bound::List { element, .. }) => innermost(kind, element),
                (Type::List(kind), bound) => innermost(kind, bound),
                found => found,
            }
        }
        let slot = &self.program.slots[slot as usize];
        let text = |symbol: &u32| self.program.texts[*symbol as usize].clone();
        Some(match innermost(&slot.kind, &slot.bound) {
            (Type::Token, _) => self.vocabulary.words().map(String::from).collect(),
            (Type::Bool, _) => ["false", "true"].map(String::from).into(),
            (Type::Text, bound) => bound.literals()?.iter().map(text).collect(),
            (Type::Int, Bound::Int { low, high }) => {
                let few = high.checked_sub(*low).is_some_and(|count| count < WORDS_MAX as i64);
                few.then(|| (*low..=*high).map(|number| number.to_string()).collect())?
            }
            _ => return None,
        })
    }

    /// Adds one of these texts; none if there are too many ways.
    fn add_all(&mut self, texts: BTreeSet<String>) -> Option<()> {
        let before = std::mem::take(&mut self.open);
        if before.len().saturating_mul(texts.len()) > WORDS_MAX {
            return None;
        }
        for text in &texts {
            let head = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
            for open in &before {
                let word = format!("{open}{}", &text[..head]);
                match head == text.len() {
                    true => self.open.insert(word),
                    false => self.done.insert(word),
                };
            }
            if head < text.len() {
                let tail = text.rfind(|letter| !is_word(letter)).unwrap_or(0);
                let tail = text[tail..].trim_start_matches(|letter| !is_word(letter));
                self.open.insert(tail.to_string());
            }
        }
        (self.done.len() <= WORDS_MAX).then_some(())
    }
}

/// As a tokenizer of words sees it.
fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
