//! The command line: one file a command.

mod console;
mod failure;
mod load;
mod options;
#[cfg(feature = "train")]
mod run;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// The compiler for training data: a rule becomes samples, checkers and a trained model.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: options::Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "train")]
    Run(run::Run),
}

/// Does what the arguments say.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    arguments.common.apply()?;
    match arguments.command {
        #[cfg(feature = "train")]
        Command::Run(command) => run::run(&command),
    }
}
