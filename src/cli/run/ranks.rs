//! One process among those of a run: it joins them, and ends with them.

use std::io::{Read, stdin};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::anyhow;

use super::fingerprint::Fingerprint;
use super::setup::Setup;
use crate::cli::{Failure, console};
use crate::train::group::{Lost, Place, Refusal, Watch};
use crate::train::{Control, Group};

/// Set for a process that `--processes` started. Such a one ends when its input does, since then
/// the process that started it has ended or is to end.
pub const LAUNCHED: &str = "COOKC_LAUNCHED";

/// Whether `--processes` started this process.
pub fn is_launched() -> bool {
    std::env::var_os(LAUNCHED).is_some()
}

/// This process's place, from its environment; `count` processes are asked for.
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

/// The number of the GPU that a process takes. Where its launcher shows it one alone, that one.
pub fn gpu(place: &Place) -> usize {
    let shown = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    if !shown.is_empty() && !shown.contains(',') { 0 } else { place.local_rank }
}

/// Meets the other processes of the run, and makes sure that they do the same.
pub fn join(
    place: Place,
    setup: &Setup,
    fingerprint: &Fingerprint,
    cancel: &'static AtomicBool,
) -> Result<Group, Failure> {
    if is_launched() {
        thread::spawn(|| {
            let _ = stdin().lock().read_to_end(&mut Vec::new());
            cancel.store(true, Ordering::Relaxed);
        });
    }
    if place.size == 1 {
        return Ok(Group::alone());
    }
    let (count, size) = (setup.samples_of_a_step(), place.size);
    if count < size as u64 {
        return Err(Failure::Input(format!(
            "{size} processes cannot share a step of {count} samples: write `batch = {size}` or \
             more below `[train]`"
        )));
    }
    let settings = format!("{}{}", setup.text, fingerprint.lines());
    Group::join(place, &settings, Watch { cancel, stuck }).map_err(|refusal| match refusal {
        Refusal::Different(text) => Failure::Input(text),
        Refusal::Apart(text) => Failure::Machine(anyhow!(text)),
        Refusal::Interrupted => Failure::Interrupted,
    })
}

/// What rank 0, which alone judges, says of going on: all ranks do that.
pub fn agreed(group: &Group, control: Control) -> anyhow::Result<Control> {
    let word = group.broadcast(vec![u8::from(control == Control::Stop)])?;
    Ok(if word == [1] { Control::Stop } else { Control::Continue })
}

/// Ends as the group does: well when all have, and otherwise with what was lost and how to go on.
pub fn end(
    group: &Group,
    cancel: &AtomicBool,
    folder: Option<&Path>,
    result: Result<(), Failure>,
) -> Result<(), Failure> {
    let result = result.and_then(|()| Ok(group.close()?));
    let Err(failure) = result else { return Ok(()) };
    if group.size() == 1 {
        return Err(failure);
    }
    if let Some(lost) = group.lost() {
        let text = told(&lost, group.size(), folder);
        return Err(match lost.interrupted {
            true => {
                console::note(&text);
                Failure::Interrupted
            }
            false => Failure::Machine(anyhow!(text)),
        });
    }
    let interrupted = cancel.load(Ordering::Relaxed);
    let failure = if interrupted { Failure::Interrupted } else { failure };
    let why = match &failure {
        Failure::Input(text) | Failure::Usage(text) => text.clone(),
        Failure::Machine(error) => format!("{error:#}"),
        _ => "its own words say why".to_string(),
    };
    group.leave(&format!("ended with an error ({why})"), interrupted);
    Err(failure)
}

/// What the user is told of a lost rank.
fn told(lost: &Lost, size: usize, folder: Option<&Path>) -> String {
    let go_on = folder.map(|path| format!("; go on with `cookc run --resume {}`", path.display()));
    format!("of {size} processes, {lost}{}", go_on.unwrap_or_default())
}

/// Ends a process whose work does not look at whether it is to end.
fn stuck(lost: &Lost) {
    let text = "this process did not end by itself and is ended; go on with `cookc run --resume`";
    console::error(&format!("{lost}; {text} and the run folder"));
    std::process::exit(if lost.interrupted { 130 } else { 3 });
}
