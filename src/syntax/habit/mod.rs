//! Expressions as Python, JavaScript, Rust, Jinja and spreadsheets write them, said in ours.

mod advice;
mod atoms;
pub mod blocks;
mod calls;
mod closures;
pub mod drawing;
mod draws;
mod given;
mod library;
mod lists;
mod loops;
mod methods;
mod reader;
mod spelling;
mod suffixes;
mod tables;
pub mod words;

use super::tokens::{self, Token};
use crate::diagnostic::{Diagnostic, Edit, edited};
use crate::source::{Source, Span};
use reader::Reader;

/// What an expression says in this language.
#[derive(Clone, Debug)]
pub struct Said {
    /// The habit that was met first.
    pub habit: Habit,
    /// The edits that say all of the expression in this language; none where no text does.
    pub edits: Vec<Edit>,
    /// What is then written where the habit was.
    pub text: String,
    /// The bytes that were read.
    pub read: Span,
    /// Whether it needs parentheses where an operator is beside it.
    pub is_loose: bool,
    /// What is not the same all the same; empty for nothing.
    pub note: &'static str,
}

/// One thing that other languages write in another way.
#[derive(Clone, Debug)]
pub struct Habit {
    /// Its code.
    pub code: &'static str,
    /// What is different here, lower case.
    pub title: String,
    /// The place of the symbol or word.
    pub place: Span,
    /// What is here.
    pub label: &'static str,
    /// What to do, where no text can be written for it.
    pub help: Option<String>,
    /// Whether the text says the same for certain.
    pub is_sure: bool,
}

impl Said {
    /// What to do where no text says the same.
    fn advice(habit: Habit, read: Span) -> Said {
        Said { habit, edits: Vec::new(), text: String::new(), read, is_loose: false, note: "" }
    }

    /// The same between parentheses; `place` is the expression that was read.
    pub fn in_parentheses(mut self, source: &Source, place: Span) -> Said {
        let text = format!("({})", edited_slice(source, place, &self.edits));
        self.edits = vec![Edit { span: place, text: text.clone() }];
        Said { text, is_loose: false, ..self }
    }

    /// The diagnostic of the habit, with the text to write.
    pub fn explain(&self) -> Diagnostic {
        let Habit { code, title, place, label, help, is_sure } = &self.habit;
        let error = Diagnostic::error(code, title, *place, *label);
        if let Some(help) = help {
            return error.help(help);
        }
        let note = if self.note.is_empty() { "" } else { "; " };
        let error = error.help(format!("write `{}`{note}{}", self.text, self.note));
        let add = |error: Diagnostic, edit: &Edit| error.fix(edit.span, &*edit.text);
        let error = self.edits.iter().fold(error, add);
        error.sure_if(*is_sure)
    }
}

/// Reads the expression that begins with a token; None where it holds no habit, or cannot be read.
pub fn expression(source: &Source, tokens: &[Token], from: usize) -> Option<Said> {
    read(Reader::new(source, tokens, from), from)
}

fn read(mut reader: Reader, from: usize) -> Option<Said> {
    let (source, tokens) = (reader.source, reader.tokens);
    let node = reader.expression();
    let end = reader.tokens.get(reader.at.checked_sub(1)?)?.span.end;
    let start = tokens.get(from)?.span.start;
    let read = Span::new(start, end.max(start));
    if let Some(habit) = reader.advice {
        return Some(Said::advice(habit, read));
    }
    let node = node?;
    if let Some(item) = &node.of {
        let mut habit = reader.found.into_iter().next()?;
        let body = reader::cut(source, &node);
        habit.help = Some(format!("write `fn name({item}: Int) -> Int = {body}`, and call it"));
        return Some(Said::advice(habit, read));
    }
    let of_syntax = reader.found.iter().position(|habit| habit.code.starts_with("E1"));
    let is_sure = !reader.is_guess && reader.found.iter().all(|habit| habit.is_sure);
    let mut habit = reader.found.into_iter().nth(of_syntax.unwrap_or(0))?;
    habit.is_sure = is_sure;
    let shown = match &node.edits[..] {
        [one] if one.text.trim().len() > 3 => one.text.clone(),
        _ => edited_slice(source, node.span, &node.edits),
    };
    let is_loose = node.tight < reader::ATOM;
    let note = reader.note;
    Some(Said { habit, edits: node.edits, text: shown, read, is_loose, note })
}

/// The same for the text of an expression that can be parsed and calls what is not known here.
pub fn call(source: &Source, place: Span) -> Option<Said> {
    let own = Source::new(&*source.name, source.slice(place));
    let (tokens, errors) = tokens::scan(&own, 0);
    if !errors.is_empty() {
        return None;
    }
    let mut reader = Reader::new(&own, &tokens, 0);
    (reader.all, reader.of_value) = (&source.text, true);
    let mut said = read(reader, 0)?;
    if said.read.end != own.text.len() && said.habit.help.is_none() {
        return None;
    }
    let moved = |span: Span| Span::new(span.start + place.start, span.end + place.start);
    said.edits.iter_mut().for_each(|edit| edit.span = moved(edit.span));
    said.habit.place = moved(said.habit.place);
    said.read = moved(said.read);
    Some(said)
}

/// The text under a span after edits inside it.
fn edited_slice(source: &Source, span: Span, edits: &[Edit]) -> String {
    let moved = |edit: &Edit| {
        let place = Span::new(edit.span.start - span.start, edit.span.end - span.start);
        Edit { span: place, text: edit.text.clone() }
    };
    let edits: Vec<Edit> = edits.iter().map(moved).collect();
    edited(source.slice(span), &edits)
}

/// The same for an expression that is a separate text.
pub fn said_text(text: &str) -> Option<String> {
    let own = Source::new("", text);
    let (tokens, errors) = tokens::scan(&own, 0);
    let (said, end) = said(&own, &tokens, 0).filter(|_| errors.is_empty())?;
    (end == tokens.len()).then_some(said)
}

/// The text of the expression that begins with a token, in this language, and the token after it.
pub fn said(source: &Source, tokens: &[Token], from: usize) -> Option<(String, usize)> {
    let mut reader = Reader::new(source, tokens, from);
    reader.open = 1;
    let node = reader.expression()?;
    (reader.advice.is_none()).then(|| (reader.said(&node, reader::LOOSE), reader.at))
}
