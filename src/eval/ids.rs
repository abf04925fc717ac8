//! A model's tokenizer as what makes ids of samples.

use crate::data::layout::{Added, Tokenize};
use crate::model::Tokenizer;

impl Tokenize for Tokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode_known(text).map_err(|error| format!("{error:#}"))
    }

    fn encode_to(&self, text: &str, at: usize) -> Result<(Vec<u32>, usize), String> {
        self.encode_known_to(text, at).map_err(|error| format!("{error:#}"))
    }

    fn cuts(&self, left: &str, right: &str) -> bool {
        self.cuts_between(left, right)
    }

    fn added(&self, text: &str) -> Added {
        let (starts, ends) = self.added_at_ends(text);
        Added { starts, ends: ends.map(String::from) }
    }

    fn looks_around(&self, text: &str) -> bool {
        self.looks_around(text)
    }

    fn has_added(&self, word: &str) -> bool {
        self.has_added(word)
    }
}
