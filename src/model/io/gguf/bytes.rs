//! Reads numbers and texts from a file of known size, and believes no length beyond its end.

use std::io::Read;

use anyhow::{Context, Result, ensure};

/// What is left of the part of a file that may be read.
pub(super) struct Bytes<R> {
    from: R,
    place: u64,
    end: u64,
}

impl<R: Read> Bytes<R> {
    pub(super) fn new(from: R, end: u64) -> Bytes<R> {
        Bytes { from, place: 0, end }
    }

    /// Bytes read so far.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.end - self.place
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A text behind its length. Bytes that are no UTF-8 are shown as such.
    pub(super) fn text(&mut self) -> Result<String> {
        let length = self.u64()?;
        ensure!(length <= self.left(), "a text of {length} bytes goes beyond the file");
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<()> {
        ensure!(count <= self.left(), "the file ends early");
        let skipped = std::io::copy(&mut (&mut self.from).take(count), &mut std::io::sink())?;
        self.place += skipped;
        ensure!(skipped == count, "the file ends early");
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        ensure!(bytes.len() as u64 <= self.left(), "the file ends early");
        self.from.read_exact(bytes).context("the file ends early")?;
        self.place += bytes.len() as u64;
        Ok(())
    }
}
