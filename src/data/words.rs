//! The text of words in slots of one size, so that a list of them is copied at memory speed.

use crate::wide::wide;

/// The longest words that fit slots of 8 and of 16 bytes, with the space after them.
const SHORT: usize = 7;
const MIDDLE: usize = 15;

/// Words by their symbol, as text to append.
#[derive(Clone, Debug, Default)]
pub struct WordText {
    /// The word, and spaces up to the slot's end; of a longer word only its start. The small slots
    /// of some thousand words are half a core's nearest cache.
    short: Vec<[u8; SHORT + 1]>,
    middle: Vec<[u8; MIDDLE + 1]>,
    /// Bytes of the word, at most 255. Apart from the slots: reading both from one array is slower
    /// by half.
    lengths: Vec<u8>,
    /// Whole words that do not fit a slot, by the symbol; empty for those that do.
    long: Vec<Box<[u8]>>,
    /// Bytes of the longest word.
    longest: usize,
}

impl WordText {
    /// Adds the word of the next symbol.
    pub fn push(&mut self, word: &str) {
        let bytes = word.as_bytes();
        self.short.push(slot(bytes));
        self.middle.push(slot(bytes));
        self.lengths.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        self.long.push(if bytes.len() > MIDDLE { bytes.into() } else { Box::default() });
        self.longest = self.longest.max(bytes.len());
    }

    /// The bytes of one word.
    pub fn get(&self, symbol: u32) -> &[u8] {
        let at = symbol as usize;
        let length = self.lengths[at] as usize;
        if length > MIDDLE { &self.long[at] } else { &self.middle[at][..length] }
    }

    /// Appends one word.
    ///
    /// # Panics
    /// If there is no word of the symbol.
    #[inline(always)]
    pub fn append(&self, symbol: u32, out: &mut Vec<u8>) {
        let at = symbol as usize;
        let length = self.lengths[at] as usize;
        if length > MIDDLE {
            return out.extend_from_slice(&self.long[at]);
        }
        append_first(&self.middle[at], length, out);
    }

    /// Appends words with one space between them.
    ///
    /// # Panics
    /// If there is no word of a symbol.
    pub fn append_list(&self, symbols: &[u32], out: &mut Vec<u8>) {
        if symbols.is_empty() {
            return;
        }
        if self.longest <= SHORT {
            self.append_slots(&self.short, symbols, out);
        } else if self.longest <= MIDDLE {
            self.append_slots(&self.middle, symbols, out);
        } else {
            for &symbol in symbols {
                out.extend_from_slice(self.get(symbol));
                out.push(b' ');
            }
        }
        out.pop();
    }

    /// Appends each word and a space, where all words fit their slots: complete slots, of which the
    /// next word covers what is too much.
    fn append_slots<const SLOT: usize>(
        &self,
        slots: &[[u8; SLOT]],
        symbols: &[u32],
        out: &mut Vec<u8>,
    ) {
        debug_assert!(self.longest < SLOT, "the longest word fits");
        let lengths = &self.lengths[..slots.len()];
        assert!((greatest(symbols) as usize) < lengths.len(), "each symbol has a word");
        out.reserve(symbols.len() * (self.longest + 1) + SLOT);
        let mut at = out.len();
        // Kept in registers: a byte that is written might be one of theirs, as far as anyone knows.
        let (start, slots, lengths) = (out.as_mut_ptr(), slots.as_ptr(), lengths.as_ptr());
        for &symbol in symbols {
            // SAFETY: each symbol was found to be below the number of slots and of lengths. A word
            // takes `longest + 1` bytes at most, so a slot ends within what was reserved.
            unsafe {
                let slot = *slots.add(symbol as usize);
                start.add(at).cast::<[u8; SLOT]>().write_unaligned(slot);
                at += *lengths.add(symbol as usize) as usize + 1;
            }
        }
        // SAFETY: all bytes up to here were written, a word and a space after the other.
        unsafe { out.set_len(at) }
    }
}

/// Appends the first of some elements. It writes all of them: where their number is known, nothing
/// is called to copy them.
#[inline(always)]
pub(super) fn append_first<T: Copy, const N: usize>(all: &[T; N], count: usize, out: &mut Vec<T>) {
    assert!(count <= N, "there are so many");
    out.reserve(N);
    let end = out.len() + count;
    // SAFETY: all were given room behind the last, aligned as each of them, and those up to the new
    // end are written.
    unsafe {
        *out.as_mut_ptr().add(out.len()).cast::<[T; N]>() = *all;
        out.set_len(end);
    }
}

/// The greatest symbol of a list; 0 of none.
pub(super) fn greatest(symbols: &[u32]) -> u32 {
    match symbols.len() {
        // A few are looked at before wide vectors are chosen.
        0..16 => symbols.iter().fold(0, |most, &symbol| symbol.max(most)),
        _ => wide!(symbols.iter().fold(0, |most, &symbol| symbol.max(most))),
    }
}

/// The word's start, with spaces after it.
fn slot<const SLOT: usize>(word: &[u8]) -> [u8; SLOT] {
    let mut slot = [b' '; SLOT];
    let kept = word.len().min(SLOT);
    slot[..kept].copy_from_slice(&word[..kept]);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_its_words_with_one_space_between() {
        let all = ["a", "", "é", "a-seven", "eight-is", "exactly-fifteen", "exactly-sixteen!"];
        let long = "long".repeat(100);
        // Words that fit the small slots, those that fit the others too, and those that fit none.
        for words in [&all[..4], &all[..6], &all[..], &[&all[..], &[&*long]].concat()] {
            let mut text = WordText::default();
            words.iter().for_each(|word| text.push(word));
            for count in [1, 2, 200] {
                let symbols: Vec<u32> = (0..count).map(|at| at % words.len() as u32).collect();
                let wanted: Vec<&str> =
                    symbols.iter().map(|&symbol| words[symbol as usize]).collect();
                let mut out = b"before ".to_vec();
                text.append_list(&symbols, &mut out);
                assert_eq!(String::from_utf8_lossy(&out), format!("before {}", wanted.join(" ")));
            }
            for (symbol, word) in (0..).zip(words) {
                assert_eq!(text.get(symbol), word.as_bytes());
                let mut out = b"before ".to_vec();
                text.append(symbol, &mut out);
                assert_eq!(String::from_utf8_lossy(&out), format!("before {word}"));
            }
        }
    }

    #[test]
    fn an_empty_list_appends_nothing() {
        let mut out = b"all".to_vec();
        WordText::default().append_list(&[], &mut out);
        assert_eq!(out, b"all");
    }

    #[test]
    fn a_symbol_without_a_word_is_never_read() {
        let append = |symbols: &[u32]| {
            let mut text = WordText::default();
            text.push("a");
            text.append_list(symbols, &mut Vec::new());
        };
        append(&[0, 0]);
        assert!(std::panic::catch_unwind(|| append(&[0, 1])).is_err());
    }
}
