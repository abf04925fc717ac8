//! Samples drawn in parallel and written in order: the bytes do not depend on the threads.

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::observer::{Event, Observer};
use super::{Sampler, Split};
use crate::runtime::{Fault, Memory};

/// Words that a block of samples has at most, if it has more than one sample: half a megabyte of
/// text, which stays in a core's cache until it is written.
const BLOCK_WORDS: u64 = 1 << 16;
/// The most samples of a block.
const BLOCK_SAMPLES: u64 = 4096;
/// Blocks that a thread fills between two writes, so that no thread waits long for another.
const BLOCKS_A_THREAD: usize = 4;

/// Which samples to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// Their indices.
    pub indices: Range<u64>,
}

/// Why it ended before the last sample.
#[derive(Debug)]
pub enum Stopped {
    /// The sample with this index cannot be drawn.
    Fault(u64, Fault),
    /// The observer stopped it.
    Cancelled,
    /// The output could not be written.
    Output(anyhow::Error),
}

/// The most bytes of the samples that are drawn at once, if there is more than one: this much, and
/// more for each core, as a machine with many cores has more memory.
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
        // If no thread can be started, those of the pool do the work.
        Err(_) => work(),
    }
}

/// Draws samples, lays each out in a batch with `lay_out` on any thread, and passes the batches to
/// `put` in the order of the indices; `put` leaves a batch empty. The memory in use does not grow
/// with the number of samples or of threads: if a sample is large, few are drawn at once.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, `put` fails, or the observer stops it.
pub fn generate<Batch: Default + Send>(
    sampler: &Sampler,
    order: &Order,
    lay_out: impl Fn(&mut Memory, u64, &mut Batch) + Sync + Send,
    put: impl FnMut(&mut Batch) -> anyhow::Result<()> + Send,
    observer: &Observer,
) -> Result<(), Stopped> {
    // Two waves of blocks, one being drawn and one written.
    let texts = 2 * BLOCKS_A_THREAD as u64;
    where_it_fits(sampler, texts, || in_waves(sampler, order, &lay_out, put, observer))
}

fn in_waves<Batch: Default + Send>(
    sampler: &Sampler,
    order: &Order,
    lay_out: &(impl Fn(&mut Memory, u64, &mut Batch) + Sync),
    mut put: impl FnMut(&mut Batch) -> anyhow::Result<()> + Send,
    observer: &Observer,
) -> Result<(), Stopped> {
    let threads = rayon::current_num_threads();
    let memories: Vec<Mutex<Option<Memory>>> = (0..threads).map(|_| Mutex::default()).collect();
    let block_samples =
        (BLOCK_WORDS / sampler.program().bounds.words.max(1)).clamp(1, BLOCK_SAMPLES);
    let room =
        usize::try_from(bytes_max() / (2 * text_bytes(sampler)).max(1)).unwrap_or(usize::MAX);
    let blocks = (threads * BLOCKS_A_THREAD).min(room.max(1));
    let fill = |block: &mut Block<Batch>| {
        let thread = rayon::current_thread_index().expect("blocks are filled in the pool");
        let mut memory = memories[thread].lock().expect("a panic ends the whole run");
        let memory = memory.get_or_insert_with(|| sampler.memory(order.split, order.seed));
        block.fill(sampler, memory, lay_out, observer);
    };
    // One wave of blocks is written while the next is drawn.
    let (mut written, mut made) = (Vec::new(), Vec::new());
    let mut next = order.indices.start;
    rayon::scope(|_| {
        loop {
            plan(&mut made, blocks, block_samples, &mut next, order.indices.end);
            let (result, ()) = rayon::join(
                || put_out(&mut written, &mut put, observer),
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

/// Consecutive samples, laid out.
#[derive(Default)]
struct Block<Batch> {
    indices: Range<u64>,
    batch: Batch,
    stopped: Option<Stopped>,
}

impl<Batch> Block<Batch> {
    fn fill(
        &mut self,
        sampler: &Sampler,
        memory: &mut Memory,
        lay_out: &(impl Fn(&mut Memory, u64, &mut Batch) + Sync),
        observer: &Observer,
    ) {
        for index in self.indices.clone() {
            if observer.is_cancelled() {
                self.stopped = Some(Stopped::Cancelled);
                return;
            }
            if let Err(error) = sampler.sample(memory, index) {
                self.stopped = Some(Stopped::Fault(index, error));
                return;
            }
            lay_out(memory, index, &mut self.batch);
        }
    }
}

/// The blocks of the next wave; their buffers are used again.
fn plan<Batch: Default>(
    blocks: &mut Vec<Block<Batch>>,
    count: usize,
    samples: u64,
    next: &mut u64,
    end: u64,
) {
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

fn put_out<Batch>(
    blocks: &mut [Block<Batch>],
    put: &mut impl FnMut(&mut Batch) -> anyhow::Result<()>,
    observer: &Observer,
) -> Result<(), Stopped> {
    for block in blocks {
        match &block.stopped {
            Some(Stopped::Fault(index, error)) => return Err(Stopped::Fault(*index, *error)),
            Some(_) => return Err(Stopped::Cancelled),
            None => {}
        }
        if observer.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        put(&mut block.batch).map_err(Stopped::Output)?;
        observer.emit(Event::Generated { samples: block.indices.end - block.indices.start });
    }
    Ok(())
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Stopped::Fault(index, error) => write!(f, "sample {index} cannot be drawn: {error}"),
            Stopped::Cancelled => write!(f, "stopped"),
            Stopped::Output(error) => write!(f, "{error:#}"),
        }
    }
}
