//! One thread's working memory: an arena for lists, slots, registers and the random streams.

use crate::runtime::arena::{Arena, List, Lists};
use crate::runtime::random::{self, RunKey, Stream};
use crate::runtime::scratch::Scratch;
use crate::runtime::shape::Shape;
use crate::runtime::texts::Texts;
use crate::runtime::{Fault, FaultKind, Pools, SlotId};

/// Cells set aside beside what a sample takes, so that replies and what rules make of them have
/// room: a reply of 65,536 tokens, and as much again.
const ROOM_CELLS: u64 = 1 << 16;

/// One thread's working memory for one program. All of it is set aside when it is made.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(crate) arena: Arena,
    pub(crate) texts: Texts,
    pub(crate) scratch: Scratch,
    /// The slots, then a handle for each pool.
    pub(crate) frame: Vec<i64>,
    pub(crate) streams: Vec<Stream>,
    /// The interpreter's registers; machine code has its own.
    pub(crate) registers: Vec<i64>,
    /// The sample being made, and the code and step of its fault, as machine code leaves them.
    pub(crate) index: u64,
    /// True if its samples are held out: `data` chooses among them by that.
    pub(crate) held_out: bool,
    pub(crate) fault: u32,
    pub(crate) step: u32,
    /// True if a rule ended because the memory was full: its score says nothing then.
    pub(crate) ran_out: bool,
    /// The slots of given values that could not be made of a record.
    pub(crate) failed: Vec<SlotId>,
    /// How often the interpreter took the second and the first branch of each `If`, by its step;
    /// empty if they are not counted.
    pub(crate) branches: Vec<[u64; 2]>,
    /// How many steps the interpreter has done.
    pub(crate) steps_done: u64,
    /// Which program this memory fits.
    pub(crate) program: u64,
    /// Room for a text of the sample.
    pub(crate) text: Vec<u8>,
    pub(crate) keys: Vec<[u64; 4]>,
    stream_names: Vec<String>,
    slot_shapes: Vec<Shape>,
}

/// Where free memory starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    arena: i64,
    texts: usize,
}

/// What a program needs of a memory.
pub(crate) struct Needs<'a> {
    /// The cells that making a sample takes at most.
    pub(crate) cells: u64,
    /// The template's texts, and the bytes of others that making a sample takes at most.
    pub(crate) texts: (&'a [String], u64),
    /// Of each slot's value.
    pub(crate) slots: Vec<Shape>,
    pub(crate) streams: Vec<String>,
    pub(crate) registers: usize,
    /// Which program it is.
    pub(crate) program: u64,
}

impl Memory {
    /// Memory for these needs, with these pools in it.
    pub(crate) fn with(needs: Needs<'_>, pools: &Pools) -> Memory {
        let mut arena = Arena::new(cells(needs.cells, pools));
        let mut frame = vec![0; needs.slots.len()];
        for pool in &pools.tokens {
            frame.push(arena.push_narrow(pool).expect("the pools' room was added above"));
        }
        arena.make_constant();
        let is_identity = |pool: &Vec<u32>| pool.iter().enumerate().all(|(i, &t)| i == t as usize);
        let vocab = match pools.tokens.first() {
            Some(pool) if is_identity(pool) => List::from(frame[needs.slots.len()]),
            _ => List::EMPTY,
        };
        let (texts, bytes) = needs.texts;
        Memory {
            arena,
            texts: Texts::new(texts, bytes, &pools.words),
            scratch: Scratch::new(vocab),
            frame,
            streams: vec![Stream::default(); needs.streams.len()],
            registers: vec![0; needs.registers],
            index: 0,
            held_out: false,
            fault: 0,
            step: 0,
            ran_out: false,
            failed: Vec::new(),
            branches: Vec::new(),
            steps_done: 0,
            program: needs.program,
            text: Vec::new(),
            keys: vec![[0; 4]; needs.streams.len()],
            stream_names: needs.streams,
            slot_shapes: needs.slots,
        }
    }

    /// Gives each stream its key for a run. Samples made before have other bytes.
    pub fn seed(&mut self, run: &RunKey) {
        for (key, name) in self.keys.iter_mut().zip(&self.stream_names) {
            *key = run.stream(name);
        }
    }

