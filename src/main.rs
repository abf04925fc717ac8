//! The command line of cookc: parse the arguments, run, choose the exit code.

use std::process::ExitCode;

use cookc::cli::{self, Arguments};

fn main() -> ExitCode {
    match cli::run(Arguments::given()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => cli::report(&failure),
    }
}
