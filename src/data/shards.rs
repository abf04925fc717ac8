//! A data set in shards: files of a folder, each written atomically, and a manifest that says which
//! are there. A writer that is killed loses the shard that it was writing, and no more.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::generate::Stopped;
use super::observer::{Event, Observer};
use super::origin::Origin;
use super::output::Output;
use crate::disk;

/// What a folder of shards is of, and which of them one writer writes.
#[derive(Clone, Debug)]
pub struct Shards {
    /// The folder.
    pub folder: PathBuf,
    /// What tells the data set from all others: the same text, the same bytes.
    pub of: String,
    /// How the names of its files end.
    pub ending: &'static str,
    /// The indices of its rows.
    pub rows: Range<u64>,
    /// Rows of a shard; the last one has the rest.
    pub size: u64,
    /// Of how many writers this is which one, from 0.
    pub part: (u64, u64),
    /// What it is made from.
    pub made: Option<Origin>,
}

/// What a writer has written, as its manifest in the folder says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of cookc that wrote it.
    pub cookc: String,
    /// See [`Shards::of`].
    pub of: String,
    /// The first index, and how many there are.
    pub first: u64,
    /// The rows of all shards of all writers.
    pub rows: u64,
    /// Rows of a shard.
    pub shard_size: u64,
    /// The shards that are there, in order.
    pub shards: Vec<Shard>,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Origin>,
}

/// A shard that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The file's name in the folder.
    pub file: String,
    /// The index of its first row.
    pub first: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its bytes, as `b3sum` prints it.
    pub blake3: String,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that this call has written.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of shards that were there before.
    pub rows_before: u64,
}

/// Why shards are not written.
#[derive(Debug)]
pub enum Refused {
    /// The folder has another data set, or files that are none; the text says what to write.
    Taken(String),
    /// Writing ended early.
    Stopped(Stopped),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Refused {
        Refused::Stopped(Stopped::Output(error))
    }
}

