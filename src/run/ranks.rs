//! One process among those of a run: it joins them, and ends with them.

use std::path::Path;

use anyhow::anyhow;

use super::fingerprint::Fingerprint;
use super::observer::Observer;
use super::setup::Setup;
use crate::template::Error;
use crate::train::group::{Lost, Place, Refusal, Watch};
use crate::train::{Control, Group};

/// The number of the GPU that a process takes. Where its launcher shows it one alone, that one.
pub fn gpu(place: &Place) -> usize {
    let shown = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    if !shown.is_empty() && !shown.contains(',') { 0 } else { place.local_rank }
}

/// Meets the other processes of the run, and makes sure that they do the same.
pub(super) fn join(
    place: Place,
    setup: &Setup,
    fingerprint: &Fingerprint,
    observer: &Observer,
) -> Result<Group, Error> {
    if place.size == 1 {
        return Ok(Group::alone());
    }
    let (count, size) = (setup.samples_of_a_step(), place.size);
    if count < size as u64 {
        return Err(Error::Input(format!(
            "{size} processes cannot share a step of {count} samples: write `micro_batch_size = \
             {size}` or more below `[train]`"
        )));
    }
    let settings = format!("{}{}", setup.text, fingerprint.lines());
    let watch = Watch { cancel: observer.cancel, stuck: observer.stuck };
    Group::join(place, &settings, watch).map_err(|refusal| match refusal {
        Refusal::Different(text) => Error::Input(text),
        Refusal::Apart(text) => Error::Failed(anyhow!(text)),
        Refusal::Interrupted => Error::Cancelled,
    })
}

/// What rank 0, which alone judges, says of going on: all ranks do that.
pub(super) fn agreed(group: &Group, control: Control) -> anyhow::Result<Control> {
    let word = group.broadcast(vec![u8::from(control == Control::Stop)])?;
    Ok(if word == [1] { Control::Stop } else { Control::Continue })
}

/// Ends as the group does: with success if all ranks have, otherwise with the lost rank and how to
/// go on.
pub(super) fn end<Done>(
    group: &Group,
    observer: &Observer,
    folder: Option<&Path>,
    result: Result<Done, Error>,
) -> Result<Done, Error> {
    let result = result.and_then(|done| {
        group.close()?;
        Ok(done)
    });
    let error = match result {
        Err(error) if group.size() > 1 => error,
        result => return result,
    };
    if let Some(lost) = group.lost() {
        let text = said(&lost, group.size(), folder);
        return Err(match lost.interrupted {
            true => {
                observer.note(&text);
                Error::Cancelled
            }
            false => Error::Failed(anyhow!(text)),
        });
    }
    let interrupted = observer.is_cancelled();
    let error = if interrupted { Error::Cancelled } else { error };
    let why = match &error {
        Error::Input(text) => text.clone(),
        Error::Failed(error) => format!("{error:#}"),
        _ => "its own words say why".to_string(),
    };
    group.leave(&format!("ended with an error ({why})"), interrupted);
    Err(error)
}

/// What is said of a lost rank.
fn said(lost: &Lost, size: usize, folder: Option<&Path>) -> String {
    let go_on = folder.map(|path| format!("; go on with `cookc run --resume {}`", path.display()));
    format!("of {size} processes, {lost}{}", go_on.unwrap_or_default())
}
