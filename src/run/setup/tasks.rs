//! The tasks with known answers that a recipe names, made ready.

use std::path::{Path, PathBuf};

use crate::model::Tokenizer;
use crate::recipe::{Study, Tasks};
use crate::tasks::{self, Prepared, Settings, Style};
use crate::template::Error;

/// All of a table of tasks, if there is one, for a model of that tokenizer that reads so many
/// tokens. Paths of the table become absolute.
pub fn prepared(
    asked: Option<&mut Tasks>,
    (folder, seed): (&Path, u64),
    tokenizer: &Tokenizer,
    tokens_max: usize,
) -> Result<Vec<Prepared>, Error> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let whole = |path: &str| absolute(folder, path);
    let names: Vec<String> = asked.names.path.split(',').map(|name| name.trim().into()).collect();
    let names: Vec<String> =
        names.into_iter().map(|name| if is_file(&name) { whole(&name) } else { name }).collect();
    asked.names.path = names.join(",");
    if !asked.data.is_empty() {
        asked.data = whole(&asked.data);
    }
    let variable = || std::env::var_os(tasks::FOLDER).filter(|it| !it.is_empty());
    let named = Some(&asked.data).filter(|data| !data.is_empty()).map(PathBuf::from);
    let settings = Settings {
        limit: Some(asked.limit).filter(|limit| *limit > 0),
        shots: asked.shots as usize,
        seed,
        style: if asked.style == Style::Olmes.name() { Style::Olmes } else { Style::LmEval },
        folder: named.or_else(|| variable().map(PathBuf::from)),
    };
    let tasks = tasks::named(&asked.names.path, settings.style)?;
    let prepare = |task| tasks::prepare(task, &settings, tokenizer, tokens_max);
    tasks.into_iter().map(prepare).collect()
}

/// Makes the paths of a study absolute.
pub fn rooted(study: &mut Study, folder: &Path) {
    for pair in &mut study.align {
        if !pair.template.path.starts_with("std:") {
            pair.template.path = absolute(folder, &pair.template.path);
        }
        if is_file(&pair.task.path) {
            pair.task.path = absolute(folder, &pair.task.path);
        }
    }
    if let Some(english) = &mut study.english {
        english.file.path = absolute(folder, &english.file.path);
    }
}

/// Whether a task's name is that of a file.
fn is_file(name: &str) -> bool {
    name.ends_with(".toml") || name.contains('/')
}

fn absolute(folder: &Path, path: &str) -> String {
    let path = folder.join(path);
    path.canonicalize().unwrap_or(path).to_string_lossy().into_owned()
}
