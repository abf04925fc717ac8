//! What is certain of a file that can be read in part.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};
use crate::syntax::ast::File;

/// Of the errors found in the statements that could be read, those that none of the others can
/// explain: errors of names and types whose names stand in no text that could not be read.
pub fn certain(source: &Source, file: &File, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let (unread, halves) = unread(source, file);
    let is_certain = |error: &Diagnostic| {
        let is_of_names = error.code.starts_with("E2") || error.code.starts_with("E3");
        let held = file.statements.iter().find(|statement| {
            statement.span.start <= error.span().start && error.span().end <= statement.span.end
        });
        let place = held.map_or(error.span(), |statement| statement.span);
        error.severity == Severity::Error
            && is_of_names
            && !halves.contains(&place)
            && words(source.slice(place)).all(|word| !unread.contains(word))
    };
    found.into_iter().filter(is_certain).collect()
}

/// The words of what belongs to no statement that could be read, and the statements before such:
/// they may be halves.
fn unread<'s>(source: &'s Source, file: &File) -> (BTreeSet<&'s str>, BTreeSet<Span>) {
    let mut spans: Vec<Span> = file.statements.iter().map(|statement| statement.span).collect();
    spans.sort();
    spans.push(Span::new(source.text.len(), source.text.len()));
    let (mut all, mut halves) = (BTreeSet::new(), BTreeSet::new());
    let mut before = Span::default();
    for span in spans {
        let between = source.text.get(before.end..span.start).unwrap_or("");
        let code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        if between.lines().any(code) {
            all.extend(words(between));
            all.extend(words(source.slice(before)));
            halves.insert(before);
        }
        before = span;
    }
    // The words of the language name nothing.
    for word in ["vocab", "rule", "prompt", "reply", "if", "then", "else", "in", "and", "or", "not"]
    {
        all.remove(word);
    }
    (all, halves)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(move |other| !letter(other))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()))
}
