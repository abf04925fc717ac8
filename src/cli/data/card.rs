//! `cookc data card`: README.md for the Hugging Face hub, and cookc.json to make the data again.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::of::{Of, manifests};
use crate::cli::progress::Progress;
use crate::cli::{Failure, console, options};
use crate::data::generate::Stopped;
use crate::data::output::{self, Output};
use crate::data::shards::{Manifest, Shard};
use crate::data::sink::{Format, features_of};
use crate::data::{Observer, Origin};
use crate::datasets::card::{Card as Text, MARK, Split};
use crate::datasets::stats::{Options, Stats};
use crate::datasets::verify::no_row;
use crate::datasets::{Again, Kind};
use crate::rows::{Row, Rows};

const HELP: &str = r#"Examples:
  cookc data card data/
  cookc data card train.parquet
  cookc generate std:retrieval -n 100000 -o set/train/ --format parquet
  cookc generate std:retrieval -n 1000 -o set/eval/ --format parquet --split eval
  cookc data card set/

Writes README.md into the folder: the `configs` and `dataset_info` that the Hugging Face hub and
`datasets` read (`load_dataset("set")`), numbers, the first row, and the commands that verify the
data and make it again. A folder has a manifest, as `cookc generate -o FOLDER/` writes it, or holds
folders that have one each: the splits. For a file, all of it is made again; if its bytes are the
same, cookc.json is written beside it, from which `cookc data make` makes it."#;

/// Write a Hugging Face card, and what the data is made from
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Card {
    /// A folder of `cookc generate`, a folder of such folders, or a file
    #[arg(value_name = "DATA")]
    data: PathBuf,
    #[command(flatten)]
    of: Of,
    /// The name of the data set [default: that of the template]
    #[arg(long)]
    name: Option<String>,
    /// Replace a README.md that was written by others
    #[arg(long)]
    force: bool,
}

/// A split that was read.
struct Read {
    split: Split,
    kind: std::sync::Arc<Kind>,
    first: Row,
    format: Format,
}

/// Reads the data, then writes the card.
pub fn run(command: &Card) -> Result<(), Failure> {
    let data = &command.data;
    let folder = match data.is_dir() {
        true => data.clone(),
        false => crate::disk::folder_of(data).to_path_buf(),
    };
    let readme = folder.join("README.md");
    let there = fs::read_to_string(&readme).ok();
    if there.is_some_and(|text| !text.contains(MARK)) && !command.force {
        return Err(Failure::Input(format!(
            "{} is there, and `cookc data card` did not write it: add `--force` to replace it",
            readme.display()
        )));
    }
    let mut splits: Vec<Read> = Vec::new();
    for part in parts(data)? {
        let read = read(command, &part, &folder)?;
        if splits.iter().any(|other| other.split.id.split == read.split.id.split) {
            let (name, split) = (data.display(), read.split.id.split);
            let why = format!("{name} holds two folders of the split {split}: leave one out");
            return Err(Failure::Input(why));
        }
        splits.push(read);
    }
    let first = &splits[0];
    let is_named = |columns: &Read| columns.format.name != "webdataset";
    let card = Text {
        name: command.name.clone().unwrap_or_else(|| first.split.id.template.clone()),
        shape: first.kind.shape().to_string(),
        features: match is_named(first) {
            true => features_of(first.kind.schema()),
            false => serde_json::Value::Null,
        },
        example: first.first.values.clone(),
        splits: splits.into_iter().map(|read| read.split).collect(),
    };
    output::write(&readme, &card.text())?;
    console::note(&format!("card: {}", readme.display()));
    Ok(())
}

/// The data of each split: a file or a folder with a manifest.
fn parts(data: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !data.is_dir() || !manifests(data).is_empty() {
        return Ok(vec![data.to_path_buf()]);
    }
    let entries = fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
    let folders = entries.flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> =
        folders.filter(|path| path.is_dir() && !manifests(path).is_empty()).collect();
    folders.sort();
    match folders.is_empty() {
        false => Ok(folders),
        true => Err(Failure::Input(format!(
            "{} has no manifest of cookc (cookc.json), and no folder in it has one: name a folder \
             that `cookc generate -o FOLDER/` wrote, or a file",
            data.display()
        ))),
    }
}

