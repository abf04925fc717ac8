//! Why a command ended early.

use std::io;

use crate::template::{Error, Findings};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The input is invalid, and what is wrong was shown already.
    Shown,
    /// The input is invalid: what was found in which text.
    Invalid(Vec<Findings>),
    /// The input is invalid: one line that says what to write.
    Input(String),
    /// The command was used wrongly.
    Usage(String),
    /// Disk, memory or device failed.
    Machine(anyhow::Error),
    /// Ctrl-C, or a request to end.
    Interrupted,
    /// The reader of the output is gone, so no message is written.
    Closed,
    /// A process that this one started ended with this code, and has reported why.
    Child(u8),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Invalid(all) => Failure::Invalid(all),
            Error::Sample { source, diagnostic, .. } => {
                Failure::Invalid(vec![Findings { source, diagnostics: vec![*diagnostic] }])
            }
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
