//! Rows of a data set that overlap with other data, such as the items of a benchmark.
//!
//! Two tests. The first is the overlap of n-grams of words, as GPT-3 was decontaminated (Brown et
//! al. 2020, arXiv:2005.14165, appendix C) and lm-evaluation-harness does it: words are lowercase,
//! between white space, without punctuation; a row overlaps if it has any 13 consecutive words of
//! the other data. N-grams that come in more than 10 rows are ignored, as there: they are phrases
//! that all texts of a kind have. The second finds near-duplicates by MinHash: see `minhash`.

mod minhash;
mod words;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::texts::texts;
use crate::rows::{Row, Rows};
use crate::template::Error;
use minhash::{Index, Shingles};
use words::Words;

/// Rows that are compared together, while others are read.
const BATCH: usize = 1024;

/// What counts as an overlap.
#[derive(Clone, Debug)]
pub struct Options {
    /// The words of an n-gram.
    pub ngram: usize,
    /// The Jaccard similarity from which on a row is a near-duplicate.
    pub threshold: f64,
    /// N-grams in more rows than this are ignored.
    pub common: u64,
    /// The columns of the rows' texts; none for those that trainers read.
    pub columns: Vec<String>,
    /// The same of the other data.
    pub against_columns: Vec<String>,
}

/// Other data, ready to be compared with.
pub struct Against {
    options: Options,
    /// N-grams by their hashes, with the first row that has each.
    grams: HashMap<u64, u32>,
    near: Index,
    places: Vec<String>,
}

/// A row that overlaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlap {
    /// Its number in the data set, from 0.
    pub row: u64,
    /// Where it is.
    pub place: String,
    /// Consecutive words that other data has too.
    pub ngram: Option<Shared>,
    /// A row that is nearly the same.
    pub near: Option<Near>,
}

/// Words that two rows share.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// The row of the other data.
    pub against: String,
    /// The text of the first words that are shared.
    pub text: String,
    /// How many they are.
    pub words: usize,
}

/// A near-duplicate.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The row of the other data.
    pub against: String,
    /// The share of shingles that both have, of those that either has.
    pub jaccard: f64,
}

/// How a caller follows the work: whether to stop, and how many more rows were read.
#[derive(Clone, Copy)]
pub struct Observer<'a> {
    /// Set from outside to stop.
    pub cancel: &'a AtomicBool,
    /// Called with rows that were read.
    pub rows: &'a dyn Fn(u64),
}

/// Gets each row in order, and what it has in common with others.
pub type Each<'a> = &'a mut dyn FnMut(&Map<String, Value>, Option<Overlap>) -> Result<(), Error>;

impl Against {
    /// Reads other data.
    ///
    /// # Errors
    /// [`Error`] if it cannot be read, and [`Error::Cancelled`].
    pub fn read(files: &[PathBuf], options: Options, observer: Observer) -> Result<Against, Error> {
        let near = Index::new(options.threshold);
        let mut against = Against { options, grams: HashMap::new(), near, places: Vec::new() };
        for file in files {
            each_batch(file, observer, |batch| {
                let read = |(row, _): &(Row, String)| {
                    let columns = &against.options.against_columns;
                    let text = texts(&row.values, columns).whole();
                    let words = Words::new(&text);
                    (words.grams(against.options.ngram), Shingles::of(&words))
                };
                let read: Vec<_> = batch.par_iter().map(read).collect();
                for ((_, place), (grams, shingles)) in batch.iter().zip(read) {
                    let number = u32::try_from(against.places.len())
                        .map_err(|_| Error::Input("the other data has over 2^32 rows".into()))?;
                    for gram in grams {
                        against.grams.entry(gram).or_insert(number);
                    }
                    against.near.add(number, shingles);
                    against.places.push(place.clone());
                }
                Ok(())
            })?;
        }
        Ok(against)
    }

    /// The rows that were read.
    pub fn rows(&self) -> u64 {
        self.places.len() as u64
    }

