//! The answers of an evaluation that was stopped, kept for the one that goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::prepare::Work;
use super::{Prepared, Responses};
use crate::disk;
use crate::template::Error;

/// The file, in the folder of the results. It is gone once these are there.
const FILE: &str = "unfinished.json";
/// The longest time whose answers a kill may cost.
const PAUSE: Duration = Duration::from_secs(30);

/// The answers that an evaluation has so far, in its folder if it has one.
#[derive(Debug)]
pub struct Kept {
    path: Option<PathBuf>,
    answers: Answers,
    written: Instant,
}

/// As they are in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Answers {
    /// What they are of: the model, and how and by which program it was computed.
    of: String,
    /// Those of each task, by the digest of what is asked.
    tasks: BTreeMap<String, Responses>,
}

impl Kept {
    /// Those that the folder keeps of the same model, which `model` tells from all others; and
    /// whether it keeps some that are of no use.
    pub fn open(folder: Option<PathBuf>, model: &str) -> (Kept, bool) {
        let of = format!("cookc {} {model}", env!("CARGO_PKG_VERSION"));
        let path = folder.map(|folder| folder.join(FILE));
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let found = text.as_ref().and_then(|text| serde_json::from_str::<Answers>(text).ok());
        let answers = found.filter(|answers| answers.of == of);
        let is_useless = text.is_some() && answers.is_none();
        let answers = answers.unwrap_or_else(|| Answers { of, tasks: BTreeMap::new() });
        (Kept { path, answers, written: Instant::now() }, is_useless)
    }

    /// Those of one task so far.
    pub fn of(&self, asked: &Prepared) -> Responses {
        self.answers.tasks.get(&key(asked)).cloned().unwrap_or_default()
    }

    /// Takes the answers of a task, and writes all once in a while, or `now`.
    ///
    /// # Errors
    /// [`Error::Failed`] if the file cannot be written.
    pub fn keep(
        &mut self,
        asked: &Prepared,
        responses: &Responses,
        now: bool,
    ) -> Result<(), Error> {
        let Some(path) = self.path.as_ref().filter(|_| now || self.written.elapsed() > PAUSE)
        else {
            return Ok(());
        };
        self.answers.tasks.insert(key(asked), responses.clone());
        let text = serde_json::to_vec(&self.answers).map_err(anyhow::Error::from)?;
        let written = disk::write(path, &text);
        written.with_context(|| format!("cannot write {}", path.display()))?;
        self.written = Instant::now();
        Ok(())
    }

    /// Where they are, if anywhere.
    pub fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// Removes the file, since all results are written.
    pub fn end(self) {
        if let Some(path) = &self.path {
            // A file that stays does no harm: it is of the same answers.
            std::fs::remove_file(path).ok();
        }
    }
}

/// A digest of what a model is asked.
fn key(asked: &Prepared) -> String {
    let mut hash = blake3::Hasher::new();
    let mut text = |text: String| {
        hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    text(format!("{} {:?}", asked.task.name, asked.task.kind));
    match &asked.work {
        Work::Choices(items) => items.iter().for_each(|item| text(format!("{item:?}"))),
        Work::Prompts(prompts) => prompts.iter().for_each(|ids| text(format!("{ids:?}"))),
    }
    hash.finalize().to_hex().to_string()
}
