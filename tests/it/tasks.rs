//! Tasks with known answers: what a model is asked, how it is scored, and what bad input gets.

mod bad;
mod command;
mod wording;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use candle_core::Device;
use cookc::model::{Config, Tokenizer, io, weights};
use cookc::source::Source;
use cookc::tasks::{self, Prepared, Settings, Style};
use serde_json::Value;
use tempfile::TempDir;

/// A data set of the hub as a local copy: its folder below the folder of copies.
const ARC_EASY: &str = "ai2_arc/ARC-Easy";

/// Writes rows as JSON lines below a folder.
fn put(folder: &Path, name: &str, rows: &[Value]) -> Result<()> {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
    let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
    Ok(fs::write(path, lines.concat())?)
}

/// A tokenizer that knows the words of texts.
fn words(texts: &[&str]) -> Result<Tokenizer> {
    Tokenizer::words(&texts.iter().map(|text| text.to_string()).collect::<Vec<_>>())
}

/// A task that is built in, with rows of a folder.
fn prepared(
    name: &str,
    folder: &Path,
    settings: Settings,
    tokenizer: &Tokenizer,
) -> Result<Prepared> {
    let settings = Settings { folder: Some(folder.to_path_buf()), ..settings };
    let task = tasks::named(name, settings.style)?.remove(0);
    Ok(tasks::prepare(task, &settings, tokenizer, 512)?)
}

/// A task of a text, with rows beside it, and why it cannot be asked.
fn refused(text: &str, rows: &[Value]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    put(folder.path(), "items.jsonl", rows)?;
    let path = folder.path().join("facts.toml");
    let tokenizer = words(&["Which is it? yes no maybe"])?;
    let read = tasks::parse(&Source::new(path.to_string_lossy(), text), Style::LmEval);
    let read = read.and_then(|task| tasks::prepare(task, &Settings::default(), &tokenizer, 512));
    let error = match read {
        Ok(_) => anyhow::bail!("it can be asked"),
        Err(error) => error.to_string(),
    };
    Ok(error.replace(&format!("{}/", folder.path().display()), ""))
}

/// A small model without training and its tokenizer, in a folder.
fn model(folder: &Path, texts: &[&str]) -> Result<PathBuf> {
    let tokenizer = words(texts)?;
    let mut config = Config::small(tokenizer.vocab_size(), 32, 48, 2, 2);
    config.max_position_embeddings = 64;
    let path = folder.join("model");
    io::save(&weights::fresh(&config, 7, 0.3, &Device::Cpu)?, &path)?;
    tokenizer.save(&path)?;
    Ok(path)
}

fn folder() -> Result<TempDir> {
    Ok(tempfile::tempdir()?)
}
