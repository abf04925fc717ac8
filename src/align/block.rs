//! A block of rows, read in order and scored by all threads, beside replies of chance.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::plan::{Found, Plan};
use super::{Scored, Unscored};
use crate::data::row_judge::{Place, Reply, Room, RowJudge};
use crate::rows::{Row, Rows};
use crate::runtime::RunKey;
use crate::runtime::random;
use crate::template::Error;

/// The rows of a block: the reply of another row comes from as many.
const ROWS_MAX: usize = 4096;
/// The text of a block, in bytes: memory is bounded where rows are long.
const BYTES_MAX: usize = 64 << 20;
/// The rows that a thread scores before it takes others.
const ROWS_TOGETHER: usize = 64;
/// The rows of the first block that tell of which value the replies are parts.
const ROWS_TRIED: usize = 512;

/// Some rows of the data.
pub struct Block<'a> {
    judge: &'a RowJudge,
    plan: &'a Plan,
    rows: Vec<(Row, String)>,
    /// The rows before it, for its random numbers.
    before: u64,
    /// Memories that no thread uses now.
    rooms: Mutex<Vec<Room>>,
}

/// What the chance lines of all blocks share.
pub struct Chance {
    place: Option<Place>,
    /// The keys of the streams for parts and for shuffles.
    parts: [u64; 4],
    shuffles: [u64; 4],
}

impl Chance {
    /// Finds the place of which the replies of a block are parts.
    pub fn new(block: &Block, seed: u64) -> Chance {
        let key = RunKey::new("", "", "align", seed);
        let place = block.place();
        Chance { place, parts: key.stream("part"), shuffles: key.stream("shuffle") }
    }

    /// The value that the reply is a part of in most rows; none where it is in no row.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl<'a> Block<'a> {
    /// Without rows yet.
    pub fn new(judge: &'a RowJudge, plan: &'a Plan) -> Block<'a> {
        Block { judge, plan, rows: Vec::new(), before: 0, rooms: Mutex::default() }
    }

    /// Reads the next rows in place of the last ones; true at the end of the data.
    pub fn fill(
        &mut self,
        rows: &mut Rows,
        left: &mut u64,
        cancel: &AtomicBool,
    ) -> Result<bool, Error> {
        self.before += self.rows.len() as u64;
        self.rows.clear();
        let mut bytes = 0;
        while self.rows.len() < ROWS_MAX && bytes < BYTES_MAX {
            if *left == 0 {
                return Ok(true);
            }
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            let Some(row) = rows.next().transpose()? else { return Ok(true) };
            *left -= 1;
            bytes += row.bytes();
            let place = rows.place(&row);
            self.rows.push((row, place));
        }
        Ok(false)
    }

    /// Scores all rows, in order.
    pub fn score(&self, chance: &Chance) -> Vec<Scored> {
        let found: Vec<Result<Found, Unscored>> =
            self.rows.iter().map(|(row, _)| self.plan.found(&row.values)).collect();
        let others = shuffled(&found, random::start(&chance.shuffles, self.before));
        let indices: Vec<usize> = (0..found.len()).collect();
        let scored = indices.par_chunks(ROWS_TOGETHER).flat_map_iter(|some| {
            let mut room = self.room();
            let score = |&at: &usize| {
                let other = others[at].and_then(|other| found[other].as_ref().ok());
                self.score_row(at, &found[at], other, chance, &mut room)
            };
            let scored: Vec<Scored> = some.iter().map(score).collect();
            self.give_back(room);
            scored
        });
        scored.collect()
    }

    fn score_row(
        &self,
        at: usize,
        found: &Result<Found, Unscored>,
        other: Option<&Found>,
        chance: &Chance,
        room: &mut Room,
    ) -> Scored {
        let (row, place) = &self.rows[at];
        let mut scored = Scored {
            number: row.number,
            place: place.clone(),
            own: Err(Unscored::default()),
            shuffled: None,
            part: None,
            cluster: self.plan.cluster(&row.values, place),
        };
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                scored.own = Err(why.clone());
                return scored;
            }
        };
        let part = chance.place.as_ref().map(|place| {
            Reply::Part(place, random::start(&chance.parts, self.before + at as u64).word())
        });
        let other = other.map(reply);
        let replies: Vec<Reply> = [Some(reply(found)), part, other].into_iter().flatten().collect();
        match self.judge.judge(&found.inputs, &replies, room) {
            Ok(verdicts) => {
                let mut verdicts = verdicts.into_iter();
                let own = verdicts.next().flatten().expect("the first reply has a verdict");
                scored.own = Ok(own);
                scored.part = part.and_then(|_| verdicts.next().flatten());
                scored.shuffled = other.and_then(|_| verdicts.next().flatten());
            }
            Err(unfit) => scored.own = Err(self.plan.unscored(unfit)),
        }
        scored
    }

    /// The value of which the replies of the first rows are parts most often.
    fn place(&self) -> Option<Place> {
        let places = self.judge.places();
        let mut counts = vec![0; places.len()];
        let mut room = self.room();
        for (row, _) in self.rows.iter().take(ROWS_TRIED).filter(|_| !places.is_empty()) {
            let Ok(found) = self.plan.found(&row.values) else { continue };
            let is_part = self.judge.found(&found.inputs, reply(&found), &mut room);
            for (count, is_part) in counts.iter_mut().zip(is_part.into_iter().flatten()) {
                *count += u32::from(is_part);
            }
        }
        self.give_back(room);
        let most = counts.iter().copied().max().filter(|&most| most > 0)?;
        counts.iter().position(|&count| count == most).map(|at| places[at].clone())
    }

    fn room(&self) -> Room {
        let free = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| self.judge.room())
    }

    fn give_back(&self, room: Room) {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).push(room);
    }
}

fn reply<'a>(found: &'a Found) -> Reply<'a> {
    match found.text {
        Some(text) => Reply::Text(text),
        None => Reply::Values(&found.values),
    }
}

/// For each row that has a reply another one of these, each once: a random cycle, by Sattolo's
/// algorithm (1986), so that no row keeps its own. A single row has no other.
fn shuffled(found: &[Result<Found, Unscored>], mut stream: random::Stream) -> Vec<Option<usize>> {
    let with: Vec<usize> = (0..found.len()).filter(|&at| found[at].is_ok()).collect();
    let mut others = with.clone();
    for last in (1..others.len()).rev() {
        others.swap(last, stream.below_wide(last as u64) as usize);
    }
    let mut shuffled = vec![None; found.len()];
    if with.len() > 1 {
        for (&at, &other) in with.iter().zip(&others) {
            shuffled[at] = Some(other);
        }
    }
    shuffled
}