    /// N-grams of the other data that come in many rows of this data set.
    ///
    /// # Errors
    /// [`Error`] if the rows cannot be read, and [`Error::Cancelled`].
    pub fn common(&self, data: &Path, observer: Observer) -> Result<HashSet<u64>, Error> {
        let mut counts: HashMap<u64, u64> = HashMap::new();
        each_batch(data, observer, |batch| {
            let shared = |(row, _): &(Row, String)| {
                let text = texts(&row.values, &self.options.columns).whole();
                let grams = Words::new(&text).grams(self.options.ngram);
                let known = grams.into_iter().filter(|gram| self.grams.contains_key(gram));
                known.collect::<HashSet<u64>>()
            };
            let shared: Vec<_> = batch.par_iter().map(shared).collect();
            for gram in shared.into_iter().flatten() {
                *counts.entry(gram).or_default() += 1;
            }
            Ok(())
        })?;
        counts.retain(|_, rows| *rows > self.options.common);
        Ok(counts.into_keys().collect())
    }

    /// Compares all rows: `each` gets them in order, with the overlap if there is one.
    ///
    /// # Errors
    /// [`Error`] if the rows cannot be read, and [`Error::Cancelled`]; those of `each`.
    pub fn compare(
        &self,
        data: &Path,
        common: &HashSet<u64>,
        observer: Observer,
        each: Each,
    ) -> Result<(), Error> {
        let mut number = 0;
        each_batch(data, observer, |batch| {
            let numbered: Vec<_> = (number..).zip(batch).collect();
            let found = |(number, (row, place)): &(u64, &(Row, String))| {
                self.overlap(*number, row, place, common)
            };
            let found: Vec<_> = numbered.par_iter().map(found).collect();
            number += batch.len() as u64;
            batch.iter().zip(found).try_for_each(|((row, _), found)| each(&row.values, found))
        })
    }

    fn overlap(
        &self,
        row: u64,
        values: &Row,
        place: &str,
        common: &HashSet<u64>,
    ) -> Option<Overlap> {
        let text = texts(&values.values, &self.options.columns).whole();
        let words = Words::new(&text);
        let grams = words.grams(self.options.ngram);
        let of = |gram: &u64| self.grams.get(gram).filter(|_| !common.contains(gram));
        let first = grams.iter().position(|gram| of(gram).is_some());
        let ngram = first.map(|first| {
            let more = grams[first..].iter().take_while(|gram| of(gram).is_some()).count();
            let against = of(&grams[first]).map_or(0, |number| *number as usize);
            let count = (self.options.ngram + more - 1).min(words.len());
            let text = words.text(first..first + count).to_string();
            Shared { against: self.places[against].clone(), text, words: count }
        });
        let near = self.near.nearest(&Shingles::of(&words)).map(|(number, jaccard)| Near {
            against: self.places[number as usize].clone(),
            jaccard,
        });
        let is_found = ngram.is_some() || near.is_some();
        is_found.then(|| Overlap { row, place: place.to_string(), ngram, near })
    }
}

impl Overlap {
    /// The same for programs.
    pub fn json(&self) -> Value {
        let shared =
            |one: &Shared| json!({ "against": one.against, "text": one.text, "words": one.words });
        let near = |one: &Near| json!({ "against": one.against, "jaccard": one.jaccard });
        json!({
            "row": self.row, "place": self.place, "ngram": self.ngram.as_ref().map(shared),
            "near": self.near.as_ref().map(near),
        })
    }
}

/// Reads a data set in batches of rows with their places, one of them while another is worked on.
fn each_batch(
    path: &Path,
    Observer { cancel, rows: told }: Observer,
    mut each: impl FnMut(&[(Row, String)]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut rows = Rows::open(path)?;
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some(row) = rows.next().transpose()? else { break };
            let place = rows.place(&row);
            batch.push((row, place));
        }
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if batch.is_empty() {
            return Ok(());
        }
        each(&batch)?;
        told(batch.len() as u64);
    }
}
