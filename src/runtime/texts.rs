//! Texts that a sample or a reply makes: each has one symbol, whoever made it.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::runtime::FaultKind;

/// Bytes of texts set aside beside those that a sample makes, as for lists.
const ROOM_BYTES: u64 = 1 << 19;

/// What a text takes beside its bytes.
const EACH_BYTES: u64 = 16;

/// The texts of a memory by their symbols: the template's, then those that were made.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    /// The texts that are kept, one after the other, and where each ends.
    bytes: String,
    ends: Vec<usize>,
    /// The symbol of the first text that is kept.
    first: u32,
    /// How many of them are the template's, which stay.
    own: usize,
    table: HashTable<u32>,
    hash: DefaultHashBuilder,
    /// How many bytes may be made.
    room: u64,
    made: u64,
    /// The words of all pools, by their symbols.
    words: Arc<Vec<Box<str>>>,
    /// Words that no pool has, whose symbols come after.
    unknown: Vec<Box<str>>,
    /// Room for a text that is being made.
    open: String,
}

impl Texts {
    /// For a program with these texts, which makes at most `bytes` of others in a sample. One
    /// that makes none needs to know only how many there are.
    pub(crate) fn new(own: &[String], bytes: u64, words: &Arc<Vec<Box<str>>>) -> Texts {
        let mut texts = Texts {
            bytes: String::new(),
            ends: Vec::new(),
            first: if bytes == 0 { own.len() as u32 } else { 0 },
            own: 0,
            table: HashTable::new(),
            hash: DefaultHashBuilder::default(),
            // What rules make of a sample's values is computed again.
            room: bytes.saturating_mul(2).saturating_add(ROOM_BYTES),
            made: 0,
            words: words.clone(),
            unknown: Vec::new(),
            open: String::new(),
        };
        if bytes > 0 {
            own.iter().for_each(|text| _ = texts.keep(text));
            texts.own = own.len();
        }
        texts
    }

    /// How many the template has.
    #[inline]
    pub(crate) fn own_count(&self) -> usize {
        self.first as usize + self.own
    }

    /// The text of a symbol.
    pub(crate) fn get(&self, symbol: u32) -> &str {
        self.at((symbol - self.first) as usize)
    }

    fn at(&self, at: usize) -> &str {
        &self.bytes[self.start(at)..self.ends[at]]
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The word of a symbol.
    pub(crate) fn word(&self, symbol: u32) -> &str {
        let at = symbol as usize;
        self.words.get(at).unwrap_or_else(|| &self.unknown[at - self.words.len()])
    }

    /// The symbol of a text, which is kept if it is new.
    pub(crate) fn symbol(&mut self, text: &str) -> Result<u32, FaultKind> {
        let hash = self.hash.hash_one(text);
        if let Some(&known) = self.table.find(hash, |&at| self.at(at as usize) == text) {
            return Ok(self.first + known);
        }
        self.made += text.len() as u64 + EACH_BYTES;
        if self.made > self.room {
            self.made -= text.len() as u64 + EACH_BYTES;
            return Err(FaultKind::Memory);
        }
        Ok(self.keep(text))
    }

    /// Makes a text out of others.
    pub(crate) fn make(
        &mut self,
        write: impl FnOnce(&Texts, &mut String),
    ) -> Result<u32, FaultKind> {
        let mut open = std::mem::take(&mut self.open);
        open.clear();
        write(self, &mut open);
        let symbol = self.symbol(&open);
        self.open = open;
        symbol
    }

    fn keep(&mut self, text: &str) -> u32 {
        let at = self.ends.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        let Texts { table, hash, bytes, ends, .. } = self;
        let of = |at: u32| {
            let start = (at as usize).checked_sub(1).map_or(0, |before| ends[before]);
            hash.hash_one(&bytes[start..ends[at as usize]])
        };
        table.insert_unique(of(at), at, |&at| of(at));
        self.first + at
    }

    /// Has these words, which no pool has, stand behind those of the pools.
    pub(crate) fn set_unknown<'a>(&mut self, words: impl Iterator<Item = (&'a str, u32)>) {
        self.unknown.clear();
        for (word, symbol) in words {
            let at = symbol as usize - self.words.len();
            let count = self.unknown.len().max(at + 1);
            self.unknown.resize(count, Box::default());
            self.unknown[at] = word.into();
        }
    }

    /// How many texts were made, to go back to with [`Texts::release`].
    pub(crate) fn mark(&self) -> usize {
        self.ends.len()
    }

    /// Forgets the texts that were made since.
    pub(crate) fn release(&mut self, mark: usize) {
        while self.ends.len() > mark.max(self.own) {
            let at = self.ends.len() - 1;
            let hash = self.hash.hash_one(self.at(at));
            if let Ok(entry) = self.table.find_entry(hash, |&it| it as usize == at) {
                entry.remove();
            }
            self.made -= (self.bytes.len() - self.start(at)) as u64 + EACH_BYTES;
            self.bytes.truncate(self.start(at));
            self.ends.pop();
        }
    }

    /// Forgets all but the template's.
    pub(crate) fn clear(&mut self) {
        self.release(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_symbol_until_it_is_released() {
        let own = ["yes".to_string(), "no".to_string()];
        let mut texts = Texts::new(&own, 1 << 10, &Arc::default());
        assert_eq!(texts.symbol("no"), Ok(1));
        let mark = texts.mark();
        let all: Vec<String> = (0..500).map(|at| format!("text {at}")).collect();
        for _ in 0..3 {
            for (at, text) in (2..).zip(&all) {
                assert_eq!(texts.symbol(text), Ok(at));
                assert_eq!(texts.symbol(text), Ok(at));
            }
            assert_eq!(texts.get(3), "text 1");
            texts.release(mark + 1);
            assert_eq!((texts.symbol("text 0"), texts.symbol("other")), (Ok(2), Ok(3)));
            assert_eq!(texts.get(3), "other");
            texts.clear();
            assert_eq!((texts.symbol("yes"), texts.get(1)), (Ok(0), "no"));
        }
        assert_eq!(texts.made, 0);
    }

    #[test]
    fn texts_have_so_much_room_and_no_more() {
        let mut texts = Texts::new(&["a".to_string()], 0, &Arc::default());
        let long = "x".repeat(ROOM_BYTES as usize / 2);
        assert_eq!(texts.symbol(&long), Ok(1));
        assert_eq!(texts.symbol(&format!("{long}y")), Err(FaultKind::Memory));
        texts.clear();
        assert_eq!(texts.symbol(&format!("{long}y")), Ok(1), "room is free again");
    }
}
