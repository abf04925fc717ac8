//! A border around the tokenizers library, whose panics stop here.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use anyhow::{Result, anyhow};

/// Calls the tokenizers library, which panics on some hostile files, at load and later.
///
/// # Errors
/// The library's own, or that it gave up.
pub(crate) fn guard<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T> {
    quieten();
    QUIET.set(true);
    let called = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(false);
    match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(anyhow!("{error}")),
        Err(_) => Err(anyhow!("the tokenizer's file is broken: the tokenizers library gave up")),
    }
}

thread_local! {
    /// Whether a panic of this thread is caught, and reported in words of ours.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// From now on a panic that is caught is not reported by the library's own text.
fn quieten() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !QUIET.get() {
                before(panicked);
            }
        }));
    });
}
