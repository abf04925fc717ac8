//! The most token ids that a sample can have, known before the first is made.

use super::layout::Tokenize;
use super::vocab::Vocabulary;
use crate::check::types::Type;
use crate::ir::{Bound, Form, Piece, Program, SlotId};
use crate::runtime::Pools;

/// The most ids of a sample's two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// System text and prompt.
    pub prompt: u64,
    /// The reply, without the id that ends it.
    pub reply: u64,
}

/// What a sample of the program takes at most; none where a value has no known bound.
pub fn budget(
    program: &Program,
    words: (&Vocabulary, &Pools),
    tokenize: &dyn Tokenize,
    is_whole: bool,
) -> Option<Budget> {
    let count = |text: &str| tokenize.encode(text).map_or(0, |ids| ids.len());
    let longest_word = |pool: &Vec<u32>| {
        let Some(first) = pool.first().map(|symbol| words.0.word(*symbol)) else { return 0 };
        let alone = count(first);
        // As it is encoded after another word.
        let after = |word: &str| match is_whole {
            true => word.len(),
            false => count(&format!("{first} {word}")).saturating_sub(alone),
        };
        let longest = pool.iter().map(|symbol| after(words.0.word(*symbol))).max();
        longest.unwrap_or(0) as u64
    };
    let pools = words.1.tokens.iter().map(longest_word).collect();
    let word = if words.0.is_empty() { "a" } else { words.0.word(0) };
    let counter = Counter { program, pools, count: &count, word: (word, count(word)), is_whole };
    let layout = &program.layout;
    let system = match &layout.system {
        // One more for the line break behind it.
        Some(system) => counter.pieces(system)? + 1,
        None => 0,
    };
    let (prompt, reply) = (counter.pieces(&layout.prompt)?, counter.pieces(&layout.reply)?);
    // One more for the space between prompt and reply.
    Some(Budget { prompt: system + prompt, reply: reply + 1 })
}

struct Counter<'a> {
    program: &'a Program,
    /// Ids of the longest word of each pool, after another.
    pools: Vec<u64>,
    count: &'a dyn Fn(&str) -> usize,
    /// A word, and its ids.
    word: (&'a str, usize),
    /// Texts are encoded whole: what is at the end of a piece may go together with another.
    is_whole: bool,
}

impl Counter<'_> {
    fn pieces(&self, pieces: &[Piece]) -> Option<u64> {
        let ids = pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => Some(self.text(text)),
            Piece::Value(slot, form) => self.value(*slot, form),
        });
        ids.sum()
    }

    fn value(&self, slot: SlotId, form: &Form) -> Option<u64> {
        let slot = &self.program.slots[slot as usize];
        let elements = match &slot.bound {
            Bound::List { high, .. } => (*high).max(0) as u64,
            _ => 1,
        };
        let beside = match form {
            Form::Plain => 0,
            Form::Joined(between) => self.text(between),
            // The digits of the number, the point, the space and the line break.
            Form::Numbered => elements.to_string().len() as u64 + 3,
            Form::Lines(keys, between) => self.key(*keys)? + self.text(between) + 1,
            Form::Labelled(keys) => self.key(*keys)? + 3,
        };
        Some(self.bound(&slot.bound, &slot.kind)? + elements * beside)
    }

    fn key(&self, keys: SlotId) -> Option<u64> {
        let slot = &self.program.slots[keys as usize];
        match (&slot.bound, slot.kind.element()) {
            (Bound::List { element, .. }, Some(kind)) => self.bound(element, kind),
            _ => None,
        }
    }

    /// Each value may have a space before it, which is one more.
    fn bound(&self, bound: &Bound, kind: &Type) -> Option<u64> {
        Some(match bound {
            Bound::Int { .. } if *kind == Type::Bool => self.text("true").max(self.text("false")),
            // A digit or a sign is at most one id.
            Bound::Int { low, high } => {
                1 + low.to_string().len().max(high.to_string().len()) as u64
            }
            Bound::Token(pool) => self.pools[*pool as usize] + 1,
            Bound::Text(symbols) => {
                let text = |symbol: &u32| self.text(&self.program.texts[*symbol as usize]);
                symbols.iter().map(text).max().unwrap_or(0)
            }
            Bound::List { high, element, .. } => {
                let high = (*high).max(0) as u64;
                match &**element {
                    Bound::Token(pool) => high * self.pools[*pool as usize] + 1,
                    element => high * (self.bound(element, kind.element()?)? + 1),
                }
            }
            Bound::Any => return None,
        })
    }

    /// The most ids of a text wherever it is, with a space.
    fn text(&self, text: &str) -> u64 {
        let (word, ids) = self.word;
        let between = |before: &str, after: &str| {
            let beside = [before, after].iter().filter(|text| !text.is_empty()).count() * ids;
            (self.count)(&format!("{before}{text}{after}")).saturating_sub(beside)
        };
        let cut = [("", ""), ("", word), (word, ""), (word, word)];
        let cut = cut.into_iter().map(|(before, after)| between(before, after)).max();
        // Letters that go together with others have at most as many ids as bytes.
        let edges = if self.is_whole { edges(text) } else { 0 };
        (cut.unwrap_or(0) + edges) as u64 + 1
    }
}

/// Bytes at the two ends of a text, each up to a space.
fn edges(text: &str) -> usize {
    let first = text.find(' ').unwrap_or(text.len());
    let last = text.rfind(' ').map_or(0, |at| text.len() - at);
    first + last
}
