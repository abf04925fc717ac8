//! A recipe's mixture as a data set: the samples that training draws, in its order.

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::observer::{Event, Observer};
use super::setup::{self, Sources};
use crate::data::Split;
use crate::data::preview::cannot_make;
use crate::data::sink::{Jsonl, Row, Schema, settings};
use crate::mix::Mixture;
use crate::runtime::Memory;
use crate::template::Error;

/// Words that a block of rows has at most, if it has more than one row.
const BLOCK_WORDS: u64 = 1 << 16;
/// The most rows of a block.
const BLOCK_ROWS: u64 = 1024;
/// Blocks that a thread draws between two writes.
const BLOCKS_A_THREAD: usize = 4;

/// A recipe whose samples are written, not learned from.
pub struct Mixed {
    sources: Sources,
    mixture: Mixture,
}

impl Mixed {
    /// Reads a recipe with its templates and words. Of a pretrained model only the tokenizer is
    /// read, and only if the words are its tokens.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every error of the recipe and of what it names, and [`Error::Io`]
    /// or [`Error::Input`] if the recipe cannot be read.
    pub fn read(path: &Path, seed: Option<u64>, observer: &Observer) -> Result<Mixed, Error> {
        let (sources, policy) = setup::sources(path, seed, observer)?;
        let mixture = Mixture::new(&sources.recipe, policy);
        Ok(Mixed { sources, mixture })
    }

    /// The names of the templates, once each, in the recipe's order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for sampler in &self.sources.samplers {
            let name = sampler.program().name.as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Draws the rows with these indices in parallel, as lines of JSON, and passes them on in
    /// order: row *r* is the sample that training sees as its *r*-th, if no evaluation has changed
    /// the mixture.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a sample cannot be drawn, [`Error::Cancelled`] if the observer stops
    /// it, and the error of `put`.
    pub fn write(
        &self,
        split: Split,
        rows: Range<u64>,
        put: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
        observer: &Observer,
    ) -> Result<(), Error> {
        let writer = Writer::new(self, split);
        let words = self.sources.samplers.iter().map(|one| one.program().bounds.words).max();
        let block = (BLOCK_WORDS / words.unwrap_or(1).max(1)).clamp(1, BLOCK_ROWS);
        let wave = block * (rayon::current_num_threads() * BLOCKS_A_THREAD) as u64;
        let mut next = rows.start;
        while next < rows.end {
            let end = next.saturating_add(wave).min(rows.end);
            let starts: Vec<u64> = (next..end).step_by(block as usize).collect();
            let blocks = starts.into_par_iter().map(|start| {
                let rows = start..start.saturating_add(block).min(end);
                writer.block(rows, observer)
            });
            let blocks: Vec<Result<Vec<u8>, Error>> = blocks.collect();
            for bytes in blocks {
                put(&bytes?)?;
            }
            observer.tell(Event::Generated { samples: end - next });
            next = end;
        }
        Ok(())
    }
}

/// Writes the rows of a split. Threads share it.
struct Writer<'a> {
    of: &'a Mixed,
    split: Split,
    /// Those of each template.
    lines: Vec<Jsonl>,
    /// Memories for a sample of each template that no thread uses now.
    free: Mutex<Vec<Vec<Memory>>>,
}

impl<'a> Writer<'a> {
    fn new(of: &'a Mixed, split: Split) -> Writer<'a> {
        let Sources { recipe, templates, samplers } = &of.sources;
        let both = templates.iter().zip(samplers).zip(&recipe.templates);
        let lines = both.map(|((template, sampler), entry)| {
            let set: Vec<(String, String)> =
                entry.set.iter().map(|(name, number)| (name.clone(), number.clone())).collect();
            let set = settings(template.typed(), &set);
            let (sampler, seed) = (sampler.clone(), recipe.data.seed);
            Jsonl::new(&Schema { sampler, set, split, seed })
        });
        Writer { of, split, lines: lines.collect(), free: Mutex::default() }
    }

    fn block(&self, rows: Range<u64>, observer: &Observer) -> Result<Vec<u8>, Error> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let Sources { recipe, samplers, .. } = &self.of.sources;
        let (split, seed) = (self.split, recipe.data.seed);
        let known = free().pop();
        let mut memories = known.unwrap_or_else(|| {
            samplers.iter().map(|sampler| sampler.memory(split, seed)).collect()
        });
        let mut bytes = Vec::new();
        let mixture = &self.of.mixture;
        let mut step = mixture.step_of(rows.start);
        let mut order = mixture.order(split, step).map_err(Error::Input)?;
        for row in rows {
            if observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if mixture.step_of(row) != step {
                step = mixture.step_of(row);
                order = mixture.order(split, step).map_err(Error::Input)?;
            }
            let at = order.template(row);
            let (sampler, memory) = (&samplers[at], &mut memories[at]);
            sampler.sample(memory, row).map_err(|why| {
                let diagnostic = cannot_make(sampler.program(), seed, row, why);
                Error::invalid(self.of.sources.templates[at].source(), vec![diagnostic])
            })?;
            self.lines[at].line(&Row { index: row, memory }, &mut bytes);
        }
        free().push(memories);
        Ok(bytes)
    }
}
