//! `cookc data`: what is in a data set that was written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::console;
use super::failure::Failure;
use super::options;
use super::progress::Progress;
use crate::data::generate::Stopped;
use crate::data::shards::{self, Refused, Verified};

const HELP: &str = "\
Examples:
  cookc data verify data/
  cookc data verify data/ --json | jq .problems";

/// Look at a data set that was written
#[derive(Debug, Args)]
#[command(after_help = HELP, disable_help_subcommand = true)]
pub struct Data {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(Verify),
}

const VERIFY_HELP: &str = r#"Examples:
  cookc generate std:retrieval -n 1000000 -o data/
  cookc data verify data/

Exit codes: 0 if all rows are there as they were written, 1 if not. With --json: {"of": what the
data set is, "rows", "rows_there", "bytes", "problems": [text]}."#;

/// Read all files of a folder again, and compare them with their checksums
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
struct Verify {
    /// The folder that `cookc generate -o FOLDER/` wrote
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Does what the subcommand says.
pub fn run(command: &Data) -> Result<(), Failure> {
    match &command.command {
        Command::Verify(command) => verify(command),
    }
}

fn verify(command: &Verify) -> Result<(), Failure> {
    let cancel = options::interrupt()?;
    let progress = Progress::counting("reading");
    let each = |_, _| {
        progress.add(1);
        !cancel.load(std::sync::atomic::Ordering::Relaxed)
    };
    let verified = shards::verify(&command.folder, &each);
    progress.finish();
    let verified = verified.map_err(|refused| match refused {
        Refused::Taken(why) => Failure::Input(why),
        Refused::Stopped(Stopped::Output(error)) => error.into(),
        Refused::Stopped(_) => Failure::Interrupted,
    })?;
    match command.json {
        true => {
            let text = serde_json::to_string(&verified).expect("texts and numbers are JSON");
            console::data(&format!("{text}\n"))?;
        }
        false => console::print(&text(&verified))?,
    }
    match verified.problems.len() {
        0 => Ok(()),
        count => Err(Failure::Input(format!(
            "{}: {}",
            command.folder.display(),
            console::count(count, "problem")
        ))),
    }
}

fn text(verified: &Verified) -> String {
    let Verified { of, rows, rows_there, bytes, problems } = verified;
    let mut text = format!(
        "{of}\n{rows_there} of {rows} rows are there as they were written, {:.1} MB\n",
        *bytes as f64 / 1e6
    );
    for problem in problems {
        text += &format!("{problem}\n");
    }
    text
}
