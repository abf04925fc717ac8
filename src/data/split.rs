//! Training and held-out samples kept apart: every prompt belongs to one of the two splits.
//!
//! If there are so many prompts that none is drawn twice, nothing is done. Otherwise the hash of a
//! prompt's text decides which split it belongs to, whatever the seed and the level; a sample whose
//! prompt belongs to the other split is drawn again. So no number of samples of one split contains
//! a prompt of the other.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::layout::{Escape, TextWriter};
use super::vocab::Vocabulary;
use crate::ir::{Builtin, Op, PoolId, Program, Register, Sampler, Step};
use crate::runtime::{Memory, Pools, random};

/// Which samples: those to train on, or held-out ones. They share no random number and no prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Split {
    /// Training samples.
    #[default]
    Train,
    /// Held-out samples, for evaluation.
    Eval,
}

impl Split {
    /// Both.
    pub const ALL: [Split; 2] = [Split::Train, Split::Eval];

    /// The name that rows, commands and random streams know: `train` or `eval`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Eval => "eval",
        }
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(name: &str) -> Result<Split, String> {
        let found = Split::ALL.into_iter().find(|split| split.name() == name);
        found.ok_or_else(|| {
            let shown = name.escape_debug();
            format!("there is no split `{shown}`: write `train` or `eval`")
        })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One prompt in this many is held out: enough for an evaluation, and little missed in training.
const HELD_OUT_OF: u64 = 8;
/// The most draws of a sample. One of a held-out prompt fails all of them once in 10^15 samples,
/// unless there is none.
pub const TRIES: u64 = 256;
/// A try's bits in the index of its stream: no sample has an index so large.
const TRY_SHIFT: u32 = 55;
/// Of prompts with this many bits of chance, a billion for training and a million held out share
/// one with probability 10^-4.
const BITS_ENOUGH: f64 = 64.0;
/// How much of a prompt's text is hashed. Prompts that are longer and yet few do not occur.
const BYTES: usize = 4096;

/// Says which split a prompt belongs to.
pub struct Splits {
    texts: TextWriter,
}

impl Splits {
    /// For a program some of whose prompts may come twice; none for all others, and for those
    /// whose prompt shows no value.
    pub fn new(program: &Program, words: &Arc<Vocabulary>, pools: &Pools) -> Option<Splits> {
        let shows_values = prompt_slots(program).next().is_some();
        if !shows_values || bits(program, pools) >= BITS_ENOUGH {
            return None;
        }
        Some(Splits { texts: TextWriter::new(program, words.clone(), Escape::None) })
    }

    /// True if the prompt of the sample in the memory belongs to the held-out split.
    pub fn holds_out(&self, memory: &mut Memory) -> bool {
        // Room that is kept from sample to sample.
        let mut text = std::mem::take(&mut memory.text);
        text.clear();
        self.texts.write_start(memory, BYTES, &mut text);
        let hash = hash(&text);
        memory.text = text;
        hash < u64::MAX / HELD_OUT_OF
    }
}

fn hash(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(text.len() as u64, |hash, word| random::mix(hash ^ word))
}

/// The index with which a try of a sample starts its streams; the first try has the sample's own.
pub fn index_of(sample: u64, attempt: u64) -> u64 {
    sample ^ (attempt << TRY_SHIFT)
}

/// The slots that the model reads.
fn prompt_slots(program: &Program) -> impl Iterator<Item = u32> {
    let layout = &program.layout;
    let pieces = layout.system.iter().flatten().chain(&layout.prompt);
    pieces.flat_map(crate::ir::Piece::shown).map(|(slot, _)| slot)
}

/// A lower bound of the bits of chance that a prompt shows: no prompt is likelier than 2^-bits.
/// It is proved for values that are drawn from a pool and shown in full.
fn bits(program: &Program, pools: &Pools) -> f64 {
    let made = Made::new(program);
    let mut most: f64 = 0.0;
    for slot in prompt_slots(program) {
        let stored = made.stored[slot as usize];
        most = most.max(stored.map_or(0.0, |register| made.bits(register, pools)));
    }
    most
}

/// Which step, if exactly one, computes each register, and which register each slot holds.
struct Made<'a> {
    by: Vec<Option<&'a Step>>,
    stored: Vec<Option<Register>>,
}

impl<'a> Made<'a> {
    fn new(program: &'a Program) -> Made<'a> {
        let mut by = vec![None; program.registers.len()];
        let mut stored = vec![None; program.slots.len()];
        let mut depth = 0;
        for step in &program.steps[program.sample.start as usize..program.sample.end as usize] {
            match step.op {
                Op::If(..) | Op::Loop { .. } => depth += 1,
                Op::EndIf | Op::EndLoop(_) => depth -= 1,
                Op::Store(slot, register) => stored[slot as usize] = Some(register),
                _ => {}
            }
            if let Some(into) = by.get_mut(step.into as usize) {
                // What a branch or a loop computes is not computed in every sample, or not once.
                *into = (depth == 0).then_some(step);
            }
        }
        Made { by, stored }
    }

    fn step(&self, register: Register) -> Option<&'a Op> {
        self.by.get(register as usize).copied().flatten().map(|step| &step.op)
    }

    fn bits(&self, register: Register, pools: &Pools) -> f64 {
        let words = |register| match self.step(register) {
            Some(Op::Pool(pool)) => pools.tokens[*pool as PoolId as usize].len() as f64,
            _ => 0.0,
        };
        let number = |register| match self.step(register) {
            Some(Op::Constant(number)) => Some(*number),
            _ => None,
        };
        match self.step(register) {
            Some(Op::Copy(same)) => self.bits(*same, pools),
            Some(Op::Call(Builtin::Chunks, [_, list, _])) => self.bits(*list, pools),
            Some(Op::Call(Builtin::Reverse, [list, ..])) => self.bits(*list, pools),
            // Whatever the order, a list is no likelier than the likeliest one before.
            Some(Op::Draw(Sampler::Shuffle, _, [list, ..])) => self.bits(*list, pools),
            Some(Op::Draw(Sampler::Draw, _, [count, pool, _])) if words(*pool) > 0.0 => {
                number(*count).unwrap_or(0) as f64 * words(*pool).log2()
            }
            Some(Op::Draw(Sampler::Distinct, _, [count, pool, _])) if words(*pool) > 0.0 => {
                let count = number(*count).unwrap_or(0).min(words(*pool) as i64);
                (0..count).map(|taken| (words(*pool) - taken as f64).log2()).sum()
            }
            _ => 0.0,
        }
    }
}
