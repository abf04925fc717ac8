//! A rank's two connections, to its neighbours in the ring: heartbeats, watch, and peer failure.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use super::frame::{self, Header, Kind};
use super::{Lost, Place, Watch};

/// Heartbeats in the time after which a silent neighbour is lost.
const BEATS: u32 = 10;

/// A neighbour that gave no sign for so long is lost, or for `COOKC_TIMEOUT` if that is shorter.
const SILENCE: Duration = Duration::from_secs(10);

/// How long a process that is to end may take before it is ended. With [`SILENCE`] and
/// [`HEARSAY`] less than the 30 s after which no process of a broken group is left.
const GRACE: Duration = Duration::from_secs(15);

/// A right neighbour that cannot be written to may have ended because of another's loss. Word of
/// that comes round from the left, and is waited for so long before the neighbour is blamed.
const HEARSAY: Duration = Duration::from_secs(2);

/// Between two looks at whether to go on waiting.
const TICK: Duration = Duration::from_millis(50);

/// The connections of one rank: numbers, heartbeats and failures come from the rank on the left
/// and go to the one on the right.
#[derive(Debug)]
pub(super) struct Links {
    shared: Arc<Shared>,
    /// What has come, and how many operations were begun.
    pub inbox: Mutex<Inbox>,
    /// To end the threads that read and write.
    ends: [TcpStream; 2],
}

/// What came from the left and was not looked at yet.
#[derive(Debug)]
pub(super) struct Inbox {
    frames: Receiver<(Header, Vec<u8>)>,
    /// Operations begun.
    pub operations: u32,
}

/// What the threads of a rank share.
#[derive(Debug)]
struct Shared {
    rank: usize,
    size: usize,
    right: Mutex<TcpStream>,
    state: Mutex<State>,
    changed: Condvar,
    silence: Duration,
    watch: Watch,
}

#[derive(Debug, Default)]
struct State {
    lost: Option<Lost>,
    /// This rank's work is over.
    closed: bool,
    /// The left neighbour's is.
    left_closed: bool,
}

impl Links {
    /// Begins to send heartbeats to the right, and to read what comes from the left.
    pub fn new(
        place: &Place,
        [left, right]: [TcpStream; 2],
        watch: Watch,
    ) -> std::io::Result<Links> {
        let silence = SILENCE.min(place.patience);
        left.set_read_timeout(Some(silence))?;
        right.set_write_timeout(Some(silence))?;
        let ends = [left.try_clone()?, right.try_clone()?];
        let (rank, size) = (place.rank, place.size);
        let (right, state, changed) = (Mutex::new(right), Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { rank, size, right, state, changed, silence, watch });
        let (sender, frames) = channel();
        thread::spawn({
            let shared = shared.clone();
            move || shared.read(left, &sender)
        });
        thread::spawn({
            let shared = shared.clone();
            move || shared.beat()
        });
        Ok(Links { shared, inbox: Mutex::new(Inbox { frames, operations: 0 }), ends })
    }

    /// This rank and the number of ranks.
    pub fn place(&self) -> (usize, usize) {
        (self.shared.rank, self.shared.size)
    }

    /// Sends a frame to the right.
    pub fn send(&self, header: Header, bytes: &[u8]) -> Result<()> {
        Ok(self.shared.send(header, bytes)?)
    }

