//! The scanner: it cuts a text into tokens and goes on after every error.

use super::{DEPTH_MAX, ERRORS_MAX, Kind, STATEMENT_WORDS, Slip, Token, extent};
use crate::source::{Source, Span};

/// The tokens of a text from `start` on, and the errors of its letters.
pub fn scan(source: &Source, start: usize) -> (Vec<Token>, Vec<Slip>) {
    let mut scan = Scan {
        source,
        at: start,
        within: Vec::new(),
        tokens: Vec::new(),
        slips: Vec::new(),
        went_back: false,
    };
    scan.all();
    (scan.tokens, scan.slips)
}

/// What the scanner is in the midst of; without any it reads statements.
#[derive(Clone, Copy)]
enum Within {
    /// `"…"`, opened there.
    Line(usize),
    /// `"""…"""`, opened there.
    Block(usize),
    /// `{…}` in a text, opened there, with this many more braces open.
    Placeholder(usize, usize),
}

struct Scan<'a> {
    source: &'a Source,
    at: usize,
    within: Vec<Within>,
    tokens: Vec<Token>,
    slips: Vec<Slip>,
    went_back: bool,
}

/// Symbols of two characters, also such as other languages have.
const PAIRS: [&str; 21] = [
    "~>", "->", "==", "!=", "<=", ">=", "..", "&&", "||", ":=", "=>", "|>", "**", "<>", "+=", "-=",
    "*=", "/=", "++", "/*", "*/",
];

