//! How a caller follows a run, and stops it: events are data, and nothing is printed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::train::Progress;
use crate::train::group::Lost;

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A line for the user: a warning, or how to go on.
    Note(&'a str),
    /// What failed besides the run's end.
    Error(&'a str),
    /// The model's blocks are read.
    Reading {
        /// How many are read.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// Rows of a text become token ids.
    Encoding {
        /// Its file.
        file: &'a str,
        /// Rows since the last such event.
        rows: u64,
        /// Whether these are the last.
        is_over: bool,
    },
    /// Training is about to start.
    Started {
        /// The run's name.
        name: &'a str,
        /// What is trained on what, and for how long.
        about: &'a str,
    },
    /// Held-out samples are evaluated.
    Judging {
        /// `before`, `now` or `after`.
        when: &'a str,
        /// How many have a reply.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// A step is done.
    Step {
        /// The step, as the trainer reports it.
        progress: &'a Progress,
        /// All steps since the run was started or resumed.
        done: &'a Done,
    },
    /// The evaluation of a template between two steps.
    Judged {
        /// Steps that are done.
        step: u64,
        /// The template's name.
        template: &'a str,
        /// Share of replies for which every rule holds in full.
        exact: f64,
        /// Mean of the rules.
        alignment: f64,
    },
    /// The metric that stands for a task with known answers, between two steps.
    Scored {
        /// Steps that are done.
        step: u64,
        /// The task's name.
        task: &'a str,
        /// The metric's name.
        metric: &'a str,
        /// Its mean over the items.
        mean: f64,
    },
    /// A checkpoint was left, to go on from.
    Left {
        /// The steps that are done.
        steps: u64,
        /// The run's folder.
        folder: &'a Path,
    },
    /// Training is over, or was stopped.
    Ended,
}

/// What has been done since the run was started or resumed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Steps.
    pub steps: u64,
    /// Their samples.
    pub samples: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Their seconds.
    pub seconds: f64,
}

/// Follows the run, and may stop it.
#[derive(Clone, Copy)]
pub struct Observer<'a> {
    /// Set from outside to stop: the run ends after the step, and leaves a checkpoint.
    pub cancel: &'static AtomicBool,
    /// Called with what happens, on the thread of the run.
    pub event: &'a (dyn Fn(Event) + Sync),
    /// Ends a process of a group that does not end by itself after the loss of another.
    pub stuck: fn(&Lost),
}

impl Observer<'static> {
    /// Ignores all events, and never stops the run.
    pub fn none() -> Observer<'static> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Observer { cancel: &NEVER, event: &|_| {}, stuck: |_| {} }
    }
}

impl Observer<'_> {
    /// True if the run is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.event)(event);
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.tell(Event::Note(text.as_ref()));
    }
}

impl Done {
    pub(super) fn add(&mut self, progress: &Progress, seconds: f64) {
        self.steps += 1;
        self.samples += progress.samples;
        self.tokens += progress.tokens;
        self.seconds += seconds;
    }
}
