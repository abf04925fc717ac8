//! `cookc data`: what is in a data set that was written.

mod card;
mod decontaminate;
mod make;
mod of;
mod show;
mod stats;
mod verify;

use clap::{Args, Subcommand};

use super::Failure;

const HELP: &str = "\
Examples:
  cookc data show train.jsonl 17
  cookc data verify train.parquet
  cookc data verify data/ --json | jq .problems
  cookc data stats train.jsonl
  cookc data decontaminate train.jsonl --against eval.jsonl -o clean.jsonl
  cookc data card data/
  cookc data make data/cookc.json -o again/";

/// Look at a data set that was written
#[derive(Debug, Args)]
#[command(after_help = HELP, disable_help_subcommand = true)]
pub struct Data {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::Show),
    Verify(verify::Verify),
    Make(make::Make),
    Stats(stats::Command),
    Decontaminate(decontaminate::Decontaminate),
    Card(card::Card),
}

/// Does what the subcommand says.
pub fn run(command: &Data) -> Result<(), Failure> {
    match &command.command {
        Command::Show(command) => show::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Make(command) => make::run(command),
        Command::Stats(command) => stats::run(command),
        Command::Decontaminate(command) => decontaminate::run(command),
        Command::Card(command) => card::run(command),
    }
}
