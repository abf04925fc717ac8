//! Where data goes: standard output, or a file that appears under its name only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::disk::{self, Pending};

/// Takes bytes; [`finish`](Sink::finish) makes them last. Dropped before, a file is not made.
pub enum Sink {
    /// Standard output.
    Stdout(io::Stdout),
    /// A device or a pipe, written as it is.
    Device(File, PathBuf),
    /// A file that is not whole yet, and the name that it gets.
    New(Pending, PathBuf),
}

impl Sink {
    /// Standard output.
    pub fn stdout() -> Sink {
        Sink::Stdout(io::stdout())
    }

    /// A file. What stands there now stays until the new one is whole.
    pub fn file(path: &Path) -> Result<Sink> {
        let cannot = || format!("cannot write {}", path.display());
        // The file that a link leads to is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match fs::metadata(&path).ok() {
            Some(there) if there.is_dir() => {
                anyhow::bail!("{}: it is a folder; name a file in it", cannot())
            }
            Some(there) if !there.is_file() => {
                let device = OpenOptions::new().write(true).open(&path).with_context(cannot)?;
                return Ok(Sink::Device(device, path));
            }
            _ => {}
        }
        let folder = disk::folder_of(&path);
        disk::sweep(folder);
        let pending = Pending::create(&path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound if !folder.exists() => {
                    anyhow::anyhow!("there is no folder {}", folder.display())
                }
                _ => error.into(),
            })
            .with_context(cannot)?;
        Ok(Sink::New(pending, path))
    }

    /// Writes all of the bytes.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Sink::Stdout(stdout) => {
                stdout.write_all(bytes).context("cannot write to standard output")
            }
            Sink::Device(file, path) => file.write_all(bytes).with_context(|| cannot_write(path)),
            Sink::New(file, path) => file.write_all(bytes).with_context(|| cannot_write(path)),
        }
    }

    /// All was put: the bytes reach the disk, then the file its name, then the name the disk.
    pub fn finish(self) -> Result<()> {
        match self {
            Sink::Stdout(mut stdout) => stdout.flush().context("cannot write to standard output"),
            Sink::Device(mut file, path) => file.flush().with_context(|| cannot_write(&path)),
            Sink::New(file, path) => {
                file.finish().with_context(|| cannot_write(&path))?;
                Ok(())
            }
        }
    }
}

/// Puts a text in the place of a file, whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let mut sink = Sink::file(path)?;
    sink.put(text.as_bytes())?;
    sink.finish()
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
