//! The characters that a text can have, as far as it is known.

use crate::source::is_word_character;

/// A set of characters: exact in ASCII, and in classes outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signs {
    ascii: u128,
    beyond: Beyond,
}

/// Characters outside ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Beyond {
    None,
    /// Those of words.
    OfWords,
    Any,
}

impl Signs {
    /// No character.
    pub const NONE: Signs = Signs { ascii: 0, beyond: Beyond::None };
    /// Any character.
    pub const ALL: Signs = Signs { ascii: u128::MAX, beyond: Beyond::Any };

    /// Those of a text.
    pub fn of(text: &str) -> Signs {
        let of = |sign: char| match u32::from(sign) {
            at @ 0..128 => Signs { ascii: 1 << at, ..Signs::NONE },
            _ if is_word_character(sign) => Signs { beyond: Beyond::OfWords, ..Signs::NONE },
            _ => Signs { beyond: Beyond::Any, ..Signs::NONE },
        };
        text.chars().map(of).fold(Signs::NONE, Signs::and)
    }

    /// Those of words: of all, or of those in ASCII.
    pub fn of_words(in_ascii: bool) -> Signs {
        let ascii = (0..128_u8).map(char::from).filter(|&sign| is_word_character(sign));
        let beyond = if in_ascii { Beyond::None } else { Beyond::OfWords };
        Signs { beyond, ..Signs::of(&ascii.collect::<String>()) }
    }

    /// The most bytes of one of them.
    pub fn bytes(self) -> i64 {
        if self.beyond == Beyond::None { 1 } else { 4 }
    }

    /// Those of both.
    pub fn and(self, other: Signs) -> Signs {
        Signs { ascii: self.ascii | other.ascii, beyond: self.beyond.max(other.beyond) }
    }

    /// True if a text can have the character.
    pub fn has(self, sign: char) -> bool {
        match u32::from(sign) {
            at @ 0..128 => self.ascii >> at & 1 == 1,
            _ => match self.beyond {
                Beyond::None => false,
                Beyond::OfWords => is_word_character(sign),
                Beyond::Any => true,
            },
        }
    }

    /// The characters in ranges: all outside ASCII, if there may be some.
    pub fn ranges(self) -> Vec<(char, char)> {
        let mut ranges: Vec<(char, char)> = Vec::new();
        for sign in (0..128_u8).map(char::from).filter(|&sign| self.has(sign)) {
            match ranges.last_mut() {
                Some((_, last)) if u32::from(*last) + 1 == u32::from(sign) => *last = sign,
                _ => ranges.push((sign, sign)),
            }
        }
        if self.beyond > Beyond::None {
            ranges.extend([('\u{80}', '\u{d7ff}'), ('\u{e000}', char::MAX)]);
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_characters_of_its_texts() {
        let signs = Signs::of("b-a").and(Signs::of("é"));
        for (sign, is_in) in [('a', true), ('b', true), ('c', false), ('é', true), ('ü', true)] {
            assert_eq!(signs.has(sign), is_in, "{sign}");
        }
        assert!(!signs.has('→') && Signs::of("←").has('→') && Signs::ALL.has('\n'));
        assert_eq!(Signs::of("b-a").ranges(), [('-', '-'), ('a', 'b')]);
        assert!(Signs::of_words(true).has('_') && !Signs::of_words(false).has(' '));
        assert!(Signs::of_words(false).has('é') && !Signs::of_words(true).has('é'));
    }
}
