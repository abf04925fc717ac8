//! Samples in parallel, put out in order: the bytes do not depend on the number of threads.

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Sampler, Split};
use crate::runtime::{Fault, Memory};

/// Words that a block of samples has at most, if it has more than one sample: half a megabyte of
/// text, which stays in a core's cache until it is written.
const BLOCK_WORDS: u64 = 1 << 16;
/// The most samples of a block.
const BLOCK_SAMPLES: u64 = 4096;
/// Blocks that a thread makes between two writes, so that no thread waits long for another.
const BLOCKS_A_THREAD: usize = 4;

/// Which samples to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// Their indices.
    pub indices: Range<u64>,
}

/// Who looks on while samples are made.
pub struct Watch<'a> {
    /// Set from outside to stop.
    pub cancel: &'a AtomicBool,
    /// Called with the number of samples that were put out since the last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Why it ended before the last sample.
#[derive(Debug)]
pub enum Stopped {
    /// The sample with this index cannot be made.
    Fault(u64, Fault),
    /// Somebody set the flag.
    Cancelled,
    /// The bytes could not be put out.
    Output(anyhow::Error),
}

/// The most bytes that samples take which are made at once, if there is more than one: so much,
/// and more on a machine with many cores, which has more memory.
const BYTES_MAX: u64 = 512 << 20;
const BYTES_A_CORE: u64 = 32 << 20;
/// Bytes of a shown word, with those of a row around it: an estimate, as words differ.
const WORD_BYTES: u64 = 16;

fn bytes_max() -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    BYTES_MAX + cores * BYTES_A_CORE
}

/// Bytes of a sample's texts and row, at most.
fn text_bytes(sampler: &Sampler) -> u64 {
    sampler.program().bounds.words_known.saturating_mul(WORD_BYTES)
}

/// Does work whose threads have memory for a sample each, and `texts` copies of its texts: on so
/// few of them that all have room.
pub(super) fn where_it_fits<Done: Send>(
    sampler: &Sampler,
    texts: u64,
    work: impl FnOnce() -> Done + Send,
) -> Done {
    let threads = rayon::current_num_threads();
    let each = Memory::bytes(sampler.program(), sampler.pools());
    let each = each.saturating_add(text_bytes(sampler).saturating_mul(texts));
    let fit = usize::try_from(bytes_max() / each.max(1)).unwrap_or(usize::MAX).max(1);
    if fit >= threads {
        return work();
    }
    match rayon::ThreadPoolBuilder::new().num_threads(fit).build() {
        Ok(pool) => pool.install(work),
        // A machine that gives no thread more has those that there are.
        Err(_) => work(),
    }
}

/// Makes samples, writes each with `row` on any thread, and gives the bytes to `put` in the order
/// of the indices. What is held in memory does not grow with their number, nor with the threads:
/// where a sample is large, few are made at once.
pub fn generate(
    sampler: &Sampler,
    order: &Order,
    row: impl Fn(&mut Memory, u64, &mut Vec<u8>) + Sync + Send,
    put: impl FnMut(&[u8]) -> anyhow::Result<()> + Send,
    watch: &Watch,
) -> Result<(), Stopped> {
    // Two waves of blocks, one being made and one written.
    let texts = 2 * BLOCKS_A_THREAD as u64;
    where_it_fits(sampler, texts, || in_waves(sampler, order, &row, put, watch))
}

fn in_waves(
    sampler: &Sampler,
    order: &Order,
    row: &(impl Fn(&mut Memory, u64, &mut Vec<u8>) + Sync),
    mut put: impl FnMut(&[u8]) -> anyhow::Result<()> + Send,
    watch: &Watch,
) -> Result<(), Stopped> {
    let threads = rayon::current_num_threads();
    let memories: Vec<Mutex<Option<Memory>>> = (0..threads).map(|_| Mutex::default()).collect();
    let block_samples =
        (BLOCK_WORDS / sampler.program().bounds.words.max(1)).clamp(1, BLOCK_SAMPLES);
    let room =
        usize::try_from(bytes_max() / (2 * text_bytes(sampler)).max(1)).unwrap_or(usize::MAX);
    let blocks = (threads * BLOCKS_A_THREAD).min(room.max(1));
    let fill = |block: &mut Block| {
        let thread = rayon::current_thread_index().expect("blocks are filled in the pool");
        let mut memory = memories[thread].lock().expect("a panic ends the whole run");
        let memory = memory.get_or_insert_with(|| sampler.memory(order.split, order.seed));
        block.fill(sampler, memory, row, watch.cancel);
    };
    // One wave of blocks is written while the next is made.
    let (mut written, mut made) = (Vec::new(), Vec::new());
    let mut next = order.indices.start;
    rayon::scope(|_| {
        loop {
            plan(&mut made, blocks, block_samples, &mut next, order.indices.end);
            let (result, ()) = rayon::join(
                || put_out(&written, &mut put, watch),
                || made.par_iter_mut().for_each(fill),
            );
            result?;
            std::mem::swap(&mut written, &mut made);
            if written.is_empty() {
                return Ok(());
            }
        }
    })
}

/// A run of samples and their bytes.
#[derive(Default)]
struct Block {
    indices: Range<u64>,
    bytes: Vec<u8>,
    stopped: Option<Stopped>,
}

impl Block {
    fn fill(
        &mut self,
        sampler: &Sampler,
        memory: &mut Memory,
        row: &(impl Fn(&mut Memory, u64, &mut Vec<u8>) + Sync),
        cancel: &AtomicBool,
    ) {
        self.bytes.clear();
        for index in self.indices.clone() {
            if cancel.load(Ordering::Relaxed) {
                self.stopped = Some(Stopped::Cancelled);
                return;
            }
            if let Err(error) = sampler.sample(memory, index) {
                self.stopped = Some(Stopped::Fault(index, error));
                return;
            }
            row(memory, index, &mut self.bytes);
        }
    }
}

/// The blocks of the next wave; their buffers are used again.
fn plan(blocks: &mut Vec<Block>, count: usize, samples: u64, next: &mut u64, end: u64) {
    blocks.resize_with(count, Block::default);
    let mut used = 0;
    while used < count && *next < end {
        let after = next.saturating_add(samples).min(end);
        blocks[used].indices = *next..after;
        *next = after;
        used += 1;
    }
    blocks.truncate(used);
}

fn put_out(
    blocks: &[Block],
    put: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
    watch: &Watch,
) -> Result<(), Stopped> {
    for block in blocks {
        match &block.stopped {
            Some(Stopped::Fault(index, error)) => return Err(Stopped::Fault(*index, *error)),
            Some(_) => return Err(Stopped::Cancelled),
            None => {}
        }
        if watch.cancel.load(Ordering::Relaxed) {
            return Err(Stopped::Cancelled);
        }
        put(&block.bytes).map_err(Stopped::Output)?;
        (watch.progress)(block.indices.end - block.indices.start);
    }
    Ok(())
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Stopped::Fault(index, error) => write!(f, "sample {index} cannot be made: {error}"),
            Stopped::Cancelled => write!(f, "stopped"),
            Stopped::Output(error) => write!(f, "{error:#}"),
        }
    }
}
