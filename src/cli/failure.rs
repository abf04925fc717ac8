//! Why a command ended early, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use super::{console, load};
use crate::template::Error;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The input is invalid, and what is wrong was shown already.
    Shown,
    /// The input is invalid: one line that says what to write.
    Input(String),
    /// The command was used wrongly.
    Usage(String),
    /// Disk, memory or device failed.
    Machine(anyhow::Error),
    /// Ctrl-C, or a request to end.
    Interrupted,
    /// The reader of the output has gone: nobody is left to tell.
    Closed,
    /// A process that this one started ended so, and has told why.
    Child(u8),
}

impl Failure {
    /// Tells the user, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        ExitCode::from(self.told())
    }

    /// Tells the user, and gives the number of the exit code.
    pub fn told(&self) -> u8 {
        match self {
            Failure::Shown => {}
            Failure::Input(text) | Failure::Usage(text) => console::error(text),
            Failure::Machine(error) => console::error(&format!("{error:#}")),
            Failure::Interrupted => console::error("interrupted; nothing was left half-written"),
            Failure::Closed | Failure::Child(_) => {}
        }
        match self {
            Failure::Closed => 0,
            Failure::Shown | Failure::Input(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Machine(_) => 3,
            Failure::Interrupted => 130,
            Failure::Child(code) => *code,
        }
    }
}

impl From<Error> for Failure {
    /// The diagnostics of a template are shown here.
    fn from(error: Error) -> Failure {
        match error {
            Error::Invalid(all) => {
                all.iter().for_each(|one| drop(load::shown(&one.source, &one.diagnostics)));
                Failure::Shown
            }
            Error::Sample { source, diagnostic, .. } => load::shown(&source, &[*diagnostic]),
            Error::Io { path, error } => {
                let error = anyhow::Error::new(error);
                Failure::Machine(error.context(format!("cannot read {}", path.display())))
            }
            Error::Cancelled => Failure::Interrupted,
            Error::Failed(error) => error.into(),
            error => Failure::Input(error.to_string()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        match kinds.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe) {
            true => Failure::Closed,
            false => Failure::Machine(error),
        }
    }
}
