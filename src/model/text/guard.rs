//! A border around the tokenizers library, whose panics stop here.

use anyhow::{Result, anyhow};

use crate::disk;

/// Calls the tokenizers library, which panics on some hostile files, at load and later.
///
/// # Errors
/// The library's own, or that it gave up.
pub(crate) fn guard<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T> {
    match disk::guard(call) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(anyhow!("{error}")),
        None => Err(anyhow!("the tokenizer's file is broken: the tokenizers library gave up")),
    }
}
