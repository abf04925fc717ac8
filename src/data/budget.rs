//! The most token ids that a sample can have, known before the first is drawn.

use super::layout::Tokenize;
use super::longest::{Measure, longest};
use super::vocab::Vocabulary;
use crate::ir::{Bound, PoolId, Program};
use crate::runtime::Pools;
use crate::runtime::bound::TextBound;

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
    let ids = Ids { pools, count: &count, word: (word, count(word)), is_whole };
    let layout = &program.layout;
    let system = match &layout.system {
        // One more for the line break after it.
        Some(system) => longest(program, system, &ids)? + 1,
        None => 0,
    };
    let prompt = longest(program, &layout.prompt, &ids)?;
    // One more for the space between prompt and reply.
    let reply = longest(program, &layout.reply, &ids)? + 1;
    Some(Budget { prompt: system + prompt, reply })
}

struct Ids<'a> {
    /// Ids of the longest word of each pool, after another.
    pools: Vec<u64>,
    count: &'a dyn Fn(&str) -> usize,
    /// A word, and its ids.
    word: (&'a str, usize),
    /// Samples are encoded as one text: the end of a piece may merge with the next.
    is_whole: bool,
}

/// Each value may have a space before it, which is one more.
impl Measure for Ids<'_> {
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

    /// A byte is at most one id.
    fn made(&self, text: &TextBound) -> u64 {
        text.bytes.unsigned_abs() + 1
    }

    /// A digit or a minus is at most one id.
    fn int(&self, low: i64, high: i64) -> u64 {
        1 + low.to_string().len().max(high.to_string().len()) as u64
    }

    fn digits(&self, characters: u64) -> u64 {
        1 + characters
    }

    fn token(&self, pool: PoolId) -> u64 {
        self.pools[pool as usize] + 1
    }

    fn list(&self, count: u64, each: u64, element: &Bound) -> u64 {
        match element {
            // The space before each word is counted with it.
            Bound::Token(_) => count.saturating_mul(each - 1) + 1,
            _ => count.saturating_mul(each + 1),
        }
    }

    fn unknown(&self) -> Option<u64> {
        None
    }
}

/// Bytes at the two ends of a text, each up to a space.
fn edges(text: &str) -> usize {
    let first = text.find(' ').unwrap_or(text.len());
    let last = text.rfind(' ').map_or(0, |at| text.len() - at);
    first + last
}
