//! Rows of other people's data judged by a template's compiled rules.

use std::sync::Arc;

use serde_json::Value;

use super::Sampler;
use super::judge::{Judge, Verdict};
use super::normalize::Normalization;
use super::read::{Fresh, Reader, Unbound, Unfit, Unreadable, phrase};
use crate::check::types::Type;
use crate::ir::{Program, SlotId};
use crate::runtime::Memory;

/// The most cells (of 8 bytes) that the values of one row may take: with what is set aside beside
/// them, 1 GiB.
const CELLS_MAX: u64 = 1 << 26;
/// How much larger a memory becomes when a row does not fit.
const GROWTH: u64 = 4;

/// Judges natural rows by the rules of one program. Threads share it; each brings a [`Room`].
#[derive(Clone)]
pub struct RowJudge {
    sampler: Sampler,
    judge: Judge,
    reader: Reader,
    inputs: Vec<SlotId>,
    outputs: Vec<SlotId>,
    places: Vec<Place>,
}

/// A value that the rules need of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its name in the template.
    pub name: String,
    /// What it must be.
    pub expected: String,
    /// False if no text of the template shows it: a row cannot have it.
    pub is_shown: bool,
}

/// Where a reply may be a part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the value.
    pub name: String,
    /// True if the reply may be one of a list of texts, false if a span of one text.
    pub is_one_of: bool,
    slot: SlotId,
    output: SlotId,
}

/// A reply to a row.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// A text in the form of the template's reply.
    Text(&'a str),
    /// The values of the outputs, in order.
    Values(&'a [&'a Value]),
    /// The row's own reply with a random part of a place, of equal length, in place of its own
    /// words. Whatever part it is, it follows from this number, which must be random.
    Part(&'a Place, u64),
}

/// A thread's memory for rows. It grows with the longest of them.
pub struct Room {
    memory: Memory,
    fresh: Fresh,
    cells: u64,
}

/// Why an attempt ended.
enum Stop {
    Unfit(Unfit),
    Room,
}

impl RowJudge {
    /// For the rows of a program.
    pub fn new(sampler: &Sampler, normalization: Normalization) -> RowJudge {
        let (program, words) = (sampler.own_program().clone(), sampler.vocabulary().clone());
        let reader = Reader::natural(program.clone(), words, normalization);
        let outputs: Vec<SlotId> = reader.outputs().collect();
        let inputs = reader.beside_reply();
        let places = places(&program, &inputs, &outputs);
        let judge = Judge::new(sampler);
        RowJudge { sampler: sampler.clone(), judge, reader, inputs, outputs, places }
    }

    /// The rules, in the order of the scores.
    pub fn rules(&self) -> Vec<&str> {
        self.judge.rules()
    }

    /// True if the only rule is that the reply equals the one that the row has.
    pub fn needs_reply(&self) -> bool {
        self.sampler.program().rules.is_empty()
    }

