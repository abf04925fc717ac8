//! Another name for what a document binds: the edits, or why there are none.

use lsp_types::{Position, PrepareRenameResponse};

use super::analysis::Analysis;
use crate::check;
use crate::check::index::Named;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::syntax::{self, tokens};

/// The errors of a name that stands for something else already.
const TAKEN: [&str; 4] = ["E202", "E210", "E217", "E220"];

/// The name that would be renamed, or why it cannot be.
pub fn prepare(analysis: &Analysis, at: Position) -> Result<PrepareRenameResponse, String> {
    let (span, _) = renamable(analysis, analysis.text.byte(at))?;
    Ok(PrepareRenameResponse::RangeWithPlaceholder {
        range: analysis.text.range(span),
        placeholder: analysis.source().slice(span).to_string(),
    })
}

/// A name of this file, and what it means.
pub fn renamable(analysis: &Analysis, byte: usize) -> Result<(Span, usize), String> {
    let (span, id) = analysis.name_at(byte).ok_or("no name stands here")?;
    let definition = analysis.definition(id);
    let name = &definition.name;
    match (&definition.kind, &definition.home) {
        (Named::Module, _) => return Err(format!("`{name}` is a file: rename that instead")),
        (_, Some(home)) if home.name.starts_with("std:") => {
            return Err(format!("`{name}` is built in and keeps its name"));
        }
        (Named::Pool, None) if definition.span == Span::default() => {
            return Err(format!("`{name}` is built in and keeps its name"));
        }
        _ => {}
    }
    match analysis.is_whole {
        true => Ok((span, id)),
        false => Err("fix the errors of the syntax first: names beside them are not seen".into()),
    }
}

/// Why a text cannot be a name.
pub fn refuse_no_name(new: &str) -> Result<(), String> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if tokens::is_keyword(new) {
        return Err(format!("`{new}` is a word of the language: write another name"));
    }
    match new.starts_with(|c: char| c.is_ascii_lowercase()) && new.chars().all(is_letter) {
        true => Ok(()),
        false => Err(format!(
            "`{new}` is no name: write a small letter, then small letters, digits and `_`"
        )),
    }
}

/// A text with a new name at some places, which are in order.
pub fn renamed(source: &Source, places: &[Span], new: &str) -> Source {
    let (mut text, mut end) = (String::new(), 0);
    for place in places {
        text += &source.text[end..place.start];
        text += new;
        end = place.end;
    }
    text += &source.text[end..];
    Source { name: source.name.clone(), text: text.into() }
}

/// Refuses a renamed text that has an error which the text before had not, or whose names mean
/// something else.
pub fn refuse_new_errors(
    analysis: &Analysis,
    renamed: &Source,
    read: check::Neighbour,
) -> Result<(), String> {
    let (file, errors) = syntax::parse(renamed);
    let survey = check::survey(&file, renamed, read);
    let before = &analysis.survey;
    let count = |all: &[Diagnostic], code| all.iter().filter(|one| one.code == code).count();
    let is_new = |error: &&Diagnostic| {
        count(&survey.diagnostics, error.code) > count(&before.diagnostics, error.code)
    };
    let mut new: Vec<&Diagnostic> = survey.diagnostics.iter().filter(is_new).collect();
    // That a name is taken says more than what follows from it.
    new.sort_by_key(|error| !TAKEN.contains(&error.code));
    if let Some(error) = errors.first().or(new.first().copied()) {
        return Err(error.title.clone());
    }
    let same = |(old, new): (&(Span, usize), &(Span, usize))| old.1 == new.1;
    let (old, new) = (&before.index.uses, &survey.index.uses);
    match old.len() == new.len() && old.iter().zip(new).all(same) {
        true => Ok(()),
        false => Err("another name would mean something else then: write another one".into()),
    }
}
