//! `cookc fmt`: templates in their one canonical layout.

use std::path::Path;

use clap::Args;

use super::load;
use super::{Failure, console};
use crate::data::output;
use crate::syntax::format;
use crate::template;

const HELP: &str = r#"Examples:
  cookc fmt my.cook                 writes the file again if its layout changes
  cookc fmt *.cook --check          names the files that would change; exit code 1 if there is one
  cookc fmt - < my.cook             from standard input to standard output"#;

/// Write templates in their canonical layout
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Fmt {
    /// .cook files; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Change nothing, and name the files that would change
    #[arg(long)]
    check: bool,
}

/// Formats each file. A file with errors stays as it is, and its errors are shown.
pub fn run(command: &Fmt) -> Result<(), Failure> {
    let mut good = true;
    for file in &command.files {
        if file.starts_with("std:") {
            return Err(Failure::Usage(format!("{file} is built in: name a file")));
        }
        let source =
            if file == "-" { load::stdin("standard input")? } else { template::source_of(file)? };
        let Ok(text) = format(&source).map_err(|errors| load::shown(&source, &errors)) else {
            good = false;
            continue;
        };
        let changes = text != *source.text;
        match (file.as_str(), command.check) {
            ("-", false) => console::data(&text)?,
            (file, true) if changes => {
                good = false;
                console::print(&format!("{file}\n"))?;
            }
            (file, false) if changes => output::write(Path::new(file), &text)?,
            _ => {}
        }
    }
    if good { Ok(()) } else { Err(Failure::Shown) }
}
