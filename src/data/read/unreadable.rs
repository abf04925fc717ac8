//! Why a reply cannot be read, as data and as text.

use std::fmt;

use crate::runtime::Fault;

/// Why a reply cannot be read, or not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is far longer than any reply of the template.
    TooLong {
        /// Its words, by white space.
        words: u64,
        /// The most that is read.
        words_max: u64,
    },
    /// A literal of the layout is missing.
    Missing(String),
    /// There is text after the last literal, or before the first.
    Around(String),
    /// Something else is there instead of a value.
    Value {
        /// The output's name.
        name: String,
        /// What it must be.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// A word is expected, and this has a symbol that no word has.
    NotAWord {
        /// The output's name.
        name: String,
        /// What is there.
        found: String,
    },
    /// There is no room for it.
    Room(Fault),
    /// This mark, which the answer stands in or after, is missing.
    NoAnswer(&'static str),
    /// There are two marks that an answer may stand in or after.
    TwoAnswers,
    /// A `<think>` without its end, or an end too many.
    OpenThought,
    /// It was read, but a rule makes more of it than the memory holds.
    Memory,
}

impl Unreadable {
    /// The kinds of causes, by name.
    pub const CAUSES: [&'static str; 7] =
        ["no_answer", "two_answers", "open_thought", "too_long", "form", "value", "memory"];

    /// Which kind of cause it is, one of [`Unreadable::CAUSES`].
    pub fn cause(&self) -> &'static str {
        match self {
            Unreadable::NoAnswer(_) => "no_answer",
            Unreadable::TwoAnswers => "two_answers",
            Unreadable::OpenThought => "open_thought",
            Unreadable::TooLong { .. } | Unreadable::Room(_) => "too_long",
            Unreadable::Missing(_) | Unreadable::Around(_) => "form",
            Unreadable::Value { .. } | Unreadable::NotAWord { .. } => "value",
            Unreadable::Memory => "memory",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unreadable::TooLong { words, words_max } => {
                write!(f, "it has {words} words, and a reply of up to {words_max} is read")
            }
            Unreadable::Missing(literal) => write!(f, "`{}` is missing", literal.escape_debug()),
            Unreadable::Around(text) => write!(f, "`{}` is too much", text.escape_debug()),
            Unreadable::Value { name, wanted, found } if found.is_empty() => {
                write!(f, "`{name}` must be {wanted}, and there is nothing")
            }
            Unreadable::Value { name, wanted, found } => {
                write!(f, "`{name}` must be {wanted}, and is `{}`", found.escape_debug())
            }
            Unreadable::NotAWord { name, found } => write!(
                f,
                "`{}` is not a word: `{name}` holds words of letters, digits, `-`, `'` and `_`",
                found.escape_debug()
            ),
            Unreadable::Room(error) => write!(f, "it is too long: {error}"),
            Unreadable::NoAnswer(mark) => write!(f, "it has no {mark}"),
            Unreadable::TwoAnswers => f.write_str("it has two answers"),
            Unreadable::OpenThought => f.write_str("a `<think>` does not end"),
            Unreadable::Memory => {
                f.write_str("a rule makes more of it than the memory that is set aside holds")
            }
        }
    }
}

/// The start of a text, for a message.
pub fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
