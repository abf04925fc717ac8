//! A reply to a score: it is read back, and the compiled rules run on what it says.

use std::borrow::Cow;

use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::Sampler;
use super::answer::Finder;
use super::layout::cells;
use super::read::{Fresh, Reader, Unfit, Unreadable};
use crate::check::types::Type;
use crate::ir::{Piece, SlotId};
use crate::runtime::Memory;

/// The rule of a template without rules: the reply equals the template's own.
pub const SAME: &str = "same_as_made";

/// Judges replies to the samples of one program. Threads share it.
#[derive(Clone)]
pub struct Judge {
    sampler: Sampler,
    reader: Reader,
    finder: Finder,
    outputs: Vec<SlotId>,
}

/// How good a reply is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// One a rule, from 0 to 1.
    pub scores: Vec<f64>,
    /// Why all are 0, if it is because the reply could not be read, or not be judged.
    pub unreadable: Option<Unreadable>,
}

/// The mean of some scores; 0 of none.
pub fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

impl Verdict {
    /// The mean of the rules.
    pub fn mean(&self) -> f64 {
        mean(&self.scores)
    }

    /// True if every rule holds in full.
    pub fn exact(&self) -> bool {
        self.scores.iter().all(|&score| score == 1.0)
    }
}

impl Judge {
    /// For the replies of a program.
    pub fn new(sampler: &Sampler) -> Judge {
        let (program, words) = (sampler.own_program(), sampler.vocabulary());
        let finder = Finder::new(sampler.answer(), program, words);
        let reader = Reader::new(program.clone(), words.clone());
        let reader = if finder.is_lenient() { reader.lenient() } else { reader };
        let outputs = reader.outputs().collect();
        Judge { sampler: sampler.clone(), reader, finder, outputs }
    }

    /// The rules, in the order of the scores.
    pub fn rules(&self) -> Vec<&str> {
        let rules = &self.sampler.program().rules;
        if rules.is_empty() {
            return vec![SAME];
        }
        rules.iter().map(|rule| rule.name.as_str()).collect()
    }

    /// The scores of the sample in the memory itself.
    pub fn own(&self, memory: &mut Memory) -> Verdict {
        let mut scores = Vec::new();
        memory.take_ran_out();
        self.sampler.judge(memory, &mut scores);
        if scores.is_empty() {
            scores.push(1.0);
        }
        match memory.take_ran_out() {
            true => self.none(Unreadable::Memory),
            false => Verdict { scores, unreadable: None },
        }
    }

    /// Judges a reply to the sample in the memory, which stays as it was.
    pub fn judge(&self, reply: &str, memory: &mut Memory) -> Verdict {
        let mark = memory.mark();
        let made = self.made(memory);
        memory.take_ran_out();
        let verdict = match self.read_answer(reply, &Fresh::default(), memory) {
            Ok(()) => self.read_in(&made, memory),
            Err(why) => self.none(why),
        };
        for (&slot, &cell) in self.outputs.iter().zip(&made) {
            memory.bind(slot, cell);
        }
        memory.release(mark);
        verdict
    }

    /// Judges a reply to a record in place of a sample, in a memory that holds none.
    ///
    /// # Errors
    /// [`Unfit`] if the record does not have what the rules need.
    pub fn judge_record(
        &self,
        record: &Map<String, Value>,
        reply: &str,
        memory: &mut Memory,
    ) -> Result<Verdict, Unfit> {
        let mut fresh = Fresh::default();
        memory.take_ran_out();
        self.reader.bind_record(record, &mut fresh, memory)?;
        self.sampler.give(memory);
        let made = self.made(memory);
        Ok(match self.read_answer(reply, &fresh, memory) {
            Ok(()) => self.read_in(&made, memory),
            Err(why) => self.none(why),
        })
    }

