//! How the ranks find each other: all call on rank 0, which tells each where its neighbour is.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};
use super::{Place, Refusal};

/// Between two tries to connect or to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// For one try to connect, and for a greeting to come in full once a connection stands.
const GREETING: Duration = Duration::from_secs(5);

/// Who comes to rank 0.
#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    version: String,
    rank: usize,
    size: usize,
    /// Where it waits for the rank on its left.
    port: u16,
    settings: String,
}

/// What a rank says to the one on its right.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Neighbour {
    rank: usize,
    /// The ports of all ranks of its run: no two runs at a time have the same.
    ports: Vec<u16>,
}

/// A rank that has come to rank 0.
struct Guest {
    rank: usize,
    stream: TcpStream,
    address: SocketAddr,
}

/// Until when to wait, and whether to.
struct Wait<'a> {
    deadline: Instant,
    patience: Duration,
    cancel: &'a AtomicBool,
}

/// The connections from the rank on the left and to the rank on the right.
pub(super) fn meet(
    place: &Place,
    (host, port): (&str, u16),
    settings: &str,
    cancel: &AtomicBool,
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
        settings: settings.to_string(),
    };
    let addresses = match place.rank {
        0 => receive(&hello, (all, port), &wait)?,
        _ => call(&hello, (host, port), &wait)?,
    };
    ring(place.rank, addresses, &listener, &wait)
}

/// Rank 0: waits for all others, and tells them where all are.
fn receive(own: &Hello, at: (IpAddr, u16), wait: &Wait) -> Result<Vec<SocketAddr>, Refusal> {
    let port = at.1;
    let listener = TcpListener::bind(at).and_then(|it| it.set_nonblocking(true).map(|()| it));
    let listener = listener.map_err(|error| {
        let advice = "set COOKC_PORT to a free port, the same for all ranks";
        Refusal::Apart(format!("rank 0 cannot listen at port {port} ({error}): {advice}"))
    })?;
    let mut guests: Vec<Guest> = Vec::new();
    let mut why = None;
    let mut deadline = wait.deadline;
    while guests.len() + 1 < own.size {
        let now = Wait { deadline, ..*wait };
        let (mut stream, from) = match accepted(&listener, &now) {
            Ok(Some(connection)) => connection,
            Ok(None) => break,
            Err(refusal) => return Err(turn_away(guests, refusal)),
        };
        // Another program's call is no fault of the run.
        let Ok(hello) = greeting::<Hello>(&mut stream, Kind::Hello) else { continue };
        let difference = difference(own, &hello, &guests);
        if difference.is_some() && why.is_none() {
            // The others are on their way, most likely, and are to be told as well.
            (why, deadline) = (difference, deadline.min(Instant::now() + GREETING));
        }
        let address = SocketAddr::new(from.ip().to_canonical(), hello.port);
        guests.push(Guest { rank: hello.rank, stream, address });
    }
    if let Some(why) = why {
        return Err(turn_away(guests, Refusal::Different(why)));
    }
    if guests.len() + 1 < own.size {
        let why = format!("{} did not come to port {port} of rank 0", absent(own, &guests));
        let why = within(&why, wait) + "; to run as one process, add `--processes 1`";
        return Err(turn_away(guests, Refusal::Apart(why)));
    }
    guests.sort_by_key(|guest| guest.rank);
    // Those who see rank 0 by another address take that one: see `call`.
    let mut addresses = vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), own.port)];
    addresses.extend(guests.iter().map(|guest| guest.address));
    for guest in &mut guests {
        // One that ended in the meantime is missed when the ring is made.
        let _ = frame::write_value(&mut guest.stream, Kind::Welcome, &addresses);
    }
    Ok(addresses)
}

