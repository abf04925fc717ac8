//! Natural text as words: one stated normalization for documents, questions and replies.

mod letters;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use letters::{Kind, kind, plain};

/// English words that say little of what a text is about.
const STOP_WORDS: &str = include_str!("stop_words.txt");

/// How a text becomes words. Two words are equal where nothing that is dropped tells them apart.
///
/// - *Case*: letters are folded as Unicode does it, by upper case and then lower case: `ß` is `ss`,
///   `ς` is `σ`, `ﬁ` is `fi`. Full-width letters and digits are the usual ones.
/// - *Marks*: Latin, Greek and Cyrillic letters lose their marks, written as one character or as
///   two: `é` is `e`. The points of Hebrew and Arabic are dropped.
/// - *Punctuation* and symbols end a word and are dropped: `Newton's` is `newton` and `s`. Between
///   digits, a dot stays, and a comma before exactly three digits is dropped: `5,000` is `5000`.
/// - *Stop words* are dropped from lists of words, but not from a single word or a label.
///
/// White space ends a word. Invisible characters (such as the soft hyphen) are dropped. Chinese and
/// Japanese characters, and those of Thai, Lao, Burmese and Khmer, which are written without
/// spaces, are a word each. Curly quotes and all dashes are `'`, `"` and `-`.
#[derive(Clone)]
pub struct Normalization {
    keep: Keep,
    stop_words: Arc<HashSet<Box<str>>>,
}

/// What is kept, though it is dropped by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keep {
    /// `Paris` and `paris` are two words.
    pub case: bool,
    /// `é` and `e` are two letters.
    pub marks: bool,
    /// Only white space ends a word: `end.` and `end` are two words.
    pub punctuation: bool,
    /// `the` and its like are words too.
    pub stop_words: bool,
}

impl Default for Normalization {
    fn default() -> Normalization {
        Normalization::new(Keep::default())
    }
}

impl Normalization {
    /// With the English stop words.
    pub fn new(keep: Keep) -> Normalization {
        static WORDS: OnceLock<Arc<HashSet<Box<str>>>> = OnceLock::new();
        let words = || Arc::new(STOP_WORDS.split_whitespace().map(Box::from).collect());
        Normalization { keep, stop_words: WORDS.get_or_init(words).clone() }
    }

    /// With these stop words, in the form that this normalization gives them.
    pub fn with_stop_words(keep: Keep, text: &str) -> Normalization {
        let none = Keep { stop_words: true, ..keep };
        let mut words = HashSet::new();
        Normalization::new(none).words(text, &mut String::new(), |word| {
            words.insert(Box::from(word));
        });
        Normalization { keep, stop_words: Arc::new(words) }
    }

    /// What is kept.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Calls `each` with every word of a text, in order. The buffer is for one word at a time.
    pub fn words(&self, text: &str, buffer: &mut String, mut each: impl FnMut(&str)) {
        let drops = !self.keep.stop_words;
        self.all_words(text, buffer, |word| {
            // The longest of the English ones has eight letters.
            if !(drops && self.stop_words.contains(word)) {
                each(word);
            }
        });
    }

    /// A label: its words, stop words too, with a space between them; where there is none, such as
    /// in `(`, the text itself.
    pub fn label(&self, text: &str) -> String {
        let mut label = String::with_capacity(text.len());
        self.all_words(text, &mut String::new(), |word| {
            if !label.is_empty() {
                label.push(' ');
            }
            label.push_str(word);
        });
        if label.is_empty() { text.trim().to_string() } else { label }
    }

    fn all_words(&self, text: &str, word: &mut String, mut each: impl FnMut(&str)) {
        let mut end = |word: &mut String| {
            if !word.is_empty() {
                each(word);
                word.clear();
            }
        };
        word.clear();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter.is_ascii_alphanumeric() {
                let kept = self.keep.case;
                word.push(if kept { letter } else { letter.to_ascii_lowercase() });
                continue;
            }
            let letter = plain(letter);
            match kind(letter, self.keep) {
                Kind::Letter => self.push(letter, word),
                Kind::Gone => {}
                Kind::Alone => {
                    end(word);
                    self.push(letter, word);
                    end(word);
                }
                Kind::Between if joins(letter, word, letters.as_str()) => {
                    if letter == '.' {
                        word.push(letter);
                    }
                }
                Kind::Between => end(word),
            }
        }
        end(word);
    }

    /// Appends a letter as it counts.
    fn push(&self, letter: char, word: &mut String) {
        let mut put = |letter: char| {
            if self.keep.marks {
                word.push(letter);
            } else if kind(letter, self.keep) != Kind::Gone {
                word.push(without_marks(letter));
            }
        };
        if self.keep.case {
            put(letter);
        } else {
            letter.to_uppercase().flat_map(char::to_lowercase).for_each(put);
        }
    }
}

impl fmt::Debug for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Normalization").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// Does a sign belong to the number that the word before it is the start of?
fn joins(sign: char, before: &str, after: &str) -> bool {
    let digits = after.bytes().take_while(u8::is_ascii_digit).take(4).count();
    before.as_bytes().last().is_some_and(u8::is_ascii_digit)
        && (sign == '.' && digits > 0 || sign == ',' && digits == 3)
}

