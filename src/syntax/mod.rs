//! Text to tree: [`parse`] returns the tree of what it understood and every error that it met.

pub mod allow;
pub mod ast;

mod build;
mod erase;
mod error;
mod expression;
mod format;
mod grammar;
pub mod habit;
pub mod literal;
mod nesting;
pub mod quotient;
mod recover;
mod text;
pub mod tokens;

pub use erase::same;
pub use error::otherwise;
pub use format::{format, format_tree};
pub use tokens::ERRORS_MAX;

use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// The tree of a file and its errors, in the order of the text. Without an error the tree is whole;
/// with one it holds the statements around the error.
pub fn parse(source: &Source) -> (ast::File, Vec<Diagnostic>) {
    let start = tokens::start(source);
    let (tokens, slips) = tokens::scan(source, start);
    let letters: Vec<Diagnostic> =
        slips.into_iter().map(|slip| error::of_letters(source, slip)).collect();
    let fits = letters.is_empty() && nesting::too_deep(source, &tokens).is_none();
    let beginning = fits.then(|| grammar::parse_beginning(&source.text[start..]));
    recover::read(source, start, &tokens, letters, beginning)
}