impl Scan<'_> {
    fn all(&mut self) {
        loop {
            match self.within.last() {
                _ if self.at >= self.source.text.len() => {
                    if !self.end() {
                        return;
                    }
                }
                Some(&Within::Line(open)) => self.line_text(open),
                Some(&Within::Block(open)) => self.block_text(open),
                Some(&Within::Placeholder(open, braces)) => self.placeholder(open, braces),
                None => self.code(),
            }
        }
    }

    /// At the end of the file; true if the scanner went back to read on after an unclosed text.
    fn end(&mut self) -> bool {
        let Some(&outermost) = self.within.first() else { return false };
        let inner = *self.within.last().expect("the outermost is there");
        match (outermost, inner) {
            (Within::Block(open), _) => {
                let statement = self.next_statement(open).filter(|_| !self.went_back);
                self.went_back = true;
                self.go_back(statement.unwrap_or(self.at));
                self.leave_all();
                self.slip(Slip::UnclosedBlock(open));
                return statement.is_some();
            }
            (_, Within::Placeholder(open, _)) => {
                self.slip(Slip::UnclosedPlaceholder(open));
            }
            (Within::Line(open) | Within::Placeholder(open, _), _) => {
                self.slip(Slip::UnclosedText(open));
            }
        }
        self.leave_all();
        false
    }

    fn leave_all(&mut self) {
        while !self.within.is_empty() {
            self.leave();
        }
    }

    /// The first line after `open` that is at the margin and announces a statement.
    fn next_statement(&self, open: usize) -> Option<usize> {
        let rest = &self.source.text[open..];
        let lines = rest.match_indices('\n').map(|(newline, _)| open + newline + 1);
        lines.into_iter().find(|&start| announces(&self.source.text[start..]))
    }

    fn go_back(&mut self, to: usize) {
        self.at = to;
        while self.tokens.pop_if(|token| token.span.start >= to).is_some() {}
        // A piece of the text that was not closed goes on after this place.
        if let Some(last) = self.tokens.last_mut() {
            last.span.end = last.span.end.min(to);
        }
        while self.slips.pop_if(|slip| slip.start() >= to).is_some() {}
    }

    fn code(&mut self) {
        let rest = &self.source.text[self.at..];
        let letter = rest.chars().next().expect("the end is seen before");
        if letter.is_ascii_whitespace() && letter != '\u{c}' {
            let lone_return = letter == '\r' && !rest.starts_with("\r\n");
            match lone_return {
                true => self.strange(letter),
                false => self.at += 1,
            }
        } else if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            let doc = rest.starts_with("///") && !rest.starts_with("////");
            self.seen(&rest[..length], rest);
            self.push(if doc { Kind::Doc } else { Kind::Comment }, length);
        } else if rest.starts_with("\"\"\"") {
            self.within.push(Within::Block(self.at));
            self.push(Kind::TextOpen, 3);
        } else if letter == '"' {
            self.within.push(Within::Line(self.at));
            self.push(Kind::TextOpen, 1);
        } else if letter.is_alphabetic() || letter == '_' {
            self.word(rest);
        } else if letter.is_ascii_digit() {
            self.number(rest);
        } else {
            self.symbol(rest, letter);
        }
    }

    fn word(&mut self, rest: &str) {
        let length = length_while(rest, |letter| letter.is_alphanumeric() || letter == '_');
        let span = Span::new(self.at, self.at + length);
        if !rest[..length].is_ascii() {
            self.slip(Slip::ForeignName(span));
        }
        self.push(Kind::Word, length);
        self.yaml(span);
    }

    /// `prompt: |`, whose text is read over.
    fn yaml(&mut self, word: Span) {
        let begins = self.source.text[..word.start].ends_with('\n') || word.start == 0;
        let is_layout = matches!(self.source.slice(word), "prompt" | "reply" | "system");
        if !begins || !is_layout || !self.within.is_empty() {
            return;
        }
        if self.may_report()
            && let Some(yaml) = extent::yaml(self.source, word.end)
        {
            self.slip(Slip::Yaml(word.end));
            self.push(Kind::Strange, yaml.length);
        }
    }

    fn number(&mut self, rest: &str) {
        let mut length = length_while(rest, |letter| letter.is_alphanumeric() || letter == '_');
        let fraction = rest[length..].strip_prefix('.').unwrap_or("");
        if fraction.starts_with(|letter: char| letter.is_ascii_digit()) {
            length += 1;
            length += length_while(fraction, |letter| letter.is_alphanumeric() || letter == '_');
        }
        let span = Span::new(self.at, self.at + length);
        if rest[..length].bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'.')) {
            self.slip(Slip::MalformedNumber(span));
        }
        self.push(Kind::Number, length);
    }

    fn symbol(&mut self, rest: &str, letter: char) {
        match letter {
            '(' | '[' | '{' => self.push(Kind::Open, 1),
            ')' | ']' | '}' => self.push(Kind::Close, 1),
            '\'' | '`' | '“' | '”' | '‘' | '’' | '„' | '«' | '»' => {
                self.foreign_quote(rest, letter)
            }
            '#' => {
                let at = self.at;
                self.slip(Slip::ForeignComment(at));
                self.push(Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
            }
            _ if PAIRS.iter().any(|pair| rest.starts_with(pair)) => self.push(Kind::Symbol, 2),
            _ if letter.is_ascii_punctuation() => self.push(Kind::Symbol, 1),
            _ => self.strange(letter),
        }
    }

    /// `'text'` up to the same quote on the same line, or the one quote if there is none.
    fn foreign_quote(&mut self, rest: &str, letter: char) {
        if self.may_report()
            && let Some(length) = extent::triple(&self.source.text[self.at..])
        {
            self.slip(Slip::Triple(self.at));
            return self.push(Kind::Strange, length);
        }
        let inside = &rest[letter.len_utf8()..];
        let closers: &[char] = match letter {
            '“' | '„' | '”' => &['\n', '”', '“'],
            '‘' | '’' => &['\n', '’', '‘'],
            '«' | '»' => &['\n', '»', '«'],
            '`' => &['\n', '`'],
            _ => &['\n', '\''],
        };
        let closing = closing_quote(inside, closers);
        let closed = closing.filter(|&at| !inside[at..].starts_with('\n'));
        let length = letter.len_utf8()
            + closed.map_or(0, |at| at + inside[at..].chars().next().map_or(0, char::len_utf8));
        let span = Span::new(self.at, self.at + length);
        self.slip(Slip::ForeignQuotes(span, closed.is_some()));
        self.push(Kind::Strange, length);
    }

    fn strange(&mut self, letter: char) {
        let span = Span::new(self.at, self.at + letter.len_utf8());
        self.slip(Slip::Strange(span, letter));
        self.push(Kind::Strange, letter.len_utf8());
    }

    fn placeholder(&mut self, open: usize, braces: usize) {
        let rest = &self.source.text[self.at..];
        let in_block = self.within.iter().any(|within| matches!(within, Within::Block(_)));
        if rest.starts_with('\n') || (in_block && rest.starts_with("\"\"\"")) {
            self.slip(Slip::UnclosedPlaceholder(open));
            self.leave_line();
            return;
        }
        if rest.starts_with(':')
            && braces == 0
            && let Some(length) = extent::format(self.source, open, self.at)
        {
            self.slip(Slip::Format(open, self.at));
            return self.push(Kind::Strange, length);
        }
        let top = self.within.len() - 1;
        match rest.as_bytes()[0] {
            b'}' if braces == 0 => {
                self.within.pop();
            }
            b'}' => self.within[top] = Within::Placeholder(open, braces - 1),
            b'{' => self.within[top] = Within::Placeholder(open, braces + 1),
            _ => {}
        }
        self.code();
    }

    /// Leaves the placeholders and texts that must end with their line.
    fn leave_line(&mut self) {
        while matches!(self.within.last(), Some(Within::Placeholder(..) | Within::Line(_))) {
            self.leave();
        }
    }

    /// Leaves what is open without its closing symbol, which is set here with no length.
    fn leave(&mut self) {
        match self.within.pop() {
            Some(Within::Placeholder(..)) => self.push(Kind::Close, 0),
            Some(_) => self.push(Kind::TextClose, 0),
            None => {}
        }
    }

    fn line_text(&mut self, open: usize) {
        let rest = &self.source.text[self.at..];
        match rest.as_bytes()[0] {
            b'"' => {
                self.within.pop();
                self.push(Kind::TextClose, 1);
            }
            b'\n' => {
                let around = self.within.iter().rev().nth(1).copied();
                self.slip(match around {
                    Some(Within::Placeholder(placeholder, _)) => {
                        Slip::UnclosedPlaceholder(placeholder)
                    }
                    _ => Slip::UnclosedText(open),
                });
                self.leave_line();
            }
            b'\\' => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                let span = Span::new(self.at, self.at + length);
                if !matches!(&rest[..length], "\\n" | "\\t" | "\\\"" | "\\\\") {
                    self.slip(Slip::UnknownEscape(span));
                }
                let before_newline = rest[1..].starts_with(['\n', '\r']);
                self.push(Kind::TextPiece, if before_newline { 1 } else { length });
            }
            b'{' | b'}' => self.brace(rest),
            _ => self.piece(rest, |letter| matches!(letter, '"' | '\n' | '\\' | '{' | '}')),
        }
    }

    fn block_text(&mut self, open: usize) {
        let rest = &self.source.text[self.at..];
        if rest.starts_with("\"\"\"") {
            let newline = self.source.text[open..self.at].rfind('\n');
            let line = newline.map(|newline| open + newline + 1);
            if let Some(line) = line.filter(|&line| announces(&self.source.text[line..])) {
                self.go_back(line);
                self.leave();
                self.slip(Slip::UnclosedBlock(open));
                return;
            }
            self.within.pop();
            self.push(Kind::TextClose, 3);
        } else if rest.starts_with(['{', '}']) {
            self.brace(rest);
        } else {
            self.piece(rest, |letter| matches!(letter, '{' | '}' | '"'));
        }
    }

    /// A brace in a text: doubled it is text, alone it opens a placeholder.
    fn brace(&mut self, rest: &str) {
        if rest.starts_with("{{") || rest.starts_with("}}") {
            self.push(Kind::TextPiece, 2);
        } else if self.may_report()
            && let Some(length) = extent::jinja(rest)
        {
            self.slip(Slip::Jinja(self.at));
            self.push(Kind::TextPiece, length);
        } else if rest.starts_with('{') && self.within.len() > DEPTH_MAX {
            let at = Span::new(self.at, self.at + 1);
            self.slip(Slip::TooDeep(at));
            self.at += rest.find('\n').unwrap_or(rest.len());
            self.leave_line();
        } else if rest.starts_with('{') {
            self.within.push(Within::Placeholder(self.at, 0));
            self.push(Kind::Open, 1);
        } else {
            let at = self.at;
            self.slip(Slip::LoneBrace(at));
            self.push(Kind::TextPiece, 1);
        }
    }

    fn piece(&mut self, rest: &str, ends: impl Fn(char) -> bool) {
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = first + rest[first..].find(ends).unwrap_or(rest.len() - first);
        self.seen(&rest[..length], rest);
        self.push(Kind::TextPiece, length);
    }

    /// Reports the letters of a text or a comment that is invisible.
    fn seen(&mut self, text: &str, rest: &str) {
        for (at, letter) in text.char_indices().filter(|(_, letter)| extent::is_hidden(*letter)) {
            let ends_line =
                letter == '\r' && matches!(rest.as_bytes().get(at + 1), None | Some(b'\n'));
            if !ends_line {
                let at = self.at + at;
                let span = Span::new(at, at + letter.len_utf8());
                self.slip(Slip::Strange(span, letter));
            }
        }
    }

    /// Is a further error reported? The search for where it ends takes long.
    fn may_report(&self) -> bool {
        self.slips.len() < ERRORS_MAX
    }

    /// Notes an error, but no more than a person would read.
    fn slip(&mut self, slip: Slip) {
        if self.slips.len() < ERRORS_MAX {
            self.slips.push(slip);
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.tokens.push(Token { kind, span });
        self.at = span.end;
    }
}

/// Does the line begin, without a margin, as a statement does: `prompt """`, `name =`, `name ~`?
fn announces(line: &str) -> bool {
    let word = &line[..length_while(line, |letter| letter.is_ascii_lowercase() || letter == '_')];
    let rest = line[word.len()..].trim_start_matches(' ');
    !word.is_empty()
        && (rest.starts_with(['~', '='])
            || STATEMENT_WORDS.contains(&word) && line.len() > word.len())
}

fn length_while(text: &str, keeps: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !keeps(letter)).unwrap_or(text.len())
}

/// The quote that ends a text: none after a backslash, and none of two side by side, as YAML
/// writes a quote in a text.
fn closing_quote(inside: &str, closers: &[char]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = inside[at..].find(closers) {
        let place = at + found;
        let rest = &inside[place..];
        let is_escaped = inside[..place].ends_with('\\') && rest.starts_with('\'');
        let is_doubled =
            !is_escaped && place > 0 && rest.starts_with("''") && !rest.starts_with("'''");
        if !is_escaped && !is_doubled {
            return Some(place);
        }
        at = place + if is_doubled { 2 } else { 1 };
    }
    None
}
