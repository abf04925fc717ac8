//! Text to tree: [`parse`] gives the tree of what it understood and every fault it met.

pub mod ast;

mod build;
mod expression;
mod fault;
mod grammar;
mod nesting;
mod recover;
mod text;
mod tokens;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The tree of a file and its faults, in the order of the text. Without a fault the tree is whole;
/// with one it holds the statements around the fault.
pub fn parse(source: &Source) -> (ast::File, Vec<Diagnostic>) {
    let start =
        if source.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let whole = Span::new(start, source.text.len());
    let (tokens, letters) = tokens::scan(source, start);
    if letters.is_empty() && nesting::too_deep(source, &tokens).is_none() {
        if let Ok(statements) = grammar::parse(source.slice(whole)) {
            let mut build = build::Build::new(source, start);
            let file = build.file(statements);
            return (file, build.faults);
        }
    }
    recover::read(source, start, &tokens, letters)
}

/// What some editors put before a text; it is no part of it.
const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn good() {
        for entry in std::fs::read_dir("tests/cook/ok").unwrap() {
            let path = entry.unwrap().path();
            let source =
                Source::new(path.to_str().unwrap(), std::fs::read_to_string(&path).unwrap());
            let (file, faults) = parse(&source);
            for fault in &faults {
                println!("{}", crate::diagnostic::render(fault, &source, false));
            }
            assert!(faults.is_empty());
            assert!(!file.statements.is_empty());
        }
    }
}
