//! `cookc run` as several processes, with strangers at rank 0's port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::run_group::{Ranks, command, free_port, kitchen};

const SECRET: &str = "what only these ranks know";

/// A rank as a launcher starts it.
fn rank(folder: &Path, number: usize, port: u16, timeout: &str, more: &[(&str, &str)]) -> Command {
    let (number, port) = (number.to_string(), port.to_string());
    let own = [
        ("RANK", number.as_str()),
        ("WORLD_SIZE", "2"),
        ("LOCAL_RANK", &number),
        ("MASTER_ADDR", "127.0.0.1"),
        ("COOKC_PORT", &port),
        ("COOKC_TIMEOUT", timeout),
    ];
    command(folder, &["--train", "tiny.toml", "--out", "run"], &[&own[..], more].concat())
}

/// A connection to rank 0, as soon as it listens.
fn call(port: u16) -> TcpStream {
    let since = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(since.elapsed() < Duration::from_secs(20), "{error}"),
        }
        thread::park_timeout(Duration::from_millis(10));
    }
}

fn one(command: impl Fn(usize) -> Command) -> Ranks {
    Ranks::start(1, command)
}

#[test]
fn callers_that_say_nothing_keep_no_rank_waiting() {
    let (folder, port) = (kitchen(&[]), free_port());
    let zero = one(|_| rank(folder.path(), 0, port, "20", &[]));
    // More than are greeted at once.
    let held: Vec<TcpStream> = (0..100).map(|_| call(port)).collect();
    let first = one(|_| rank(folder.path(), 1, port, "20", &[]));
    for done in [first.end(), zero.end()].concat() {
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
    drop(held);
}

#[test]
fn a_caller_that_goes_on_and_on_neither_holds_rank_0_nor_makes_it_deaf() {
    let (folder, port) = (kitchen(&[]), free_port());
    for signal in [None, Some("-INT")] {
        let zero = one(|_| rank(folder.path(), 0, port, "7", &[]));
        let since = Instant::now();
        let mut stranger = call(port);
        let drip = thread::spawn(move || {
            let frame = b"ckr\0\0\0\0\0\0\0\0\0\0\x10\0\0".iter().chain([b'x'; 4096].iter());
            for byte in frame {
                if stranger.write_all(&[*byte]).is_err() {
                    return;
                }
                thread::park_timeout(Duration::from_millis(300));
            }
        });
        if let Some(signal) = signal {
            zero.signal(0, signal);
        }
        let done = zero.end().remove(0);
        let (code, most) = if signal.is_some() { (130, 5) } else { (3, 15) };
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(since.elapsed() < Duration::from_secs(most), "{:?}", since.elapsed());
        drip.join().expect("it only writes");
    }
}

#[test]
fn what_is_said_without_a_secret_by_who_is_no_rank_of_the_run_ends_nothing() {
    let (folder, port) = (kitchen(&[]), free_port());
    let other = kitchen(&[("1e-2", "2e-2")]);
    let zero = one(|_| rank(folder.path(), 0, port, "30", &[]));
    let mut garbage = call(port);
    garbage.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").expect("it listens");
    let stranger = one(|_| rank(other.path(), 1, port, "30", &[])).end().remove(0);
    assert_eq!(stranger.code, Some(1), "{}", stranger.err);
    assert!(stranger.err.contains("has another recipe than rank 0"), "{}", stranger.err);
    let first = one(|_| rank(folder.path(), 1, port, "30", &[]));
    for done in [first.end(), zero.end()].concat() {
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
    // It was turned away while the run began.
    assert!(matches!(garbage.read(&mut [0; 16]), Ok(0) | Err(_)));
}

#[test]
fn who_does_not_know_the_secret_is_no_rank() {
    let (folder, port) = (kitchen(&[]), free_port());
    let with = |secret| [("COOKC_SECRET", secret)];
    let zero = one(|_| rank(folder.path(), 0, port, "30", &with(SECRET)));
    for secret in [&with("another secret of these")[..], &[]] {
        let stranger = one(|_| rank(folder.path(), 1, port, "30", secret)).end().remove(0);
        assert_eq!(stranger.code, Some(3), "{}", stranger.err);
        let wanted = "is not rank 0 of this run: it has another secret; give all ranks the same";
        assert!(stranger.err.contains(wanted), "{}", stranger.err);
    }
    let first = one(|_| rank(folder.path(), 1, port, "30", &with(SECRET)));
    for done in [first.end(), zero.end()].concat() {
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stopped_process_of_one_machine_is_ended_with_the_others() {
    let steps = ("steps = 6", "steps = 100000");
    let folder = kitchen(&[steps, ("samples = 4", "samples = 4\nevery = 5")]);
    let arguments = ["--train", "tiny.toml", "--processes", "2"];
    let mut ranks = one(|_| command(folder.path(), &arguments, &[("COOKC_TIMEOUT", "4")]));
    ranks.await_step(5);
    let launcher = ranks.id(0);
    let children = format!("/proc/{launcher}/task/{launcher}/children");
    let children = std::fs::read_to_string(children).expect("Linux says them");
    let last = children.split_whitespace().next_back().expect("there are two");
    let stopped = Command::new("kill").args(["-STOP", last]).status().expect("kill is there");
    assert!(stopped.success());
    let since = Instant::now();
    let done = ranks.end().remove(0);
    assert_eq!(done.code, Some(3), "{}", done.err);
    // 4 s of silence, and 5 s until nothing more is waited for.
    assert!(since.elapsed() < Duration::from_secs(16), "{:?}", since.elapsed());
}