    /// What the rules need beside the reply, in order.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = Needed> {
        self.inputs.iter().map(|&slot| self.needed(slot))
    }

    /// What the reply says, in order.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = Needed> {
        self.outputs.iter().map(|&slot| self.needed(slot))
    }

    /// Where a reply may be a part of a row.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Memory for a thread.
    pub fn room(&self) -> Room {
        let cells = self.sampler.program().bounds.cells;
        Room { memory: self.memory(cells), fresh: Fresh::default(), cells }
    }

    /// Judges replies to one row. The first is the row's own; a part comes second. There is no
    /// verdict on a part of a place that is shorter than the reply, nor on a reply of another row
    /// that has another type.
    ///
    /// # Errors
    /// [`Unfit`] if the row does not have what the rules need, or is longer than a memory of 1 GiB
    /// holds.
    pub fn judge(
        &self,
        inputs: &[&Value],
        replies: &[Reply],
        room: &mut Room,
    ) -> Result<Vec<Option<Verdict>>, Unfit> {
        self.retry(room, |room| {
            self.bind(&self.inputs, inputs, room)?;
            self.sampler.give(&mut room.memory);
            if room.memory.take_ran_out() {
                return Err(Stop::Room);
            }
            let made: Vec<i64> = self.outputs.iter().map(|&it| room.memory.slot(it)).collect();
            let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(replies.len());
            for &reply in replies {
                let own = verdicts.first().and_then(Option::as_ref);
                let is_read = own.is_some_and(|own| own.unreadable.is_none());
                verdicts.push(match self.verdict(reply, is_read, &made, room) {
                    // What does not fit into the row that it is from is no reply to another one.
                    Err(Stop::Unfit(_)) if !verdicts.is_empty() => None,
                    verdict => verdict?,
                });
            }
            Ok(verdicts)
        })
    }

    /// In which places the reply is a part of the row: a span of its words, or one of its texts.
    ///
    /// # Errors
    /// As [`RowJudge::judge`].
    pub fn found(
        &self,
        inputs: &[&Value],
        reply: Reply,
        room: &mut Room,
    ) -> Result<Vec<bool>, Unfit> {
        self.retry(room, |room| {
            self.bind(&self.inputs, inputs, room)?;
            let is_read = self.read(reply, room)?.is_ok();
            let memory = &room.memory;
            let is_part = |place: &Place| {
                let part = memory.narrow(memory.slot(place.output));
                let list = memory.slot(place.slot);
                is_read
                    && !part.is_empty()
                    && match place.is_one_of {
                        true => memory.wide(list).iter().any(|&one| memory.narrow(one) == part),
                        false => memory.narrow(list).windows(part.len()).any(|span| span == part),
                    }
            };
            Ok(self.places.iter().map(is_part).collect())
        })
    }

    /// The verdict on a reply to the row in the memory, whose own reply is bound if it was read.
    fn verdict(
        &self,
        reply: Reply,
        is_read: bool,
        made: &[i64],
        room: &mut Room,
    ) -> Result<Option<Verdict>, Stop> {
        if let Reply::Part(place, chance) = reply {
            let part = is_read.then(|| self.part(place, chance, &room.memory));
            let Some(part) = part.flatten() else { return Ok(None) };
            let cell = room.memory.push_narrow(&part).map_err(|_| Stop::Room)?;
            room.memory.bind(place.output, cell);
        } else if let Err(why) = self.read(reply, room)? {
            let scores = vec![0.0; self.judge.rules().len()];
            return Ok(Some(Verdict { scores, unreadable: Some(why) }));
        }
        let verdict = self.judge.read(made, &mut room.memory);
        match room.memory.take_ran_out() {
            true => Err(Stop::Room),
            false => Ok(Some(verdict)),
        }
    }

    /// Binds the outputs to what a reply says.
    fn read(&self, reply: Reply, room: &mut Room) -> Result<Result<(), Unreadable>, Stop> {
        match reply {
            Reply::Text(text) => {
                let answer = match self.judge.find(text) {
                    Ok(answer) => answer,
                    Err(why) => return Ok(Err(why)),
                };
                match self.reader.read_natural(&answer, &mut room.fresh, &mut room.memory) {
                    Err(Unreadable::Room(_)) => Err(Stop::Room),
                    read => Ok(read),
                }
            }
            Reply::Values(values) => self.bind(&self.outputs, values, room).map(Ok),
            Reply::Part(..) => Ok(Ok(())),
        }
    }

    /// A random part of a place, as long as the reply that is bound.
    fn part(&self, place: &Place, chance: u64, memory: &Memory) -> Option<Vec<u32>> {
        let size = memory.narrow(memory.slot(place.output)).len();
        let list = memory.slot(place.slot);
        let below = |count: usize| ((u128::from(chance) * count as u128) >> 64) as usize;
        if place.is_one_of {
            let texts = memory.wide(list);
            return (!texts.is_empty()).then(|| memory.narrow(texts[below(texts.len())]).to_vec());
        }
        let words = memory.narrow(list);
        let starts = (words.len() + 1).checked_sub(size).filter(|_| size > 0)?;
        let start = below(starts);
        words.get(start..start + size).map(<[u32]>::to_vec)
    }

    fn bind(&self, slots: &[SlotId], values: &[&Value], room: &mut Room) -> Result<(), Stop> {
        for (&slot, value) in slots.iter().zip(values) {
            let bound = self.reader.bind_natural(slot, value, &mut room.fresh, &mut room.memory);
            bound.map_err(|why| match why {
                Unbound::Unfit(unfit) => Stop::Unfit(unfit),
                Unbound::Room => Stop::Room,
            })?;
        }
        Ok(())
    }

    /// Does work in an empty memory, and again in a larger one if it is full. Every thread's memory
    /// grows by the same steps, so which rows fit does not depend on the thread.
    fn retry<T>(
        &self,
        room: &mut Room,
        mut work: impl FnMut(&mut Room) -> Result<T, Stop>,
    ) -> Result<T, Unfit> {
        loop {
            room.memory.clear();
            room.fresh.clear();
            match work(room) {
                Ok(done) => return Ok(done),
                Err(Stop::Unfit(unfit)) => return Err(unfit),
                Err(Stop::Room) if room.cells < CELLS_MAX => {
                    // The memory that is too small is freed first.
                    room.cells = (room.cells.max(ROOM_MIN) * GROWTH).min(CELLS_MAX);
                    room.memory = self.memory(0);
                    room.memory = self.memory(room.cells);
                }
                Err(Stop::Room) => {
                    room.memory.take_ran_out();
                    return Err(Unfit {
                        field: "row".to_string(),
                        expected: "one that the rules need no more than 1 GiB of memory for".into(),
                        found: "longer".to_string(),
                    });
                }
            }
        }
    }

    fn memory(&self, cells: u64) -> Memory {
        Memory::with_cells(self.sampler.program(), self.sampler.pools(), cells)
    }

    fn needed(&self, slot: SlotId) -> Needed {
        let known = &self.sampler.program().slots[slot as usize];
        Needed {
            name: known.name.clone(),
            expected: phrase(&known.kind),
            is_shown: known.shown && !known.name.is_empty(),
        }
    }
}

/// Cells from which a memory grows.
const ROOM_MIN: u64 = 1 << 16;

fn places(program: &Arc<Program>, inputs: &[SlotId], outputs: &[SlotId]) -> Vec<Place> {
    let kind = |slot: SlotId| &program.slots[slot as usize].kind;
    let words = Type::Token.list();
    let Some(&output) = outputs.iter().find(|&&slot| *kind(slot) == words) else {
        return Vec::new();
    };
    let place = |&slot: &SlotId| {
        let is_one_of = *kind(slot) == words.clone().list();
        let name = program.slots[slot as usize].name.clone();
        let is_place = is_one_of || *kind(slot) == words;
        is_place.then_some(Place { name, is_one_of, slot, output })
    };
    inputs.iter().filter(|slot| !outputs.contains(slot)).filter_map(place).collect()
}
