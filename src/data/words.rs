//! The text of words in slots of one size, so that a list of them is copied at memory speed.

/// Bytes of a slot: one 128-bit register.
const SLOT: usize = 16;
/// The longest word that fits, with the space after it.
const FIT: usize = SLOT - 1;
/// Words copied between two looks at the buffer's room.
const RUN: usize = 64;

/// Words by their symbol, as text to append.
#[derive(Clone, Debug, Default)]
pub struct WordText {
    /// The word, and spaces up to the slot's end; of a longer word only its start.
    slots: Vec<[u8; SLOT]>,
    /// Bytes of the word. Apart from the slots: reading both from one array is slower by half.
    lengths: Vec<u32>,
    /// Whole words that do not fit a slot, by the symbol; empty for those that do.
    long: Vec<Box<[u8]>>,
    /// Bytes of the longest word.
    longest: usize,
}

impl WordText {
    /// Adds the word of the next symbol.
    pub fn push(&mut self, word: &str) {
        let bytes = word.as_bytes();
        let mut slot = [b' '; SLOT];
        let kept = bytes.len().min(SLOT);
        slot[..kept].copy_from_slice(&bytes[..kept]);
        self.slots.push(slot);
        self.lengths.push(bytes.len() as u32);
        self.long.push(if bytes.len() > FIT { bytes.into() } else { Box::default() });
        self.longest = self.longest.max(bytes.len());
    }

    /// The bytes of one word.
    pub fn get(&self, symbol: u32) -> &[u8] {
        let at = symbol as usize;
        let length = self.lengths[at] as usize;
        if length > FIT { &self.long[at] } else { &self.slots[at][..length] }
    }

    /// Appends words with one space between them.
    pub fn append_list(&self, symbols: &[u32], out: &mut Vec<u8>) {
        for run in symbols.chunks(RUN) {
            self.append_run(run, out);
        }
        if !symbols.is_empty() {
            out.pop();
        }
    }

    /// Appends each word and a space.
    fn append_run(&self, symbols: &[u32], out: &mut Vec<u8>) {
        let mut at = out.len();
        out.resize(at + symbols.len() * (self.longest + 1) + SLOT, 0);
        for &symbol in symbols {
            let length = self.lengths[symbol as usize] as usize;
            if length > FIT {
                out[at..at + length].copy_from_slice(&self.long[symbol as usize]);
                out[at + length] = b' ';
            } else {
                // A complete slot, whatever the word's length: the next word covers the rest.
                out[at..at + SLOT].copy_from_slice(&self.slots[symbol as usize]);
            }
            at += length + 1;
        }
        out.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_its_words_with_one_space_between() {
        let words = ["a", "exactly-fifteen", "exactly-sixteen!", "", "é", "a-word-longer-than-any"];
        let mut text = WordText::default();
        words.iter().for_each(|word| text.push(word));
        let symbols: Vec<u32> = (0..200).map(|at| at % words.len() as u32).collect();
        let wanted: Vec<&str> = symbols.iter().map(|&symbol| words[symbol as usize]).collect();
        let mut out = b"before ".to_vec();
        text.append_list(&symbols, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), format!("before {}", wanted.join(" ")));
        assert_eq!(text.get(2), words[2].as_bytes());
        text.append_list(&[], &mut out);
        assert!(out.ends_with(b"exactly-fifteen"));
    }
}
