//! The run folder: claimed before any work, every file in it written atomically.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::memory;
use super::observer::Observer;
use crate::disk::{self, Lock, Pending};
use crate::template::Error;
use crate::train::Saved;

/// Where runs go unless the user says otherwise.
const RUNS: &str = "runs";

/// Folders of a run folder that a run writes into; the folder itself is one.
const WRITTEN: [&str; 8] =
    ["", "checkpoints", "model", "adapter", "best", "best/model", "best/adapter", "tensorboard"];

/// Files and folders that a run leaves, checkpoints apart.
const LEFT: [&str; 7] = [
    "report.json",
    "report.html",
    "samples.jsonl",
    "best",
    "model",
    "adapter",
    // The last one: as long as it is there, a folder is known as a run's.
    "metrics.jsonl",
];

/// A run folder that can be written.
#[derive(Debug)]
pub struct Folder {
    /// Its path.
    pub path: PathBuf,
    /// Of the process that writes; a kill frees it.
    _lock: Option<Lock>,
}

impl Folder {
    /// The folder that the user names, or the next free one after the recipe's name. What an
    /// earlier run has left in it goes, but for what this one starts from.
    pub fn claim(
        out: Option<&Path>,
        name: &str,
        force: bool,
        base: Option<&Path>,
    ) -> Result<Folder, Error> {
        let folder = match out {
            Some(path) => named(path, force)?,
            None => next_free(name)?,
        };
        folder.try_out()?;
        if force {
            folder.clear(base)?;
        }
        Ok(folder)
    }

    /// The folder of a run that was begun.
    pub fn again(path: &Path) -> Result<Folder, Error> {
        let folder = Folder::locked(path)?;
        folder.try_out()?;
        Ok(folder)
    }

    /// The folder as another process of the group sees it, which does not write.
    pub fn seen(path: PathBuf) -> Folder {
        Folder { path, _lock: None }
    }

    /// Takes a folder's lock, and sweeps what killed processes left half-written.
    fn locked(path: &Path) -> Result<Folder, Error> {
        let lock = lock(path)?;
        WRITTEN.iter().for_each(|name| disk::sweep(&path.join(name)));
        Ok(Folder { path: path.to_path_buf(), _lock: Some(lock) })
    }

