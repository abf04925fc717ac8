//! Callers at a port: each is greeted on a separate thread, with one deadline for all that
//! it says, so that none keeps the others waiting.

use std::collections::VecDeque;
use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// For a complete greeting, whatever is said in it.
pub(super) const GREETING: Duration = Duration::from_secs(5);

/// Callers that are greeted at once. One more replaces the oldest: a rank says what it
/// has to in a few milliseconds.
const CALLERS_MAX: usize = 64;

/// Between two looks at whether to go on waiting for bytes.
const TICK: Duration = Duration::from_millis(50);

/// A connection on which all that is read and written has to be done by one moment.
pub(super) struct Timed {
    stream: TcpStream,
    deadline: Instant,
    cancel: &'static AtomicBool,
}

/// Who was greeted well: the connection, where it comes from, and what was said.
pub(super) type Caller<Said> = (TcpStream, SocketAddr, Said);

/// How a caller is greeted: what it says, or why it is none of ours.
type Greet<Said> = dyn Fn(&mut Timed) -> io::Result<Said> + Send + Sync;

/// Who calls at a port.
pub(super) struct Reception<Said> {
    listener: TcpListener,
    greet: Arc<Greet<Said>>,
    cancel: &'static AtomicBool,
    done: (Sender<Greeted<Said>>, Receiver<Greeted<Said>>),
    /// Those who are being greeted, the oldest first.
    open: VecDeque<(u64, TcpStream)>,
    number: u64,
    /// The number of rejected callers, and the address of the last one and the reason.
    turned_away: (u64, Option<(SocketAddr, Error)>),
}

struct Greeted<Said> {
    number: u64,
    from: SocketAddr,
    result: io::Result<(TcpStream, Said)>,
}

impl<Said: Send + 'static> Reception<Said> {
    /// Greets who calls at a listener.
    pub fn new(
        listener: TcpListener,
        cancel: &'static AtomicBool,
        greet: impl Fn(&mut Timed) -> io::Result<Said> + Send + Sync + 'static,
    ) -> io::Result<Reception<Said>> {
        listener.set_nonblocking(true)?;
        let (greet, open) = (Arc::new(greet), VecDeque::new());
        Ok(Reception {
            listener,
            greet,
            cancel,
            done: channel(),
            open,
            number: 0,
            turned_away: (0, None),
        })
    }

    /// Lets in who calls now, and returns the next one that was greeted, if there is one yet.
    pub fn next(&mut self) -> Option<Caller<Said>> {
        // What cannot be accepted is tried again by the other side.
        while let Ok((stream, from)) = self.listener.accept() {
            // One that cannot be used is as good as none.
            let _ = self.let_in(stream, from);
        }
        while let Ok(Greeted { number, from, result }) = self.done.1.try_recv() {
            self.open.retain(|(open, _)| *open != number);
            match result {
                Ok((stream, said)) => return Some((stream, from, said)),
                // Another program's call is no error of the run.
                Err(error) => self.turned_away = (self.turned_away.0 + 1, Some((from, error))),
            }
        }
        None
    }

    /// What is reported of those who were rejected, if there were any.
    pub fn note(&self) -> Option<String> {
        let (count, last) = &self.turned_away;
        let (from, error) = last.as_ref()?;
        let of =
            if *count == 1 { "a call".to_string() } else { format!("{count} calls, the last") };
        Some(format!("{of} from {} was turned away: {error}", from.ip().to_canonical()))
    }

    fn let_in(&mut self, stream: TcpStream, from: SocketAddr) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        if self.open.len() == CALLERS_MAX
            && let Some((_, oldest)) = self.open.pop_front()
        {
            // Its thread sees that and ends.
            let _ = oldest.shutdown(Shutdown::Both);
        }
        let number = self.number;
        self.number += 1;
        self.open.push_back((number, stream.try_clone()?));
        let (greet, sender) = (self.greet.clone(), self.done.0.clone());
        let mut timed = Timed::new(stream, GREETING, self.cancel);
        thread::spawn(move || {
            let result = greet(&mut timed).and_then(|said| Ok((timed.untimed()?, said)));
            // If nothing waits any more, the group has met, or will not.
            let _ = sender.send(Greeted { number, from, result });
        });
        Ok(())
    }
}

impl Timed {
    /// From now on for so long.
    pub fn new(stream: TcpStream, time: Duration, cancel: &'static AtomicBool) -> Timed {
        Timed { stream, deadline: Instant::now() + time, cancel }
    }

    /// The same connection, until another moment.
    pub fn until(mut self, deadline: Instant) -> Timed {
        self.deadline = deadline;
        self
    }

    /// The connection, with time without end.
    pub fn untimed(self) -> io::Result<TcpStream> {
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)?;
        Ok(self.stream)
    }

    /// The other end's address.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// How long the next try to read or write may take.
    fn tick(&self) -> io::Result<Duration> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::ConnectionAborted, "this process is to end"));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(Error::new(ErrorKind::TimedOut, "it said too little in time")),
            false => Ok(left.min(TICK)),
        }
    }

    fn in_time(
        &mut self,
        set: impl Fn(&TcpStream, Duration) -> io::Result<()>,
        mut try_once: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            let tick = self.tick()?;
            set(&self.stream, tick)?;
            match try_once(&mut self.stream) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                done => return done,
            }
        }
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.in_time(
            |stream, tick| stream.set_read_timeout(Some(tick)),
            |stream| stream.read(bytes),
        )
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let set = |stream: &TcpStream, tick| stream.set_write_timeout(Some(tick));
        self.in_time(set, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
