//! The words of a run: symbols for tokens, and their text.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::symbols::Symbols;
use super::words::WordText;
use crate::ir::Words;
use crate::source::is_word_character;

/// 4,096 invented words; any prefix of the list is a vocabulary too. `scripts/words.py` wrote it.
const EMBEDDED: &str = include_str!("words.txt");
const EMBEDDED_COUNT: usize = 4096;

/// Words and their symbols: first those of pool 0, `vocab`, then those of the named pools that
/// `vocab` does not have. A word has one symbol, whatever pools it is in.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    words: Arc<Vec<Box<str>>>,
    symbols: Symbols,
    /// How many words `vocab` has.
    own: usize,
    text: WordText,
}

/// Why words are no vocabulary; lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordsError {
    /// There is no word at all.
    Empty,
    /// A word contains white space or a symbol, which can separate two values.
    Sign {
        /// The line.
        line: usize,
        /// The symbol.
        word: String,
        /// The first character that no word has.
        sign: char,
    },
    /// A word comes twice.
    Twice {
        /// The line of the second.
        line: usize,
        /// The word.
        word: String,
        /// The line of the first.
        first: usize,
    },
}

impl Vocabulary {
    /// The embedded words.
    pub fn embedded() -> Vocabulary {
        Vocabulary::embedded_part(usize::MAX)
    }

    /// The first words of the embedded ones.
    pub fn embedded_part(count: usize) -> Vocabulary {
        // A test looks at each of them.
        let symbols = Symbols::with_room(count.min(EMBEDDED_COUNT));
        let mut vocabulary = Vocabulary { symbols, ..Vocabulary::default() };
        EMBEDDED.lines().take(count).for_each(|word| _ = vocabulary.intern(word));
        vocabulary.own = vocabulary.words.len();
        vocabulary
    }

    /// The words of a text, one a line; white space around them and blank lines do not matter.
    ///
    /// # Errors
    /// Those of [`parse_words`], and a word that is there twice.
    pub fn parse(text: &str) -> Result<Vocabulary, WordsError> {
        Vocabulary::new(parse_words(text)?)
    }

    /// These words, each once.
    ///
    /// # Errors
    /// A word with a character that no word has, or one that is there twice; the number of the word
    /// is that of its line.
    pub fn new<S: AsRef<str>>(
        words: impl IntoIterator<Item = S>,
    ) -> Result<Vocabulary, WordsError> {
        let mut vocabulary = Vocabulary::default();
        for word in words {
            let (word, count) = (word.as_ref(), vocabulary.words.len());
            if let Some(sign) = word.chars().find(|&sign| !is_word_character(sign)) {
                return Err(WordsError::Sign { line: count + 1, word: word.to_string(), sign });
            }
            let symbol = vocabulary.intern(word) as usize;
            if symbol < count {
                let (line, word) = (count + 1, word.to_string());
                return Err(WordsError::Twice { line, word, first: symbol + 1 });
            }
        }
        vocabulary.own = vocabulary.words.len();
        if vocabulary.own == 0 { Err(WordsError::Empty) } else { Ok(vocabulary) }
    }

