//! Text to tree: [`parse`] gives the tree of what it understood and every fault it met.

pub mod ast;

mod build;
mod expression;
mod fault;
mod grammar;
mod text;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The tree of a file and its faults, in the order of the text. Without a fault the tree is whole;
/// with one it holds the statements around the fault.
pub fn parse(source: &Source) -> (ast::File, Vec<Diagnostic>) {
    let whole = Span::new(0, source.text.len());
    match grammar::parse(source.slice(whole)) {
        Ok(pairs) => {
            let mut build = build::Build::new(source, whole.start);
            let file = build.file(pairs);
            (file, build.faults)
        }
        Err(miss) => {
            let at = Span::new(miss.at, miss.at);
            let fault =
                Diagnostic::fault("E100", "unexpected text", at, format!("{:?}", miss.expected));
            (ast::File::default(), vec![fault])
        }
    }
}

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