    /// The next frame from the left, however long it takes: as long as that rank gives signs of
    /// life, it works.
    pub fn receive(&self, inbox: &Inbox) -> Result<(Header, Vec<u8>)> {
        loop {
            let ended = match inbox.frames.recv_timeout(TICK) {
                Ok(frame) => return Ok(frame),
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if let Some(lost) = self.lost() {
                return Err(lost.into());
            }
            if self.shared.watch.cancel.load(Ordering::Relaxed) {
                bail!("interrupted while waiting for the other processes");
            }
            if ended {
                let why = "has ended while others still work".to_string();
                return Err(self.lose_left(why).into());
            }
        }
    }

    /// Takes the left neighbour for lost.
    pub fn lose_left(&self, why: String) -> Lost {
        self.shared.lose(Lost { rank: self.shared.left(), why, interrupted: false })
    }

    /// Takes a rank for lost, this one for example, and tells the others.
    pub fn lose(&self, lost: Lost) -> Lost {
        self.shared.lose(lost)
    }

    /// The rank that is lost, if one is.
    pub fn lost(&self) -> Option<Lost> {
        self.shared.state().lost.clone()
    }

    /// Takes leave of the right neighbour, and waits until the left one did the same.
    pub fn close(&self) {
        let _ = self.shared.send(Kind::Bye.into(), &[]);
        let mut state = self.shared.state();
        state.closed = true;
        self.shared.changed.notify_all();
        let open = |state: &mut State| !state.left_closed && state.lost.is_none();
        let waited = self.shared.changed.wait_timeout_while(state, self.shared.silence, open);
        drop(waited.expect(UNPOISONED));
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.changed.notify_all();
        // What is written is sent before the end is. One that has ended already stays so.
        let [left, right] = &self.ends;
        let _ = (left.shutdown(Shutdown::Read), right.shutdown(Shutdown::Write));
    }
}

const UNPOISONED: &str = "no thread panics while it holds the lock";

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }

    fn left(&self) -> usize {
        (self.rank + self.size - 1) % self.size
    }

    fn right(&self) -> usize {
        (self.rank + 1) % self.size
    }

    /// Notes a loss, unless one was noted before, and tells it to the right; so it goes round.
    fn lose(self: &Arc<Self>, lost: Lost) -> Lost {
        let mut state = self.state();
        if let Some(before) = &state.lost {
            return before.clone();
        }
        if state.closed {
            return lost;
        }
        state.lost = Some(lost.clone());
        self.changed.notify_all();
        drop(state);
        self.watch.cancel.store(true, Ordering::Relaxed);
        let shared = self.clone();
        let told = lost.clone();
        thread::spawn(move || shared.end_in_time(&told));
        let mut right = self.right.lock().expect(UNPOISONED);
        // The right neighbour may have gone already; then it needs no word.
        let _ = frame::write_value(&mut *right, Kind::Lost, &lost);
        lost
    }

    fn end_in_time(&self, lost: &Lost) {
        let open = |state: &mut State| !state.closed;
        let waited = self.changed.wait_timeout_while(self.state(), GRACE, open);
        let stuck = !waited.expect(UNPOISONED).0.closed;
        if stuck {
            (self.watch.stuck)(lost);
        }
    }

    fn send(self: &Arc<Self>, header: Header, bytes: &[u8]) -> Result<(), Lost> {
        let sent = frame::write(&mut *self.right.lock().expect(UNPOISONED), header, bytes);
        sent.map_err(|error| {
            let silent = |state: &mut State| state.lost.is_none() && !state.closed;
            let waited = self.changed.wait_timeout_while(self.state(), HEARSAY, silent);
            drop(waited.expect(UNPOISONED));
            let why = self.reason(&error);
            self.lose(Lost { rank: self.right(), why, interrupted: false })
        })
    }

    /// Heartbeats to the right, until the work is over or a rank is lost.
    fn beat(self: &Arc<Self>) {
        loop {
            let open = |state: &mut State| !state.closed && state.lost.is_none();
            let every = self.silence / BEATS;
            let waited = self.changed.wait_timeout_while(self.state(), every, open);
            let is_over = !open(&mut waited.expect(UNPOISONED).0);
            if is_over || self.send(Kind::Beat.into(), &[]).is_err() {
                return;
            }
        }
    }

    /// Reads what comes from the left, until that ends.
    fn read(self: &Arc<Self>, mut left: TcpStream, inbox: &Sender<(Header, Vec<u8>)>) {
        loop {
            match frame::read(&mut left) {
                Ok((Header { kind: Kind::Beat, .. }, _)) => {}
                Ok((Header { kind: Kind::Bye, .. }, _)) => {
                    self.state().left_closed = true;
                    self.changed.notify_all();
                    return;
                }
                Ok((Header { kind: Kind::Lost, .. }, bytes)) => {
                    if let Ok(lost) = frame::value(&bytes) {
                        self.lose(lost);
                    }
                    return;
                }
                // If nothing waits for it, the work is over.
                Ok(frame) => drop(inbox.send(frame)),
                Err(error) => {
                    let why = self.reason(&error);
                    self.lose(Lost { rank: self.left(), why, interrupted: false });
                    return;
                }
            }
        }
    }

    /// What a failed connection says of the rank at its other end.
    fn reason(&self, error: &std::io::Error) -> String {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("did not answer for {} s", self.silence.as_secs())
            }
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => "ended, or its machine did".to_string(),
            _ => format!("cannot be reached: {error}"),
        }
    }
}
