//! The files of a data set that is a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::template::Error;

/// The endings of the formats, the most common first.
const FORMATS: [(&str, &[&str]); 5] = [
    ("JSON", &["jsonl", "json", "ndjson"]),
    ("Parquet", &["parquet", "pq"]),
    ("Arrow", &["arrow", "arrows", "feather", "ipc"]),
    ("WebDataset", &["tar"]),
    ("CSV", &TABLES),
];
/// The endings of tables of text.
const TABLES: [&str; 2] = ["csv", "tsv"];
/// The endings of compressed JSON, after its own.
const PACKED: [&str; 2] = ["gz", "zst"];
/// What the library `datasets` writes beside its rows.
const BESIDE: [&str; 3] = ["dataset_info.json", "state.json", "dataset_dict.json"];
/// How the names of the manifests begin that `cookc generate` writes beside its rows.
const MANIFEST: &str = "cookc";
/// How the names of its results of `map` and `filter` begin, which are no part of the data set.
const CACHE: &str = "cache-";

/// The file itself, or the files of a folder that hold rows, in the order of their names.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let io = |error| Error::Io { path: path.to_path_buf(), error };
    let (mut found, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_manifest = name.starts_with(MANIFEST) && name.ends_with(".json");
        if name.starts_with(['.', '_']) || is_manifest || BESIDE.contains(&name.as_str()) {
            continue;
        }
        if entry.path().is_dir() {
            folders.push(name);
        } else if let Some(format) = format(&name).filter(|_| !name.starts_with(CACHE)) {
            found.push((name, format));
        }
    }
    found.sort();
    folders.sort();
    let Some((first, format)) = found.first() else { return Err(empty(path, &folders)) };
    if let Some((other, _)) = found.iter().find(|(_, other)| other != format) {
        return Err(Error::Input(format!(
            "{} holds files of different formats, {first} and {other}: name one, such as {}",
            path.display(),
            path.join(first).display()
        )));
    }
    Ok(found.iter().map(|(name, _)| path.join(name)).collect())
}

/// Is it a table of text, by its name?
pub fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| TABLES.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

fn format(name: &str) -> Option<&'static str> {
    let (before, ending) = name.rsplit_once('.')?;
    let ending = match PACKED.contains(&ending) {
        true => before.rsplit_once('.')?.1,
        false => ending,
    };
    let ending = ending.to_ascii_lowercase();
    FORMATS.iter().find(|(_, endings)| endings.contains(&&*ending)).map(|(format, _)| *format)
}

fn empty(path: &Path, folders: &[String]) -> Error {
    let write = match folders.first() {
        Some(first) => {
            format!("its folders are {}: write {}", folders.join(", "), path.join(first).display())
        }
        None => "name a file, or a folder that `datasets` saved".to_string(),
    };
    Error::Input(format!(
        "{} holds no rows: expected files that end with .jsonl, .json, .csv, .tsv, .parquet, \
         .arrow or .tar: {write}",
        path.display()
    ))
}
