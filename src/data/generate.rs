//! Samples drawn in parallel and written in order: the bytes do not depend on the threads.
//!
//! One template's samples and a mixture's are drawn by the same code.

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
/// The fewest samples for which another thread is woken.
const SHARE_MIN: u64 = 256;
/// Blocks that a thread fills between two writes, so that no thread waits long for another.
const BLOCKS_A_THREAD: usize = 4;

/// Which samples to draw.
#[derive(Clone)]
pub struct Order<'a> {
    /// Training samples, or held-out ones.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// Their indices.
    pub indices: Range<u64>,
    /// Which sampler each is of; none where there is one sampler.
    pub mixing: Option<Mixing<'a>>,
    /// Whether a few samples are shared out to all threads. Where batches end depends on the number
    /// of threads then, so it is for those who put the batches together.
    pub shared: bool,
}

/// Says which sampler each sample of a range of indices is of, by the sampler's number.
///
/// # Errors
/// A text, if that cannot be told for these indices.
pub type Mixing<'a> = &'a (dyn Fn(Range<u64>) -> Result<Vec<usize>, String> + Sync);

/// A sample that is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The number of its sampler; 0 where there is one.
    pub sampler: usize,
    /// The sample's index.
    pub index: u64,
    /// Its values.
    pub memory: &'a Memory,
}

/// Why it ended before the last sample.
#[derive(Debug)]
pub enum Stopped {
    /// The sample with this index cannot be drawn.
    Fault(u64, Fault),
    /// There is no saying which sampler a sample is of, or what its row is: the reason.
    NoRow(String),
    /// The observer stopped it.
    Cancelled,
    /// The output could not be written.
    Output(anyhow::Error),
}

/// The error of a batch in which a sample has no row: the reason.
#[derive(Debug)]
pub(super) struct NoRow(pub(super) String);

