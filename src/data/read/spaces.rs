//! White space of replies: words found and counted, and texts without what is around them.

use std::ops::Range;

/// The words of a text, by white space.
pub fn words_of(text: &str) -> u64 {
    if !text.is_ascii() {
        return text.split_whitespace().count() as u64;
    }
    // Without a branch: a word begins where white space does not follow white space.
    let is_space = |byte: u8| (byte == b' ') | (b'\t'..=b'\r').contains(&byte);
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|&byte| !is_space(byte));
    let later = bytes.windows(2).filter(|pair| is_space(pair[0]) & !is_space(pair[1]));
    u64::from(first) + later.count() as u64
}

/// Calls with the place of each word of a text in ASCII, by white space.
///
/// # Errors
/// That of the first call that fails.
#[inline]
pub fn each_word<E>(
    text: &str,
    mut visit: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let (bytes, mut start) = (text.as_bytes(), 0);
    for first in (0..=bytes.len()).step_by(BLOCK) {
        let block = &bytes[first..bytes.len().min(first + BLOCK)];
        // The end of the text ends a word as white space does.
        let end = if block.len() < BLOCK { 1 << block.len() } else { 0 };
        let mut ends = spaces(block) | end;
        while ends != 0 {
            let end = first + ends.trailing_zeros() as usize;
            if start < end {
                visit(start..end)?;
            }
            start = end + 1;
            ends &= ends - 1;
        }
    }
    Ok(())
}

/// The characters whose white space is looked for together.
const BLOCK: usize = 64;

/// A bit for each of a block's characters, in ASCII, that is white space.
fn spaces(block: &[u8]) -> u64 {
    let (eights, rest) = block.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let bits = if rest.is_empty() { 0 } else { spaces_of(last) };
    eights.iter().rev().fold(bits, |bits, &eight| bits << 8 | spaces_of(eight))
}

/// The same of eight characters.
#[inline]
fn spaces_of(eight: [u8; 8]) -> u64 {
    // Bytes are below 128, so that sums do not carry over into the next.
    let (bytes, each) = (u64::from_le_bytes(eight), |byte: u8| u64::from_ne_bytes([byte; 8]));
    let is_other = (bytes ^ each(b' ')) + each(0x7f);
    let from_tab = bytes + each(0x80 - b'\t');
    let after_return = bytes + each(0x80 - (b'\r' + 1));
    let is_space = (!is_other | from_tab & !after_return) & each(0x80);
    // The highest bit of each byte, side by side.
    (is_space >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// White space as [`char::is_whitespace`] has it, of a text in ASCII.
pub fn is_ascii_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t'..='\r')
}

/// A text without white space around it. Most have none, which is seen at their ends.
pub fn trimmed(text: &str) -> &str {
    match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_as_the_standard_library_splits_them() {
        for text in ["", " ", "a", " a  b\tc\n", "a\u{b}b\u{c}c\u{1c}d", "a\u{a0}b \u{85}c"] {
            assert_eq!(words_of(text), text.split_whitespace().count() as u64, "{text:?}");
            let words: Vec<&str> = text.split(is_ascii_space).filter(|it| !it.is_empty()).collect();
            assert!(!text.is_ascii() || words == text.split_whitespace().collect::<Vec<_>>());
            assert_eq!(trimmed(text), text.trim());
        }
    }

    #[test]
    fn words_are_found_wherever_they_begin_and_end() {
        let found = |text: &str| {
            let mut words = Vec::new();
            let each = each_word(text, |word| {
                words.push(text[word].to_string());
                Ok::<(), ()>(())
            });
            each.map(|()| words)
        };
        let all: String = (0..128_u8).map(char::from).collect();
        let alone: Vec<String> = all.chars().map(|letter| format!("a{letter}b")).collect();
        let mut texts = vec![String::new(), all, alone.concat(), alone.join(" ")];
        for length in [1, 7, 63, 64, 65, 127, 128, 129] {
            texts.extend(["a", " ", "ab ", " \r\n\tabc"].map(|it| it.repeat(length)));
            texts.extend((0..length).map(|at| "x".repeat(at) + " " + &"y".repeat(length - at)));
        }
        for text in texts {
            let wanted = text.split_whitespace().map(String::from).collect();
            assert_eq!(found(&text), Ok(wanted), "{text:?}");
        }
        let mut left = 2;
        let stopped = each_word("a b c d", |word| {
            left -= 1;
            if left > 0 { Ok(()) } else { Err(word) }
        });
        assert_eq!((stopped, left), (Err(2..3), 0));
    }
}
