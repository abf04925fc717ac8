//! `cookc export`: a model, with its adapter folded in, as one file for llama.cpp.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use candle_core::{DType, Device};
use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Failure, console, options, reading};
use crate::disk;
use crate::model::{gguf, lora};
use crate::run::{self, reading::Inputs};

const HELP: &str = "\
Examples:
  cookc export models/SmolLM2 --gguf smol.gguf
  cookc export models/SmolLM2 --adapter runs/first/adapter --gguf first.gguf --kind q8_0
  cookc export old.gguf --adapter runs/first/adapter --gguf first.gguf

MODEL is a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file. The
file has the model's shape, its tokenizer and its chat template in it, and appears when it is
whole. A tokenizer of whole words, as `cookc run` makes for a model from scratch, cannot be said
in GGUF. The weights are held in memory in 32 bits.";

/// Write a model as a GGUF file, for llama.cpp and what is built on it
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Export {
    /// The model: a folder, or a .gguf file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    gguf: PathBuf,
    /// An adapter of the model to fold in, a folder in PEFT's format
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// How the elements of matrices are stored; norms are always f32
    #[arg(long, value_name = "KIND", default_value = "f16")]
    kind: Kind,
}

/// How elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// 4 bytes each, exact
    F32,
    /// 2 bytes each
    F16,
    /// 2 bytes each, coarser, for larger numbers
    Bf16,
    /// 1 byte each and a scale for every 32: about half of f16
    #[value(name = "q8_0")]
    Q8_0,
}

/// Reads the model, writes the file, and tells how large it is.
pub fn run(command: &Export) -> Result<(), Failure> {
    if !gguf::is_named(&command.gguf) {
        let out = command.gguf.display();
        return Err(Failure::Usage(format!("the file's name must end in .gguf: {out}.gguf")));
    }
    disk::sweep(disk::folder_of(&command.gguf));
    let inputs = Inputs::of([Some(&command.model), command.adapter.as_ref()].into_iter().flatten());
    let at_error = |error: anyhow::Error| Failure::Input(format!("{error:#}"));
    crate::model::io::load_config(&command.model).map_err(at_error)?;
    let tokenizer = run::reading::tokenizer(&command.model).map_err(at_error)?;
    let read = reading::model(&command.model, DType::F32, &Device::Cpu);
    let mut model = read.map_err(at_error)?;
    if let Some(adapter) = &command.adapter {
        lora::load(&mut model, adapter).map_err(at_error)?;
    }
    inputs.expect_unchanged()?;
    let folder = command.model.canonicalize().unwrap_or_else(|_| command.model.clone());
    let name = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    model.config.other.entry(gguf::NAME).or_insert(name.into());
    let cancel = options::interrupt()?;
    let weights = model.parameters().iter().map(|one| one.value.elem_count()).sum::<usize>();
    let progress = Progress::new(weights as u64, "weights");
    let mut written = 0;
    let kind = match command.kind {
        Kind::F32 => gguf::Kind::F32,
        Kind::F16 => gguf::Kind::F16,
        Kind::Bf16 => gguf::Kind::Bf16,
        Kind::Q8_0 => gguf::Kind::Q8_0,
    };
    let saved = gguf::save(&model, &tokenizer, &command.gguf, kind, &mut |elements| {
        written += elements;
        progress.add(elements as u64);
        anyhow::ensure!(!cancel.load(Ordering::Relaxed), "interrupted");
        Ok(())
    });
    progress.finish();
    if cancel.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    saved.map_err(|error| match error.root_cause().is::<std::io::Error>() {
        true => error.into(),
        false => at_error(error),
    })?;
    let size = std::fs::metadata(&command.gguf).map_or(0, |file| file.len()) as f64 / 1e6;
    let (out, seconds) = (command.gguf.display(), progress.seconds());
    console::note(&format!("{written} weights, {size:.1} MB, {seconds:.2} s: {out}"));
    Ok(())
}
