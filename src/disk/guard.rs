//! A border around libraries that read files of strangers: their panics stop here.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Calls a library that panics on some hostile files; none if it did. Nothing is printed then.
pub(crate) fn guard<T>(call: impl FnOnce() -> T) -> Option<T> {
    quieten();
    QUIET.set(true);
    let called = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(false);
    called.ok()
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
