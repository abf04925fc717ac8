//! A text read up to its first error; after it, the text cut where statements announce themselves,
//! each stretch read alone.

use pest::iterators::Pair;

use super::ast::File;
use super::build::Build;
use super::error::blocks::BLOCKS;
use super::error::miss::Miss;
use super::error::{self, otherwise, rename};
use super::grammar::{Beginning, Rule};
use super::tokens::{ERRORS_MAX, EXPRESSION_WORDS, Kind, STATEMENT_WORDS, Token};
use super::{grammar, nesting};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The statements that can be read, and one error or more for each stretch that cannot. `letters`
/// are the errors that the scanner found: a stretch with one is not parsed, since the parser might
/// see it nest deeper than the scanner does. `beginning` is what the parser made of the whole text,
/// if that may be parsed.
pub fn read(
    source: &Source,
    start: usize,
    tokens: &[Token],
    letters: Vec<Diagnostic>,
    beginning: Option<Beginning>,
) -> (File, Vec<Diagnostic>) {
    let stretches = stretches(source, start, tokens);
    let mut build = Build::new(source, start);
    let mut file = File::default();
    let mut read = 0;
    if let Some(beginning) = beginning {
        read = right(&stretches, start, &beginning);
        let end = stretches.get(read).map_or(source.text.len(), |(stretch, _)| stretch.start);
        let inside = |pair: &Pair<Rule>| start + pair.as_span().end() <= end;
        file = build.file(beginning.statements.take_while(inside));
    }
    let mut errors = build.errors;
    let mut letters = letters.into_iter().peekable();
    for (stretch, tokens) in &stretches[read..] {
        let mut own = Vec::new();
        while let Some(error) = letters.next_if(|error| error.span().start < stretch.end) {
            own.push(error);
        }
        if own.is_empty() {
            let is_told = errors.len() < ERRORS_MAX;
            let (found, more) = read_stretch(source, *stretch, tokens, is_told);
            file.docs.extend(found.docs);
            file.statements.extend(found.statements);
            own = more;
        }
        errors.extend(own);
    }
    errors.extend(letters);
    errors.truncate(ERRORS_MAX);
    rename::complete(source, tokens, &mut errors);
    otherwise::offer(source, &mut errors);
    (file, errors)
}

/// How many stretches the beginning covers with statements of their own: all, if it is the whole
/// text. Where an error follows, a statement that goes on into the next stretch may be half of one.
fn right(stretches: &[(Span, &[Token])], start: usize, beginning: &Beginning) -> usize {
    let end = start + beginning.end;
    let holds = |byte: usize| stretches.partition_point(|(stretch, _)| stretch.end <= byte);
    let is_unread = |token: &&Token| token.span.start >= end && token.kind != Kind::Comment;
    let mut tokens = stretches[holds(end)..].iter().flat_map(|(_, tokens)| *tokens);
    let Some(unread) = tokens.find(is_unread) else { return stretches.len() };
    let statements = beginning.statements.clone().map(|pair| pair.as_span());
    let mut ends =
        statements.map(|span| (holds(start + span.start()), holds(start + span.end() - 1)));
    let cut = ends.find(|(first, last)| first != last).map(|(first, _)| first);
    cut.unwrap_or(usize::MAX).min(holds(unread.span.start))
}

/// One stretch whose letters are right. An error that is not told is not looked into.
fn read_stretch(
    source: &Source,
    stretch: Span,
    tokens: &[Token],
    is_told: bool,
) -> (File, Vec<Diagnostic>) {
    if let Some(error) = nesting::too_deep(source, tokens) {
        return (File::default(), vec![error]);
    }
    let text = source.slice(stretch);
    let mut build = Build::new(source, stretch.start);
    match grammar::parse(text) {
        Ok(statements) => {
            let file = build.file(statements);
            (file, build.errors)
        }
        Err(miss) => {
            let file = build.file(grammar::parse_beginning(text).statements);
            if !is_told {
                return (file, Vec::new());
            }
            let miss = Miss::new(source, tokens, stretch.start + miss.at, miss.expected);
            (file, vec![error::explain(&miss)])
        }
    }
}

/// The text from `start` on, cut before each line that announces a statement.
fn stretches<'t>(source: &Source, start: usize, tokens: &'t [Token]) -> Vec<(Span, &'t [Token])> {
    let mut cut = Cut { source, tokens, first: 0, bare: true, depth: 0, in_text: 0 };
    let mut firsts = vec![0];
    for at in 0..tokens.len() {
        if cut.announces(at) {
            firsts.push(at);
            cut = Cut { first: at, bare: true, depth: 0, ..cut };
        }
        cut.pass(at);
    }
    let place = |first: usize| match first {
        0 => start,
        _ => tokens.get(first).map_or(source.text.len(), |token| token.span.start),
    };
    let ends = firsts.iter().copied().skip(1).chain([tokens.len()]);
    let pairs = firsts.iter().copied().zip(ends);
    pairs
        .map(|(from, to)| (Span::new(place(from), place(to).max(place(from))), &tokens[from..to]))
        .collect()
}

