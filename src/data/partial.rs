//! A file that grows beside its path, with the place that it has reached: after a kill, the next
//! writer goes on from there.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::disk;

/// The least time between two records of the place.
const PAUSE: Duration = Duration::from_millis(100);
/// Of the time, recording takes no more than one part in this many.
const SHARE: u32 = 20;

/// How far a file is, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The version of cookc that writes it.
    pub cookc: String,
    /// What tells the data set from all others: the same text, the same bytes.
    pub of: String,
    /// The index of the first row.
    pub first: u64,
    /// The rows of the complete file.
    pub rows: u64,
    /// Rows that are there.
    pub rows_there: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What there is beside a path.
#[derive(Debug)]
pub enum Begun {
    /// The file, open at its place.
    Open(Partial),
    /// A file that another process writes.
    Busy,
    /// Rows of another data set, or of one that is not known: why.
    Other(String),
}

/// A file that is not complete, which this process alone writes. Dropped before its end, it stays
/// with the rows that it has; without rows, it is removed.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    place: Place,
    /// Bytes of the file.
    bytes: u64,
    recorded: Instant,
    pause: Duration,
    is_complete: bool,
}

impl Partial {
    /// Opens the file that will replace what lies at `path`; from the place where a killed writer
    /// has left it if `resume`, else empty.
    ///
    /// # Errors
    /// If the file system takes no such file, or knows no locks.
    pub fn begin(path: &Path, new: Place, resume: bool) -> io::Result<Begun> {
        let Some(file) = disk::claim(&beside(path, FILE))? else { return Ok(Begun::Busy) };
        let there = if resume { find(path, &new) } else { Ok(None) };
        let place = match there {
            Ok(Some(there)) => there,
            Ok(None) => {
                // It says nothing of what is written from now on.
                remove(&beside(path, PLACE))?;
                new
            }
            Err(why) => return Ok(Begun::Other(why)),
        };
        if let Some(permissions) = permissions(path) {
            file.set_permissions(permissions)?;
        }
        file.set_len(place.bytes)?;
        let bytes = place.bytes;
        let (path, recorded) = (path.to_path_buf(), Instant::now());
        let mut partial =
            Partial { file, path, place, bytes, recorded, pause: PAUSE, is_complete: false };
        partial.file.seek(SeekFrom::Start(bytes))?;
        Ok(Begun::Open(partial))
    }

    /// How many rows it has.
    pub fn rows_there(&self) -> u64 {
        self.place.rows_there
    }

    /// How many bytes they have.
    pub fn bytes_there(&self) -> u64 {
        self.place.bytes
    }

    /// Says that the rows before this index are complete in what was written so far. Now and then
    /// the place is recorded.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn mark(&mut self, next: u64) -> io::Result<()> {
        (self.place.rows_there, self.place.bytes) = (next - self.place.first, self.bytes);
        if self.recorded.elapsed() < self.pause {
            return Ok(());
        }
        let begun = Instant::now();
        self.record()?;
        self.recorded = Instant::now();
        self.pause = PAUSE.max(SHARE * (self.recorded - begun));
        Ok(())
    }

    /// The rows reach the disk, then their place.
    fn record(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let text = serde_json::to_string(&self.place).expect("texts and numbers are JSON");
        disk::write(&beside(&self.path, PLACE), text.as_bytes())
    }

    /// Completes the file: its bytes reach the disk, then it gets its name.
    ///
    /// # Errors
    /// If the disk does not take the bytes or the name.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(beside(&self.path, FILE), &self.path)?;
        self.is_complete = true;
        remove(&beside(&self.path, PLACE))?;
        disk::sync_folder(disk::folder_of(&self.path))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let keep = |partial: &mut Partial| {
            partial.file.set_len(partial.place.bytes)?;
            partial.record()
        };
        let is_kept = self.place.rows_there > 0 && keep(self).is_ok();
        // Without any place, its rows are worth nothing. What cannot be removed does no harm.
        if !is_kept && !beside(&self.path, PLACE).exists() {
            let _ = remove(&beside(&self.path, FILE));
        }
    }
}

/// Removes what was left beside a path, unless another process writes it.
///
/// # Errors
/// If it cannot be removed.
pub fn forget(path: &Path) -> io::Result<()> {
    if let Some(_file) = disk::claim(&beside(path, FILE))? {
        remove(&beside(path, PLACE))?;
        remove(&beside(path, FILE))?;
    }
    Ok(())
}

/// The place that a stopped writer has left beside a path, if there is one.
///
/// # Errors
/// A text, if it is no place, or of something else than `new`.
pub fn find(path: &Path, new: &Place) -> Result<Option<Place>, String> {
    let place = beside(path, PLACE);
    let is_none = |why: &dyn fmt::Display| format!("{} is no place ({why})", place.display());
    let there: Place = match fs::read_to_string(&place) {
        Ok(text) => serde_json::from_str(&text).map_err(|why| is_none(&why))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(is_none(&error)),
    };
    // A file that has its name by now has left no rows behind.
    let length = fs::metadata(beside(path, FILE)).map_or(0, |file| file.len());
    match different(&there, new) {
        _ if length < there.bytes => Ok(None),
        Some(why) => Err(why),
        None => Ok(Some(there)),
    }
}

/// How the names of the file and of its place end.
const FILE: &str = "rows";
const PLACE: &str = "place";

fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    disk::folder_of(path).join(format!(".cookc-{name}.{ending}"))
}

/// The first thing in which what is there is not of what is asked for.
fn different(there: &Place, new: &Place) -> Option<String> {
    let number = |was: u64, now: u64| (was.to_string(), now.to_string());
    let all = [
        ("data", (there.of.clone(), new.of.clone())),
        ("first index", number(there.first, new.first)),
        ("number of rows", number(there.rows, new.rows)),
        ("version of cookc", (there.cookc.clone(), new.cookc.clone())),
    ];
    let (what, (was, now)) = all.into_iter().find(|(_, (was, now))| was != now)?;
    Some(format!("its {what} is {was}, and {now} is asked for"))
}

/// Who may read the file that is replaced.
fn permissions(path: &Path) -> Option<Permissions> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.permissions())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
