//! Why a request is not answered: a status, a stable code, and a sentence that says what to write.

use serde_json::{Value, json};

use crate::template::Error;

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP.
    pub status: u16,
    /// A name that programs may compare.
    pub code: &'static str,
    /// The place, what is expected, what is there, and what to write.
    pub message: String,
}

impl Refusal {
    /// With a status and a code.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    /// A field that is not what it must be.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(422, "invalid_field", message)
    }

    /// What the client reads.
    pub fn json(&self) -> Value {
        json!({"error": {"code": self.code, "message": self.message}})
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error {
            // A client has no use for the template's text around the error.
            Error::Invalid(all) => {
                let first = all.iter().flat_map(|found| &found.diagnostics).next();
                let message = first.map_or_else(String::new, |one| {
                    let help = one.help.replace("`--level`", "`level`").replace("--set", "`set`");
                    format!("{}: {help}", one.title)
                });
                Refusal::new(422, "invalid_setting", message)
            }
            Error::Sample { key, diagnostic, .. } => {
                let message = format!("{key} cannot be drawn: {}", diagnostic.title);
                Refusal::new(422, "no_sample", message)
            }
            Error::Cancelled => slow(),
            error => Refusal::new(500, "internal", error.to_string()),
        }
    }
}

/// Of work that took longer than it may.
pub fn slow() -> Refusal {
    let message = "the work took longer than the server's time limit: send fewer replies at once, \
                   or start the server with a larger --timeout";
    Refusal::new(503, "too_slow", message)
}
