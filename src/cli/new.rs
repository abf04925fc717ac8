//! `cookc new`: a small template to begin with.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, console};
use crate::disk::{self, Pending};
use crate::source::Source;
use crate::syntax::ast::StatementKind;
use crate::template;
use crate::{stdlib, syntax};

const HELP: &str = r#"Examples:
  cookc new recall                          writes recall.cook
  cookc new recall --from std:retrieval     the same, with the text of a template that is built in

A file that is there is never overwritten."#;

/// Write a small template to begin with
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct New {
    /// The name of the template: lowercase letters, digits and _, after a folder if need be
    #[arg(value_name = "NAME")]
    name: String,
    /// A template to copy: std:NAME, or a .cook file
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
}

/// Writes the file, and says what to do with it.
pub fn run(command: &New) -> Result<(), Failure> {
    let path = path(&command.name)?;
    let text = match &command.from {
        Some(from) => template::source_of(from)?.text,
        None => BEGINNING.into(),
    };
    if path.symlink_metadata().is_ok() {
        return Err(there_already(&path));
    }
    disk::sweep(disk::folder_of(&path));
    if command.from.as_deref().is_some_and(|from| from.starts_with("std:")) {
        write_words(&path, &text)?;
    }
    write(&path, &text)?;
    let file = path.display();
    console::print(&format!(
        "wrote {file}\n\n  \
         cookc check {file}     finds its errors\n  \
         cookc sample {file}    shows samples of it\n  \
         cookc test {file}      audits it: rules that hold, cheats that fail\n"
    ))
}

/// Beside a copy go the files of words that it reads, unless they are there.
fn write_words(path: &Path, text: &str) -> Result<(), Failure> {
    let (file, _) = syntax::parse(&Source::new("a copy", text));
    for statement in file.statements {
        let StatementKind::Words { path: words, .. } = statement.kind else { continue };
        let beside = path.with_file_name(&words);
        match stdlib::neighbour(&words) {
            Some(text) if !beside.exists() => write(&beside, text)?,
            _ => {}
        }
    }
    Ok(())
}

/// The file of a name; a template is called like its file, so the file is called as a name may be.
fn path(name: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(name.strip_suffix(".cook").unwrap_or(name));
    let stem = path.file_name().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.filter(|_| !name.ends_with('/')).unwrap_or_default();
    let small: String = stem
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    let begins = small.starts_with(|letter: char| letter.is_ascii_lowercase());
    if begins && small == stem {
        return Ok(path.with_file_name(format!("{stem}.cook")));
    }
    let hint = if begins { format!(": write {small}") } else { String::new() };
    Err(Failure::Usage(format!(
        "`{name}` cannot be a template's name, which is lowercase letters, digits and _{hint}"
    )))
}

/// Writes a file that is not there yet, atomically.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = Pending::create(path).and_then(|mut pending| {
        pending.write_all(text.as_bytes())?;
        pending.finish_new()
    });
    match written {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(there_already(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = disk::folder_of(path).display();
            Err(Failure::Input(format!("there is no folder {folder}: make it first")))
        }
        Err(error) => {
            let name = path.display();
            Err(anyhow::Error::new(error).context(format!("cannot write {name}")).into())
        }
    }
}

fn there_already(path: &Path) -> Failure {
    Failure::Input(format!("{} is there already: choose another name", path.display()))
}

/// A template that has one of each thing, and that the auditor passes.
const BEGINNING: &str = include_str!("new.cook");
