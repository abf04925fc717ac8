//! What a character does in a text: it belongs to a word, is one, ends one, or does not count.

use super::Keep;

/// What a character does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Belongs to a word.
    Letter,
    /// Is a word of its own: a character of a script that is written without spaces.
    Alone,
    /// Ends a word.
    Between,
    /// Does not count.
    Gone,
}

/// What a character does, where these things are kept.
pub fn kind(letter: char, keep: Keep) -> Kind {
    let code = letter as u32;
    if letter.is_whitespace() || code == ZERO_WIDTH_SPACE {
        return Kind::Between;
    }
    if letter.is_ascii() {
        let is_letter = letter.is_ascii_alphanumeric() || keep.punctuation && !letter.is_control();
        return if is_letter { Kind::Letter } else { Kind::Between };
    }
    if is_in(code, INVISIBLE) {
        return Kind::Gone;
    }
    if is_in(code, MARKS) {
        return if keep.marks { Kind::Letter } else { Kind::Gone };
    }
    if is_in(code, WITHOUT_SPACES) && letter.is_alphanumeric() && !letter.is_numeric() {
        return Kind::Alone;
    }
    // Kanji numerals are numbers by their character class and characters by their script.
    if is_in(code, HAN) {
        return Kind::Alone;
    }
    let is_letter = letter.is_alphanumeric() || is_in(code, INDIC) && !is_in(code, INDIC_SIGNS);
    if is_letter || keep.punctuation { Kind::Letter } else { Kind::Between }
}

/// Quotes and dashes as a keyboard has them, and letters of full width as the usual ones.
pub fn plain(letter: char) -> char {
    match letter {
        '‘' | '’' | '‚' | '‛' | 'ʼ' | '′' | '´' | '`' => '\'',
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(letter as u32 - FULL_WIDTH).expect("an ASCII character")
        }
        _ => letter,
    }
}

/// How far the characters of full width are from those of ASCII.
const FULL_WIDTH: u32 = 0xfee0;
const ZERO_WIDTH_SPACE: u32 = 0x200b;

/// Ranges of characters, both ends in them.
type Ranges = &'static [(u32, u32)];

/// Soft hyphen, joiners, marks of direction, variation selectors, the byte order mark.
const INVISIBLE: Ranges = &[
    (0xad, 0xad),
    (0x180e, 0x180e),
    (0x200c, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
];

/// Combining marks that vary a letter, Hebrew and Arabic points, and the Arabic tatweel.
const MARKS: Ranges = &[
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x5bf, 0x5bf),
    (0x5c1, 0x5c2),
    (0x5c4, 0x5c5),
    (0x5c7, 0x5c7),
    (0x640, 0x640),
    (0x64b, 0x65f),
    (0x670, 0x670),
    (0x6d6, 0x6dc),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x20d0, 0x20ff),
    (0xfe20, 0xfe2f),
];

const HAN: Ranges = &[(0x3005, 0x3007), (0x3400, 0x4dbf), (0x4e00, 0x9fff), (0x20000, 0x3ffff)];

/// Kana, Thai, Lao, Burmese, Khmer, and compatibility forms of Han.
const WITHOUT_SPACES: Ranges = &[
    (0xe00, 0xeff),
    (0x1000, 0x109f),
    (0x1780, 0x17ff),
    (0x3041, 0x30ff),
    (0x31f0, 0x31ff),
    (0xf900, 0xfaff),
    (0xff66, 0xff9d),
];

/// The scripts of India, whose vowel signs and viramas belong to the word.
const INDIC: Ranges = &[(0x900, 0xdff)];
/// Their punctuation.
const INDIC_SIGNS: Ranges = &[(0x964, 0x965), (0x970, 0x970)];

fn is_in(code: u32, ranges: Ranges) -> bool {
    ranges.iter().any(|&(first, last)| (first..=last).contains(&code))
}