    /// Gives the streams of the draw with this name their keys for another run.
    pub fn reseed(&mut self, draw: &str, run: &RunKey) {
        for (key, name) in self.keys.iter_mut().zip(&self.stream_names) {
            let rest = name.strip_prefix(draw);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                *key = run.stream(name);
            }
        }
    }

    /// The cell of a slot.
    pub fn slot(&self, slot: SlotId) -> i64 {
        self.frame[..self.slot_shapes.len()][slot as usize]
    }

    /// Sets a slot, to a value that a reply or a record has in its place. A list must lie in this
    /// memory: see [`Memory::push_narrow`].
    ///
    /// # Panics
    /// If the slot is none of the program's, or the list lies outside this memory.
    pub fn bind(&mut self, slot: SlotId, cell: i64) {
        let shape = self.slot_shapes[slot as usize];
        assert!(self.arena.holds(cell, shape), "a slot is bound to a list of its own memory");
        self.frame[slot as usize] = cell;
    }

    /// The elements of a list of tokens, texts or booleans.
    pub fn narrow(&self, handle: i64) -> &[u32] {
        self.lists().narrow(handle)
    }

    /// The elements of any other list: numbers, or the handles of lists.
    pub fn wide(&self, handle: i64) -> &[i64] {
        self.lists().wide(handle)
    }

    /// Makes a list of tokens, texts or booleans, which lives until the next sample is made or
    /// [`Memory::release`] frees it.
    ///
    /// # Errors
    /// If the memory that was set aside is full.
    pub fn push_narrow(&mut self, elements: &[u32]) -> Result<i64, Fault> {
        self.arena.push_narrow(elements).map_err(outside)
    }

    /// Makes a list of up to `most` tokens, texts or booleans in place. `fill` writes them and
    /// returns their number.
    ///
    /// # Errors
    /// Those of `fill`, and if the memory has no room for `most`.
    ///
    /// # Panics
    /// If `fill` returns more than `most`.
    pub fn fill_narrow<E: From<Fault>>(
        &mut self,
        most: usize,
        fill: impl FnOnce(&mut [u32]) -> Result<usize, E>,
    ) -> Result<i64, E> {
        let (_, room) = self.arena.room_narrow(most).map_err(outside)?;
        let count = fill(room)?;
        assert!(count <= most, "a list is no longer than its room");
        Ok(self.arena.keep_narrow(count))
    }

    /// Makes a list of numbers, or of the handles of lists.
    ///
    /// # Errors
    /// If the memory that was set aside is full.
    pub fn push_wide(&mut self, elements: &[i64]) -> Result<i64, Fault> {
        self.arena.push_wide(elements).map_err(outside)
    }

    /// Whether a rule ended because the memory was full since this was asked last.
    pub fn take_ran_out(&mut self) -> bool {
        std::mem::take(&mut self.ran_out)
    }

    /// True if none of these given values failed.
    pub(crate) fn has(&self, given: &[SlotId]) -> bool {
        self.failed.is_empty() || !given.iter().any(|slot| self.failed.contains(slot))
    }

    /// How many steps the interpreter has done in this memory.
    pub fn steps_done(&self) -> u64 {
        self.steps_done
    }

    /// The cells that lists take now.
    pub fn cells_taken(&self) -> u64 {
        self.arena.cursor / 2
    }

    /// The symbol of a text, which is kept like a list if it is new: for one that the template
    /// does not have.
    ///
    /// # Errors
    /// If the memory that was set aside is full.
    pub fn push_text(&mut self, text: &str) -> Result<u32, Fault> {
        self.texts.symbol(text).map_err(outside)
    }

    /// Has these words, which no pool has, stand behind those of the pools: what texts are made of
    /// them.
    pub(crate) fn set_unknown<'a>(&mut self, words: impl Iterator<Item = (&'a str, u32)>) {
        self.texts.set_unknown(words);
    }

    /// The text of a symbol that stands for no literal of the template.
    #[inline]
    pub fn made_text(&self, symbol: i64) -> Option<&str> {
        let is_made = symbol as usize >= self.texts.own_count();
        is_made.then(|| self.texts.get(symbol as u32))
    }

    /// Where free memory starts, for [`Memory::release`].
    pub fn mark(&self) -> Mark {
        Mark { arena: self.arena.mark(), texts: self.texts.mark() }
    }

    /// Frees the lists and texts that were made since the mark. Slots bound to one must be bound
    /// again.
    pub fn release(&mut self, mark: Mark) {
        self.arena.release(mark.arena);
        self.texts.release(mark.texts);
    }

    /// Frees all lists but the pools, and all texts but the template's.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.texts.clear();
        self.failed.clear();
    }

    /// How often the interpreter took the `else` and the `then` of each step that is an `If`.
    pub fn branches(&self) -> &[[u64; 2]] {
        &self.branches
    }

    pub(crate) fn lists(&self) -> Lists<'_> {
        self.arena.lists()
    }

    /// Sets a stream to the start that belongs to the sample's index.
    pub(crate) fn start_stream(&mut self, stream: usize) {
        self.streams[stream] = random::start(&self.keys[stream], self.index);
    }

    /// The fault that machine code left, if any.
    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        let kind = FaultKind::from_code(std::mem::take(&mut self.fault))?;
        Some(Fault { kind, step: self.step })
    }

    /// Chooses a stream's key, so that a test can start it in the state it wants.
    #[cfg(test)]
    pub(crate) fn set_key(&mut self, stream: usize, key: [u64; 4]) {
        self.keys[stream] = key;
    }
}

/// The cells to set aside where making a sample takes `sample` of them at most.
pub(crate) fn cells(sample: u64, pools: &Pools) -> u64 {
    let constants: u64 = pools.tokens.iter().map(|pool| pool.len() as u64 / 2 + 1).sum();
    sample.saturating_mul(2).saturating_add(constants + ROOM_CELLS)
}

fn outside(kind: FaultKind) -> Fault {
    Fault { kind, step: Fault::NO_STEP }
}
