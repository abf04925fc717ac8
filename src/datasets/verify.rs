//! All rows of a data set made again: each is as it was written, there once, and of one split.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::again::{Again, Compared, Kind, Memories, Unknown};
use super::ranges::Ranges;
use crate::data::{SampleId, Split};
use crate::rows::{Row, Rows};
use crate::template::Error;

/// Rows that are compared together, while others are read.
const BATCH: usize = 2048;
/// Rows that a thread compares with one memory of each kind.
const ROWS_A_MEMORY: usize = 128;
/// The most problems that are reported one by one.
pub const PROBLEMS_MAX: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What the rows are of: their ids up to the index, with how many there are.
    pub of: BTreeMap<String, u64>,
    /// The rows that were read.
    pub rows: u64,
    /// Those that are as they were written.
    pub equal: u64,
    /// What is wrong, a line each: the first [`PROBLEMS_MAX`].
    pub problems: Vec<String>,
    /// How many problems there are.
    pub problem_count: u64,
    /// Whether it was stopped before the last row.
    pub is_stopped: bool,
}

/// A row, where it is, and what it is of.
struct Known {
    row: Row,
    place: String,
    of: Result<(SampleId, Arc<Kind>), Unknown>,
}

/// Makes all rows of some files again, and compares them; `progress` gets how many more rows were
/// compared. When `cancel` is set, it ends with what was found so far.
///
/// # Errors
/// [`Error`] if the first row cannot be read or made again; what is wrong after it is a problem.
pub fn verify(
    files: &[PathBuf],
    again: &mut Again,
    cancel: &AtomicBool,
    progress: &dyn Fn(u64),
) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut there = There::new();
    for file in files {
        let all = Rows::open(file)
            .and_then(|rows| report.verify(rows, again, &mut there, (cancel, progress)));
        match all {
            Err(error) if report.rows == 0 && files.len() == 1 => return Err(error),
            Err(error) => report.problem(error.to_string()),
            Ok(()) if report.is_stopped => break,
            Ok(()) => {}
        }
    }
    let [train, eval] = [Split::Train, Split::Eval].map(|split| report.of_split(split));
    if train > 0 && eval > 0 {
        let text = format!("it holds rows of both splits: {train} of train and {eval} of eval");
        report.problem(text);
    }
    Ok(report)
}

/// The samples that are there, by split and seed.
type There = HashMap<(Split, u64), Ranges>;

/// The next rows, and what is wrong with the one after them.
fn read(rows: &mut Rows, again: &mut Again) -> (Vec<Known>, Option<Error>) {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        let row = match rows.next() {
            Some(Ok(row)) => row,
            Some(Err(error)) => return (batch, Some(error)),
            None => break,
        };
        let (place, of) = (rows.place(&row), again.kind(&row.values));
        batch.push(Known { row, place, of });
    }
    (batch, None)
}

fn compare(batch: &[Known]) -> Vec<Option<Result<Compared, String>>> {
    let compared = batch.par_chunks(ROWS_A_MEMORY).map(|chunk| {
        let mut memories = Memories::default();
        let one = |known: &Known| {
            let (id, kind) = known.of.as_ref().ok()?;
            Some(kind.compare(id, &known.row.values, &mut memories))
        };
        chunk.iter().map(one).collect::<Vec<_>>()
    });
    compared.collect::<Vec<_>>().into_iter().flatten().collect()
}

impl Report {
    fn verify(
        &mut self,
        mut rows: Rows,
        again: &mut Again,
        there: &mut There,
        (cancel, progress): (&AtomicBool, &dyn Fn(u64)),
    ) -> Result<(), Error> {
        let (mut batch, mut wrong) = read(&mut rows, again);
        if let Some(Known { of: Err(why), place, .. }) = batch.first()
            && self.rows == 0
        {
            return Err(Error::Input(no_row(place, why)));
        }
        while !batch.is_empty() {
            if cancel.load(Ordering::Relaxed) {
                self.is_stopped = true;
                return Ok(());
            }
            // After an error there are no more rows.
            let (next, compared) = rayon::join(|| read(&mut rows, again), || compare(&batch));
            for (known, compared) in batch.iter().zip(compared) {
                self.add(known, compared, there);
            }
            progress(batch.len() as u64);
            batch = next.0;
            wrong = wrong.or(next.1);
        }
        wrong.map_or(Ok(()), Err)
    }

    fn add(
        &mut self,
        known: &Known,
        compared: Option<Result<Compared, String>>,
        there: &mut There,
    ) {
        self.rows += 1;
        let Known { place, of, .. } = known;
        let (id, compared) = match (of, compared) {
            (Ok((id, _)), Some(Ok(compared))) => (id, compared),
            (Err(why), _) => return self.problem(no_row(place, why)),
            (_, Some(Err(why))) => return self.problem(format!("{place}: {why}")),
            (Ok(_), None) => unreachable!("a row that is known is compared"),
        };
        *self.of.entry(id.key()).or_default() += 1;
        let before = self.problem_count;
        if let Some(first) = compared.differences.first() {
            let more = match compared.differences.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            self.problem(format!("{place}: it differs in `{}`{more}: {id}", first.path));
        }
        if !there.entry((id.split, id.seed)).or_default().insert(id.index) {
            self.problem(format!("{place}: its sample is there twice: {id}"));
        }
        if !compared.keeps_split {
            let text = format!("{place}: its prompt belongs to the split that is not {}", id.split);
            self.problem(format!("{text}: {id}"));
        }
        self.equal += u64::from(self.problem_count == before);
    }

    /// The rows of a split.
    fn of_split(&self, split: Split) -> u64 {
        let is_of =
            |key: &str| format!("{key}0").parse::<SampleId>().is_ok_and(|id| id.split == split);
        self.of.iter().filter(|(key, _)| is_of(key)).map(|(_, rows)| rows).sum()
    }

    /// Adds a problem.
    pub fn problem(&mut self, text: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        }
    }
}

/// What is said of a row that is not made again.
pub fn no_row(place: &str, why: &Unknown) -> String {
    match why {
        Unknown::NoId(found) => format!(
            "{place}: {found}: expected a row of `cookc generate`, whose `id` tells its sample, \
             such as retrieval/95aeb075bbc49236/train/0/17"
        ),
        Unknown::NoTemplate(error) => format!("{place}: {error}"),
        Unknown::Ids => format!(
            "{place}: it holds the token ids of several samples, which their tokenizer alone makes \
             again: compare the files of a folder by `cookc data verify FOLDER --checksums`"
        ),
    }
}