    /// The answer in a reply: see [`Answer`](super::Answer).
    pub(super) fn find<'t>(&self, reply: &'t str) -> Result<Cow<'t, str>, Unreadable> {
        self.finder.find(reply)
    }

    /// Binds the outputs to what the answer in a reply says.
    fn read_answer(
        &self,
        reply: &str,
        fresh: &Fresh,
        memory: &mut Memory,
    ) -> Result<(), Unreadable> {
        self.reader.read_with(&self.find(reply)?, fresh, memory)
    }

    /// The cells of the sample's own outputs.
    fn made(&self, memory: &Memory) -> SmallVec<[i64; 4]> {
        self.outputs.iter().map(|&slot| memory.slot(slot)).collect()
    }

    /// The verdict on what cannot be read.
    fn none(&self, why: Unreadable) -> Verdict {
        let rules = self.sampler.program().rules.len().max(1);
        Verdict { scores: vec![0.0; rules], unreadable: Some(why) }
    }

    /// True if the reply is read back to the values of the sample in the memory.
    pub fn reads_back(&self, reply: &str, memory: &mut Memory) -> bool {
        if self.is_ragged(memory) {
            return false;
        }
        let mark = memory.mark();
        let made = self.made(memory);
        let read = self.read_answer(reply, &Fresh::default(), memory);
        let same = read.is_ok() && self.same_as(&made, memory);
        for (&slot, &cell) in self.outputs.iter().zip(&made) {
            memory.bind(slot, cell);
        }
        memory.release(mark);
        same
    }

    /// The same, where a rule that ran out of memory says nothing of the reply.
    fn read_in(&self, made: &[i64], memory: &mut Memory) -> Verdict {
        let verdict = self.read(made, memory);
        if memory.take_ran_out() { self.none(Unreadable::Memory) } else { verdict }
    }

    /// True if the reply has more rows than one of the lists beside one another has elements.
    fn is_ragged(&self, memory: &Memory) -> bool {
        let program = self.sampler.program();
        let size = |slot: SlotId| {
            let element = program.slots[slot as usize].kind.element();
            element.map_or(0, |element| cells(memory, memory.slot(slot), element).len())
        };
        program.layout.reply.iter().any(|piece| {
            let Piece::Rows(rows) = piece else { return false };
            let sizes: SmallVec<[usize; 4]> = rows.columns().map(|(slot, _)| size(slot)).collect();
            sizes.iter().any(|size| sizes.last().is_some_and(|rows| size < rows))
        })
    }

    /// The verdict on the values that were read, where these were made.
    pub(super) fn read(&self, made: &[i64], memory: &mut Memory) -> Verdict {
        let mut scores = Vec::with_capacity(self.sampler.program().rules.len().max(1));
        if self.sampler.program().rules.is_empty() {
            scores.push(if self.same_as(made, memory) { 1.0 } else { 0.0 });
        } else {
            self.sampler.judge(memory, &mut scores);
        }
        Verdict { scores, unreadable: None }
    }

    fn same_as(&self, made: &[i64], memory: &Memory) -> bool {
        self.outputs.iter().zip(made).all(|(&slot, &cell)| {
            let kind = &self.sampler.program().slots[slot as usize].kind;
            same(kind, (memory, cell), (memory, memory.slot(slot)))
        })
    }
}

/// Whether two values of a type, each with the memory it lies in, are equal in depth.
pub(super) fn same(kind: &Type, left: (&Memory, i64), right: (&Memory, i64)) -> bool {
    let Some(element) = kind.element() else {
        return match kind {
            Type::Real => f64::from_bits(left.1 as u64) == f64::from_bits(right.1 as u64),
            // Another memory has other symbols for texts that are made.
            Type::Text => match (left.0.made_text(left.1), right.0.made_text(right.1)) {
                (None, None) => left.1 == right.1,
                (left, right) => left == right,
            },
            _ => left.1 == right.1,
        };
    };
    let lefts = cells(left.0, left.1, element);
    let rights = cells(right.0, right.1, element);
    lefts.len() == rights.len()
        && lefts.into_iter().zip(rights).all(|(a, b)| same(element, (left.0, a), (right.0, b)))
}