    /// Adds the named pools of a template, in order, and returns the symbols of every pool, `vocab`
    /// first: what [`Program::pools`](crate::ir::Program::pools) counts.
    pub fn add_pools<'a>(
        &mut self,
        named: impl IntoIterator<Item = &'a [String]>,
    ) -> Vec<Vec<u32>> {
        let mut pools = vec![(0..self.own as u32).collect()];
        for words in named {
            pools.push(words.iter().map(|word| self.intern(word)).collect());
        }
        pools
    }

    /// How many words `vocab` has; the named pools may have more.
    pub fn own_len(&self) -> usize {
        self.own
    }

    /// What is known of the words of `vocab`.
    pub fn shape(&self) -> Words {
        let own = &self.words[..self.own];
        Words {
            longest: own.iter().map(|word| word.len()).max().unwrap_or(0),
            in_ascii: own.iter().all(|word| word.is_ascii()),
        }
    }

    /// All words, by their symbols.
    pub fn shared(&self) -> Arc<Vec<Box<str>>> {
        self.words.clone()
    }

    /// How many symbols there are: the next one is no word's.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// True if there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of a symbol below [`len`](Vocabulary::len).
    pub fn word(&self, symbol: u32) -> &str {
        &self.words[symbol as usize]
    }

    /// The symbol of a word, if it is known.
    pub fn symbol(&self, word: &str) -> Option<u32> {
        self.symbols.get(word.as_bytes())
    }

    /// The symbol of a part of a text, if it is a word that is known.
    #[inline]
    pub fn symbol_in(&self, text: &str, word: Range<usize>) -> Option<u32> {
        self.symbols.get_in(text.as_bytes(), word)
    }

    /// All words, in the order of their symbols.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        self.words.iter().map(|word| &**word)
    }

    /// The text of the words, for lists of them. It needs no escapes inside a JSON string.
    pub fn text(&self) -> &WordText {
        &self.text
    }

    fn intern(&mut self, word: &str) -> u32 {
        if let Some(symbol) = self.symbols.get(word.as_bytes()) {
            return symbol;
        }
        let symbol = self.words.len() as u32;
        Arc::make_mut(&mut self.words).push(word.into());
        self.symbols.insert(word.as_bytes(), symbol);
        self.text.push(word);
        symbol
    }
}

/// The words of a file that has one a line.
///
/// # Errors
/// A line with several words, one that is there twice, or no word at all.
pub fn parse_words(text: &str) -> Result<Vec<String>, WordsError> {
    let mut first_line: HashMap<&str, usize> = HashMap::new();
    let mut words = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line_number, word) = (at + 1, line.trim());
        if word.is_empty() {
            continue;
        }
        if let Some(sign) = word.chars().find(|&sign| !is_word_character(sign)) {
            return Err(WordsError::Sign { line: line_number, word: word.to_string(), sign });
        }
        if let Some(first) = first_line.insert(word, line_number) {
            return Err(WordsError::Twice { line: line_number, word: word.to_string(), first });
        }
        words.push(word.to_string());
    }
    if words.is_empty() { Err(WordsError::Empty) } else { Ok(words) }
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            WordsError::Empty => write!(f, "there is no word in it: write one a line"),
            WordsError::Sign { line, word, sign } if sign.is_whitespace() => {
                write!(f, "line {line}: `{word}` is more than one word: write one a line")
            }
            WordsError::Sign { line, word, sign } => write!(
                f,
                "line {line}: `{word}` has `{sign}` in it: a word has letters, digits, \
                 `-`, `'` and `_`"
            ),
            WordsError::Twice { line, word, first } => {
                write!(f, "line {line}: `{word}` is on line {first} already: write it once")
            }
        }
    }
}

impl std::error::Error for WordsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_words_are_4096_plain_words_of_three_to_six_letters() {
        let vocabulary = Vocabulary::embedded();
        assert_eq!((vocabulary.len(), vocabulary.own_len()), (EMBEDDED_COUNT, EMBEDDED_COUNT));
        assert_eq!(parse_words(EMBEDDED).expect("good words").len(), EMBEDDED_COUNT);
        for word in vocabulary.words() {
            assert!((3..=6).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn a_word_has_one_symbol_in_all_pools() {
        let mut vocabulary = Vocabulary::parse("a\nb\n").expect("two words");
        let names = ["b".to_string(), "c".to_string()];
        assert_eq!(vocabulary.add_pools([&names[..]]), [vec![0, 1], vec![1, 2]]);
        assert_eq!((vocabulary.own_len(), vocabulary.len()), (2, 3));
        assert_eq!(vocabulary.word(2), "c");
    }

    #[test]
    fn a_fault_in_a_words_file_names_its_line() {
        let error = |text| Vocabulary::parse(text).expect_err("an error").to_string();
        assert_eq!(error(" \n\n"), "there is no word in it: write one a line");
        assert_eq!(error("a\n\nb c\n"), "line 3: `b c` is more than one word: write one a line");
        let sign = "line 1: `b;c` has `;` in it: a word has letters, digits, `-`, `'` and `_`";
        assert_eq!(error("b;c\n"), sign);
        assert_eq!(error("a\n\n a\n"), "line 3: `a` is on line 1 already: write it once");
    }
}
