//! How a caller follows long work on samples, and stops it: events are data, nothing is printed.

use std::sync::atomic::{AtomicBool, Ordering};

/// What happens while a data set is generated or a template is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Samples of a data set are written.
    Generated {
        /// How many since the last event.
        samples: u64,
    },
    /// Samples of a data set were there before, and are not written again.
    Found {
        /// How many.
        samples: u64,
    },
    /// Bytes of a data set are on their way to the disk.
    Written {
        /// How many since the last event.
        bytes: u64,
    },
    /// Samples are audited, in one of the audit's [`PASSES`](super::audit::PASSES).
    Audited {
        /// How many since the last event.
        samples: u64,
    },
}

/// Follows the work, and may stop it.
#[derive(Clone, Copy)]
pub struct Observer<'a> {
    /// Set from outside to stop.
    pub cancel: &'a AtomicBool,
    /// Called with what happens, on any thread.
    pub event: &'a (dyn Fn(Event) + Sync),
}

impl Observer<'static> {
    /// Ignores all events, and never stops the work.
    pub fn none() -> Observer<'static> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Observer { cancel: &NEVER, event: &|_| {} }
    }
}

impl Observer<'_> {
    /// True if the work is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(super) fn emit(&self, event: Event) {
        (self.event)(event);
    }
}
