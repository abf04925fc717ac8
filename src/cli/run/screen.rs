//! A run on the screen: bars on a terminal, elsewhere lines every few seconds; at its end a table.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

use crate::cli::console::{self, STRONG, styled};
use crate::cli::progress::Progress as Work;
use crate::eval::report::Report;
use crate::run::{Done, Event, memory};
use crate::train::Progress;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows what happens in a run.
#[derive(Default)]
pub struct Screen {
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    reading: Option<Work>,
    encoding: Option<Work>,
    /// Beside how many of its samples are judged.
    judging: Option<(Work, u64)>,
    training: Option<ProgressBar>,
    /// When the last line of a step was written.
    last_line: Option<Instant>,
}

impl Screen {
    /// Shows an event.
    pub fn show(&self, event: Event) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Note(text) => shown.beside(|| console::note(text)),
            Event::Error(text) => shown.beside(|| console::error(text)),
            Event::Started { name, about } => {
                console::note(&format!("{}: {about}", styled(STRONG, name)));
            }
            Event::Reading { done, total } => shown.reading(done, total),
            Event::Encoding { file, rows, is_over } => shown.encoding(file, rows, is_over),
            Event::Judging { when, done, total } => shown.judging(when, done, total),
            Event::Step { progress, done } => shown.step(progress, done),
            Event::Judged { step, template, exact, alignment } => {
                let text =
                    format!("step {step}: {template} exact {exact:.3}, alignment {alignment:.3}");
                shown.beside(|| console::note(&text));
            }
            Event::Scored { step, task, metric, mean } => {
                let text = format!("step {step}: {task} {metric} {mean:.3}");
                shown.beside(|| console::note(&text));
            }
            Event::Left { steps, folder } => {
                let text = format!(
                    "stopped after step {steps}; go on with `cookc run --resume {}`",
                    folder.display()
                );
                shown.beside(|| console::note(&text));
            }
            Event::Ended => {
                if let Some(bar) = shown.training.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

impl Shown {
    /// Writes beside the bar of the training, if there is one.
    fn beside(&self, write: impl FnOnce()) {
        match &self.training {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn reading(&mut self, done: u64, total: u64) {
        let new = || Work::new(total, "reading the model's blocks");
        self.reading.get_or_insert_with(new).add(1);
        if done == total
            && let Some(bar) = self.reading.take()
        {
            bar.finish();
        }
    }

    fn encoding(&mut self, file: &str, rows: u64, is_over: bool) {
        let new = || Work::counting(&format!("encoding {file}"), "rows");
        self.encoding.get_or_insert_with(new).add(rows);
        if is_over && let Some(bar) = self.encoding.take() {
            bar.finish();
        }
    }

    fn judging(&mut self, when: &str, done: u64, total: u64) {
        let new = || (Work::new(total, &format!("judging {when}")), 0);
        let (bar, before) = self.judging.get_or_insert_with(new);
        bar.add(done.saturating_sub(std::mem::replace(before, done)));
        if done == total
            && let Some((bar, _)) = self.judging.take()
        {
            bar.finish();
        }
    }

    fn step(&mut self, progress: &Progress, done: &Done) {
        let (step, steps) = (progress.step, progress.steps);
        if std::io::stderr().is_terminal() {
            let new = || bar(steps, "step {pos} of {len} {wide_bar} {msg}");
            let bar = self.training.get_or_insert_with(new);
            bar.set_message(words(progress, done));
            bar.set_position(step);
            return;
        }
        let since = *self.last_line.get_or_insert_with(Instant::now);
        if since.elapsed() >= LINE_EVERY || step == steps {
            self.last_line = Some(Instant::now());
            console::note(&format!("step {step} of {steps}: {}", words(progress, done)));
        }
    }
}

/// A bar on a terminal.
fn bar(total: u64, style: &str) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template(style).expect("the template is well-formed");
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
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

/// The figures of a run, as a table.
pub fn summary(report: &Report, folder: &Path) -> String {
    let mut table = console::table(&["", "before", "after"]);
    for one in &report.templates {
        table.add_row([format!("{} ({})", one.template, one.level), String::new(), String::new()]);
        let mut row = |name: &str, before: f64, after: f64| {
            table.add_row([format!("  {name}"), format!("{before:.3}"), format!("{after:.3}")]);
        };
        row("exact", one.before.exact, one.after.exact);
        row("alignment", one.before.alignment, one.after.alignment);
        let scores = one.before.rules.iter().zip(&one.after.rules);
        for (name, (before, after)) in one.rules.iter().zip(scores) {
            row(&format!("rule {name}"), *before, *after);
        }
    }
    for one in &report.tasks {
        let name = format!("{} {}", one.task, one.metric);
        table.add_row([name, format!("{:.3}", one.before), format!("{:.3}", one.after)]);
    }
    let facts = &report.facts;
    let (samples, tokens) = (HumanCount(facts.samples), HumanCount(facts.tokens));
    let speed = HumanCount(facts.tokens_per_second as u64);
    let mut text = format!(
        "{table}\n\n{} steps, {samples} samples, {tokens} tokens in {:.1} s: {speed} tokens/s; \
         {:.1} s in all\n",
        facts.steps, facts.train_seconds, facts.seconds
    );
    for one in &report.texts {
        let (taken, file) = (HumanCount(one.taken), &one.file);
        text += &format!("{taken} of the samples are rows of {file}, which has {}\n", one.rows);
    }
    if facts.prompts_shared > 0 {
        text += &format!(
            "note: {} held-out prompts came up in training too: the template makes few different \
             samples\n",
            facts.prompts_shared
        );
    }
    if let Some(step) = facts.step_best.filter(|step| *step < facts.steps) {
        let best = folder.join("best");
        text += &format!("the best evaluation was after step {step}: {}\n", best.display());
    }
    text + &format!("{}\n", folder.join("report.html").display())
}
