//! `cookc data verify`: every row once, as it was written.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde_json::json;

use super::of::{Of, manifests};
use crate::cli::progress::Progress;
use crate::cli::{Failure, console, options};
use crate::data::generate::Stopped;
use crate::data::shards::{self, Manifest, Refused, Verified};
use crate::datasets::Again;
use crate::datasets::verify::{self, Report};

const HELP: &str = r#"Examples:
  cookc data verify train.parquet
  cookc generate std:retrieval -n 1000000 -o data/
  cookc data verify data/
  cookc data verify data/ --checksums
  cookc data verify mixed.jsonl --template mixed.toml

Each row is made again from its id and compared, value by value, whatever the format: JSON lines
(compressed too), Parquet, Arrow, WebDataset. Its sample must be there once, and its prompt must
belong to its split: no row of a train set lies in the eval split, or the other way. Files that a
manifest (cookc.json) lists are compared with their checksums too; --checksums does no more.

After Ctrl-C, what was found so far is reported. Exit codes: 0 if all rows are there as they were
written, 1 if not, 130 if it was interrupted. With --json: {"of": what the data set is, "rows": that
it has, "rows_there": in files with the right checksum, or without a manifest as they were written,
"made_again": rows that equal those made again, or null, "bytes", "stopped", "problems": [text]}."#;

/// Make all rows again, and compare them and the checksums
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Verify {
    /// A file that `cookc generate` wrote, or a folder
    #[arg(value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    of: Of,
    /// Only compare the checksums of a folder's files
    #[arg(long)]
    checksums: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Verifies, and reports.
pub fn run(command: &Verify) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let data = &command.data;
    let files = match data.is_dir() {
        true => Some(checksums(data, cancel)?),
        false if command.checksums => {
            return Err(Failure::Usage(format!(
                "--checksums is for a folder with a manifest, and {} is none: leave it out",
                data.display()
            )));
        }
        false => None,
    };
    let changed = if data.is_dir() { None } else { changed(data) };
    let is_stopped = files.as_ref().is_some_and(|files| files.is_stopped);
    let rows = match command.checksums || is_stopped {
        true => None,
        false => Some(rows(command, cancel)?),
    };
    let mut found = Found::of(data, files, rows);
    if let Some(why) = changed {
        found.problem_count += 1;
        found.problems.insert(0, why);
    }
    match command.json {
        true => console::data(&format!("{}\n", found.json()))?,
        false => console::print(&found.text())?,
    }
    match found.problem_count {
        _ if found.is_stopped => Err(Failure::Interrupted),
        0 => Ok(()),
        count => Err(Failure::Input(format!(
            "{}: {}",
            data.display(),
            console::count(count as usize, "problem")
        ))),
    }
}

/// Compares the files of a folder with their checksums.
fn checksums(folder: &Path, cancel: &AtomicBool) -> Result<Verified, Failure> {
    let progress = Progress::counting("comparing checksums", "files");
    let each = |_, _| {
        progress.add(1);
        !cancel.load(Ordering::Relaxed)
    };
    let verified = shards::verify(folder, &each);
    progress.finish();
    verified.map_err(|refused| match refused {
        Refused::Taken(why) => Failure::Input(why),
        Refused::Stopped(Stopped::Output(error)) => error.into(),
        Refused::Stopped(_) => Failure::Interrupted,
    })
}

/// What is wrong with a file by the manifest beside it, if one lists it.
fn changed(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    let known = manifests(file);
    let shard = known.iter().flat_map(|one| &one.shards).find(|shard| shard.file == name)?;
    shards::wrong(crate::disk::folder_of(file), shard)
}

/// Makes the rows again.
fn rows(command: &Verify, cancel: &AtomicBool) -> Result<Report, Failure> {
    let data = &command.data;
    let known = manifests(data);
    let files: Vec<PathBuf> = match data.is_dir() {
        true => {
            let mut shards: Vec<_> = known.iter().flat_map(|one| &one.shards).collect();
            shards.sort_by_key(|shard| shard.first);
            let paths = shards.iter().map(|shard| data.join(&shard.file));
            // The checksums report what is not there.
            paths.filter(|path| path.exists()).collect()
        }
        false => vec![data.clone()],
    };
    let rows = known.iter().map(|one: &Manifest| one.rows).max();
    let progress = match rows {
        Some(rows) => Progress::new(rows, "making rows again"),
        None => Progress::counting("making rows again", "rows"),
    };
    let mut again = Again::new(command.of.origins(data)?);
    let report = verify::verify(&files, &mut again, cancel, &|rows| progress.add(rows));
    progress.finish();
    Ok(report?)
}

/// All that was found.
struct Found {
    of: Vec<String>,
    rows: u64,
    rows_there: u64,
    made_again: Option<u64>,
    bytes: u64,
    problems: Vec<String>,
    problem_count: u64,
    is_stopped: bool,
    has_manifest: bool,
}

impl Found {
    fn of(data: &Path, files: Option<Verified>, rows: Option<Report>) -> Found {
        let size = || std::fs::metadata(data).map_or(0, |file| file.len());
        let has_manifest = files.is_some();
        let mut found = match files {
            Some(files) => Found {
                of: vec![files.of],
                rows: files.rows,
                rows_there: files.rows_there,
                made_again: None,
                bytes: files.bytes,
                problem_count: files.problems.len() as u64,
                problems: files.problems,
                is_stopped: files.is_stopped,
                has_manifest,
            },
            None => Found {
                of: Vec::new(),
                rows: 0,
                rows_there: 0,
                made_again: None,
                bytes: size(),
                problems: Vec::new(),
                problem_count: 0,
                is_stopped: false,
                has_manifest,
            },
        };
        if let Some(report) = rows {
            found.made_again = Some(report.equal);
            found.is_stopped |= report.is_stopped;
            found.problem_count += report.problem_count;
            let told = report.problems.len() as u64;
            found.problems.extend(report.problems);
            if report.problem_count > told {
                found.problems.push(format!("and {} more", report.problem_count - told));
            }
            if !has_manifest {
                (found.rows, found.rows_there) = (report.rows, report.equal);
                found.of = report.of.into_keys().collect();
            }
        }
        found
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "of": self.of.join(" "), "rows": self.rows, "rows_there": self.rows_there,
            "made_again": self.made_again, "bytes": self.bytes, "stopped": self.is_stopped,
            "problems": self.problems,
        })
    }

    fn text(&self) -> String {
        let mut text: String = self.of.iter().map(|of| format!("{of}\n")).collect();
        let (rows, there, megabytes) = (self.rows, self.rows_there, self.bytes as f64 / 1e6);
        if self.has_manifest {
            text += &format!("{there} of {rows} rows are there as they were written, ");
            text += &format!("{megabytes:.1} MB\n");
        }
        if let Some(equal) = self.made_again {
            let of = if self.has_manifest { String::new() } else { format!(" of {rows}") };
            text += &format!("{equal}{of} rows were made again and are equal\n");
        }
        for problem in &self.problems {
            text += &format!("{problem}\n");
        }
        if self.is_stopped {
            text += "stopped before the last row\n";
        }
        text
    }
}
