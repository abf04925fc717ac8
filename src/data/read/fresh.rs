//! Words that a reply has and the template does not.

use std::collections::HashMap;

/// Symbols for what no pool has.
///
/// Most replies have none of them, so that a map is made with the first.
#[derive(Clone, Default)]
pub struct Fresh {
    tokens: Option<HashMap<String, u32>>,
    /// Room for the words of one text.
    pub(super) word: String,
    pub(super) cells: Vec<u32>,
}

impl Fresh {
    /// Forgets all of them.
    pub(in crate::data) fn clear(&mut self) {
        self.tokens.iter_mut().for_each(HashMap::clear);
    }

    /// The symbol that a word has here.
    pub(super) fn known(&self, word: &str) -> Option<u32> {
        self.tokens.as_ref()?.get(word).copied()
    }

    /// The symbol of a word, where `known` of them have one.
    pub(super) fn token(&mut self, word: &str, known: usize) -> u32 {
        if let Some(known) = self.known(word) {
            return known;
        }
        let tokens = self.tokens.get_or_insert_default();
        let next = (known + tokens.len()) as u32;
        tokens.insert(word.to_string(), next);
        next
    }

    /// All of them, in no order, each with its symbol.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tokens.iter().flatten().map(|(word, symbol)| (word.as_str(), *symbol))
    }
}
