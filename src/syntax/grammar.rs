//! The parser that pest makes of `grammar/cook.pest`, and the place where a text misses it.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::{Pair, Pairs};

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
    Cook::parse(Rule::file, text).map(|file| statements(file).into_inner()).map_err(|error| {
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

/// What a text begins with.
pub struct Beginning<'t> {
    /// The statements up to the first that is wrong.
    pub statements: Pairs<'t, Rule>,
    /// The byte after the last of them.
    pub end: usize,
}

/// The statements that a text begins with; all, where it is right.
pub fn parse_beginning(text: &str) -> Beginning<'_> {
    let pairs = Cook::parse(Rule::beginning, text);
    let all = statements(pairs.expect("a beginning without a statement is one too"));
    Beginning { end: all.as_span().end(), statements: all.into_inner() }
}

fn statements(mut pairs: Pairs<'_, Rule>) -> Pair<'_, Rule> {
    let outer = pairs.next().expect("a parse gives the pair that it was asked for");
    outer.into_inner().next().expect("a file and its beginning hold statements")
}
