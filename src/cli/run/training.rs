//! The training of a run: samples made between steps, each step told, stopped cleanly.

use std::cell::RefCell;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::folder::Folder;
use super::judging::HeldOut;
use super::ranks;
use super::setup::Setup;
use crate::cli::{Failure, console};
use crate::data::lessons::Rows;
use crate::eval::report::{Facts, Scores};
use crate::runtime::Fault;
use crate::train::{Control, Example, Group, Progress, Trainer, train};

/// Between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A run's training, and what is known of it so far.
pub struct Training<'a> {
    setup: &'a Setup,
    folder: &'a Folder,
    held_out: &'a HeldOut<'a>,
    group: &'a Group,
    cancel: &'a AtomicBool,
    /// Of the process that writes.
    metrics: Option<File>,
    /// Loss by step, those before a checkpoint included.
    pub losses: Vec<(u64, f64)>,
    facts: Facts,
    steps_before: u64,
    seconds_judging: f64,
    bar: Option<ProgressBar>,
    last_line: Instant,
    start: Instant,
}

impl<'a> Training<'a> {
    /// Goes on after so many steps.
    pub fn new(
        setup: &'a Setup,
        folder: &'a Folder,
        held_out: &'a HeldOut<'a>,
        group: &'a Group,
        cancel: &'a AtomicBool,
        steps_done: u64,
    ) -> Result<Training<'a>, Failure> {
        let (lines, metrics) = match group.is_first() {
            true => folder.metrics(steps_done).map(|(lines, file)| (lines, Some(file)))?,
            false => (Vec::new(), None),
        };
        let loss = |line: &Value| Some((line["step"].as_u64()?, line["loss"].as_f64()?));
        Ok(Training {
            setup,
            folder,
            held_out,
            group,
            cancel,
            metrics,
            losses: lines.iter().filter_map(loss).collect(),
            facts: Facts::default(),
            steps_before: steps_done,
            seconds_judging: 0.0,
            bar: if group.is_first() { bar(setup.recipe.train.steps) } else { None },
            last_line: Instant::now(),
            start: Instant::now(),
        })
    }

    /// Trains to the last step, or to Ctrl-C: then a checkpoint is left.
    pub fn run(&mut self, trainer: &mut Trainer<'_>) -> Result<(), Failure> {
        self.start = Instant::now();
        let setup = self.setup;
        let fault = RefCell::new(None);
        let mut rows = setup.lessons.rows();
        let shared = RefCell::new(0);
        let prompts = &self.held_out.prompts;
        let mut next_batch = |done: u64| {
            let examples = batch(setup, self.group, &mut rows, done, &fault)?;
            let is_shared = |example: &&Example| {
                let prompt = example.loss.iter().position(|&target| target).unwrap_or(0);
                prompts.contains(&example.ids[..prompt])
            };
            *shared.borrow_mut() += examples.iter().filter(is_shared).count() as u64;
            Ok(examples)
        };
        let mut observe = |progress: &Progress, trainer: &Trainer| self.observe(progress, trainer);
        let result = train(trainer, &mut next_batch, &mut observe);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some((part, index, fault)) = fault.into_inner() {
            return Err(setup.sample_fault(part, index, fault));
        }
        let summary = result.inspect_err(|_| {
            // Another process is lost in the midst of a step, and this one is as after the last.
            if self.group.size() > 1 && self.cancel.load(Ordering::Relaxed) {
                self.leave_checkpoint(trainer);
            }
        })?;
        self.facts.train_seconds = self.start.elapsed().as_secs_f64() - self.seconds_judging;
        if summary.stopped && trainer.steps_done() < setup.recipe.train.steps {
            self.leave_checkpoint(trainer);
            return Err(Failure::Interrupted);
        }
        let mut shared = [shared.into_inner()];
        self.group.all_reduce(&mut shared)?;
        self.facts.prompts_shared = shared[0];
        Ok(())
    }

    /// Writes a checkpoint and says how to go on.
    pub fn leave_checkpoint(&self, trainer: &Trainer<'_>) {
        if !self.group.is_first() {
            return;
        }
        let (steps, folder) = (trainer.steps_done(), self.folder.path.display());
        match self.save(trainer) {
            Ok(()) => console::note(&format!(
                "stopped after step {steps}; go on with `cookc run --resume {folder}`"
            )),
            Err(error) => console::error(&format!("no checkpoint could be written: {error:#}")),
        }
    }

    /// What is known now that it is over.
    pub fn facts(&self, trainer: &Trainer<'_>) -> (Facts, Vec<(u64, f64)>) {
        let count = |parameters: Vec<&crate::model::Parameter>| -> u64 {
            parameters.iter().map(|one| one.value.elem_count() as u64).sum()
        };
        let seconds = self.facts.train_seconds.max(1e-9);
        let facts = Facts {
            steps: trainer.steps_done(),
            loss_first: self.losses.first().map_or(0.0, |loss| loss.1),
            loss_last: self.losses.last().map_or(0.0, |loss| loss.1),
            tokens_per_second: self.facts.tokens as f64 / seconds,
            samples_per_second: self.facts.samples as f64 / seconds,
            parameters: count(trainer.model.parameters()),
            parameters_learning: count(trainer.model.learning()),
            device: if trainer.model.device.is_cpu() { "cpu".into() } else { "cuda".into() },
            ..self.facts.clone()
        };
        (facts, self.losses.clone())
    }

    fn observe(&mut self, progress: &Progress, trainer: &Trainer<'_>) -> Result<Control> {
        self.losses.push((progress.step, progress.loss));
        self.facts.samples += progress.samples;
        self.facts.tokens += progress.tokens;
        let (step, recipe) = (progress.step, &self.setup.recipe);
        let is_due = |every: u64| every > 0 && step.is_multiple_of(every) && step < progress.steps;
        if self.group.is_first() {
            self.metric(&json!({
                "step": progress.step,
                "loss": progress.loss,
                "learning_rate": progress.learning_rate,
                "gradient_norm": progress.gradient_norm,
                "samples": progress.samples,
                "tokens": progress.tokens,
                "label_tokens": progress.label_tokens,
            }))?;
            self.tell(progress);
        }
        if self.cancel.load(Ordering::Relaxed) {
            return Ok(Control::Stop);
        }
        if is_due(recipe.save_every) && self.group.is_first() {
            self.save(trainer)?;
        }
        if is_due(recipe.eval.every) {
            let own = match self.group.is_first() {
                true => self.judge(trainer, step)?,
                false => Control::Continue,
            };
            return ranks::agreed(self.group, own);
        }
        Ok(Control::Continue)
    }

    /// A judgement between two steps.
    fn judge(&mut self, trainer: &Trainer<'_>, step: u64) -> Result<Control> {
        let start = Instant::now();
        let answers = match self.held_out.judge(trainer.model, "now", self.cancel) {
            Ok(answers) => answers,
            Err(Failure::Machine(error)) => return Err(error),
            Err(_) => return Ok(Control::Stop),
        };
        self.seconds_judging += start.elapsed().as_secs_f64();
        for (answers, part) in answers.iter().zip(&self.setup.lessons.parts) {
            let (name, level) = (&part.maker.program().name, part.maker.level());
            let scores = Scores::of(answers, 0);
            let (exact, alignment) = (scores.exact, scores.alignment);
            self.metric(&json!({
                "step": step, "template": name, "level": level,
                "exact": exact, "alignment": alignment,
            }))?;
            self.note(&format!("step {step}: {name} exact {exact:.3}, alignment {alignment:.3}"));
        }
        Ok(Control::Continue)
    }

    /// A whole line at once, so that a reader never sees half of one.
    fn metric(&mut self, value: &Value) -> Result<()> {
        let path = || format!("cannot write {}", self.folder.join("metrics.jsonl").display());
        match &mut self.metrics {
            Some(file) => file.write_all(format!("{value}\n").as_bytes()).with_context(path),
            None => Ok(()),
        }
    }

    fn save(&self, trainer: &Trainer<'_>) -> Result<()> {
        let path = self.folder.checkpoint_after(trainer.steps_done());
        trainer.save(&path)?;
        match self.folder.keep_checkpoint(&path) {
            Err(Failure::Machine(error)) => Err(error),
            Err(_) => bail!("the checkpoints before {} stay", path.display()),
            Ok(()) => Ok(()),
        }
    }

    /// The line or the bar of a step.
    fn tell(&mut self, progress: &Progress) {
        let seconds = self.start.elapsed().as_secs_f64() - self.seconds_judging;
        let done = progress.step - self.steps_before;
        let left = seconds / done as f64 * (progress.steps - progress.step) as f64;
        let samples = HumanCount(self.facts.samples);
        let speed = HumanCount((self.facts.tokens as f64 / seconds) as u64);
        let loss = progress.loss;
        let left = HumanDuration(Duration::from_secs(left.ceil() as u64));
        let text = format!("{samples} samples, {speed} tokens/s, loss {loss:.3}, {left:#} left");
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_position(progress.step);
            }
            None if self.last_line.elapsed() >= LINE_EVERY || progress.step == progress.steps => {
                self.last_line = Instant::now();
                console::note(&format!("step {} of {}: {text}", progress.step, progress.steps));
            }
            None => {}
        }
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| console::note(text)),
            None => console::note(text),
        }
    }
}

