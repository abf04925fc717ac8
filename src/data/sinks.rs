//! Where data goes: standard output, or a file that appears under its name only when it is whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// Takes bytes; [`finish`](Sink::finish) makes them last. Dropped before, a file is not made.
pub enum Sink {
    /// Standard output.
    Stdout(io::Stdout),
    /// A device or a pipe, written as it is.
    Device(File, PathBuf),
    /// A file under another name, and the name that it gets.
    New(NamedTempFile, PathBuf),
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
        let there = fs::metadata(&path).ok();
        let permissions = match &there {
            Some(there) if there.is_dir() => {
                anyhow::bail!("{}: it is a folder; name a file in it", cannot())
            }
            Some(there) if !there.is_file() => {
                let device = OpenOptions::new().write(true).open(&path).with_context(cannot)?;
                return Ok(Sink::Device(device, path));
            }
            Some(there) => there.permissions(),
            // What a new file gets, less what the user's mask takes away.
            None => Permissions::from_mode(0o666),
        };
        let folder = folder(&path);
        let file = tempfile::Builder::new()
            .prefix(".cookc-")
            .permissions(permissions.clone())
            .tempfile_in(folder)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound if !folder.exists() => {
                    anyhow::anyhow!("there is no folder {}", folder.display())
                }
                // The error itself names the file that was to be renamed, which helps nobody.
                kind => io::Error::from(kind).into(),
            })
            .with_context(cannot)?;
        if there.is_some() {
            // The user's mask took away what the file that is replaced has.
            file.as_file().set_permissions(permissions).with_context(cannot)?;
        }
        Ok(Sink::New(file, path))
    }

    /// Writes all of the bytes.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Sink::Stdout(stdout) => {
                stdout.write_all(bytes).context("cannot write to standard output")
            }
            Sink::Device(file, path) => file.write_all(bytes).with_context(|| cannot_write(path)),
            Sink::New(file, path) => {
                file.as_file_mut().write_all(bytes).with_context(|| cannot_write(path))
            }
        }
    }

    /// All was put: the bytes reach the disk, then the file its name, then the name the disk.
    pub fn finish(self) -> Result<()> {
        match self {
            Sink::Stdout(mut stdout) => stdout.flush().context("cannot write to standard output"),
            Sink::Device(mut file, path) => file.flush().with_context(|| cannot_write(&path)),
            Sink::New(file, path) => {
                let cannot = || cannot_write(&path);
                file.as_file().sync_all().with_context(cannot)?;
                file.persist(&path).map_err(|error| error.error).with_context(cannot)?;
                File::open(folder(&path)).and_then(|folder| folder.sync_all()).with_context(cannot)
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

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
