//! How the ranks find each other: all call on rank 0, which tells each where its neighbour is.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};
use super::reception::{GREETING, Reception, Timed};
use super::{Place, Refusal, Secret};

/// Between two tries to connect or to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// Who comes to rank 0.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hello {
    version: String,
    rank: usize,
    size: usize,
    /// Where it waits for the rank on its left.
    port: u16,
    /// The digest of its settings. They themselves are asked for only to say what differs.
    digest: String,
}

/// What a rank says to the one on its right.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Neighbour {
    rank: usize,
    /// The ports of all ranks of its run: no two runs at a time have the same.
    ports: Vec<u16>,
}

/// This rank, as it says it, and its settings.
struct Own {
    hello: Hello,
    settings: Arc<str>,
    secret: Secret,
}

/// A rank that has come to rank 0.
struct Guest {
    rank: usize,
    stream: TcpStream,
    address: SocketAddr,
}

/// Until when to wait, and whether to.
#[derive(Clone, Copy)]
struct Wait {
    deadline: Instant,
    patience: Duration,
    cancel: &'static AtomicBool,
}

/// The connections from the rank on the left and to the rank on the right.
pub(super) fn meet(
    place: &Place,
    (host, port): (&str, u16),
    settings: &str,
    cancel: &'static AtomicBool,
) -> Result<[TcpStream; 2], Refusal> {
    let wait = Wait { deadline: Instant::now() + place.patience, patience: place.patience, cancel };
    let all = everywhere(host, port);
    let cannot = |error: io::Error| apart("cannot listen", &error);
    let listener = TcpListener::bind((all, 0)).map_err(cannot)?;
    let port_own = listener.local_addr().map_err(cannot)?.port();
    let hello = Hello {
        version: version(),
        rank: place.rank,
        size: place.size,
        port: port_own,
        digest: blake3::hash(settings.as_bytes()).to_hex().to_string(),
    };
    let own = Own { hello, settings: settings.into(), secret: place.secret.clone() };
    let addresses = match place.rank {
        0 => receive(&own, (all, port), &wait)?,
        _ => call(&own, (host, port), &wait)?,
    };
    ring(place.rank, addresses, listener, &own.secret, &wait)
}

/// Rank 0: waits for all others, and tells them where all are.
fn receive(own: &Own, at: (IpAddr, u16), wait: &Wait) -> Result<Vec<SocketAddr>, Refusal> {
    let (port, size) = (at.1, own.hello.size);
    let listener = TcpListener::bind(at);
    let reception = listener.and_then(|listener| {
        let (secret, digest) = (own.secret.clone(), own.hello.digest.clone());
        Reception::new(listener, wait.cancel, move |caller| greet(caller, &secret, &digest))
    });
    let mut reception = reception.map_err(|error| {
        let advice = "set COOKC_PORT to a free port, the same for all ranks";
        Refusal::Apart(format!("rank 0 cannot listen at port {port} ({error}): {advice}"))
    })?;
    let mut guests: Vec<Guest> = Vec::new();
    // What those said who are not of this run, though they know what all may know.
    let mut strange: BTreeMap<usize, String> = BTreeMap::new();
    let mut why = None;
    let mut deadline = wait.deadline;
    while guests.len() + 1 < size {
        let Some((stream, from, (hello, settings))) = reception.next() else {
            match (Wait { deadline, ..*wait }).pause() {
                Ok(true) => continue,
                Ok(false) => break,
                Err(refusal) => return Err(turn_away(guests, refusal)),
            }
        };
        let difference = difference(own, &hello, settings.as_deref(), &guests);
        let address = SocketAddr::new(from.ip().to_canonical(), hello.port);
        let guest = Guest { rank: hello.rank, stream, address };
        match difference {
            // Anybody may have said it: the rank itself may still come.
            Some(text) if !own.secret.is_given() => {
                turn_away(vec![guest], Refusal::Different(text.clone()));
                strange.insert(hello.rank, text);
            }
            Some(text) => {
                // The others are on their way, most likely, and are notified as well.
                (why, deadline) = (why.or(Some(text)), deadline.min(Instant::now() + GREETING));
                guests.push(guest);
            }
            None => guests.push(guest),
        }
    }
    strange.retain(|rank, _| !guests.iter().any(|guest| guest.rank == *rank));
    let strange = strange.into_values().next().filter(|_| guests.len() + 1 < size);
    if let Some(why) = why.or(strange) {
        return Err(turn_away(guests, Refusal::Different(why)));
    }
    if guests.len() + 1 < size {
        let why = format!("{} did not come to port {port} of rank 0", absent(&own.hello, &guests));
        let note = reception.note().map(|note| format!("; {note}")).unwrap_or_default();
        let why = within(&why, wait) + &note + "; to run as one process, add `--processes 1`";
        return Err(turn_away(guests, Refusal::Apart(why)));
    }
    guests.sort_by_key(|guest| guest.rank);
    // Those who see rank 0 by another address take that one: see `call`.
    let mut addresses = vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), own.hello.port)];
    addresses.extend(guests.iter().map(|guest| guest.address));
    for guest in guests {
        // One that ended in the meantime is missed when the ring is made.
        let mut to = Timed::new(guest.stream, GREETING, wait.cancel);
        let _ = frame::write_value(&mut to, Kind::Welcome, &addresses);
    }
    Ok(addresses)
}

