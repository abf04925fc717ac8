//! `cookc data make`: a data set made again from its manifest.

use std::path::PathBuf;

use clap::Args;

use super::of::{Unpacked, is_recipe};
use crate::cli::generate::{self, Generate};
use crate::cli::options::{self, Choice, Engine};
use crate::cli::{Failure, generate_recipe};
use crate::data::shards::Manifest;
use crate::data::sink::{FORMATS, SHAPES};
use crate::data::{Answer, Origin, Split};
use crate::datasets::Attempt;
use crate::template;

const HELP: &str = r#"Examples:
  cookc data make data/cookc.json -o again/
  cookc data make cookc.json -o train.parquet

cookc.json, which `cookc generate` writes beside the files of a folder and `cookc data card` beside
any data set, has the texts of the template, of the files that it uses and of its words: the data
set is made again from nothing else, to the same bytes. Where -o is a folder, its files have as many
rows as those of the first one; a file has all rows."#;

/// Make a data set again from its cookc.json
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Make {
    /// The manifest, or the folder that it is in
    #[arg(value_name = "FILE")]
    manifest: PathBuf,
    /// The file, or the folder (with a / at the end) to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Write what is missing in the folder
    #[arg(long)]
    resume: bool,
}

/// Reads the manifest, and generates what it says.
pub fn run(command: &Make) -> Result<(), Failure> {
    let path = match command.manifest.is_dir() {
        true => command.manifest.join("cookc.json"),
        false => command.manifest.clone(),
    };
    let text = template::text_of(&path)?;
    let wrong = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("it is no manifest of cookc ({error})")))?;
    let Some(origin) = &manifest.made else {
        return Err(wrong(
            "it does not say what the data set was made from: run the command that wrote it"
                .to_string(),
        ));
    };
    let mut command = of(command, &manifest, origin).map_err(wrong)?;
    if is_recipe(&origin.template) {
        let unpacked = Unpacked::of(origin)?;
        command.template.file = unpacked.recipe.to_string_lossy().into_owned();
        command.template.choice.vocab = None;
        return generate_recipe(&command);
    }
    command.expect_rows()?;
    let template = Attempt::of(origin)?.template;
    let words = origin.vocab.as_ref().and_then(|name| origin.files.get(name)).cloned();
    generate::write(&command, &template, words, Some(origin.clone()))
}

/// The command that wrote it, with another output.
fn of(make: &Make, manifest: &Manifest, origin: &Origin) -> Result<Generate, String> {
    let Origin { template, level, set, vocab, answer, split, seed, shape, format, .. } = origin;
    let none = |what: &str, name: &str| format!("there is no {what} `{name}`");
    let is_folder = make.resume || make.out.is_dir() || options::is_folder(&make.out);
    Ok(Generate {
        template: options::Template {
            file: template.clone(),
            choice: Choice {
                level: level.clone(),
                set: set.clone(),
                vocab: vocab.as_ref().map(PathBuf::from),
                answer: answer.as_deref().map_or(Ok(Answer::default()), str::parse)?,
            },
        },
        seed: Some(*seed),
        split: Split::ALL
            .into_iter()
            .find(|known| known.name() == split)
            .ok_or_else(|| none("split", split))?,
        count: manifest.rows,
        first: manifest.first,
        out: make.out.clone(),
        shape: SHAPES
            .iter()
            .find(|known| known.name == shape)
            .ok_or_else(|| none("shape", shape))?,
        tokenizer: None,
        length: None,
        format: Some(
            FORMATS
                .iter()
                .copied()
                .find(|known| known.name == format)
                .ok_or_else(|| none("format", format))?,
        ),
        shard_size: is_folder.then_some(manifest.shard_size),
        shard: None,
        resume: make.resume,
        dry_run: false,
        engine: Engine::Auto,
    })
}
