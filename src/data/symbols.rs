//! Words to their symbols: a word of up to seven bytes is found by comparing one number.

use std::collections::HashMap;
use std::ops::Range;

/// The longest word that is one number.
const SHORT: usize = 7;

/// The symbols of words.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Short words as numbers with their symbols, by hashing into a table at most a quarter full; 0
    /// is no word.
    short: Vec<(u64, u32)>,
    taken: usize,
    /// All others.
    long: HashMap<Box<[u8]>, u32>,
}

impl Symbols {
    /// For so many short words without growing.
    pub fn with_room(words: usize) -> Symbols {
        Symbols { short: vec![(0, 0); (4 * words).next_power_of_two()], ..Symbols::default() }
    }

    /// The symbol of a word, if it is known.
    #[inline]
    pub fn get(&self, word: &[u8]) -> Option<u32> {
        match number(word) {
            Some(number) => self.of_number(number),
            None => self.long.get(word).copied(),
        }
    }

    /// The symbol of a part of a text, if it is a word that is known.
    #[inline]
    pub fn get_in(&self, text: &[u8], word: Range<usize>) -> Option<u32> {
        let size = word.len();
        match text[word.start..].first_chunk() {
            // One read, of which the bytes after the word are removed.
            Some(eight) if (1..=SHORT).contains(&size) => {
                let bytes = u64::from_le_bytes(*eight) & u64::MAX >> (64 - 8 * size);
                self.of_number(bytes | (size as u64) << 56)
            }
            _ => self.get(&text[word]),
        }
    }

    #[inline]
    fn of_number(&self, number: u64) -> Option<u32> {
        let (known, symbol) = *self.short.get(self.place(number))?;
        (known == number).then_some(symbol)
    }

    /// Keeps the symbol of a word that is not known yet.
    pub fn insert(&mut self, word: &[u8], symbol: u32) {
        let Some(number) = number(word) else {
            self.long.insert(word.into(), symbol);
            return;
        };
        if 4 * (self.taken + 1) > self.short.len() {
            let more = (2 * self.short.len()).max(16);
            let known = std::mem::replace(&mut self.short, vec![(0, 0); more]);
            for (number, symbol) in known.into_iter().filter(|(number, _)| *number != 0) {
                let place = self.place(number);
                self.short[place] = (number, symbol);
            }
        }
        let place = self.place(number);
        self.short[place] = (number, symbol);
        self.taken += 1;
    }

    /// The position where the word is or would be: the first from its hash on that is it or free;
    /// 0 in an empty table.
    fn place(&self, number: u64) -> usize {
        let Some(last) = self.short.len().checked_sub(1) else { return 0 };
        // The upper half of the product has a part of every bit of the number.
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut place = hash as usize & last;
        while self.short[place].0 != 0 && self.short[place].0 != number {
            place = (place + 1) & last;
        }
        place
    }
}

/// A word of one to seven bytes as a number: its bytes, and above them how many they are.
fn number(word: &[u8]) -> Option<u64> {
    let four = |at: usize| u32::from_le_bytes(word[at..at + 4].try_into().expect("four bytes"));
    let size = word.len();
    let bytes = match size {
        // Two reads that overlap; where they do, they have the same bits.
        4..=SHORT => u64::from(four(0)) | u64::from(four(size - 4)) << (8 * (size - 4)),
        1..4 => {
            let byte = |at: usize| u64::from(word[at]) << (8 * at);
            byte(0) | byte(size / 2) | byte(size - 1)
        }
        _ => return None,
    };
    Some(bytes | (size as u64) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_no_other() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.get(b"a"), None);
        let mut words: Vec<String> = ["", "é", "日本", "日本語"].map(String::from).into();
        for length in 1..12 {
            words.extend(
                (0..300).map(|at| format!("{:0length$}", at)).filter(|w| w.len() == length),
            );
        }
        for (symbol, word) in (0..).zip(&words) {
            assert_eq!(symbols.get(word.as_bytes()), None, "{word}");
            symbols.insert(word.as_bytes(), symbol);
        }
        for (symbol, word) in (0..).zip(&words) {
            assert_eq!(symbols.get(word.as_bytes()), Some(symbol), "{word}");
            for text in [word.clone(), format!("{word}, and more"), format!("{word}e")] {
                assert_eq!(symbols.get_in(text.as_bytes(), 0..word.len()), Some(symbol), "{text}");
            }
            let (text, end) = (format!("before {word}"), 7 + word.len());
            assert_eq!(symbols.get_in(text.as_bytes(), 7..end), Some(symbol), "{text}");
        }
        assert_eq!(symbols.get(b"no word"), None);
        assert_eq!(symbols.get(b"none"), None);
    }
}