/// The letter below the marks of a letter: `scripts/marks.py` writes `marks.txt`.
fn without_marks(letter: char) -> char {
    static BASES: OnceLock<HashMap<char, char>> = OnceLock::new();
    if letter.is_ascii() {
        return letter;
    }
    let bases = BASES.get_or_init(|| {
        let lines = include_str!("marks.txt").lines().filter_map(|line| {
            let mut letters = line.chars();
            letters.next().map(|base| letters.map(move |marked| (marked, base)))
        });
        lines.flatten().collect()
    });
    let one = |mut all: std::char::ToLowercase| all.next().filter(|_| all.next().is_none());
    match bases.get(&letter) {
        Some(&base) => base,
        // Where case is kept, the list has the letter in lower case only.
        None => one(letter.to_lowercase())
            .and_then(|lower| bases.get(&lower))
            .and_then(|base| base.to_uppercase().next().filter(|_| letter.is_uppercase()))
            .unwrap_or(letter),
    }
}

/// The sentences of a text: each ends with a line, or with `.`, `!`, `?` or their Chinese like and
/// white space after it, unless the next letter is in lower case or the word before is one letter
/// or an English title such as `Dr.`.
pub fn sentences(text: &str) -> Vec<&str> {
    const TITLES: [&str; 9] = ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Gen", "Sen", "No"];
    let is_closing = |letter: char| matches!(letter, '"' | '\'' | ')' | ']' | '”' | '’' | '»');
    let (mut found, mut start) = (Vec::new(), 0);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let mut end = at + letter.len_utf8();
        let is_end = match letter {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' => {
                while let Some((at, closing)) = letters.next_if(|(_, next)| is_closing(*next)) {
                    end = at + closing.len_utf8();
                }
                let rest = &text[end..];
                let last = text[start..at].rsplit(|letter: char| !letter.is_alphanumeric());
                let last = last.take(1).next().unwrap_or_default();
                let is_short = letter == '.'
                    && (TITLES.contains(&last)
                        || last.chars().count() == 1 && last.chars().all(char::is_alphabetic));
                let next = rest.trim_start().chars().next();
                rest.starts_with(char::is_whitespace)
                    && !is_short
                    && !next.is_some_and(char::is_lowercase)
            }
            _ => false,
        };
        if is_end {
            found.push(text[start..end].trim());
            start = end;
        }
    }
    found.push(text[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(keep: Keep, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        Normalization::new(keep).words(text, &mut String::new(), |word| words.push(word.into()));
        words
    }

    #[test]
    fn what_is_dropped_tells_no_words_apart() {
        let all = |text| words(Keep::default(), text);
        assert_eq!(all("The Straße, THE STRASSE; straße!"), ["strasse", "strasse", "strasse"]);
        assert_eq!(all("Σίσυφος ΣΊΣΥΦΟΣ"), ["σισυφοσ", "σισυφοσ"]);
        assert_eq!(all("e\u{301}t\u{e9} ÉTÉ \u{fb01}n"), ["ete", "ete", "fin"]);
        assert_eq!(all("Newton’s “law”—so\u{ad}called"), ["newton", "law", "socalled"]);
        assert_eq!(all("5,000 3.5 1,2 end.5 6½%"), ["5000", "3.5", "1", "2", "end", "5", "6½"]);
        assert_eq!(
            all("東京タワー、です ＡＢＣ"),
            ["東", "京", "タ", "ワ", "ー", "で", "す", "abc"]
        );
        assert_eq!(all("हिन्दी"), ["हिन्दी"]);
        assert_eq!(all(" \u{feff}… — "), [""; 0]);
    }

    #[test]
    fn each_switch_keeps_one_thing() {
        let text = "The Élan, it's";
        assert_eq!(words(Keep::default(), text), ["elan"]);
        assert_eq!(words(Keep { case: true, ..Keep::default() }, text), ["The", "Elan"]);
        assert_eq!(words(Keep { marks: true, ..Keep::default() }, text), ["élan"]);
        assert_eq!(words(Keep { punctuation: true, ..Keep::default() }, text), ["elan,", "it's"]);
        let kept = Keep { stop_words: true, ..Keep::default() };
        assert_eq!(words(kept, text), ["the", "elan", "it", "s"]);
        let own = Normalization::with_stop_words(Keep::default(), "ÉLAN");
        let mut found = Vec::new();
        own.words(text, &mut String::new(), |word| found.push(word.to_string()));
        assert_eq!(found, ["the", "it", "s"]);
    }

    #[test]
    fn a_label_keeps_its_stop_words_and_is_never_empty() {
        let all = Normalization::default();
        let labels = ["A", "Yes.", "in the box", "("].map(|text| all.label(text));
        assert_eq!(labels, ["a", "yes", "in the box", "("]);
    }

    #[test]
    fn a_sentence_ends_where_a_person_sees_its_end() {
        let text = "Dr. J. Smith left. \"Why?\" she asked. It was 3.5 m.\nDone! 完了。終わり";
        let wanted = [
            "Dr. J. Smith left.",
            "\"Why?\" she asked.",
            "It was 3.5 m.",
            "Done!",
            "完了。",
            "終わり",
        ];
        assert_eq!(sentences(text), wanted);
        assert_eq!(sentences(" "), [""; 0]);
    }
}
