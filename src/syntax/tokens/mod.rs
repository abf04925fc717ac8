//! Any text cut into tokens, right or wrong: what the formatter and the errors read.

pub(super) mod extent;
mod scan;

use crate::source::{Source, Span};

/// A word, a symbol or a piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub span: Span,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a type.
    Word,
    /// Digits, and what depends on them.
    Number,
    /// An operator or a mark.
    Symbol,
    /// `(`, `[` or `{`; also the brace of a placeholder.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// The quotes that a text begins with.
    TextOpen,
    /// Characters of a text.
    TextPiece,
    /// The quotes that a text ends with.
    TextClose,
    /// `// text`
    Comment,
    /// `/// text`
    Doc,
    /// What no `.cook` file may hold; its error is reported.
    Strange,
}

/// An error of letters, by where it is: the byte where what is wrong begins, or its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// A character that no file may hold.
    Strange(Span, char),
    /// A name with letters that no name has.
    ForeignName(Span),
    /// `12abc`
    MalformedNumber(Span),
    /// `# text`
    ForeignComment(usize),
    /// `'text'`, and whether its quotes are closed.
    ForeignQuotes(Span, bool),
    /// A text on one line without its end.
    UnclosedText(usize),
    /// A text between `"""` without its end.
    UnclosedBlock(usize),
    /// A placeholder without its end.
    UnclosedPlaceholder(usize),
    /// `\x`
    UnknownEscape(Span),
    /// `}` that closes no placeholder.
    LoneBrace(usize),
    /// Texts in placeholders in texts, more than [`DEPTH_MAX`] deep.
    TooDeep(Span),
    /// A tag or a comment of Jinja.
    Jinja(usize),
    /// A text as YAML writes it, by the end of the word before it.
    Yaml(usize),
    /// `{x:.2f}`, by its brace and its colon.
    Format(usize, usize),
    /// `'''text'''`
    Triple(usize),
}

impl Slip {
    /// Where what is wrong begins.
    pub(super) fn start(self) -> usize {
        match self {
            Slip::Strange(span, _)
            | Slip::ForeignName(span)
            | Slip::MalformedNumber(span)
            | Slip::ForeignQuotes(span, _)
            | Slip::UnknownEscape(span)
            | Slip::TooDeep(span) => span.start,
            Slip::ForeignComment(at)
            | Slip::UnclosedText(at)
            | Slip::UnclosedBlock(at)
            | Slip::UnclosedPlaceholder(at)
            | Slip::LoneBrace(at)
            | Slip::Jinja(at)
            | Slip::Yaml(at)
            | Slip::Format(_, at)
            | Slip::Triple(at) => at,
        }
    }
}

/// Where the text of a file starts: after the mark that some editors put before it.
pub fn start(source: &Source) -> usize {
    const BYTE_ORDER_MARK: char = '\u{feff}';
    if source.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 }
}

/// The tokens of a text from `start` on, and the errors of its letters.
pub fn scan(source: &Source, start: usize) -> (Vec<Token>, Vec<Slip>) {
    scan::scan(source, start)
}

/// More brackets, loops and choices within one another than anyone writes.
pub const DEPTH_MAX: usize = 64;

/// More errors than this are not reported in one run.
pub const ERRORS_MAX: usize = 100;

/// The words that begin a statement. `words` does so only before a name.
pub const STATEMENT_WORDS: [&str; 9] =
    ["use", "words", "param", "level", "rule", "system", "prompt", "reply", "fn"];

/// The other words that no name may be.
pub const EXPRESSION_WORDS: [&str; 18] = [
    "return", "if", "then", "else", "and", "or", "not", "in", "within", "all", "any", "count",
    "for", "fold", "over", "where", "true", "false",
];

/// Is this a word that no name may be?
pub fn is_keyword(word: &str) -> bool {
    word != "words" && (STATEMENT_WORDS.contains(&word) || EXPRESSION_WORDS.contains(&word))
}