impl fmt::Display for NoRow {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoRow {}

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
fn text_bytes(samplers: &[Sampler]) -> u64 {
    let bytes = |one: &Sampler| one.program().bounds.words_known.saturating_mul(WORD_BYTES);
    samplers.iter().map(bytes).max().unwrap_or(0)
}

/// Does work whose threads have memory for a sample of each sampler, and `texts` copies of its
/// texts: on so few of them that all have room.
pub(super) fn where_it_fits<Done: Send>(
    samplers: &[Sampler],
    texts: u64,
    work: impl FnOnce() -> Done + Send,
) -> Done {
    let threads = rayon::current_num_threads();
    let memory = |one: &Sampler| Memory::bytes(one.program(), one.pools());
    let each = samplers.iter().map(memory).fold(0, u64::saturating_add);
    let each = each.saturating_add(text_bytes(samplers).saturating_mul(texts));
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
/// `put` in the order of the indices, each with the index after its last sample's; `put` leaves a
/// batch empty. The memory in use does not grow with the number of samples or of threads: if a
/// sample is large, few are drawn at once.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, `put` fails, or the observer stops it.
pub fn generate<Batch: Default + Send>(
    samplers: &[Sampler],
    order: &Order,
    lay_out: impl Fn(Row, &mut Batch) + Sync + Send,
    put: impl FnMut(&mut Batch, u64) -> anyhow::Result<()> + Send,
    observer: &Observer,
) -> Result<(), Stopped> {
    // Two waves of blocks, one being drawn and one written.
    let texts = 2 * BLOCKS_A_THREAD as u64;
    let source = Source { samplers, order, observer };
    where_it_fits(samplers, texts, || source.in_waves(&lay_out, put))
}

/// Where blocks of samples come from. Threads share it.
#[derive(Clone, Copy)]
struct Source<'a> {
    samplers: &'a [Sampler],
    order: &'a Order<'a>,
    observer: &'a Observer<'a>,
}

impl Source<'_> {
    fn in_waves<Batch: Default + Send>(
        self,
        lay_out: &(impl Fn(Row, &mut Batch) + Sync),
        mut put: impl FnMut(&mut Batch, u64) -> anyhow::Result<()> + Send,
    ) -> Result<(), Stopped> {
        let threads = rayon::current_num_threads();
        let memories: Vec<Mutex<Memories>> = (0..threads).map(|_| Mutex::default()).collect();
        let words = self.samplers.iter().map(|one| one.program().bounds.words).max();
        let block_samples = (BLOCK_WORDS / words.unwrap_or(1).max(1)).clamp(1, BLOCK_SAMPLES);
        let Range { start, end } = self.order.indices;
        let share = end.saturating_sub(start).div_ceil(threads as u64).max(SHARE_MIN);
        let block_samples =
            if self.order.shared { block_samples.min(share) } else { block_samples };
        let room = bytes_max() / (2 * text_bytes(self.samplers)).max(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let blocks = (threads * BLOCKS_A_THREAD).min(room.max(1));
        let fill = |block: &mut Block<Batch>| {
            let thread = rayon::current_thread_index().expect("blocks are filled in the pool");
            let mut memories = memories[thread].lock().expect("a panic ends the whole run");
            block.stopped = self.fill(block, &mut memories, lay_out).err();
        };
        // One wave of blocks is written while the next is drawn.
        let (mut written, mut made) = (Vec::new(), Vec::new());
        let mut next = self.order.indices.start;
        rayon::scope(|_| {
            loop {
                plan(&mut made, blocks, block_samples, &mut next, self.order.indices.end);
                let (result, ()) = rayon::join(
                    || put_out(&mut written, &mut put, self.observer),
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

    fn fill<Batch>(
        self,
        block: &mut Block<Batch>,
        memories: &mut Memories,
        lay_out: &impl Fn(Row, &mut Batch),
    ) -> Result<(), Stopped> {
        let Order { split, seed, mixing, .. } = self.order;
        let of = mixing.map(|mixing| mixing(block.indices.clone())).transpose();
        let of = of.map_err(Stopped::NoRow)?;
        memories.resize_with(self.samplers.len(), || None);
        for (at, index) in block.indices.clone().enumerate() {
            if self.observer.is_cancelled() {
                return Err(Stopped::Cancelled);
            }
            let number = of.as_ref().map_or(0, |of| of[at]);
            let sampler = &self.samplers[number];
            let memory = memories[number].get_or_insert_with(|| sampler.memory(*split, *seed));
            let drawn = sampler.sample(memory, index);
            drawn.map_err(|error| Stopped::Fault(index, error))?;
            lay_out(Row { sampler: number, index, memory }, &mut block.batch);
        }
        Ok(())
    }
}

/// A thread's memory for a sample of each sampler that it has drawn from.
type Memories = Vec<Option<Memory>>;

/// Consecutive samples, laid out.
#[derive(Default)]
struct Block<Batch> {
    indices: Range<u64>,
    batch: Batch,
    stopped: Option<Stopped>,
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
    put: &mut impl FnMut(&mut Batch, u64) -> anyhow::Result<()>,
    observer: &Observer,
) -> Result<(), Stopped> {
    for block in blocks {
        if let Some(stopped) = block.stopped.take() {
            return Err(stopped);
        }
        if observer.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        put(&mut block.batch, block.indices.end).map_err(|error| match error.downcast() {
            Ok(NoRow(why)) => Stopped::NoRow(why),
            Err(error) => Stopped::Output(error),
        })?;
        observer.emit(Event::Generated { samples: block.indices.end - block.indices.start });
    }
    Ok(())
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Stopped::Fault(index, error) => write!(f, "sample {index} cannot be drawn: {error}"),
            Stopped::NoRow(why) => write!(f, "{why}"),
            Stopped::Cancelled => write!(f, "stopped"),
            Stopped::Output(error) => write!(f, "{error:#}"),
        }
    }
}