    /// A file or folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file atomically. A link of its name is replaced, not followed.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.join(name);
        Ok(disk::write(&path, text.as_bytes()).with_context(|| cannot_write(&path))?)
    }

    /// Writes a file, and leaves it open to append to.
    pub fn begin(&self, name: &str, text: &str) -> Result<File> {
        let path = self.join(name);
        let written = Pending::create(&path).and_then(|mut pending| {
            pending.write_all(text.as_bytes())?;
            pending.finish()
        });
        written.with_context(|| cannot_write(&path))
    }

    /// The newest undamaged checkpoint, if there is one, and the newer ones that are damaged.
    pub fn newest_whole(
        &self,
        observer: &Observer,
    ) -> Result<(Option<Saved>, Vec<PathBuf>), Error> {
        let mut all = self.checkpoints()?;
        all.sort();
        let mut damaged: Vec<PathBuf> = Vec::new();
        let mut why: Option<anyhow::Error> = None;
        while let Some(path) = all.pop() {
            match Saved::open(&path) {
                Ok(saved) => {
                    if let Some(why) = why {
                        let path = saved.path.display();
                        observer.note(format!("{why:#}; going on from {path}"));
                    }
                    return Ok((Some(saved), damaged));
                }
                // The disk failed, or it may not be read: that says nothing of what it holds.
                Err(error) if is_of_the_machine(&error) => return Err(error.into()),
                Err(error) => {
                    why.get_or_insert(error);
                    damaged.push(path);
                }
            }
        }
        let Some(why) = why else { return Ok((None, damaged)) };
        let name = self.path.display();
        Err(Error::Input(format!(
            "{why:#}, and no checkpoint of {name} is whole: bring one back from a copy, or train \
             again from the start with `cookc run --train {name}/recipe.toml --out {name} --force`"
        )))
    }

    /// Gives damaged checkpoints another name, so that none is taken for the newest.
    pub fn put_aside(&self, damaged: &[PathBuf]) -> Result<()> {
        damaged.iter().try_for_each(|path| {
            let mut name = path.clone().into_os_string();
            name.push(".damaged");
            fs::rename(path, &name).with_context(|| format!("cannot rename {}", path.display()))
        })
    }

    /// The newest checkpoint, if there is one.
    pub fn checkpoint(&self) -> Result<Option<PathBuf>, Error> {
        Ok(self.checkpoints()?.into_iter().max())
    }

    /// Where the checkpoint after a number of steps goes.
    pub fn checkpoint_after(&self, steps: u64) -> PathBuf {
        // Enough digits that names sort as numbers do.
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
    pub fn expect_room(&self, kept: usize, bytes: u64) -> Result<(), Error> {
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
                 `save_total_limit`",
                folder.display(),
                memory::text(bytes)
            )
        })?;
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        self.checkpoint_files(".safetensors")
    }

    fn checkpoint_files(&self, end: &str) -> Result<Vec<PathBuf>> {
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
            name.starts_with("step-") && name.ends_with(end)
        };
        Ok(entries.flatten().map(|entry| entry.path()).filter(is_one).collect())
    }

    /// Deletes what an earlier run left, so that nothing of it is taken for this one's. A folder
    /// that no run wrote, and the model that this run starts from, are left alone.
    fn clear(&self, base: Option<&Path>) -> Result<()> {
        if fs::symlink_metadata(self.join("metrics.jsonl")).is_err() {
            return Ok(());
        }
        for end in [".safetensors", ".damaged"] {
            self.checkpoint_files(end)?.iter().try_for_each(|path| remove(path))?;
        }
        let base = base.and_then(|base| base.canonicalize().ok());
        for name in LEFT {
            let path = self.join(name);
            let there = path.canonicalize().ok();
            if there.zip(base.as_ref()).is_none_or(|(path, base)| !base.starts_with(path)) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Writes a file and takes it away, so that a folder without room or right is found now.
    fn try_out(&self) -> Result<(), Error> {
        let mut file = tempfile::tempfile_in(&self.path)
            .map_err(|error| std::io::Error::from(error.kind()))
            .with_context(|| cannot_write(&self.path))?;
        Ok(file.write_all(b"cookc").with_context(|| cannot_write(&self.path))?)
    }
}

fn named(path: &Path, force: bool) -> Result<Folder, Error> {
    fs::create_dir_all(path).with_context(|| cannot_write(path))?;
    let folder = Folder::locked(path)?;
    if !force && !is_empty(path) {
        return Err(holds_files(path));
    }
    Ok(folder)
}

/// Fails if a new run would be refused a folder that holds files, for the reason that it would be
/// given.
pub fn expect_free(path: &Path) -> Result<(), Error> {
    match is_empty(path) {
        true => Ok(()),
        false => lock(path).and(Err(holds_files(path))),
    }
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).into_iter().flatten().next().is_none()
}

fn holds_files(path: &Path) -> Error {
    let name = path.display();
    Error::Input(format!(
        "{name} holds files already: choose another --out, go on with `--resume {name}`, \
         or replace what is there with `--force`"
    ))
}

/// Takes a folder's lock, unless another process has it.
fn lock(path: &Path) -> Result<Lock, Error> {
    disk::lock(path).with_context(|| cannot_write(path))?.ok_or_else(|| {
        let name = path.display();
        Error::Input(format!(
            "another cookc is writing to {name}: wait until it ends, or choose another folder"
        ))
    })
}

/// `runs/NAME`, or `runs/NAME-2` and so on where that is taken.
fn next_free(name: &str) -> Result<Folder, Error> {
    let runs = Path::new(RUNS);
    fs::create_dir_all(runs).with_context(|| cannot_write(runs))?;
    let mut number = 1;
    loop {
        let path = match number {
            1 => runs.join(name),
            number => runs.join(format!("{name}-{number}")),
        };
        number += 1;
        match fs::create_dir(&path) {
            // Another may name it by `--out` in this moment, and have it first.
            Ok(()) => match Folder::locked(&path) {
                Err(Error::Input(_)) => {}
                folder => return folder,
            },
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(anyhow::Error::new(error).context(cannot_write(&path)).into());
            }
        }
    }
}

/// Whether an error is one of the disk, not of a file that ends too early.
fn is_of_the_machine(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() != ErrorKind::UnexpectedEof)
}

/// Deletes a file, a link or a folder, if there is one.
fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| cannot_delete(path))
        }
        _ => Ok(()),
    }
}

fn cannot_delete(path: &Path) -> String {
    format!("cannot delete {}", path.display())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
