//! The command line of cookc: parse the arguments, run, choose the exit code.

use std::process::ExitCode;

use clap::Parser;
use cookc::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
