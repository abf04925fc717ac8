//! Progress of what takes longer than two seconds: a bar on a terminal, elsewhere a line now and
//! then.

use std::fmt;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use super::console;
use crate::data::Event;
use crate::source::visible;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);
/// Seconds between two lines where there is no terminal.
const LINE_EVERY: u64 = 30;

/// Counts what is done. Threads share it.
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Once,
    /// The seconds after which the next line comes.
    next_line: AtomicU64,
    /// Those that were written, where that is shown.
    bytes: Arc<AtomicU64>,
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
            next_line: AtomicU64::new(LINE_EVERY),
            bytes: Arc::default(),
        }
    }

    /// For a data set of this many samples, whose bytes are shown too.
    pub fn writing(total: u64, what: &str) -> Progress {
        let progress = Progress::new(total, what);
        let bytes = progress.bytes.clone();
        let written = move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let bytes = bytes.load(Ordering::Relaxed);
            let rate = bytes as f64 / state.elapsed().as_secs_f64().max(f64::EPSILON);
            // A bar that cannot be shown is none of the data set's errors.
            let _ = write!(out, "{} at {}/s", HumanBytes(bytes), HumanBytes(rate as u64));
        };
        let style = "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {written}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is well-formed");
        progress.bar.set_style(style.with_key("written", written));
        progress
    }

    /// Follows a data set that is written.
    pub fn follow(&self, event: Event) {
        match event {
            Event::Generated { samples } => self.add(samples),
            Event::Written { bytes } => _ = self.bytes.fetch_add(bytes, Ordering::Relaxed),
            Event::Found { samples } => {
                let total = self.bar.length().unwrap_or_default();
                self.bar.set_length(total.saturating_sub(samples));
            }
            Event::Audited { .. } => {}
        }
    }

    /// For work of which no one knows how much there is, in these units.
    pub fn counting(what: &str, units: &str) -> Progress {
        let progress = Progress::new(0, what);
        let template = format!("{{msg}}: {{human_pos}} {units}, {{per_sec}}");
        let style = ProgressStyle::with_template(&template);
        progress.bar.set_style(style.expect("the template is well-formed"));
        progress.bar.unset_length();
        progress
    }

    /// For work that ends at a time, in steps of that time, or before.
    pub fn lasting(steps: u64, what: &str) -> Progress {
        let progress = Progress::new(steps, what);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {eta} left at most");
        progress.bar.set_style(style.expect("the template is well-formed"));
        progress
    }

    /// That many more are done.
    pub fn add(&self, count: u64) {
        self.bar.inc(count);
        let elapsed = self.start.elapsed();
        if elapsed > PATIENCE {
            // On standard error, and only if that is a terminal.
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
        let (now, next) = (elapsed.as_secs(), self.next_line.load(Ordering::Relaxed));
        let later = now + LINE_EVERY;
        let order = Ordering::Relaxed;
        if now >= next
            && self.next_line.compare_exchange(next, later, order, order).is_ok()
            && !std::io::stderr().is_terminal()
        {
            self.line();
        }
    }

    /// Writes how far it is.
    fn line(&self) {
        let done = HumanCount(self.bar.position());
        let of = self.bar.length().map(|total| format!(" of {}", HumanCount(total)));
        console::note(&format!("{}: {done}{}", self.bar.message(), of.unwrap_or_default()));
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
