//! What a model is trained on: the samples of several templates as rows of ids.

use std::fmt;

use super::layout::{Encoded, Pair, TokenIds};
use super::{Sampler, Split};
use crate::runtime::random::Stream;
use crate::runtime::{Fault, Memory, RunKey, random};

/// Samples whose ids are compared with those of complete texts before a run.
const HELD: u64 = 4;

/// Another sample than this one is drawn among this many, so that two are almost never the same.
const AMONG: u64 = 1 << 40;

/// The index of another sample of the same template.
pub fn other(stream: &mut Stream, than: u64) -> u64 {
    let index = stream.below_wide(AMONG);
    if index == than { index + AMONG } else { index }
}

/// Which replies the prompts of a template are trained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replies {
    /// Each with its own.
    #[default]
    Own,
    /// Each with that of another sample: a control, from which the format can be learned and the
    /// rule cannot.
    Shuffled,
}

/// Why there is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The sample cannot be made.
    Fault(Fault),
    /// It has no ids: what the tokenizer says.
    Ids(String),
}

impl From<Fault> for Why {
    fn from(error: Fault) -> Why {
        Why::Fault(error)
    }
}

/// One template to train on, compiled. Threads share it.
pub struct Part {
    /// Makes its samples.
    pub sampler: Sampler,
    /// Writes them as ids.
    pub ids: TokenIds,
    /// Which replies its rows have; held-out samples have their own.
    pub replies: Replies,
}

impl Part {
    /// The same; if the first samples show that ids of pieces are not those of complete texts, with
    /// all samples encoded as one text.
    pub fn held(self, seed: u64) -> Part {
        let mut memory = self.sampler.memory(Split::Train, seed);
        let mut encoded = Encoded::default();
        let is_good = |index: u64| {
            let made = self.encode(&mut memory, index, &mut encoded);
            made.is_err() || self.ids.draft_whole().check(&memory, &encoded).is_ok()
        };
        if (0..HELD).all(is_good) {
            return self;
        }
        Part { ids: self.ids.without_tables(), ..self }
    }

    /// Draws a sample, and writes its ids.
    ///
    /// # Errors
    /// If the sample cannot be drawn, or has no ids.
    pub fn encode(
        &self,
        memory: &mut Memory,
        index: u64,
        encoded: &mut Encoded,
    ) -> Result<(), Why> {
        self.sampler.sample(memory, index)?;
        self.ids.encode(&*memory, encoded).map_err(Why::Ids)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let program = self.sampler.program();
        f.debug_struct("Part").field("name", &program.name).field("level", &program.level).finish()
    }
}

/// The templates of a run, with the seed of their samples.
#[derive(Debug)]
pub struct Dataset {
    /// The templates; at least one.
    pub parts: Vec<Part>,
    /// That of the run.
    pub seed: u64,
}

impl Dataset {
    /// Draws rows to train on, on one thread.
    pub fn rows(&self) -> Rows<'_> {
        let memory = |part: &Part| part.sampler.memory(Split::Train, self.seed);
        let memories = self.parts.iter().map(memory).collect();
        let others = self.parts.iter().map(|part| Others::of(part, self.seed)).collect();
        Rows { dataset: self, memories, others, encoded: Encoded::default() }
    }
}

/// One thread's sampler of rows.
#[derive(Debug)]
pub struct Rows<'a> {
    dataset: &'a Dataset,
    memories: Vec<Memory>,
    /// Of parts whose replies are shuffled.
    others: Vec<Option<Others>>,
    encoded: Encoded,
}

/// The samples whose replies a part's prompts get.
#[derive(Debug)]
struct Others {
    key: [u64; 4],
    memory: Memory,
}

impl Others {
    fn of(part: &Part, seed: u64) -> Option<Others> {
        let (name, level) = (&part.sampler.program().name, part.sampler.level());
        let key = || RunKey::new(name, level, Split::Train.name(), seed).stream("replies");
        let memory = || part.sampler.memory(Split::Train, seed);
        match part.replies {
            Replies::Own => None,
            Replies::Shuffled => Some(Others { key: key(), memory: memory() }),
        }
    }
}

impl Rows<'_> {
    /// The row of a part with this index.
    ///
    /// # Errors
    /// The index of the sample that cannot be drawn or has no ids, and why.
    pub fn row(&mut self, part: usize, index: u64) -> Result<&Encoded, (u64, Why)> {
        let of = &self.dataset.parts[part];
        let fault = |index| move |fault: Fault| (index, Why::from(fault));
        of.sampler.sample(&mut self.memories[part], index).map_err(fault(index))?;
        if let Some(others) = &mut self.others[part] {
            let other = other(&mut random::start(&others.key, index), index);
            of.sampler.sample(&mut others.memory, other).map_err(fault(other))?;
        }
        let sample = pair(&self.memories, &self.others, part);
        let made = of.ids.encode(sample, &mut self.encoded);
        made.map_err(|why| (index, Why::Ids(why)))?;
        Ok(&self.encoded)
    }

    /// What the last row of the part with this index shows.
    pub fn sample(&self, part: usize) -> Pair<'_> {
        pair(&self.memories, &self.others, part)
    }
}

fn pair<'m>(memories: &'m [Memory], others: &'m [Option<Others>], part: usize) -> Pair<'m> {
    let prompt = &memories[part];
    Pair { prompt, reply: others[part].as_ref().map_or(prompt, |others| &others.memory) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::random::tests::state_before;

    #[test]
    fn another_sample_is_never_the_same_one() {
        let drawn = |index: u64| Stream::from_state(state_before(index << 24 | 5));
        for index in [0, 7, AMONG - 1] {
            assert_eq!(other(&mut drawn(index), index), index + AMONG);
            assert_eq!(other(&mut drawn(index), index + 1), index);
        }
    }
}