/// What a caller says at rank 0's port, and its settings if they are others than rank 0's.
fn greet(caller: &mut Timed, secret: &Secret, digest: &str) -> io::Result<(Hello, Option<String>)> {
    let hello: Hello = secret.answer(caller, Kind::Hello)?;
    if hello.digest == digest {
        return Ok((hello, None));
    }
    frame::write(caller, Kind::Ask.into(), &[])?;
    let (header, bytes) = frame::read(caller)?;
    match (header.kind, String::from_utf8(bytes)) {
        (Kind::Settings, Ok(settings)) => Ok((hello, Some(settings))),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// The other ranks: call on rank 0 until it is there, and receive the addresses of all.
fn call(own: &Own, at: (&str, u16), wait: &Wait) -> Result<Vec<SocketAddr>, Refusal> {
    let (host, port) = at;
    let gone = |error: io::Error| match error.kind() {
        ErrorKind::TimedOut => {
            Refusal::Apart(within(&format!("rank 0 at {host}:{port} gave no answer"), wait))
        }
        _ => apart(&format!("rank 0 at {host}:{port} has gone"), &error),
    };
    let stream = loop {
        let said = connect(at, wait).and_then(|stream| {
            let mut stream = Timed::new(stream, GREETING, wait.cancel);
            own.secret.call(&mut stream, Kind::Hello, &own.hello).map(|()| stream)
        });
        let error = match said {
            Ok(stream) => break stream,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(Refusal::Apart(format!(
                    "what answers at {host}:{port} is not rank 0 of this run: {error}; give all \
                     ranks the same COOKC_SECRET"
                )));
            }
            Err(error) => error,
        };
        if !wait.pause()? {
            let why = format!("rank 0 cannot be reached at {host}:{port} ({error})");
            return Err(Refusal::Apart(within(&why, wait)));
        }
    };
    // Rank 0 ends the wait for all; it gets time to say so.
    let mut stream = stream.until(wait.deadline + GREETING);
    let mut answer = || -> io::Result<Result<Vec<SocketAddr>, Refusal>> {
        loop {
            let (header, bytes) = frame::read(&mut stream)?;
            match header.kind {
                Kind::Ask => {
                    frame::write(&mut stream, Kind::Settings.into(), own.settings.as_bytes())?;
                }
                Kind::Refused => return Ok(Err(frame::value(&bytes)?)),
                Kind::Welcome => return Ok(Ok(frame::value(&bytes)?)),
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    };
    let answer = answer();
    wait.goes_on()?;
    let mut addresses: Vec<SocketAddr> = answer.map_err(gone)??;
    let near = stream.peer().map_err(gone)?.ip();
    for address in addresses.iter_mut().filter(|address| address.ip().is_loopback()) {
        // A rank that rank 0 sees on its own machine is where this one sees rank 0.
        address.set_ip(near);
    }
    Ok(addresses)
}

/// Connects to the right and accepts the left.
fn ring(
    rank: usize,
    addresses: Vec<SocketAddr>,
    listener: TcpListener,
    secret: &Secret,
    wait: &Wait,
) -> Result<[TcpStream; 2], Refusal> {
    // All are there now: what takes longer than a greeting does not come.
    let wait = Wait { deadline: Instant::now() + 2 * GREETING, patience: 2 * GREETING, ..*wait };
    let size = addresses.len();
    let (left, right) = ((rank + size - 1) % size, (rank + 1) % size);
    let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
    let lost = |rank: usize, at: &dyn std::fmt::Display, error: &dyn std::fmt::Display| {
        Refusal::Apart(format!("rank {rank} cannot be reached at {at} ({error})"))
    };
    let (at, own) = (addresses[right], secret.clone());
    let said = Neighbour { rank, ports: ports.clone() };
    // The rank on the right answers while it waits for its own: so both are done at once.
    let to_right = thread::spawn(move || -> io::Result<TcpStream> {
        let mut stream = Timed::new(connect(at, &wait)?, 2 * GREETING, wait.cancel);
        own.call(&mut stream, Kind::Neighbour, &said)?;
        let stream = stream.untimed()?;
        stream.set_nodelay(true).map(|()| stream)
    });
    let (expected, secret) = (Neighbour { rank: left, ports }, secret.clone());
    let reception = Reception::new(listener, wait.cancel, move |caller| {
        let said: Neighbour = secret.answer(caller, Kind::Neighbour)?;
        let wrong = || Error::new(ErrorKind::InvalidData, "it is not the rank on the left");
        (said == expected).then_some(()).ok_or_else(wrong)
    });
    let mut reception = reception.map_err(|error| apart("cannot listen", &error))?;
    let from_left = loop {
        if let Some((stream, _, ())) = reception.next() {
            break stream;
        }
        if !wait.pause()? {
            let why = within("it did not connect", &wait);
            return Err(lost(left, &addresses[left], &why));
        }
    };
    let to_right = to_right.join().expect("a connection does not panic");
    wait.goes_on()?;
    Ok([from_left, to_right.map_err(|error| lost(right, &at, &error))?])
}

impl Wait {
    /// Waits a moment; false if the time is over.
    fn pause(&self) -> Result<bool, Refusal> {
        thread::park_timeout(PAUSE);
        self.goes_on()
    }

    fn goes_on(&self) -> Result<bool, Refusal> {
        match self.cancel.load(Ordering::Relaxed) {
            true => Err(Refusal::Interrupted),
            false => Ok(Instant::now() < self.deadline),
        }
    }
}

fn connect(at: impl ToSocketAddrs, wait: &Wait) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in at.to_socket_addrs()? {
        let left = wait.deadline.saturating_duration_since(Instant::now());
        match TcpStream::connect_timeout(&address, left.clamp(PAUSE, GREETING)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Tells all who came why there is no run, and returns that reason.
fn turn_away(guests: Vec<Guest>, why: Refusal) -> Refusal {
    for guest in guests {
        // One that has left needs no message; one that does not listen delays no other.
        if guest.stream.set_write_timeout(Some(PAUSE)).is_ok() {
            let _ = frame::write_value(&mut &guest.stream, Kind::Refused, &why);
        }
    }
    why
}

/// Why a rank is not of this run. Its settings are named if they differ.
fn difference(
    own: &Own,
    other: &Hello,
    settings: Option<&str>,
    guests: &[Guest],
) -> Option<String> {
    let (hello, rank) = (&own.hello, other.rank);
    let taken = rank == 0 || guests.iter().any(|guest| guest.rank == rank);
    let (a, b) = (&hello.version, &other.version);
    if a != b {
        return Some(format!("rank 0 runs cookc {a}, rank {rank} cookc {b}: take the same"));
    }
    if hello.size != other.size {
        let (a, b) = (hello.size, other.size);
        return Some(format!("rank 0 is one of {a} processes, rank {rank} one of {b}"));
    }
    if taken || rank >= hello.size {
        return Some(format!("two processes say that they are rank {rank} of {}", hello.size));
    }
    let settings = settings?;
    let none = "nothing";
    let (mut a, mut b) = (own.settings.lines(), settings.lines());
    let (a, b) = loop {
        let pair = (a.next(), b.next());
        if pair.0 != pair.1 {
            break (pair.0.unwrap_or(none), pair.1.unwrap_or(none));
        }
        if pair == (None, None) {
            break (none, none);
        }
    };
    Some(format!("rank {rank} has another recipe than rank 0: `{b}`, not `{a}`"))
}

/// Who has not come.
fn absent(own: &Hello, guests: &[Guest]) -> String {
    let is_here = |rank: &usize| guests.iter().any(|guest| guest.rank == *rank);
    let ranks = (1..own.size).filter(|rank| !is_here(rank));
    let ranks: Vec<String> = ranks.map(|rank| rank.to_string()).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    format!("{noun} {} of {}", ranks.join(", "), own.size)
}

/// The version that samples, sums and messages depend on. Numbers go as they lie in memory.
fn version() -> String {
    let order = if cfg!(target_endian = "little") { "" } else { ", big-endian" };
    format!("{}{order}", env!("CARGO_PKG_VERSION"))
}

/// The address to listen at: within the machine if rank 0 is called so, else everywhere. A name
/// that means this machine to itself may mean another of its addresses to the others.
fn everywhere(host: &str, port: u16) -> IpAddr {
    let literal = if host == "localhost" { "127.0.0.1" } else { host }.parse::<IpAddr>().ok();
    let found = || (host, port).to_socket_addrs().ok()?.next().map(|address| address.ip());
    match literal {
        Some(ip) if ip.is_loopback() => ip,
        _ => match literal.or_else(found) {
            Some(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        },
    }
}

fn within(why: &str, wait: &Wait) -> String {
    format!("{why} within {} s (COOKC_TIMEOUT)", wait.patience.as_secs())
}

fn apart(what: &str, error: &io::Error) -> Refusal {
    Refusal::Apart(format!("{what}: {error}"))
}
