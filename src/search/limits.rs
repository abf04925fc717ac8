//! How long a search may take.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// After so many terms the clock is looked at.
const LOOK_EVERY: u32 = 1 << 11;

/// A deadline, and whether the user wants to stop.
pub struct Limits<'a> {
    start: Instant,
    time: Duration,
    stop: &'a AtomicBool,
    looks: Cell<u32>,
    is_over: Cell<bool>,
}

impl<'a> Limits<'a> {
    /// From now on.
    pub fn new(time: Duration, stop: &'a AtomicBool) -> Limits<'a> {
        let (looks, is_over) = (Cell::new(0), Cell::new(false));
        Limits { start: Instant::now(), time, stop, looks, is_over }
    }

    /// None once it is over.
    #[inline]
    pub fn look(&self) -> Option<()> {
        let looks = self.looks.get().wrapping_add(1);
        self.looks.set(looks);
        if looks.is_multiple_of(LOOK_EVERY) {
            self.is_over();
        }
        (!self.is_over.get()).then_some(())
    }

    /// Is it over?
    pub fn is_over(&self) -> bool {
        let is_over = self.start.elapsed() >= self.time || self.stop.load(Ordering::Relaxed);
        self.is_over.set(is_over || self.is_over.get());
        self.is_over.get()
    }

    /// How long it took until now.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