/// Reads a split, and for a file writes its manifest.
fn read(command: &Card, data: &Path, folder: &Path) -> Result<Read, Failure> {
    let cancel = options::interrupt()?;
    let mut rows = Rows::open(data)?;
    let mut again = Again::new(command.of.origins(data)?);
    let first = rows.next().transpose()?.expect("a data set without a row is an error");
    let place = rows.place(&first);
    let known = again.kind(&first.values);
    let (id, kind) = known.map_err(|why| Failure::Input(no_row(&place, &why)))?;
    let progress = Progress::counting("counting", "rows");
    let options = Options { columns: Vec::new(), memory: MEMORY };
    let stats = Stats::of(data, &options, cancel, &|rows| progress.add(rows));
    progress.finish();
    let stats = stats?;
    if stats.is_stopped {
        return Err(Failure::Interrupted);
    }
    let known = manifests(data);
    let inside = match data.is_dir() {
        true => data.strip_prefix(folder).unwrap_or(Path::new("")),
        false => Path::new(""),
    };
    let inside = |name: &str| inside.join(name).to_string_lossy().into_owned();
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let first_file = known.first().and_then(|one| one.shards.first());
    let name = first_file.filter(|_| data.is_dir()).map_or(&*name, |shard| &*shard.file);
    let format = Format::of_name(name).ok_or_else(|| {
        Failure::Input(format!("{name}: no format of `cookc generate` has this ending"))
    })?;
    let (name, (bytes, made), manifest) = match data.is_dir() {
        true => {
            // Of several writers, each manifest says what it is made from.
            let manifest = match known.len() {
                1 => "cookc.json".to_string(),
                of => format!("cookc-0-of-{of}.json"),
            };
            (format!("data-*.{}", format.endings[0]), complete(data, &known)?, manifest)
        }
        false => {
            let made = again.origins().made(&id);
            let made = made.map(|one| one.origin(&id, kind.shape(), format.name));
            let indices = id.index..id.index.saturating_add(stats.rows);
            let bytes = manifest_of(data, (&kind, format), indices, made.clone())?;
            (name.to_string(), (bytes, made), "cookc.json".to_string())
        }
    };
    let manifest = made.is_some().then(|| inside(&manifest));
    let split = Split { id, files: inside(&name), bytes, stats, manifest, made };
    Ok(Read { split, kind, first, format })
}

/// The bytes of a folder that has all of its rows, and what it is made from.
fn complete(folder: &Path, known: &[Manifest]) -> Result<(u64, Option<Origin>), Failure> {
    let shards = || known.iter().flat_map(|one| &one.shards);
    let (there, wanted) = (shards().map(|shard| shard.rows).sum::<u64>(), known[0].rows);
    if there != wanted {
        return Err(Failure::Input(format!(
            "{} has {there} of {wanted} rows: write the others by `cookc generate --resume`",
            folder.display()
        )));
    }
    Ok((shards().map(|shard| shard.bytes).sum(), known[0].made.clone()))
}

/// Bytes for the hashes of prompts.
const MEMORY: u64 = 256 << 20;

/// Makes a file again; if the bytes are the same, writes its manifest beside it. Returns its size.
fn manifest_of(
    data: &Path,
    (kind, format): (&Kind, Format),
    indices: Range<u64>,
    made: Option<Origin>,
) -> Result<u64, Failure> {
    let path = crate::disk::folder_of(data).join("cookc.json");
    if path.exists() && manifests(data).is_empty() {
        return Err(Failure::Input(format!(
            "{} is of another data set: put {} into another folder",
            path.display(),
            data.display()
        )));
    }
    let (rows, schema) = (indices.end - indices.start, kind.schema());
    let hasher = Digest::default();
    let progress = Progress::writing(rows, "making it again");
    let observer =
        Observer { cancel: options::interrupt()?, event: &|event| progress.follow(event) };
    let first = indices.start;
    let output = Output::stream(hasher.clone(), "a checksum");
    let bytes = format.write(schema, &indices.into(), output, &observer);
    progress.finish();
    let bytes = bytes.map_err(|stopped| match stopped {
        Stopped::Cancelled => Failure::Interrupted,
        other => Failure::Input(format!("{}: {other}", data.display())),
    })?;
    let file = fs::File::open(data).with_context(|| format!("cannot read {}", data.display()))?;
    let mut own = blake3::Hasher::new();
    own.update_reader(file).with_context(|| format!("cannot read {}", data.display()))?;
    let blake3 = hasher.hex();
    if own.finalize().to_hex().to_string() != blake3 {
        return Err(Failure::Input(format!(
            "{} has other bytes than its samples {first} to {}: `cookc data verify` says what \
             differs; files of mixtures and files that were filtered have no card",
            data.display(),
            first + rows - 1
        )));
    }
    let file = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let manifest = Manifest {
        cookc: env!("CARGO_PKG_VERSION").to_string(),
        of: schema.text(format.name),
        first,
        rows,
        shard_size: rows,
        shards: vec![Shard { file, first, rows, bytes, blake3 }],
        made,
    };
    let text = serde_json::to_string_pretty(&manifest).expect("texts and numbers are JSON");
    output::write(&path, &(text + "\n"))?;
    console::note(&format!("what it is made from: {}", path.display()));
    Ok(bytes)
}

/// A checksum of what is written into it.
#[derive(Clone, Default)]
struct Digest(std::sync::Arc<std::sync::Mutex<blake3::Hasher>>);

impl Digest {
    fn hex(&self) -> String {
        let hasher = self.0.lock().expect("no writer panics");
        hasher.finalize().to_hex().to_string()
    }
}

impl std::io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
