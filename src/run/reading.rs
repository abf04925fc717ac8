//! A model read block by block, and as one though others may write it; and the day that its chat
//! template may ask for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use candle_core::{DType, Device};

use crate::model::chat::{Date, System, Template};
use crate::model::{self, Ends, Model, Tokenizer, io, walk};
use crate::recipe::{self, Base};
use crate::source::Source;
use crate::template::Error;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Reads a model, its matrices in that type, or those of its blocks in four bits a weight.
/// `progress` is called with the blocks that are read, and with how many there are.
pub fn model(
    path: &Path,
    dtype: DType,
    device: &Device,
    in_nf4: bool,
    progress: &dyn Fn(u64, u64),
) -> Result<Model> {
    let blocks = io::load_config(path)?.num_hidden_layers as u64;
    let mut done = 0;
    io::load_blocks(path, dtype, device, &mut |block| {
        done += 1;
        progress(done, blocks);
        if in_nf4 { walk::quantise_block(block) } else { Ok(()) }
    })
}

/// Where a trained model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trained {
    /// Its weights and tokenizer.
    pub base: PathBuf,
    /// What was trained beside them.
    pub adapter: Option<PathBuf>,
}

impl Trained {
    /// A model by its folder, `.gguf` file or name of the hub, and an adapter; or a run by its
    /// folder, or by the `best` in it, with the adapter that it trained unless another is named.
    ///
    /// # Errors
    /// If a model of the hub is not there and cannot be fetched.
    pub fn find(model: &str, adapter: Option<&Path>) -> Result<Trained> {
        let folder = model::locate(model)?;
        let mut adapter = adapter.map(Path::to_path_buf);
        if !folder.is_dir() || folder.join("config.json").is_file() {
            return Ok(Trained { base: folder, adapter });
        }
        let own = folder.join("adapter");
        if own.join("adapter_config.json").is_file() {
            adapter.get_or_insert(own);
        }
        let above = folder.parent().map(|run| run.join("model"));
        let models = std::iter::once(folder.join("model")).chain(above);
        let beside = models.into_iter().find(|model| model.join("config.json").is_file());
        let base = match beside.or_else(|| base_of_run(&folder)) {
            Some(base) => base,
            None => folder,
        };
        Ok(Trained { base, adapter })
    }
}

/// The base model of the run that a folder is of.
fn base_of_run(folder: &Path) -> Option<PathBuf> {
    let folders = std::iter::once(folder).chain(folder.parent());
    let recipe = folders.map(|folder| folder.join("recipe.toml")).find(|file| file.is_file())?;
    let text = fs::read_to_string(&recipe).ok()?;
    let (recipe, _) = recipe::parse(&Source::new(recipe.to_string_lossy(), text));
    match recipe?.model.base {
        Base::Folder(named) => model::locate(&named.path).ok(),
        Base::Scratch(_) => None,
    }
}

/// A model's tokenizer as it goes along with the model: what the chat template ends a reply with is
/// among the ends, though a base model's files name only that of a text.
pub fn tokenizer(path: &Path) -> Result<Tokenizer> {
    let tokenizer = Tokenizer::load(path)?;
    // A template that cannot be read is kept, and nothing is known of it.
    let template = Template::load(path, &tokenizer).ok().flatten();
    let template = template.map(|template| template.on(today()));
    let ends = ends(template.as_ref(), &tokenizer)?;
    tokenizer.ended_by(&ends.of_format())
}

/// What ends a reply: what the model's files name, and what its chat template writes after one.
pub fn ends(template: Option<&Template>, tokenizer: &Tokenizer) -> Result<Ends> {
    // A template that changes its texts can still be talked to.
    match template.and_then(|template| template.frame(System::None).ok()) {
        Some(frame) => Ends::closed_by(tokenizer, &frame.end),
        None => Ok(Ends::of(tokenizer.ends())),
    }
}

/// Today, in Greenwich.
pub fn today() -> Date {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Date::of_days(now.map_or(0, |now| now.as_secs() / DAY))
}

/// The files of models and adapters as they are when a command begins to read them. A run that
/// writes them at the same time replaces each atomically, but one after the other: what was
/// read would belong to two models.
pub struct Inputs {
    folders: Vec<PathBuf>,
    stamps: Vec<Stamp>,
}

/// A file's path, and what changes when it is replaced or written to.
type Stamp = (PathBuf, [u64; 2], [i64; 4]);

impl Inputs {
    /// Of folders, or of files.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Inputs {
        let folders: Vec<PathBuf> = paths.into_iter().cloned().collect();
        let stamps = stamps(&folders);
        Inputs { folders, stamps }
    }

    /// What tells them from all others, and from themselves when they are written again.
    pub fn text(&self) -> String {
        format!("{:?}", self.stamps)
    }

    /// Fails if one was changed since.
    pub fn expect_unchanged(&self) -> Result<(), Error> {
        let now = stamps(&self.folders);
        let changed = self.stamps.iter().zip(&now).find(|(was, now)| was != now);
        let changed = match changed {
            Some((was, _)) => was,
            None if self.stamps.len() == now.len() => return Ok(()),
            None => match self.stamps.last().or(now.last()) {
                Some(last) => last,
                None => return Ok(()),
            },
        };
        Err(Error::Input(format!(
            "{} was changed while it was read: wait until nothing writes it, and try again",
            changed.0.parent().unwrap_or(&changed.0).display()
        )))
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let inside = |path: &PathBuf| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        // What is half-written comes and goes.
        all.retain(|path| {
            !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b".")
        });
        all.sort();
        if path.is_file() { vec![path.clone()] } else { all }
    };
    let stamp = |path: PathBuf| {
        let of = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let times = [of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()];
        Some((path, [of.ino(), of.len()], times))
    };
    paths.iter().flat_map(inside).filter_map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_or_added_while_others_are_read_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_path_buf();
        let write = |name: &str, text: &str| {
            crate::disk::write(&path.join(name), text.as_bytes()).expect("a file");
        };
        write("config.json", "{}");
        write("model.safetensors", "1");
        let inputs = Inputs::of([&path]);
        assert!(inputs.expect_unchanged().is_ok());
        std::fs::write(path.join(".cookc-0123456789.part"), "half").expect("a file");
        assert!(inputs.expect_unchanged().is_ok(), "what is half-written is not read");
        write("model.safetensors", "2");
        assert!(matches!(inputs.expect_unchanged(), Err(Error::Input(_))));
        let inputs = Inputs::of([&path]);
        write("tokenizer.json", "{}");
        assert!(inputs.expect_unchanged().is_err());
    }
}
