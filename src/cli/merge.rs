//! `cookc merge`: a model with its adapter folded in, as one folder for transformers and others.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candle_core::{DType, Device};
use clap::{Args, ValueEnum};

use super::{Failure, console, reading};
use crate::disk::{self, PendingFolder};
use crate::model::{io, lora, weights};
use crate::run::{self, reading::Inputs};

const HELP: &str = "\
Examples:
  cookc merge models/SmolLM2 --adapter runs/first/adapter --out merged
  cookc merge old.gguf --adapter runs/first/adapter --out merged --dtype bf16

MODEL is a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file. The
folder that is written has the same, and the adapter is no more needed. `cookc export` writes a
GGUF file instead.";

/// Fold an adapter into its model, and write the model as a folder
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Merge {
    /// The model: a folder, or a .gguf file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The adapter to fold in, a folder in PEFT's format
    #[arg(long, value_name = "DIR")]
    adapter: PathBuf,
    /// The folder to write; it must not be there, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How weights are stored
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    dtype: Stored,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stored {
    /// 4 bytes each
    F32,
    /// 2 bytes each, with few digits
    Bf16,
    /// 2 bytes each, for small numbers
    F16,
}

/// Reads both, and writes the folder.
pub fn run(command: &Merge) -> Result<(), Failure> {
    let out = command.out.display();
    if filled(&command.out) {
        return Err(has_files(&command.out));
    }
    // A link to an empty folder stays one.
    let path = command.out.canonicalize().unwrap_or_else(|_| command.out.clone());
    let cannot = || format!("cannot write {out}");
    std::fs::create_dir_all(disk::folder_of(&path)).with_context(cannot)?;
    disk::sweep(disk::folder_of(&path));
    let folder = PendingFolder::create(&path).with_context(cannot)?;
    let inputs = Inputs::of([&command.model, &command.adapter]);
    let at_error = |error: anyhow::Error| Failure::Input(format!("{error:#}"));
    // What is said of a model that cannot be read is said of its family, not of its tokenizer.
    io::load_config(&command.model).map_err(at_error)?;
    let tokenizer = run::reading::tokenizer(&command.model).map_err(at_error)?;
    lora::expect(&command.adapter).map_err(at_error)?;
    let read = reading::model(&command.model, DType::F32, &Device::Cpu);
    let mut model = read.map_err(at_error)?;
    lora::load(&mut model, &command.adapter).map_err(at_error)?;
    let dtype = match command.dtype {
        Stored::F32 => DType::F32,
        Stored::Bf16 => DType::BF16,
        Stored::F16 => DType::F16,
    };
    let merged = weights::converted(lora::merged(&model)?, dtype)?;
    inputs.expect_unchanged()?;
    tokenizer.save(folder.path())?;
    io::save(&merged, folder.path())?;
    folder.finish().map_err(|error| match error.kind() {
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            has_files(&command.out)
        }
        // Where another disk is mounted, no folder can be put.
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => Failure::Input(format!(
            "{out} is a mount point: name a new folder in it, such as {out}/merged"
        )),
        _ => anyhow::Error::new(error).context(cannot()).into(),
    })?;
    let count: usize = merged.weights().iter().map(|one| one.value.elem_count()).sum();
    console::note(&format!("{count} weights: {out}"));
    Ok(())
}

fn has_files(out: &Path) -> Failure {
    if out.is_file() {
        return Failure::Input(format!("{} is a file: name a folder", out.display()));
    }
    Failure::Input(format!("{} has files in it: choose another folder", out.display()))
}

/// Whether there is something at that path that would be mixed with what is written.
fn filled(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}