impl Shards {
    /// Writes the shards of this writer that are not there; `write` writes some rows. With `resume`
    /// the folder may have some already.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn write(
        &self,
        resume: bool,
        write: &mut dyn FnMut(Range<u64>, Output) -> Result<u64, Stopped>,
        observer: &Observer,
    ) -> Result<Written, Refused> {
        fs::create_dir_all(&self.folder).with_context(|| self.cannot_write())?;
        // A folder of something else is left as it is.
        self.begin(resume)?;
        let _lock = self.lock()?;
        disk::sweep(&self.folder);
        let mut manifest = self.begin(resume)?;
        // Before the first file: a folder with a file and no manifest is taken for another's.
        self.put(&manifest)?;
        let mut written = Written::default();
        for number in self.numbers() {
            let rows = self.rows_of(number);
            let file = self.file(number);
            let path = self.folder.join(&file);
            if manifest.shards.iter().any(|shard| shard.file == file) {
                written.rows_before += rows.end - rows.start;
                observer.emit(Event::Found { samples: rows.end - rows.start });
                continue;
            }
            if observer.is_cancelled() {
                return Err(Refused::Stopped(Stopped::Cancelled));
            }
            let output = Output::file(&path)?;
            let bytes = write(rows.clone(), output).map_err(Refused::Stopped)?;
            let blake3 =
                digest(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let (first, rows) = (rows.start, rows.end - rows.start);
            manifest.shards.push(Shard { file, first, rows, bytes, blake3 });
            self.put(&manifest)?;
            written.rows += rows;
            written.bytes += bytes;
        }
        Ok(written)
    }

    /// The files that this writer would write, with their rows; nothing is written.
    ///
    /// # Errors
    /// [`Refused`], as for [`Shards::write`].
    pub fn missing(&self, resume: bool) -> Result<Vec<(String, Range<u64>)>, Refused> {
        let known = match self.folder.exists() {
            true => self.begin(resume)?.shards,
            false => Vec::new(),
        };
        let files = self.numbers().map(|number| (self.file(number), self.rows_of(number)));
        let is_there = |file: &str| known.iter().any(|shard| shard.file == file);
        Ok(files.filter(|(file, _)| !is_there(file)).collect())
    }

    /// The rows of this writer's shards.
    pub fn row_count(&self) -> u64 {
        self.numbers().map(|number| self.rows_of(number)).map(|rows| rows.end - rows.start).sum()
    }

    fn file(&self, number: u64) -> String {
        format!("data-{number:05}.{}", self.ending)
    }

    /// The numbers of this writer's shards: every `n`th, so that all writers of a set that is not
    /// complete have written from its beginning on.
    fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let (part, of) = self.part;
        let count = (self.rows.end - self.rows.start).div_ceil(self.size);
        (part..count).step_by(usize::try_from(of).unwrap_or(usize::MAX))
    }

    fn rows_of(&self, number: u64) -> Range<u64> {
        let start = self.rows.start + number * self.size;
        start..start.saturating_add(self.size).min(self.rows.end)
    }

    /// The manifest that is there, if it is of this data set and its files are; or a new one.
    fn begin(&self, resume: bool) -> Result<Manifest, Refused> {
        let new = Manifest {
            cookc: env!("CARGO_PKG_VERSION").to_string(),
            of: self.of.clone(),
            first: self.rows.start,
            rows: self.rows.end - self.rows.start,
            shard_size: self.size,
            shards: Vec::new(),
            made: self.made.clone(),
        };
        let name = self.folder.display();
        let path = self.manifest();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match self.is_free()? {
                    true => Ok(new),
                    false => Err(Refused::Taken(format!(
                        "{name} holds other files: name an empty folder, or a new one"
                    ))),
                };
            }
            Err(error) => {
                return Err(anyhow::Error::new(error).context(self.cannot_write()).into());
            }
        };
        let mut known: Manifest = serde_json::from_str(&text).map_err(|error| {
            let path = path.display();
            Refused::Taken(format!("{path} is no manifest of cookc ({error}): name a new folder"))
        })?;
        if let Some((what, was, now)) = different(&known, &new) {
            return Err(Refused::Taken(format!(
                "{name} holds another data set: its {what} is {was}, and {now} is asked for; name \
                 a new folder"
            )));
        }
        if !resume {
            return Err(Refused::Taken(format!(
                "{name} holds this data set, or a part of it: add `--resume` to write what is \
                 missing, or name a new folder"
            )));
        }
        // A file that is gone, or is not as long as it was, is written again.
        known.shards.retain(|shard| {
            fs::metadata(self.folder.join(&shard.file)).is_ok_and(|file| file.len() == shard.bytes)
        });
        Ok(known)
    }

    /// Whether nothing lies in the folder but what other writers of the set have.
    fn is_free(&self) -> Result<bool, Refused> {
        let entries = fs::read_dir(&self.folder).with_context(|| self.cannot_write())?;
        let is_ours = |name: &str| {
            let of_set = name.starts_with("data-") && name.ends_with(self.ending);
            of_set && self.part.1 > 1 || name.starts_with("cookc-") || name.starts_with('.')
        };
        let mut names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.all(|name| is_ours(&name.to_string_lossy())))
    }

    /// The path of this writer's manifest.
    pub fn manifest(&self) -> PathBuf {
        self.folder.join(match self.part {
            (_, 1) => "cookc.json".to_string(),
            (part, of) => format!("cookc-{part}-of-{of}.json"),
        })
    }

    fn put(&self, manifest: &Manifest) -> Result<(), Refused> {
        let text = serde_json::to_string_pretty(manifest).expect("texts and numbers are JSON");
        let path = self.manifest();
        let written = disk::write(&path, (text + "\n").as_bytes());
        Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
    }

    /// Held as long as this writer writes.
    fn lock(&self) -> Result<Lock, Refused> {
        let (part, of) = self.part;
        let path = self.folder.join(format!(".cookc-{part}-of-{of}.lock"));
        let file = File::create(&path).with_context(|| self.cannot_write())?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Err(Refused::Taken(format!(
                "another cookc is writing {} of {of} into {}: wait until it ends, or name another \
                 folder",
                part,
                self.folder.display()
            ))),
            // A file system without locks has no other writer that is seen.
            Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(Lock { path, _file: file }),
        }
    }

    fn cannot_write(&self) -> String {
        format!("cannot write {}", self.folder.display())
    }
}

/// A folder of shards, read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What the data set is: see [`Shards::of`].
    pub of: String,
    /// The rows that it has when it is complete.
    pub rows: u64,
    /// Those that are there, as written.
    pub rows_there: u64,
    /// The bytes of their files.
    pub bytes: u64,
    /// What is wrong or missing, a line each; nothing of a data set that is complete.
    pub problems: Vec<String>,
    /// Whether it was stopped before all files were read.
    pub is_stopped: bool,
}

