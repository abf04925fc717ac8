//! The command line of cookc: parse the arguments, run, choose the exit code.

use std::process::ExitCode;

use cookc::cli::{self, Arguments};

fn main() -> ExitCode {
    let given = std::env::args_os().collect();
    match cli::run(Arguments::of(given)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => cli::report(&failure).into(),
    }
}
