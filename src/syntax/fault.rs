//! Faults of texts that fit the grammar and are wrong all the same: one small function each.

use super::ast::{Expr, Name};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// `param length in 64 = 96`
pub fn no_range(source: &Source, found: Span) -> Diagnostic {
    let text = source.slice(found);
    Diagnostic::fault("E134", "a parameter needs a range", found, "a range was expected here")
        .help(format!("write `{text}..MAX`, with the least and the greatest value"))
}

/// `a < b < c`
pub fn compared_twice(source: &Source, left: &Expr, sign: Span, right: Span) -> Diagnostic {
    let _ = (source, left, right);
    Diagnostic::fault("E135", "two comparisons in a row", sign, "this compares once more")
}

/// `fold a = 0 over x in xs: a, x`
pub fn fold_count(fold: Span, carried: &[(Name, Expr)], next: &[Expr]) -> Diagnostic {
    let title = format!("a fold that carries {} values gives {}", carried.len(), next.len());
    Diagnostic::fault("E136", title, fold, "this fold")
}

/// `9223372036854775808`
pub fn integer_too_large(number: Span) -> Diagnostic {
    Diagnostic::fault("E111", "this integer is too large", number, "more than 64 bits")
        .help("write at most 9223372036854775807")
}

/// `x = "{y}"`
pub fn hole_outside_layout(_source: &Source, hole: Span) -> Diagnostic {
    Diagnostic::fault("E113", "only layouts have holes", hole, "a hole")
}

/// `"""text"""`
pub fn text_beside_quotes(_source: &Source, text: Span, _opening: bool) -> Diagnostic {
    Diagnostic::fault("E109", "text beside the quotes", text, "this text")
}

/// A line of a `"""` text that starts left of the closing quotes.
pub fn less_margin(_source: &Source, start: usize, _margin: &str) -> Diagnostic {
    Diagnostic::fault("E108", "less margin", Span::new(start, start), "this line")
}

/// A hole with a line break in it.
pub fn hole_over_lines(_source: &Source, hole: Span) -> Diagnostic {
    Diagnostic::fault("E105", "a hole stays on its line", hole, "this hole")
}

/// `///` with no statement after it.
pub fn documents_nothing(doc: Span) -> Diagnostic {
    Diagnostic::fault("E143", "this documents nothing", doc, "no statement follows")
}
