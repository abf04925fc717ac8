//! A data set in one file. What a writer that is stopped has written lies beside its path, and the
//! next one goes on from there.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context;

use super::generate::Stopped;
use super::observer::{Event, Observer};
use super::output::Output;
use super::partial::{self, Begun, Partial, Place};
use super::shards::{Refused, Written};
use crate::disk;

/// What a file is of.
#[derive(Clone, Debug)]
pub struct Single {
    /// Its path.
    pub path: PathBuf,
    /// What tells the data set from all others: the same text, the same bytes.
    pub of: String,
    /// The indices of its rows.
    pub rows: Range<u64>,
}

impl Single {
    /// Writes the file; `write` writes some rows. With `resume`, those that a stopped writer has
    /// left beside it are its first. A device is written as it is.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write(
        &self,
        resume: bool,
        write: &mut dyn FnMut(Range<u64>, Output) -> Result<u64, Stopped>,
        observer: &Observer,
    ) -> Result<Written, Refused> {
        let path = self.real_path();
        let (output, [rows_before, bytes_before]) = match fs::metadata(&path) {
            Ok(there) if !there.is_file() => (Output::file(&path)?, [0; 2]),
            _ => match Partial::begin(&path, self.place(), resume) {
                Ok(begun) => {
                    let partial = self.open(begun)?;
                    let there = [partial.rows_there(), partial.bytes_there()];
                    (Output::partial(partial, &path), there)
                }
                Err(error) => {
                    // Where the next writer would find nothing, it is written as a whole.
                    let output = Output::file(&path)?;
                    if resume {
                        let cannot = || format!("cannot go on with {}", path.display());
                        return Err(anyhow::Error::new(error).context(cannot()).into());
                    }
                    (output, [0; 2])
                }
            },
        };
        disk::sweep(disk::folder_of(&path));
        observer.emit(Event::Found { samples: rows_before });
        let rows = self.rows.start + rows_before..self.rows.end;
        match write(rows.clone(), output) {
            Ok(bytes) => Ok(Written {
                rows: rows.end - rows.start,
                bytes: bytes - bytes_before,
                rows_before,
            }),
            Err(why @ (Stopped::Fault(..) | Stopped::NoRow(_))) => {
                // No writer of this data set would get further.
                partial::forget(&path)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Err(Refused::Stopped(why))
            }
            Err(why) => Err(Refused::Stopped(why)),
        }
    }

    /// How many rows a stopped writer has left.
    ///
    /// # Errors
    /// [`Refused`] if they are of another data set.
    pub fn rows_there(&self) -> Result<u64, Refused> {
        let there = partial::find(&self.real_path(), &self.place());
        there.map(|there| there.map_or(0, |there| there.rows_there)).map_err(|why| self.other(why))
    }

    /// The file that a link leads to is replaced, not the link.
    fn real_path(&self) -> PathBuf {
        fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    fn open(&self, begun: Begun) -> Result<Partial, Refused> {
        let name = self.path.display();
        match begun {
            Begun::Open(partial) => Ok(partial),
            Begun::Busy => Err(Refused::Taken(format!(
                "another cookc is writing {name}: wait until it ends, or name another file"
            ))),
            Begun::Other(why) => Err(self.other(why)),
        }
    }

    fn other(&self, why: String) -> Refused {
        let name = self.path.display();
        Refused::Taken(format!(
            "{name} was begun as another data set: {why}; leave out `--resume` to begin anew, or \
             name another file"
        ))
    }

    fn place(&self) -> Place {
        Place {
            cookc: env!("CARGO_PKG_VERSION").to_string(),
            of: self.of.clone(),
            first: self.rows.start,
            rows: self.rows.end - self.rows.start,
            rows_there: 0,
            bytes: 0,
        }
    }
}
