//! What a person may be shown of a text that a stranger wrote: nothing that steers the terminal.

use std::borrow::Cow;

/// The text with each character that steers a terminal, turns text around or hides written out as
/// `\u{1b}`. Line breaks and tabs stay; a carriage return before a line break is left out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !may_hide(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\r' && rest.peek() == Some(&'\n') {
            continue;
        }
        push_visible(character, &mut shown);
    }
    Cow::Owned(shown)
}

/// Appends a character, or, if it must not be shown as it is, its number.
pub fn push_visible(character: char, shown: &mut String) {
    if is_steering(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// Whether a character does something to a terminal or to what is around it, and has no shape
/// of its own. The joiners that Persian, Hindi and many emoji are written with are none.
pub fn is_steering(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // C0, DEL and C1.
        character if character.is_control() => true,
        // Marks, embeddings, overrides and isolates of text that runs from right to left.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2066}'..='\u{2069}' => true,
        // Line and paragraph separators, which some terminals break lines at.
        '\u{2028}' | '\u{2029}' => true,
        // Spaces and operators without width, the byte order mark, and interlinear marks.
        '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{180e}' => true,
        // Tags, by which text is hidden in text.
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// False where no byte can belong to such a character: nearly all texts, seen at memory speed.
fn may_hide(text: &str) -> bool {
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\n' | b'\t');
    !text.as_bytes().iter().all(plain) && text.chars().any(is_steering)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out_and_all_else_stays() {
        for (text, wanted) in [
            ("plain, größer\n\t名前 e\u{301}", "plain, größer\n\t名前 e\u{301}"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("over\rwritten", "over\\u{d}written"),
            ("line\r\nline", "line\nline"),
            ("\u{9b}31m\u{7f}\u{0}", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u{202e}b\\u{2066}c\\u{200f}"),
            ("hid\u{200b}den\u{feff}\u{e0041}", "hid\\u{200b}den\\u{feff}\\u{e0041}"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ] {
            assert_eq!(visible(text), wanted);
        }
    }
}
