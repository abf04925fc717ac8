//! The digests of a base model's files: a model is the same if its bytes are.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow, bail};

use crate::model::{digest, gguf, stored};

/// Before a digest, after what is shown of a part.
pub const DIGEST: &str = " blake3:";

/// The files of a model's folder, its weights apart, that decide what its ids and replies are.
const BASE_FILES: [&str; 8] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
];

/// The digests of a base model's files, which a thread makes while the rest of a run is prepared.
#[derive(Debug)]
pub struct Hashing(Mutex<State>);

#[derive(Debug)]
enum State {
    Running(JoinHandle<Result<Digests>>),
    Done(Digests),
    Failed,
}

/// Names of files, and what their bytes are.
type Digests = Vec<(String, String)>;

impl Hashing {
    /// Of a folder or a `.gguf` file.
    pub fn start(path: PathBuf) -> Hashing {
        Hashing(Mutex::new(State::Running(thread::spawn(move || base_files(path)))))
    }

    /// Waits for them.
    pub fn done(&self) -> Result<Digests> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digests = match std::mem::replace(&mut *state, State::Failed) {
            State::Running(thread) => {
                thread.join().map_err(|_| anyhow!("the base model cannot be read"))??
            }
            State::Done(digests) => digests,
            State::Failed => bail!("the base model could not be read before"),
        };
        *state = State::Done(digests.clone());
        Ok(digests)
    }
}

/// The digests of the files of a model's folder, or of a `.gguf` file.
pub fn base_files(path: PathBuf) -> Result<Vec<(String, String)>> {
    let files: Vec<PathBuf> = match gguf::is_named(&path) {
        true => vec![path],
        false => {
            let beside = BASE_FILES.map(|name| path.join(name)).into_iter();
            beside.filter(|path| path.is_file()).chain(stored::weight_files(&path)?).collect()
        }
    };
    files.iter().map(|path| file(path)).collect()
}

fn file(path: &Path) -> Result<(String, String)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    let name = match path.extension().is_some_and(|end| end == "gguf") {
        // A file that has another name by now is the same model.
        true => "base model".to_string(),
        false => format!("base model's {name}"),
    };
    Ok((name, format!("{bytes} bytes{DIGEST}{}", short(digest::of_file(path)?))))
}

/// Half of a digest, which is enough to compare.
pub fn short(digest: blake3::Hash) -> String {
    digest.to_hex()[..32].to_string()
}
