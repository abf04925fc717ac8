//! The lines of a file or of standard input, read by a thread: a signal ends the wait for them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::super::Failure;

/// The most bytes of a line: far more than a reply, its prompt and its fields.
pub const BYTES_MAX: u64 = 16 << 20;
/// Between two looks at whether a signal came.
const TICK: Duration = Duration::from_millis(50);
/// The bytes that are handed over together, if they are there already.
const TOGETHER: usize = 1 << 16;

/// A line without its end, or why there is none.
type Line = io::Result<Vec<u8>>;

/// The lines of a file; the name `-` is standard input.
pub struct Lines {
    receiver: Receiver<Vec<Line>>,
    ready: std::vec::IntoIter<Line>,
    cancel: &'static AtomicBool,
}

impl Lines {
    /// Begins to read. Opening is left to the thread too: a pipe opens when its writer does.
    pub fn open(path: &Path, cancel: &'static AtomicBool) -> Lines {
        // One handful waits while the next is read: memory is that of two.
        let (sender, receiver) = sync_channel(0);
        let path: PathBuf = path.to_path_buf();
        thread::spawn(move || match path == Path::new("-") {
            true => send(&mut BufReader::new(io::stdin()), &sender),
            false => match File::open(&path) {
                Ok(file) => send(&mut BufReader::new(file), &sender),
                Err(error) => drop(sender.send(vec![Err(error)])),
            },
        });
        Lines { receiver, ready: Vec::new().into_iter(), cancel }
    }

    /// The next line; none at the end. A line that is too long is an error of the kind
    /// `FileTooLarge`.
    pub fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted);
            }
            if let Some(line) = self.ready.next() {
                return Ok(Some(line));
            }
            match self.receiver.recv_timeout(TICK) {
                Ok(lines) => self.ready = lines.into_iter(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

/// Sends all lines, those together that can be read without waiting, until the receiver is gone.
fn send<R: Read>(reader: &mut BufReader<R>, sender: &SyncSender<Vec<Line>>) {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    loop {
        let line = next(reader);
        let is_last = !matches!(line, Some(Ok(_)));
        bytes += line.as_ref().and_then(|line| line.as_ref().ok()).map_or(0, Vec::len);
        lines.extend(line);
        if is_last || bytes >= TOGETHER || !reader.buffer().contains(&b'\n') {
            bytes = 0;
            if sender.send(std::mem::take(&mut lines)).is_err() || is_last {
                return;
            }
        }
    }
}

/// The next line, no longer than may be.
fn next<R: Read>(reader: &mut BufReader<R>) -> Option<Line> {
    let mut line = Vec::new();
    match reader.by_ref().take(BYTES_MAX + 1).read_until(b'\n', &mut line) {
        Ok(0) => None,
        Ok(_) if line.last() == Some(&b'\n') => {
            line.pop();
            Some(Ok(line))
        }
        Ok(_) if line.len() as u64 > BYTES_MAX => Some(Err(ErrorKind::FileTooLarge.into())),
        Ok(_) => Some(Ok(line)),
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl Read) -> Vec<Line> {
        let mut reader = BufReader::new(text);
        std::iter::from_fn(|| next(&mut reader)).take(3).collect()
    }

    #[test]
    fn a_line_ends_where_it_ends_and_is_no_longer_than_may_be() {
        let lines: Vec<Vec<u8>> =
            read(&b"a\n\nb"[..]).into_iter().map(|line| line.expect("a line")).collect();
        assert_eq!(lines, [&b"a"[..], b"", b"b"]);
        let endless = read(io::repeat(b'x')).remove(0).expect_err("it has no end");
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
        let longest = read(io::repeat(b'x').take(BYTES_MAX)).remove(0).expect("it fits");
        assert_eq!(longest.len() as u64, BYTES_MAX);
    }
}
