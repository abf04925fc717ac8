//! The run folder: claimed before any work, every file in it whole.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::HumanBytes;

use crate::cli::{Failure, load};
use crate::data::sinks::Sink;

/// Where runs go unless the user says otherwise.
const RUNS: &str = "runs";

/// A run folder that can be written.
#[derive(Debug)]
pub struct Folder {
    /// Its path.
    pub path: PathBuf,
}

impl Folder {
    /// The folder that the user names, or the next free one after the recipe's name.
    pub fn claim(out: Option<&Path>, name: &str, force: bool) -> Result<Folder, Failure> {
        let path = match out {
            Some(path) => named(path, force)?,
            None => next_free(name)?,
        };
        let folder = Folder { path };
        folder.try_out()?;
        if force {
            // A checkpoint of the run before would be taken for one of this run.
            folder.keep_checkpoints(0)?;
            folder.remove_best()?;
        }
        Ok(folder)
    }

    /// The folder of a run that was begun.
    pub fn again(path: &Path) -> Result<Folder, Failure> {
        let folder = Folder { path: path.to_path_buf() };
        folder.try_out()?;
        folder.remove_torn()?;
        Ok(folder)
    }

    /// A file or folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, whole or not at all.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let mut sink = Sink::file(&self.join(name))?;
        sink.put(text.as_bytes())?;
        Ok(sink.finish()?)
    }

    /// The newest checkpoint, if there is one.
    pub fn checkpoint(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(self.checkpoints()?.into_iter().max())
    }

    /// Where the checkpoint after so many steps goes.
    pub fn checkpoint_after(&self, steps: u64) -> PathBuf {
        // So many digits that names sort as numbers do.
        self.join("checkpoints").join(format!("step-{steps:012}.safetensors"))
    }

    /// Deletes all checkpoints but the last ones.
    pub fn keep_checkpoints(&self, count: usize) -> Result<()> {
        let mut all = self.checkpoints()?;
        all.sort();
        all.truncate(all.len().saturating_sub(count));
        all.iter().try_for_each(|path| remove(path))
    }

    /// Makes sure, before any work, that there is room for checkpoints of that size: those that
    /// are kept, and the next, which is written before the oldest goes.
    pub fn expect_room(&self, kept: usize, bytes: u64) -> Result<(), Failure> {
        let folder = self.join("checkpoints");
        fs::create_dir_all(&folder).with_context(|| cannot_write(&folder))?;
        let files = (kept + 1).saturating_sub(self.checkpoints()?.len()).max(1);
        // The files have no name, and go when they are closed.
        let reserve = || -> std::io::Result<File> {
            let file = tempfile::tempfile_in(&folder)?;
            match fs4::FileExt::allocate(&file, bytes) {
                // A file system that cannot reserve room says nothing of how much there is.
                Err(error) if error.kind() == ErrorKind::Unsupported => Ok(file),
                done => done.map(|()| file),
            }
        };
        let reserved: std::io::Result<Vec<File>> = (0..files).map(|_| reserve()).collect();
        reserved.with_context(|| {
            format!(
                "{} has no room for {files} checkpoints of {}; make room, or write a smaller \
                 `keep_checkpoints`",
                folder.display(),
                HumanBytes(bytes)
            )
        })?;
        Ok(())
    }

    /// The lines of `metrics.jsonl` up to a step, which stay; later ones are taken out, and all of
    /// them where no step was done. Then the file, to append to.
    pub fn metrics(&self, steps_done: u64) -> Result<(Vec<serde_json::Value>, File), Failure> {
        let path = self.join("metrics.jsonl");
        let text = if path.exists() { load::text_of(&path)? } else { String::new() };
        let (mut lines, mut kept) = (Vec::new(), String::new());
        for line in text.lines() {
            // A line that was cut off is no JSON; its step is done again.
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            if value["step"].as_u64().is_some_and(|step| steps_done > 0 && step <= steps_done) {
                // As it was written: numbers that are read may come out a bit different.
                kept += &format!("{line}\n");
                lines.push(value);
            }
        }
        self.write("metrics.jsonl", &kept)?;
        let file = OpenOptions::new().append(true).open(&path);
        Ok((lines, file.with_context(|| cannot_write(&path))?))
    }

    fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        self.checkpoint_files("step-", ".safetensors")
    }

    /// Deletes checkpoints that a kill kept from being whole.
    fn remove_torn(&self) -> Result<()> {
        let torn = self.checkpoint_files(".step-", ".tmp")?;
        torn.iter().try_for_each(|path| remove(path))
    }

    fn checkpoint_files(&self, start: &str, end: &str) -> Result<Vec<PathBuf>> {
        let folder = self.join("checkpoints");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", folder.display()));
            }
        };
        let is_one = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        };
        Ok(entries.flatten().map(|entry| entry.path()).filter(is_one).collect())
    }

    /// Deletes what the run before learned best.
    fn remove_best(&self) -> Result<()> {
        let best = self.join("best");
        match fs::remove_dir_all(&best) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| cannot_delete(&best))
            }
            _ => Ok(()),
        }
    }

    /// Writes a file and takes it away, so that a folder without room or right is found now.
    fn try_out(&self) -> Result<(), Failure> {
        let mut file = tempfile::tempfile_in(&self.path)
            .map_err(|error| std::io::Error::from(error.kind()))
            .with_context(|| cannot_write(&self.path))?;
        Ok(file.write_all(b"cookc").with_context(|| cannot_write(&self.path))?)
    }
}

fn named(path: &Path, force: bool) -> Result<PathBuf, Failure> {
    let mut entries = fs::read_dir(path).into_iter().flatten();
    if !force && entries.next().is_some() {
        let name = path.display();
        return Err(Failure::Input(format!(
            "{name} holds files already: choose another --out, go on with `--resume {name}`, or \
             replace what is there with `--force`"
        )));
    }
    fs::create_dir_all(path).with_context(|| cannot_write(path))?;
    Ok(path.to_path_buf())
}

/// `runs/NAME`, or `runs/NAME-2` and so on where that is taken.
fn next_free(name: &str) -> Result<PathBuf, Failure> {
    let runs = Path::new(RUNS);
    fs::create_dir_all(runs).with_context(|| cannot_write(runs))?;
    let mut number = 1;
    loop {
        let path = match number {
            1 => runs.join(name),
            number => runs.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                return Err(anyhow::Error::new(error).context(cannot_write(&path)).into());
            }
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| cannot_delete(path))
}

fn cannot_delete(path: &Path) -> String {
    format!("cannot delete {}", path.display())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
