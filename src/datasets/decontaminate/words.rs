//! The words of a text as decontamination compares them, and where they are in it.

use std::ops::Range;

use crate::runtime::random;

/// Words between white space, lowercase, without what is no letter and no digit.
pub struct Words<'t> {
    text: &'t str,
    /// The hash of each, and its bytes in the text.
    words: Vec<(u64, Range<usize>)>,
}

impl<'t> Words<'t> {
    pub fn new(text: &'t str) -> Words<'t> {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut start = 0;
        let ends = text.char_indices().map(Some).chain([None]);
        for next in ends {
            match next {
                Some((at, character)) if !character.is_whitespace() => {
                    if character.is_alphanumeric() {
                        if word.is_empty() {
                            start = at;
                        }
                        word.extend(character.to_lowercase());
                    }
                }
                _ => {
                    if !word.is_empty() {
                        let end = next.map_or(text.len(), |(at, _)| at);
                        words.push((hash(&word), start..end));
                        word.clear();
                    }
                }
            }
        }
        Words { text, words }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The hashes of all `n` consecutive words, in order; that of all words, if there are fewer.
    pub fn grams(&self, n: usize) -> Vec<u64> {
        if self.words.is_empty() {
            return Vec::new();
        }
        let n = n.min(self.words.len());
        // A text that is shorter is no part of a longer one.
        let all = n as u64;
        let gram = |words: &[(u64, Range<usize>)]| {
            words.iter().fold(all, |hash, (word, _)| random::mix(hash.rotate_left(7) ^ word))
        };
        self.words.windows(n).map(gram).collect()
    }

    /// The text of some of them.
    pub fn text(&self, words: Range<usize>) -> &'t str {
        match self.words.get(words) {
            Some([(_, first), .., (_, last)]) => &self.text[first.start..last.end],
            Some([(_, one)]) => &self.text[one.clone()],
            _ => "",
        }
    }
}

fn hash(word: &str) -> u64 {
    let (chunks, rest) = word.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let chunks = chunks.iter().chain([&last]).map(|chunk| u64::from_le_bytes(*chunk));
    chunks.fold(word.len() as u64, |hash, chunk| random::mix(hash ^ chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_do_not_matter_and_the_text_is_found_again() {
        let one = Words::new("Don't say: “Hello, World” -- twice!");
        let other = Words::new("dont SAY hello\tworld twice");
        assert_eq!((one.len(), other.len()), (5, 5));
        assert_eq!(one.grams(3), other.grams(3));
        assert_eq!((one.grams(3).len(), one.grams(9).len()), (3, 1));
        assert_eq!(one.text(1..4), "say: “Hello, World”");
        // A text that is shorter is equal to one of the same words alone.
        assert_eq!(Words::new("a b").grams(5), Words::new("A, b.").grams(5));
        assert_ne!(Words::new("a b").grams(5), Words::new("a b c").grams(5));
        assert!(Words::new(" … ").grams(1).is_empty());
    }
}