/// This process's share of a step's samples: those with the indices from `steps_done` × batch on.
fn batch(
    setup: &Setup,
    group: &Group,
    rows: &mut Rows,
    steps_done: u64,
    fault: &RefCell<Option<(usize, u64, Fault)>>,
) -> Result<Vec<Example>> {
    let count = setup.recipe.train.batch as u64;
    let eos = setup.tokenizer.eos();
    let mut examples = Vec::with_capacity(count as usize);
    for index in group.share(steps_done * count..(steps_done + 1) * count) {
        let encoded = match rows.row(index) {
            Ok(encoded) => encoded,
            Err((part, why)) => {
                *fault.borrow_mut() = Some((part, index, why));
                bail!("sample {index} cannot be made");
            }
        };
        let mut ids = Vec::with_capacity(encoded.ids.len() + 1);
        ids.extend_from_slice(&encoded.ids);
        ids.push(eos);
        let loss = (0..ids.len()).map(|at| at >= encoded.reply_start).collect();
        examples.push(Example { ids, loss });
    }
    Ok(examples)
}

/// A bar, where there is a terminal.
fn bar(steps: u64) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let style = "step {pos} of {len} {wide_bar} {msg}";
        let style = ProgressStyle::with_template(style).expect("the template is well-formed");
        ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr()).with_style(style)
    })
}
