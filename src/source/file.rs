//! Files of a known kind and a largest size, read whole: nothing that waits or never ends.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The bytes of an ordinary file of at most `most` bytes.
///
/// # Errors
/// [`ErrorKind::IsADirectory`] for a folder, [`ErrorKind::FileTooLarge`] for more bytes, and
/// [`ErrorKind::InvalidInput`] for a pipe, a socket or a device, which is not even opened: that
/// alone may wait for ever.
pub fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>> {
    read_at_most(open(path)?, most)
}

/// Opens an ordinary file to read it.
///
/// # Errors
/// As [`bytes_of`], whatever its size.
pub fn open(path: &Path) -> Result<File> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        let why = "it is a pipe, a socket or a device, not a file";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    File::open(path)
}

/// The rest of an open file. One that says that it is too large is not read; one that does not say,
/// such as a pipe, is read no further than needed to see it.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] for more than `most` bytes.
pub fn read_at_most(file: File, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.metadata()?.len() <= most {
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= most {
            return Ok(bytes);
        }
    }
    Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes")))
}
