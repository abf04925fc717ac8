//! Why the front door could not do what it was asked: one type for all of it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Key;
use crate::data::read::Unfit;
use crate::diagnostic::{self, Diagnostic};
use crate::source::Source;

/// Why something could not be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A template or a recipe has errors: in its text, or at the level and with the settings that
    /// were asked for. [`Display`](fmt::Display) draws each with the source beside it.
    Invalid(Vec<Findings>),
    /// A sample cannot be drawn: a step of the template fails in it.
    Sample {
        /// Which sample.
        key: Box<Key>,
        /// The template's text.
        source: Source,
        /// The step that fails, and why.
        diagnostic: Box<Diagnostic>,
    },
    /// A record does not have what the rules need.
    Record {
        /// The name of the value.
        field: String,
        /// What it must be.
        expected: String,
        /// What the record has there.
        found: String,
    },
    /// Invalid input: a file or name that is not what it must be.
    Input(String),
    /// A file cannot be read.
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It was stopped from outside.
    Cancelled,
    /// Disk, memory or device failed, or there is no machine code for this machine.
    Failed(anyhow::Error),
}

/// What was found in one text.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The text.
    pub source: Source,
    /// The errors, in the order of the text, and lints among them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Error {
    /// Of the errors of one text.
    pub(crate) fn invalid(source: &Source, diagnostics: Vec<Diagnostic>) -> Error {
        Error::Invalid(vec![Findings { source: source.clone(), diagnostics }])
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Error {
        Error::Failed(error)
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Error {
        let Unfit { field, expected, found } = unfit;
        Error::Record { field, expected, found }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Invalid(all) => {
                let drawn = all.iter().flat_map(|Findings { source, diagnostics }| {
                    diagnostics.iter().map(|one| diagnostic::render(one, source, false))
                });
                f.write_str(drawn.collect::<String>().trim_end())
            }
            Error::Sample { source, diagnostic, .. } => {
                f.write_str(diagnostic::render(diagnostic, source, false).trim_end())
            }
            Error::Record { field, expected, found } => {
                write!(f, "the record's `{field}` must be {expected}, and is {found}")
            }
            Error::Input(text) => f.write_str(text),
            Error::Io { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            Error::Cancelled => f.write_str("it was stopped"),
            Error::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { error, .. } => Some(error),
            Error::Failed(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}
