//! The run folder: claimed before any work, every file in it whole.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

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
            folder.keep_checkpoints(&|_| false)?;
        }
        Ok(folder)
    }

    /// The folder of a run that was begun.
    pub fn again(path: &Path) -> Result<Folder, Failure> {
        let folder = Folder { path: path.to_path_buf() };
        folder.try_out()?;
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

    /// Deletes all checkpoints but one.
    pub fn keep_checkpoint(&self, kept: &Path) -> Result<(), Failure> {
        self.keep_checkpoints(&|path| path == kept)
    }

    /// The lines of `metrics.jsonl` up to a step, which stay; later ones are taken out. Then the
    /// file, to append to.
    pub fn metrics(&self, steps_done: u64) -> Result<(Vec<serde_json::Value>, File), Failure> {
        let path = self.join("metrics.jsonl");
        let text = if path.exists() { load::text_of(&path)? } else { String::new() };
        let (mut lines, mut kept) = (Vec::new(), String::new());
        for line in text.lines() {
            // A line that was cut off is no JSON; its step is done again.
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            if value["step"].as_u64().is_some_and(|step| step <= steps_done) {
                // As it was written: numbers that are read may come out a bit different.
                kept += &format!("{line}\n");
                lines.push(value);
            }
        }
        self.write("metrics.jsonl", &kept)?;
        let file = OpenOptions::new().append(true).open(&path);
        Ok((lines, file.with_context(|| cannot_write(&path))?))
    }

    fn keep_checkpoints(&self, keep: &dyn Fn(&Path) -> bool) -> Result<(), Failure> {
        for path in self.checkpoints()? {
            if !keep(&path) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot delete {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<PathBuf>, Failure> {
        let folder = self.join("checkpoints");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                let context = format!("cannot read {}", folder.display());
                return Err(anyhow::Error::new(error).context(context).into());
            }
        };
        let is_one = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("step-") && name.ends_with(".safetensors")
        };
        Ok(entries.flatten().map(|entry| entry.path()).filter(is_one).collect())
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

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
