//! The parser that pest makes of `grammar/cook.pest`, and the place where a text misses it.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pairs;

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/cook.pest"]
struct Cook;

/// Where a text stops to fit the grammar.
pub struct Miss {
    /// The furthest byte that the parser looked at.
    pub at: usize,
    /// What could have stood there.
    pub expected: Vec<Rule>,
}

/// The statements of a text that is right from end to end.
pub fn parse(text: &str) -> Result<Pairs<'_, Rule>, Miss> {
    Cook::parse(Rule::file, text).map(statements).map_err(|error| {
        let at = match error.location {
            InputLocation::Pos(at) => at,
            InputLocation::Span((start, _)) => start,
        };
        let expected = match error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Miss { at, expected }
    })
}

/// The statements that a text begins with, up to the first that is wrong.
pub fn parse_beginning(text: &str) -> Pairs<'_, Rule> {
    let pairs = Cook::parse(Rule::statements, text);
    statements(pairs.expect("a beginning without a statement is one too"))
}

fn statements(mut pairs: Pairs<'_, Rule>) -> Pairs<'_, Rule> {
    let mut outer = pairs.next().expect("a parse gives the pair that it was asked for");
    if outer.as_rule() == Rule::file {
        outer = outer.into_inner().next().expect("a file holds its statements");
    }
    outer.into_inner()
}
