//! The lines that the user types.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::Failure;

/// Between two looks at whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(50);

/// The lines of the standard input. A thread waits for them: reading does not end at Ctrl-C.
pub struct Typed(Receiver<io::Result<String>>);

impl Typed {
    /// From now on.
    pub fn start() -> Typed {
        let (sender, lines) = channel();
        thread::spawn(move || io::stdin().lines().try_for_each(|line| sender.send(line)));
        Typed(lines)
    }

    /// The next line; none when the input has ended, or at Ctrl-C.
    pub fn next(&self, cancel: &AtomicBool) -> Result<Option<String>, Failure> {
        loop {
            match self.0.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) if !cancel.load(Ordering::Relaxed) => {}
                Ok(line) => return Ok(Some(line.context("cannot read standard input")?)),
                Err(_) => return Ok(None),
            }
        }
    }
}
