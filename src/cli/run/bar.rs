//! How far the training is: a bar on a terminal, elsewhere a line every few seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

use super::memory;
use crate::cli::console;
use crate::train::Progress;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What shows how far it is.
#[derive(Debug)]
pub struct Bar {
    bar: Option<ProgressBar>,
    last_line: Instant,
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

impl Bar {
    /// Of so many steps.
    pub fn new(steps: u64) -> Bar {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "step {pos} of {len} {wide_bar} {msg}";
            let style = ProgressStyle::with_template(style).expect("the template is well-formed");
            let target = ProgressDrawTarget::stderr();
            ProgressBar::with_draw_target(Some(steps), target).with_style(style)
        });
        Bar { bar, last_line: Instant::now() }
    }

    /// Shows a step.
    pub fn tell(&mut self, progress: &Progress, done: &Done) {
        let (step, steps) = (progress.step, progress.steps);
        match &self.bar {
            Some(bar) => {
                bar.set_message(words(progress, done));
                bar.set_position(step);
            }
            None if self.last_line.elapsed() >= LINE_EVERY || step == steps => {
                self.last_line = Instant::now();
                console::note(&format!("step {step} of {steps}: {}", words(progress, done)));
            }
            None => {}
        }
    }

    /// Shows a line beside the bar.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| console::note(text)),
            None => console::note(text),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(progress: &Progress, done: &Done) -> String {
    let left = done.seconds / done.steps.max(1) as f64 * (progress.steps - progress.step) as f64;
    let left = HumanDuration(Duration::from_secs(left.ceil() as u64));
    let speed = HumanCount((done.tokens as f64 / done.seconds.max(1e-9)) as u64);
    let (samples, loss) = (HumanCount(done.samples), progress.loss);
    let memory = memory::now().map(|bytes| format!("{} of memory, ", HumanBytes(bytes)));
    let memory = memory.unwrap_or_default();
    format!("{samples} samples, {speed} tokens/s, loss {loss:.3}, {memory}{left:#} left")
}