/// The other ranks: call on rank 0 until it is there, and learn where all are.
fn call(own: &Hello, at: (&str, u16), wait: &Wait) -> Result<Vec<SocketAddr>, Refusal> {
    let (host, port) = at;
    let gone = |error: &io::Error| apart(&format!("rank 0 at {host}:{port} has gone"), error);
    let mut stream = loop {
        let error = match connect(at, wait) {
            Ok(stream) => break stream,
            Err(error) => error,
        };
        if !wait.pause()? {
            let why = format!("rank 0 cannot be reached at {host}:{port} ({error})");
            return Err(Refusal::Apart(within(&why, wait)));
        }
    };
    frame::write_value(&mut stream, Kind::Hello, own).map_err(|error| gone(&error))?;
    // Rank 0 ends the wait for all; it is given time to say so.
    while !readable(&stream).map_err(|error| gone(&error))? {
        if !wait.goes_on(GREETING)? {
            let why = format!("rank 0 at {host}:{port} gave no answer");
            return Err(Refusal::Apart(within(&why, wait)));
        }
    }
    stream.set_read_timeout(Some(GREETING)).map_err(|error| gone(&error))?;
    let (header, bytes) = frame::read(&mut stream).map_err(|error| gone(&error))?;
    if header.kind == Kind::Refused {
        return Err(frame::value(&bytes).map_err(|error| gone(&error))?);
    }
    let mut addresses: Vec<SocketAddr> = frame::value(&bytes).map_err(|error| gone(&error))?;
    let near = stream.peer_addr().map_err(|error| gone(&error))?.ip();
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
    listener: &TcpListener,
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
    let at = addresses[right];
    let said = Neighbour { rank, ports: ports.clone() };
    let to_right = connect(at, &wait).and_then(|mut stream| {
        frame::write_value(&mut stream, Kind::Neighbour, &said)?;
        stream.set_nodelay(true).map(|()| stream)
    });
    let to_right = to_right.map_err(|error| lost(right, &at, &error))?;
    listener.set_nonblocking(true).map_err(|error| apart("cannot listen", &error))?;
    let expected = Neighbour { rank: left, ports };
    loop {
        let Some((mut stream, _)) = accepted(listener, &wait)? else {
            let why = within("it did not connect", &wait);
            return Err(lost(left, &addresses[left], &why));
        };
        if greeting::<Neighbour>(&mut stream, Kind::Neighbour).is_ok_and(|said| said == expected) {
            return Ok([stream, to_right]);
        }
    }
}

impl Wait<'_> {
    /// Waits a moment; false if the time is over.
    fn pause(&self) -> Result<bool, Refusal> {
        thread::park_timeout(PAUSE);
        self.goes_on(Duration::ZERO)
    }

    fn goes_on(&self, longer: Duration) -> Result<bool, Refusal> {
        match self.cancel.load(Ordering::Relaxed) {
            true => Err(Refusal::Interrupted),
            false => Ok(Instant::now() < self.deadline + longer),
        }
    }
}

/// The next connection; none if the time is over.
fn accepted(
    listener: &TcpListener,
    wait: &Wait,
) -> Result<Option<(TcpStream, SocketAddr)>, Refusal> {
    loop {
        match listener.accept() {
            Ok((stream, from)) => {
                let blocking = stream.set_nonblocking(false);
                blocking.map_err(|error| apart("a connection cannot be used", &error))?;
                return Ok(Some((stream, from)));
            }
            // What was not accepted is tried again by the other side.
            Err(_) => {
                if !wait.pause()? {
                    return Ok(None);
                }
            }
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

/// Reads the first frame of a connection, which has to be of a kind.
fn greeting<Value: serde::de::DeserializeOwned>(
    stream: &mut TcpStream,
    kind: Kind,
) -> io::Result<Value> {
    stream.set_read_timeout(Some(GREETING))?;
    let (header, bytes) = frame::read(stream)?;
    if header.kind != kind {
        return Err(io::ErrorKind::InvalidData.into());
    }
    frame::value(&bytes)
}

/// Whether something came, or the end; looks for a moment.
fn readable(stream: &TcpStream) -> io::Result<bool> {
    stream.set_read_timeout(Some(PAUSE))?;
    match stream.peek(&mut [0]) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Tells all who came why there is no run, and gives that reason.
fn turn_away(guests: Vec<Guest>, why: Refusal) -> Refusal {
    for mut guest in guests {
        // One that has gone needs no word.
        let _ = frame::write_value(&mut guest.stream, Kind::Refused, &why);
    }
    why
}

/// Why a rank is not of this run.
fn difference(own: &Hello, other: &Hello, guests: &[Guest]) -> Option<String> {
    let rank = other.rank;
    let taken = rank == 0 || guests.iter().any(|guest| guest.rank == rank);
    let (a, b) = (&own.version, &other.version);
    if a != b {
        return Some(format!("rank 0 runs cookc {a}, rank {rank} cookc {b}: take the same"));
    }
    if own.size != other.size {
        let (a, b) = (own.size, other.size);
        return Some(format!("rank 0 is one of {a} processes, rank {rank} one of {b}"));
    }
    if taken || rank >= own.size {
        return Some(format!("two processes say that they are rank {rank} of {}", own.size));
    }
    if own.settings == other.settings {
        return None;
    }
    let none = "nothing";
    let (mut a, mut b) = (own.settings.lines(), other.settings.lines());
    let (a, b) = loop {
        let pair = (a.next(), b.next());
        if pair.0 != pair.1 {
            break (pair.0.unwrap_or(none), pair.1.unwrap_or(none));
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

/// The version that samples, sums and words on the wire hang on. Numbers go as they lie in memory.
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
