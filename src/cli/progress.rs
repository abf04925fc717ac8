//! A progress bar for what takes longer than two seconds, on a terminal.

use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::source::visible;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts what is done. Threads share it.
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Once,
}

impl Progress {
    /// For this many units of work.
    pub fn new(total: u64, what: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is well-formed");
        Progress {
            bar: bar.with_style(style).with_message(visible(what).into_owned()),
            start: Instant::now(),
            shown: Once::new(),
        }
    }

    /// For work of which no one knows how much there is.
    pub fn counting(what: &str) -> Progress {
        let progress = Progress::new(0, what);
        let style = ProgressStyle::with_template("{msg}: {human_pos} rows, {per_sec}");
        progress.bar.set_style(style.expect("the template is well-formed"));
        progress.bar.unset_length();
        progress
    }

    /// So many more are done.
    pub fn add(&self, count: u64) {
        self.bar.inc(count);
        if self.start.elapsed() > PATIENCE {
            // On standard error, and only if that is a terminal.
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}
