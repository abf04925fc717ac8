//! Where bytes go: a stream, or a file that is written atomically: it gets its name at the end.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::partial::Partial;
use crate::disk::{self, Pending};

/// Takes bytes; [`finish`](Output::finish) stores them. Dropped before, no file is written.
pub struct Output {
    to: To,
    /// What an error says.
    cannot: String,
    bytes: u64,
}

enum To {
    /// A device, a pipe or another stream, written as it is.
    Stream(Box<dyn Write + Send>),
    /// A file that is not complete yet.
    New(Pending),
    /// One that a killed writer leaves to the next.
    Partial(Partial),
}

impl Output {
    /// To a stream, under the name that its errors show, such as `standard output`.
    pub fn stream(stream: impl Write + Send + 'static, name: &str) -> Output {
        let to = To::Stream(Box::new(stream));
        Output { to, cannot: format!("cannot write to {name}"), bytes: 0 }
    }

    /// To a file. The file that has this name now is replaced at the end.
    ///
    /// # Errors
    /// If the path is a folder, or no file can be created beside it.
    pub fn file(path: &Path) -> Result<Output> {
        // The file that a link leads to is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let cannot = format!("cannot write {}", path.display());
        match fs::metadata(&path).ok() {
            Some(there) if there.is_dir() => {
                anyhow::bail!("{cannot}: it is a folder; name a file in it")
            }
            Some(there) if !there.is_file() => {
                let device = OpenOptions::new().write(true).open(&path);
                let to = To::Stream(Box::new(device.with_context(|| cannot.clone())?));
                return Ok(Output { to, cannot, bytes: 0 });
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
            .with_context(|| cannot.clone())?;
        Ok(Output { to: To::New(pending), cannot, bytes: 0 })
    }

    /// To a file that a killed writer leaves to the next; its path is that of errors.
    pub fn partial(partial: Partial, path: &Path) -> Output {
        let bytes = partial.bytes_there();
        let cannot = format!("cannot write {}", path.display());
        Output { to: To::Partial(partial), cannot, bytes }
    }

    /// Says that the rows before this index are complete in the bytes so far.
    ///
    /// # Errors
    /// If the disk does not take what is recorded.
    pub fn mark(&mut self, next: u64) -> Result<()> {
        match &mut self.to {
            To::Stream(_) | To::New(_) => Ok(()),
            To::Partial(file) => file.mark(next).with_context(|| self.cannot.clone()),
        }
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// If the stream or the disk does not take them.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        let written = match &mut self.to {
            To::Stream(stream) => stream.write_all(bytes),
            To::New(file) => file.write_all(bytes),
            To::Partial(file) => file.write_all(bytes),
        };
        written.with_context(|| self.cannot.clone())
    }

    /// How many bytes it has so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the output: a file's bytes reach the disk, then the file gets its name. Returns how
    /// many bytes it has.
    ///
    /// # Errors
    /// If the stream or the disk does not take them.
    pub fn finish(self) -> Result<u64> {
        let finished = match self.to {
            To::Stream(mut stream) => stream.flush(),
            To::New(file) => file.finish().map(|_| ()),
            To::Partial(file) => file.finish(),
        };
        finished.context(self.cannot)?;
        Ok(self.bytes)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let put = self.put(bytes).map_err(|error| {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            io::Error::new(kind.unwrap_or(io::ErrorKind::Other), format!("{error:#}"))
        });
        put.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Output").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Replaces a file's text atomically; a link is followed.
///
/// # Errors
/// Those of [`Output::file`], and if the disk does not take the text.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let mut output = Output::file(path)?;
    output.put(text.as_bytes())?;
    output.finish().map(|_| ())
}
