//! A named text, byte spans in it, and the lines and columns that people count in.

mod excerpt;
mod file;
mod visible;

use std::sync::Arc;

pub use excerpt::Excerpt;
pub use file::{bytes_of, open, read_at_most};
pub use visible::{is_steering, push_visible, visible};

/// A half-open range of bytes in a [`Source`], always on character borders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }
}

/// Two texts from a little before where they differ, for a message.
pub fn difference(one: &str, other: &str) -> [String; 2] {
    /// Characters that are shown, and how many of them are before the difference.
    const SHOWN: usize = 60;
    const BEFORE: usize = 20;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(BEFORE);
    [one, other].map(|text| {
        let mut rest = text.chars().skip(start);
        let shown: String = rest.by_ref().take(SHOWN).collect();
        let before = if start > 0 { "…" } else { "" };
        let after = if rest.next().is_some() { "…" } else { "" };
        format!("{before}{shown}{after}")
    })
}

/// The text of one file and the name it is shown under. Cloning shares the text.
#[derive(Clone, Debug)]
pub struct Source {
    /// A path, or `std:NAME` for what is built in.
    pub name: Arc<str>,
    /// The complete text.
    pub text: Arc<str>,
}

impl Source {
    /// Names a text.
    pub fn new(name: impl AsRef<str>, text: impl AsRef<str>) -> Source {
        Source { name: name.as_ref().into(), text: text.as_ref().into() }
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// Line and column of a byte, both from 1; a column is a character, not a byte.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..byte.min(self.text.len())];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[line_start..].chars().count() + 1)
    }

    /// The name of the template that this file holds: its file name without folder and ending.
    pub fn stem(&self) -> &str {
        let name = self.name.rsplit(['/', '\\', ':']).next().unwrap_or(&self.name);
        name.strip_suffix(".cook").unwrap_or(name)
    }
}

/// True for what words of a pool are made of: letters, digits, `-`, `'` and `_`. Every other
/// character can stand between two shown values and keep them apart.
pub fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '\'' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = Source::new("a/b.cook", "é = 1\nx ~ ü");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position("é".len()), (1, 2));
        assert_eq!(source.position(source.text.len()), (2, 6));
        assert_eq!(source.stem(), "b");
    }
}
