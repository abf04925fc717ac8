//! Where in its statement the cursor stands, read from the tokens, so that it is known in a text
//! that is not finished yet.

use super::analysis::Analysis;
use crate::source::Span;
use crate::syntax::tokens::{Kind, STATEMENT_WORDS};

/// The place of the cursor among the tokens.
pub struct Context<'a> {
    analysis: &'a Analysis,
    /// The word that is being written; empty where none is.
    pub word: Span,
    /// The first token of the statement.
    pub first: usize,
    /// One past the last token before the word.
    pub end: usize,
    /// What is open before the word, innermost last: its token.
    open: Vec<usize>,
}

impl Context<'_> {
    /// The context of a byte; none inside a comment or the plain characters of a text.
    pub fn at(analysis: &Analysis, byte: usize) -> Option<Context<'_>> {
        let tokens = &analysis.tokens;
        let before = tokens.partition_point(|token| token.span.start < byte);
        let last = before.checked_sub(1).map(|at| (at, tokens[at]));
        let (end, word) = match last {
            Some((at, token)) if byte <= token.span.end => match token.kind {
                Kind::Word => (at, Span::new(token.span.start, byte)),
                Kind::Comment | Kind::Doc => return None,
                Kind::TextPiece | Kind::Number | Kind::Strange => return None,
                _ => (before, Span::new(byte, byte)),
            },
            _ => (before, Span::new(byte, byte)),
        };
        let column_zero = |at: &usize| {
            let start = tokens[*at].span.start;
            tokens[*at].kind == Kind::Word && analysis.text.line_start(start) == start
        };
        let first = (0..end).rev().find(column_zero).unwrap_or(0);
        let mut open = Vec::new();
        for (at, token) in tokens[..end].iter().enumerate().skip(first) {
            match token.kind {
                Kind::Open | Kind::TextOpen => open.push(at),
                Kind::Close | Kind::TextClose => _ = open.pop(),
                _ => {}
            }
        }
        let in_text = open.last().is_some_and(|at| tokens[*at].kind == Kind::TextOpen);
        (!in_text).then_some(Context { analysis, word, first, end, open })
    }

    /// The token this many positions before the word; 1 is the last one.
    pub fn before(&self, places: usize) -> &str {
        match self.end.checked_sub(places) {
            Some(at) if at >= self.first => self.analysis.token(at),
            _ => "",
        }
    }

    /// A token of the statement; 0 is its first.
    pub fn token(&self, place: usize) -> &str {
        if self.first + place < self.end { self.analysis.token(self.first + place) } else { "" }
    }

    /// Does the word begin its line, so that it may be a statement's first?
    pub fn begins_line(&self) -> bool {
        self.analysis.text.line_start(self.word.start) == self.word.start && self.open.is_empty()
    }

    /// Is the word in a placeholder of a text?
    pub fn in_hole(&self) -> bool {
        self.open.iter().any(|at| self.analysis.tokens[*at].kind == Kind::TextOpen)
    }

    /// The innermost call that is open: the token of its name, and how many commas stand before
    /// the cursor.
    pub fn call(&self) -> Option<(usize, usize)> {
        let is_call = |at: usize| {
            let is_round = self.analysis.token(at) == "(";
            is_round && at > self.first && self.analysis.tokens[at - 1].kind == Kind::Word
        };
        let at = *self.open.iter().rev().find(|at| is_call(**at))?;
        let (mut depth, mut commas) = (0, 0);
        for token in at + 1..self.end {
            match self.analysis.tokens[token].kind {
                Kind::Open | Kind::TextOpen => depth += 1,
                Kind::Close | Kind::TextClose => depth -= 1,
                Kind::Symbol if depth == 0 => {
                    commas += usize::from(self.analysis.token(token) == ",");
                }
                _ => {}
            }
        }
        Some((at - 1, commas))
    }

    /// True where a draw may stand: right of `~`, or in a function that draws.
    pub fn may_draw(&self) -> bool {
        let symbols = self.first..self.end;
        let has = |symbol: &str| symbols.clone().any(|at| self.analysis.token(at) == symbol);
        if self.token(0) == "fn" { has("~>") } else { has("~") }
    }

    /// The names that the statement itself binds before the cursor: those of its loops, of what a
    /// fold carries, and what a function takes.
    pub fn bound(&self) -> Vec<String> {
        let is_function = self.token(0) == "fn";
        let binds = |at: &usize| {
            let (before, after) = (self.analysis.token(at - 1), self.analysis.token(at + 1));
            match after {
                "in" => matches!(before, "all" | "any" | "count" | "for" | "over"),
                "=" => before == "fold" || is_function || (before == "," && self.folds()),
                "~" => is_function,
                ":" => is_function && matches!(before, "(" | ","),
                _ => false,
            }
        };
        let words = (self.first + 1..self.end).filter(|at| {
            self.analysis.tokens[*at].kind == Kind::Word
                && !STATEMENT_WORDS.contains(&self.analysis.token(*at))
        });
        let mut names: Vec<String> =
            words.filter(binds).map(|at| self.analysis.token(at).to_string()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn folds(&self) -> bool {
        (self.first..self.end).any(|at| self.analysis.token(at) == "fold")
    }
}
