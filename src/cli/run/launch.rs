//! `cookc run --processes N`: N of this program on this machine, as one run.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::ranks::LAUNCHED;
use crate::cli::{Failure, console, options};
use crate::train::group::{SECRET, Secret};

/// Between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(20);

/// Once one has failed, the others end by themselves and say why. Those that have not met yet
/// cannot know: they are asked to end after this long.
const HEARSAY: Duration = Duration::from_secs(5);

/// Once one has failed, one that was stopped is ended after so long: it would not end by itself.
const STOPPED: Duration = Duration::from_secs(1);

/// Once one has failed, what the machine holds up is ended after so long. One that was stopped is
/// missed after 10 s: with them, no process is left after the 30 s that a broken run may take.
const GRACE: Duration = Duration::from_secs(17);

/// One process, and who reads its messages.
struct Process {
    child: Child,
    messages: Option<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

/// Starts the processes and waits for them. When one fails, the others end too, and its exit code
/// is the run's.
pub fn run(count: usize, cancel: &AtomicBool) -> Result<(), Failure> {
    let port = free_port().context("there is no free port")?;
    let secret = Secret::fresh().context("this machine gives no random bytes")?;
    let mut processes = Vec::new();
    for rank in 0..count {
        match start(rank, count, port, &secret) {
            Ok(process) => processes.push(process),
            Err(error) => {
                end(&mut processes);
                return Err(error.context(format!("cannot start process {rank}")).into());
            }
        }
    }
    let mut failed: Option<(Instant, Failure)> = None;
    while processes.iter().any(|process| process.status.is_none()) {
        for (rank, process) in processes.iter_mut().enumerate() {
            if process.status.is_none() {
                process.status = process.child.try_wait().context("cannot wait for a process")?;
                let failure = process.status.and_then(|status| failure(rank, status));
                failed = failed.or_else(|| failure.map(|why| (Instant::now(), why)));
            }
            let since = failed.as_ref().map(|(when, _)| when.elapsed());
            if since.is_some_and(|since| since > STOPPED) && is_stopped(process.child.id()) {
                // It may have ended in this moment.
                let _ = process.child.kill();
            }
            if cancel.load(Ordering::Relaxed) || since.is_some_and(|since| since > HEARSAY) {
                // A process ends when its input does.
                process.child.stdin = None;
            }
        }
        if failed.as_ref().is_some_and(|(when, _)| when.elapsed() > GRACE) {
            break;
        }
        thread::park_timeout(PAUSE);
    }
    end(&mut processes);
    match failed {
        // Ctrl-C may reach a process before it watches for that.
        Some((_, Failure::Machine(_))) if cancel.load(Ordering::Relaxed) => {
            Err(Failure::Interrupted)
        }
        Some((_, failure)) => Err(failure),
        None => Ok(()),
    }
}

/// Whether a process was stopped from outside, as by SIGSTOP, where the system says so.
fn is_stopped(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The program's name, in brackets, may have any character in it.
    let state = status.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with('T')
}

/// A port that no process listens at now.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn start(rank: usize, count: usize, port: u16, secret: &str) -> anyhow::Result<Process> {
    let mut command = options::again()?;
    command.env(LAUNCHED, "1").stdin(Stdio::piped());
    let numbers = [
        ("RANK", rank),
        ("WORLD_SIZE", count),
        ("LOCAL_RANK", rank),
        ("LOCAL_WORLD_SIZE", count),
        ("COOKC_PORT", usize::from(port)),
    ];
    command.envs(numbers.map(|(name, number)| (name, number.to_string())));
    // Others may use this machine too, and only this user sees the environment of a process.
    command.env("MASTER_ADDR", "127.0.0.1").env(SECRET, secret);
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        command.env("RAYON_NUM_THREADS", (cores / count).max(1).to_string());
    }
    // Rank 0 speaks for all, as one process would; what another says comes with its rank.
    if rank > 0 {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let messages = child.stderr.take().map(|from| thread::spawn(move || pass_on(rank, from)));
    Ok(Process { child, messages, status: None })
}

/// Writes each line with the rank before it.
fn pass_on(rank: usize, from: impl Read) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        // It has seen to its messages itself; what its colours are, are ours.
        let line = console::own(&String::from_utf8_lossy(&line));
        console::note(&format!("[rank {rank}] {line}"));
    }
}

/// Why the run failed, if this process's end says so. It has said why itself, unless it was ended
/// from outside.
fn failure(rank: usize, status: ExitStatus) -> Option<Failure> {
    match status.code() {
        Some(0) => None,
        Some(code) => Some(Failure::Child(code as u8)),
        // Ctrl-C came before it could look at that.
        None if is_interrupt(status) => Some(Failure::Interrupted),
        None => {
            Some(Failure::Machine(anyhow::anyhow!("rank {rank} was ended from outside: {status}")))
        }
    }
}

/// Whether SIGINT or SIGTERM ended a process, as Ctrl-C does until a process watches for it.
#[cfg(unix)]
fn is_interrupt(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    matches!(status.signal(), Some(2 | 15))
}

/// Elsewhere no signal ends a process.
#[cfg(not(unix))]
fn is_interrupt(_: ExitStatus) -> bool {
    false
}

/// Ends the processes that are still there, and waits for their last words.
fn end(processes: &mut [Process]) {
    for process in processes {
        if process.status.is_none() {
            // It may have ended in this moment.
            let _ = process.child.kill().and_then(|()| process.child.wait());
        }
        if let Some(messages) = process.messages.take() {
            messages.join().expect("passing lines on does not panic");
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_process_that_ctrl_c_ended_before_it_watched_for_that_was_interrupted() {
        let of = |signal: i32| failure(1, ExitStatus::from_raw(signal));
        assert!(matches!(of(2), Some(Failure::Interrupted)));
        assert!(matches!(of(15), Some(Failure::Interrupted)));
        assert!(matches!(of(9), Some(Failure::Machine(_))));
        assert!(of(0).is_none());
    }
}