struct Cut<'s, 't> {
    source: &'s Source,
    tokens: &'t [Token],
    /// The first token of the stretch.
    first: usize,
    /// Whether it holds nothing but comments so far.
    bare: bool,
    /// How many brackets are open in it.
    depth: usize,
    /// How many texts are open.
    in_text: usize,
}

impl Cut<'_, '_> {
    fn pass(&mut self, at: usize) {
        self.bare &= matches!(self.tokens[at].kind, Kind::Doc | Kind::Comment);
        match self.tokens[at].kind {
            Kind::Open => self.depth += 1,
            Kind::Close => self.depth = self.depth.saturating_sub(1),
            Kind::TextOpen => self.in_text += 1,
            Kind::TextClose => self.in_text = self.in_text.saturating_sub(1),
            _ => {}
        }
    }

    /// Does a new stretch begin at this token?
    fn announces(&self, at: usize) -> bool {
        if self.in_text > 0 || self.bare {
            return false;
        }
        let Some(column) = self.column(at) else { return false };
        let first = self.column(self.first).unwrap_or(0);
        if self.is_block() && matches!(self.text(at), "elif" | "elsif" | "elseif" | "else") {
            return false;
        }
        if column > first && self.is_block() {
            return false;
        }
        let may_be_right_of_first = self.depth == 0 && self.tokens[at].kind != Kind::Doc;
        if column <= first && self.is_foreign_lead(at) {
            return true;
        }
        self.is_lead(at) && (column <= first || (may_be_right_of_first && !self.goes_on(at)))
    }

    /// `param`, `name ~`, `name =`, `nmae """`, `nmae name` or a `///` line.
    fn is_lead(&self, at: usize) -> bool {
        let word = self.text(at);
        let next = self.tokens.get(at + 1).map_or(Kind::Close, |token| token.kind);
        match self.tokens[at].kind {
            Kind::Doc => true,
            Kind::Word if word == "words" => next == Kind::Word || self.is_sign(at + 1),
            Kind::Word if STATEMENT_WORDS.contains(&word) => true,
            Kind::Word if EXPRESSION_WORDS.contains(&word) => self.is_sign(at + 1),
            Kind::Word => {
                let second = self.text(at + 1);
                let operator = EXPRESSION_WORDS.contains(&second);
                self.is_sign(at + 1) || next == Kind::TextOpen || (next == Kind::Word && !operator)
            }
            _ => false,
        }
    }

    /// A word at the margin after a value, which no expression goes on with: `if x > 3:`,
    /// `for x in xs {`, `key: value`, `print(x)` as other languages have them.
    fn is_foreign_lead(&self, at: usize) -> bool {
        let word = self.text(at);
        let is_word = self.tokens[at].kind == Kind::Word
            || self.tokens[at].kind == Kind::TextOpen
            || self.is_taken_apart(at);
        let before = at.checked_sub(1).map(|before| self.tokens[before].kind);
        let keyword = at > 0 && {
            let word = self.text(at - 1);
            EXPRESSION_WORDS.contains(&word) && !matches!(word, "true" | "false")
                || STATEMENT_WORDS.contains(&word) && word != "words"
        };
        let follows_value = self.depth == 0
            && !keyword
            && matches!(before, Some(Kind::Word | Kind::Number | Kind::Close | Kind::TextClose));
        let goes_on = ["and", "or", "in", "within", "then", "else", "elif", "over", "where", "not"];
        is_word && follows_value && !goes_on.contains(&word)
    }

    /// `(a, b) = f(x)`, `[a, b] = xs`
    fn is_taken_apart(&self, at: usize) -> bool {
        const NAMES_MAX: usize = 16;
        if self.text(at) == "@" {
            return true;
        }
        if !matches!(self.text(at), "(" | "[") {
            return false;
        }
        let close = (at..self.tokens.len().min(at + NAMES_MAX))
            .find(|&at| matches!(self.text(at), ")" | "]"));
        close.is_some_and(|close| matches!(self.text(close + 1), "=" | "~" | ":="))
    }

    /// Is it a block of another language, whose indented lines belong to it?
    fn is_block(&self) -> bool {
        BLOCKS.contains(&self.text(self.first)) && !self.is_sign(self.first + 1)
    }

    /// After a comma, or in a level, `name =` sets a value.
    fn goes_on(&self, at: usize) -> bool {
        let before = if at > self.first { self.text(at - 1) } else { "" };
        let sets = self.text(at + 1) == "=";
        let in_level = self.text(self.first) == "level" && matches!(before, ":" | "{");
        sets && (before == "," || in_level)
    }

    fn is_sign(&self, at: usize) -> bool {
        matches!(self.text(at), "~" | "=" | ":=")
    }

    /// The column of a token that stands first on its line.
    fn column(&self, at: usize) -> Option<usize> {
        let start = self.tokens[at].span.start;
        let before = at.checked_sub(1).map_or(0, |before| self.tokens[before].span.end);
        let space = &self.source.text[before.min(start)..start];
        match space.rfind('\n') {
            Some(newline) => Some(space.len() - newline - 1),
            None if at == 0 => Some(space.len()),
            None => None,
        }
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.source.slice(token.span))
    }
}
