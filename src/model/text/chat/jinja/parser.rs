//! The tokens of a template, and how far they are read.

use std::collections::BTreeSet;

use super::error::{Error, Outcome};
use super::token::{Kind, Token};

/// The deepest that expressions and statements lie in each other: Python gives up sooner.
const DEPTH_MAX: usize = 120;

/// The most operators of an expression: of `a + b + c`, too, one lies in the other.
const LINKS_MAX: usize = 1_500;

/// Tokens, and how far they are read.
pub struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// Operators of the expression that is read.
    links: usize,
    /// Names that are looked up.
    pub names: BTreeSet<String>,
}

impl Parser {
    /// Before the first of the tokens, of which the last is the end.
    pub fn new(tokens: Vec<Token>) -> Parser {
        Parser { tokens, at: 0, depth: 0, links: 0, names: BTreeSet::new() }
    }

    pub fn kind(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    pub fn line(&self) -> usize {
        self.tokens[self.at].line
    }

    /// Moves on, and gives the token that was there.
    pub fn next(&mut self) -> Kind {
        let kind = self.kind().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        kind
    }

    /// The token after this one.
    pub fn ahead(&self) -> &Kind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    pub fn is_operator(&self, operator: &str) -> bool {
        matches!(self.kind(), Kind::Operator(found) if *found == operator)
    }

    pub fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Name(found) if found == name)
    }

    /// Moves past an operator, if it is there.
    pub fn take_operator(&mut self, operator: &str) -> bool {
        let there = self.is_operator(operator);
        if there {
            self.next();
        }
        there
    }

    /// Moves past a keyword, if it is there.
    pub fn take_name(&mut self, name: &str) -> bool {
        let there = self.is_name(name);
        if there {
            self.next();
        }
        there
    }

    pub fn fail<T>(&self, text: impl Into<String>) -> Outcome<T> {
        Err(Error { line: Some(self.line()), text: text.into() })
    }

    pub fn expect_operator(&mut self, operator: &str) -> Outcome<()> {
        match self.take_operator(operator) {
            true => Ok(()),
            false => self.fail(format!("expected `{operator}`, found {}", self.found())),
        }
    }

    pub fn expect_kind(&mut self, kind: &Kind, shown: &str) -> Outcome<()> {
        match self.kind() == kind {
            true => {
                self.next();
                Ok(())
            }
            false => self.fail(format!("expected {shown}, found {}", self.found())),
        }
    }

    pub fn expect_name(&mut self) -> Outcome<String> {
        match self.kind() {
            Kind::Name(name) => {
                let name = name.clone();
                self.next();
                Ok(name)
            }
            _ => self.fail(format!("expected a name, found {}", self.found())),
        }
    }

    /// The token, for an error.
    pub fn found(&self) -> String {
        match self.kind() {
            Kind::Data(_) => "text".into(),
            Kind::VariableBegin => "`{{`".into(),
            Kind::VariableEnd => "`}}`".into(),
            Kind::BlockBegin => "`{%`".into(),
            Kind::BlockEnd => "`%}`".into(),
            Kind::Name(name) => format!("`{name}`"),
            Kind::Text(_) => "a string".into(),
            Kind::Int(_) | Kind::Float(_) => "a number".into(),
            Kind::Operator(operator) => format!("`{operator}`"),
            Kind::End => "the end of the template".into(),
        }
    }

    /// Reads what lies in something else.
    pub fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH_MAX {
            return self.fail(format!("expressions and blocks lie more than {DEPTH_MAX} deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Notes one more operator in a row of them.
    pub fn link(&mut self) -> Outcome<()> {
        self.links += 1;
        match self.links > LINKS_MAX {
            true => self.fail(format!("an expression has more than {LINKS_MAX} operators")),
            false => Ok(()),
        }
    }

    /// Begins with an expression that lies in no other.
    pub fn fresh(&mut self) {
        self.links = 0;
    }
}
