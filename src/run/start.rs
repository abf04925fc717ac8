//! How a run starts: in a new folder, or from the newest undamaged checkpoint of one.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use super::fingerprint::Fingerprint;
use super::folder::Folder;
use super::log::Log;
use super::observer::Observer;
use crate::template::Error;
use crate::train::{Group, Saved};

/// The slot of a checkpoint that keeps the state of the mixture's policy.
pub const MIX: &str = "mix";

/// The slot that keeps how many rows of each text were taken.
pub const TEXTS: &str = "texts";

/// The slots that a run reads.
const SLOTS: [&str; 2] = [MIX, TEXTS];

/// What a run starts with. The process that writes finds it, and sends it to the others.
#[derive(Debug)]
pub struct Start {
    /// The run folder.
    pub folder: Folder,
    /// What decides the bits of this run.
    pub fingerprint: Fingerprint,
    /// The checkpoint to go on from.
    pub saved: Option<Saved>,
    /// The lines of `metrics.jsonl` up to there.
    pub log: Log,
    /// How this run differs from what the checkpoint is of, a line each.
    pub changes: Vec<String>,
    /// Newer checkpoints that are damaged.
    damaged: Vec<PathBuf>,
}

impl Start {
    /// A new run in a folder that was claimed for it.
    pub fn new(folder: Folder, fingerprint: Fingerprint) -> Start {
        let (saved, log, changes, damaged) = Default::default();
        Start { folder, fingerprint, saved, log, changes, damaged }
    }

    /// A run that goes on. Whatever decides its bits must be as it was when the checkpoint was
    /// made, or else the user must have said that it may differ.
    pub fn again(
        path: &Path,
        fingerprint: Fingerprint,
        force: bool,
        observer: &Observer,
    ) -> Result<Start, Error> {
        let folder = Folder::again(path)?;
        let (saved, damaged) = folder.newest_whole(observer)?;
        let mut start = Start { damaged, ..Start::new(folder, fingerprint) };
        let Some(saved) = saved else { return Ok(start) };
        saved.expect_slots(&SLOTS).map_err(|error| Error::Input(format!("{error:#}")))?;
        let seal = &saved.run["metrics"];
        start.log = Log::read(&start.folder.join("metrics.jsonl"), saved.steps, seal, observer)?;
        let found = start.fingerprint.since(&saved.run["fingerprint"]);
        let refused = [found.deciding, start.log.wrong.iter().cloned().collect()].concat();
        if !refused.is_empty() && !force {
            return Err(refusal(path, saved.steps, &refused));
        }
        start.changes = [refused, found.noted].concat();
        for change in &start.changes {
            observer.note(format!("changed since step {}: {change}", saved.steps));
        }
        start.saved = Some(saved);
        Ok(start)
    }

    /// The same for all processes: rank 0 finds it and sends it to the others.
    pub fn of_all(
        group: &Group,
        fingerprint: &Fingerprint,
        make: &dyn Fn() -> Result<Start, Error>,
    ) -> Result<Start, Error> {
        let own = if group.is_first() { Some(make()?) } else { None };
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let told = own.as_ref().map(|start| {
            let saved = start.saved.as_ref().map(|saved| text(&saved.path));
            json!({ "folder": text(&start.folder.path), "checkpoint": saved }).to_string()
        });
        let told = group.broadcast(told.unwrap_or_default().into_bytes())?;
        if let Some(start) = own {
            return Ok(start);
        }
        let told: Value = serde_json::from_slice(&told).context("rank 0 names no run folder")?;
        let path = |key: &str| told[key].as_str().map(PathBuf::from);
        let folder = path("folder").context("rank 0's run folder is not UTF-8")?;
        let saved = path("checkpoint").map(|path| Saved::open(&path)).transpose()?;
        Ok(Start { saved, ..Start::new(Folder::seen(folder), fingerprint.clone()) })
    }

    /// Steps that are done.
    pub fn steps(&self) -> u64 {
        self.saved.as_ref().map_or(0, |saved| saved.steps)
    }

    /// Leaves the run folder so that it has no checkpoint but those that may be gone on from, and
    /// no more than are kept.
    pub fn tidy(&self, keep: usize) -> Result<(), Error> {
        self.folder.put_aside(&self.damaged)?;
        Ok(self.folder.keep_checkpoints(keep)?)
    }
}

fn refusal(path: &Path, steps: u64, differences: &[String]) -> Error {
    let name = path.display();
    let list: String = differences.iter().map(|line| format!("  {line}\n")).collect();
    Error::Input(format!(
        "{name} is not as it was at its checkpoint after step {steps}:\n{list}put back what has \
         changed, or train anew in another folder; `cookc run --resume {name} --force` goes on \
         as it is now, and the report then says so"
    ))
}