/// Reads all files of a folder of shards, and compares them with its manifests. `each` gets how
/// many shards are read and how many there are; it may stop it.
///
/// # Errors
/// [`Refused`] if the folder has no manifest, or cannot be read.
pub fn verify(
    folder: &Path,
    each: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<Verified, Refused> {
    let manifests = manifests(folder)?;
    let (_, first) = &manifests[0];
    let mut verified = Verified { of: first.of.clone(), rows: first.rows, ..Verified::default() };
    for (name, manifest) in &manifests {
        if let Some((what, one, other)) = different(first, manifest) {
            let text = format!("{name}: its {what} is {other}, and that of the first is {one}");
            verified.problems.push(text);
        }
    }
    let shards: Vec<&Shard> = manifests.iter().flat_map(|(_, one)| &one.shards).collect();
    let count = AtomicU64::new(0);
    let checked: Vec<Option<Option<String>>> = shards
        .par_iter()
        .map(|shard| {
            let found = wrong(folder, shard);
            let done = count.fetch_add(1, Ordering::Relaxed) + 1;
            each(done, shards.len() as u64).then_some(found)
        })
        .collect();
    for (shard, found) in shards.iter().zip(checked) {
        match found {
            None => verified.is_stopped = true,
            Some(Some(problem)) => verified.problems.push(problem),
            Some(None) => {
                verified.rows_there += shard.rows;
                verified.bytes += shard.bytes;
            }
        }
    }
    if !verified.is_stopped {
        verified.problems.extend(gaps(first, &shards));
    }
    Ok(verified)
}

/// The manifests of a folder with their names, in order; at least one.
///
/// # Errors
/// [`Refused`] if the folder has no manifest, or cannot be read.
pub fn manifests(folder: &Path) -> Result<Vec<(String, Manifest)>, Refused> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name().to_string_lossy().into_owned();
        let is_one = name == "cookc.json" || name.starts_with("cookc-") && name.ends_with(".json");
        if !is_one {
            continue;
        }
        let text = fs::read_to_string(folder.join(&name)).with_context(cannot)?;
        let manifest = serde_json::from_str(&text).map_err(|error| {
            Refused::Taken(format!("{}: {error}", folder.join(&name).display()))
        })?;
        found.push((name, manifest));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if found.is_empty() {
        return Err(Refused::Taken(format!(
            "{} has no manifest of cookc (cookc.json): name a folder that `cookc generate -o \
             FOLDER/` wrote",
            folder.display()
        )));
    }
    Ok(found)
}

/// What is wrong with a shard, if something is.
pub fn wrong(folder: &Path, shard: &Shard) -> Option<String> {
    let path = folder.join(&shard.file);
    let name = &shard.file;
    match fs::metadata(&path).map(|file| file.len()) {
        Err(error) => Some(format!("{name} cannot be read: {error}")),
        Ok(bytes) if bytes != shard.bytes => {
            Some(format!("{name} has {bytes} bytes, and had {}", shard.bytes))
        }
        Ok(_) => match digest(&path) {
            Err(error) => Some(format!("{name} cannot be read: {error}")),
            Ok(found) if found != shard.blake3 => {
                Some(format!("{name} has other bytes than were written"))
            }
            Ok(_) => None,
        },
    }
}

/// Rows that no shard has, and rows that several have.
fn gaps(set: &Manifest, shards: &[&Shard]) -> Vec<String> {
    let mut found: Vec<Range<u64>> =
        shards.iter().map(|shard| shard.first..shard.first + shard.rows).collect();
    found.sort_by_key(|rows| rows.start);
    let end = set.first + set.rows;
    let (mut next, mut problems) = (set.first, Vec::new());
    for rows in found.into_iter().chain(std::iter::once(end..end)) {
        if rows.start > next {
            problems.push(format!("rows {next} to {} are missing", rows.start - 1));
        }
        if rows.start < next {
            problems.push(format!("rows {} to {} are there twice", rows.start, next - 1));
        }
        next = next.max(rows.end);
    }
    problems
}

/// A file that is locked, and goes with the lock. A writer that gets its lock then finds all that
/// this one has written.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// The first thing in which a manifest is not that of what is asked for.
fn different(known: &Manifest, new: &Manifest) -> Option<(&'static str, String, String)> {
    let number = |was: u64, now: u64| (was.to_string(), now.to_string());
    [
        ("data", (known.of.clone(), new.of.clone())),
        ("first index", number(known.first, new.first)),
        ("number of rows", number(known.rows, new.rows)),
        ("shard size", number(known.shard_size, new.shard_size)),
        ("version of cookc", (known.cookc.clone(), new.cookc.clone())),
    ]
    .into_iter()
    .find(|(_, (was, now))| was != now)
    .map(|(what, (was, now))| (what, was, now))
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}
