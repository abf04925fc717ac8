//! Where a text stops to fit the grammar: what is there, and what was expected.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::{Kind, STATEMENT_WORDS, Token, is_keyword};

/// A place, what stands there, and what could have stood there.
pub struct Miss<'a> {
    /// The whole text.
    pub source: &'a Source,
    /// The stretch around the place, without comments.
    pub tokens: Vec<Token>,
    /// Which token does not fit; one past the last when the stretch ends too early.
    pub found: usize,
    /// The brackets, holes and texts that are open there, the innermost last.
    pub open: Vec<usize>,
    expected: Vec<Rule>,
}

impl<'a> Miss<'a> {
    /// The miss at a byte, where one of these was expected.
    pub fn new(source: &'a Source, tokens: &[Token], at: usize, expected: Vec<Rule>) -> Miss<'a> {
        let tokens: Vec<Token> =
            tokens.iter().copied().filter(|token| token.kind != Kind::Comment).collect();
        let found = tokens.iter().position(|token| token.span.end > at).unwrap_or(tokens.len());
        let mut open = Vec::new();
        for (at, token) in tokens[..found].iter().enumerate() {
            match token.kind {
                Kind::Open | Kind::TextOpen => open.push(at),
                Kind::Close | Kind::TextClose => _ = open.pop(),
                _ => {}
            }
        }
        Miss { source, tokens, found, open, expected }
    }

    /// The end of the text cannot be underlined, the letter before it can.
    pub fn visible(&self, span: Span) -> Span {
        let text = &self.source.text[..span.start];
        let letter = text.chars().next_back().map_or(0, char::len_utf8);
        match span.start == self.source.text.len() {
            true => Span::new(span.start - letter, span.end),
            false => span,
        }
    }

    /// Could this have stood there?
    pub fn expects(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// Could a value have stood there?
    pub fn expects_value(&self) -> bool {
        [Rule::expression, Rule::argument, Rule::number].iter().any(|&rule| self.expects(rule))
    }

    /// Could a name have stood there, and no other value?
    pub fn expects_name(&self) -> bool {
        [Rule::name, Rule::setting, Rule::parameter].iter().any(|&rule| self.expects(rule))
    }

    /// Could the statement have ended before?
    pub fn expects_statement(&self) -> bool {
        [Rule::EOI, Rule::file, Rule::kw_return].iter().any(|&rule| self.expects(rule))
    }

    /// Could an operator have stood there, so that a value ends before?
    pub fn follows_value(&self) -> bool {
        self.expects(Rule::plus)
    }

    /// The text of a token; empty beyond the ends.
    pub fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| self.source.slice(token.span))
    }

    /// The kind of a token.
    pub fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// What does not fit.
    pub fn found_text(&self) -> &'a str {
        self.text(self.found)
    }

    /// What stands before it.
    pub fn before_text(&self) -> &'a str {
        self.found.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// Where it stands; with nothing there, the place after the last token.
    pub fn place(&self) -> Span {
        self.tokens.get(self.found).map_or_else(|| self.after(), |token| token.span)
    }

    /// The place right after the token before.
    pub fn after(&self) -> Span {
        let end = match self.found.checked_sub(1) {
            Some(before) => self.tokens[before].span.end,
            None => self.tokens.first().map_or(0, |token| token.span.start),
        };
        Span::new(end, end)
    }

    /// The place of the token before.
    pub fn before(&self) -> Span {
        self.found.checked_sub(1).map_or_else(|| self.place(), |before| self.tokens[before].span)
    }

    /// The first token of the statement that holds the error: the last that begins a line at the
    /// margin of the stretch is not known here, so it is the last statement word, or the first.
    pub fn statement(&self) -> usize {
        let is_first = |at: &usize| {
            self.kind(*at) == Some(Kind::Word)
                && (STATEMENT_WORDS.contains(&self.text(*at)) && self.text(*at) != "words"
                    || matches!(self.text(*at + 1), "~" | "=") && !self.is_setting(*at))
        };
        let first = self.tokens.iter().position(|token| token.kind != Kind::Doc).unwrap_or(0);
        (first..self.found.min(self.tokens.len())).rev().find(is_first).unwrap_or(first)
    }

    fn is_setting(&self, at: usize) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| matches!(self.text(before), "fold" | "," | ":" | "(" | "words"))
    }

    /// Does a value begin with this token?
    pub fn begins_value(&self, at: usize) -> bool {
        match self.kind(at) {
            Some(Kind::Word) => !is_keyword(self.text(at)),
            Some(Kind::Number | Kind::TextOpen) => true,
            Some(Kind::Open) => self.text(at) != "{",
            _ => false,
        }
    }

    /// Does a token stand first on its line?
    pub fn starts_line(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        let end = self.tokens.get(at).map_or(self.source.text.len(), |token| token.span.start);
        self.source.text[self.tokens[before].span.end..end].contains('\n')
    }

    /// Does nothing stand there?
    pub fn is_at_end(&self) -> bool {
        self.found >= self.tokens.len()
    }

    /// What stands there, for a title.
    pub fn found_name(&self) -> String {
        match self.kind(self.found) {
            None => "the end".to_string(),
            Some(Kind::TextOpen) => "a text".to_string(),
            Some(_) => format!("`{}`", self.found_text().lines().next().unwrap_or("")),
        }
    }

    /// The error of what none of the others explains.
    pub fn unexpected(&self) -> Diagnostic {
        let expected = self.expected_names();
        let title = format!("{} is not expected here", self.found_name());
        let label = match expected.is_empty() {
            true => "this fits nothing before it".to_string(),
            false => format!("expected {}", expected.join(", ")),
        };
        let error = Diagnostic::error("E147", title, self.place(), label);
        match expected.first() {
            Some(&"a new statement") if self.found_text() == "=" => {
                error.help("write a name before it: `name = …`")
            }
            Some(&"a new statement") => error.help("delete this, or give it a name: `name = …`"),
            Some(first) => error.help(format!("write {first} here, or delete this")),
            None => error.help("delete this"),
        }
    }

    fn expected_names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for &rule in &self.expected {
            let name = english(rule);
            if !names.contains(&name) && !name.is_empty() {
                names.push(name);
            }
        }
        if self.expects_statement() {
            names.retain(|&name| name != "a name");
        }
        names
    }
}

/// What a person calls what was expected; empty for what goes without saying.
fn english(rule: Rule) -> &'static str {
    use Rule::*;
    match rule {
        expression | argument | choice | each | fold | boolean | reference | number | list
        | group | kw_if | kw_fold | open_square | negative | kw_not => "a value",
        plus | minus | times | divided | remainder | equal | not_equal | at_most | at_least
        | less | greater | range | kw_and | kw_or | kw_in | kw_within => "an operator",
        EOI | file | statements | import | words | param | level | relation | layout | function
        | binding | kw_use | kw_words | kw_param | kw_level | kw_rule | kw_fn | kw_system
        | kw_prompt | kw_reply | doc => "a new statement",
        name | setting | parameter | field | kw_template => "a name",
        kind | kind_name => "a type",
        text | quote | block_quote => "a text",
        colon => "`:`",
        comma => "`,`",
        dot => "`.`",
        equals => "`=`",
        tilde => "`~`",
        arrow => "`->`",
        wave => "`~>`",
        open_round | arguments => "`(`",
        close_round => "`)`",
        close_square => "`]`",
        open_brace | block => "`{`",
        close_brace => "`}`",
        kw_then => "`then`",
        kw_else => "`else`",
        kw_over => "`over`",
        kw_return => "`return`",
        _ => "",
    }
}
