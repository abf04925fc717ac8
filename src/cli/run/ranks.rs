//! This process's rank in a run, from its environment and its options.

use std::io::{Read, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::cli::{Failure, console};
use crate::train::group::{Lost, Place};

/// Set for a process that `--processes` started. Such a one ends when its input does, since then
/// the process that started it has ended or is to end.
pub const LAUNCHED: &str = "COOKC_LAUNCHED";

/// Whether `--processes` started this process.
pub fn is_launched() -> bool {
    std::env::var_os(LAUNCHED).is_some()
}

/// Sets the flag when the process that started this one ends.
pub fn follow(cancel: &'static AtomicBool) {
    if is_launched() {
        thread::spawn(|| {
            let _ = stdin().lock().read_to_end(&mut Vec::new());
            cancel.store(true, Ordering::Relaxed);
        });
    }
}

/// This process's rank and group, from its environment; `count` processes are asked for.
pub fn place(count: Option<usize>) -> Result<Place, Failure> {
    let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    let place = Place::from_environment(&variable);
    match count.filter(|_| !is_launched()) {
        None => place.map_err(Failure::Usage),
        // One process is one, whatever the environment says: a Slurm script without srun.
        Some(1) => Ok(Place::alone()),
        Some(_) => match place {
            Ok(Place { rank, size, .. }) if size > 1 => Err(Failure::Usage(format!(
                "the environment makes this rank {rank} of {size} processes already: leave \
                 --processes and --gpus out, or unset its variables"
            ))),
            _ => Ok(Place::alone()),
        },
    }
}

/// Ends a process whose work does not look at whether it is to end.
pub fn stuck(lost: &Lost) {
    let text = "this process did not end by itself and is ended; go on with `cookc run --resume`";
    console::error(&format!("{lost}; {text} and the run folder"));
    std::process::exit(if lost.interrupted { 130 } else { 3 });
}
