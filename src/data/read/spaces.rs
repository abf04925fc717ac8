//! White space of replies: words counted, and texts without what is around them.

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
}
