//! What makes ids of a data set's samples, for rows of ids.

use crate::data::layout::{Encoded, TokenIds};
use crate::runtime::Memory;

/// The label that the loss skips, as PyTorch has it.
pub const IGNORED: i32 = -100;
/// One sample in this many is encoded by the tokenizer too, as the complete text that it is.
pub const HELD_EVERY: u64 = 64;

/// Encodes the samples of each template, and says how long a row of ids is.
#[derive(Debug)]
pub struct Ids {
    /// What encodes each template's samples.
    pub parts: Vec<TokenIds>,
    /// The ids after those of a sample: what ends a text.
    pub closing: Vec<u32>,
    /// The most ids of a row; a sample is never cut.
    pub length: usize,
    /// What tells the tokenizer from all others.
    pub of: String,
}

impl Ids {
    /// The ids of a sample with its end. Every [`HELD_EVERY`]th is held against what the tokenizer
    /// makes of its complete text.
    ///
    /// # Errors
    /// A text: if the tokenizer does not know a letter, or makes other ids of the complete text, or
    /// a row is too short.
    pub(super) fn encode(
        &self,
        part: usize,
        index: u64,
        memory: &Memory,
        encoded: &mut Encoded,
    ) -> Result<(), String> {
        let ids = &self.parts[part];
        let held = |encoded: &Encoded| match ids.has_tables() && index.is_multiple_of(HELD_EVERY) {
            true => ids.draft_whole().check(memory, encoded),
            false => Ok(()),
        };
        let made = ids.encode(memory, encoded).and_then(|()| held(encoded));
        made.map_err(|why| format!("sample {index} has no ids: {why}"))?;
        encoded.ids.extend(&self.closing);
        match encoded.ids.len() {
            count if count > self.length => Err(format!(
                "sample {index} has {count} ids, and a row takes {}: write `--length {}`, or take \
                 a level with shorter samples",
                self.length,
                count.next_multiple_of(64)
            )),
            _ => Ok(()),
        }
    }

    /// What tells its rows from those of another tokenizer or length.
    pub fn text(&self) -> String {
        format!("{} ids a row by {}", self.length, self.of)
    }
}
