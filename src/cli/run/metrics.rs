//! What is known of a run step by step: `metrics.jsonl`, and the same for TensorBoard.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::folder::Folder;
use super::memory;
use super::tensorboard::Events;
use crate::cli::Failure;
use crate::eval::report::Scores;
use crate::train::Progress;

/// The files, open to append to.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
    events: Events,
}

/// What the lines up to a checkpoint say.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Loss by step.
    pub losses: Vec<(u64, f64)>,
    /// Samples of all steps.
    pub samples: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Held-out prompts among them.
    pub prompts_shared: u64,
    /// Seconds of all steps.
    pub seconds: f64,
    /// Mean share of exact replies by judgement.
    pub judgements: Vec<(u64, f64)>,
}

/// What a step did, beside what the trainer says of it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Samples of the run's stream that have been learned from: where the next step goes on.
    pub position: u64,
    /// Held-out prompts among its samples.
    pub prompts_shared: u64,
    /// Seconds, making its samples included.
    pub seconds: f64,
}

impl Metrics {
    /// Opens the files; lines of steps after `steps_done`, which will be done again, are taken out.
    pub fn open(folder: &Folder, steps_done: u64) -> Result<(Metrics, Past), Failure> {
        let (lines, file) = folder.metrics(steps_done)?;
        let events = Events::create(&folder.join("tensorboard"), steps_done)?;
        let metrics = Metrics { path: folder.join("metrics.jsonl"), file, events };
        Ok((metrics, Past::of(&lines)))
    }

    /// A step's line.
    pub fn step(&mut self, progress: &Progress, step: Step) -> Result<()> {
        let speed = progress.tokens as f64 / step.seconds.max(1e-9);
        self.line(&json!({
            "step": progress.step,
            "loss": progress.loss,
            "learning_rate": progress.learning_rate,
            "gradient_norm": progress.gradient_norm,
            "samples": progress.samples,
            "tokens": progress.tokens,
            "label_tokens": progress.label_tokens,
            "position": step.position,
            "prompts_shared": step.prompts_shared,
            "seconds": step.seconds,
            "tokens_per_second": speed,
            "peak_memory_bytes": memory::peak(),
        }))?;
        let scalars = [
            ("loss", progress.loss),
            ("learning_rate", progress.learning_rate),
            ("gradient_norm", progress.gradient_norm),
            ("tokens_per_second", speed),
        ];
        let scalars = scalars.map(|(name, value)| (format!("train/{name}"), value));
        self.events.scalars(progress.step, &scalars)
    }

    /// The line of a template's judgement after a step.
    pub fn judged(
        &mut self,
        step: u64,
        [template, level]: [&str; 2],
        scores: &Scores,
        rules: &[String],
    ) -> Result<()> {
        let (exact, alignment) = (scores.exact, scores.alignment);
        let by_rule = || rules.iter().zip(&scores.rules);
        let map: Map<String, Value> =
            by_rule().map(|(rule, mean)| (rule.clone(), json!(mean))).collect();
        self.line(&json!({
            "step": step, "template": template, "level": level,
            "exact": exact, "alignment": alignment, "rules": map,
        }))?;
        let name = |what: &str| format!("eval/{template}/{level}/{what}");
        let mut scalars = vec![(name("exact"), exact), (name("alignment"), alignment)];
        scalars.extend(by_rule().map(|(rule, mean)| (name(&format!("rule/{rule}")), *mean)));
        self.events.scalars(step, &scalars)
    }

    /// Waits until all lines are on the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// A whole line at once, so that a reader never sees half of one.
    fn line(&mut self, value: &Value) -> Result<()> {
        let path = || format!("cannot write {}", self.path.display());
        self.file.write_all(format!("{value}\n").as_bytes()).with_context(path)
    }
}

impl Past {
    fn of(lines: &[Value]) -> Past {
        let mut past = Past::default();
        let mut exact: Vec<(u64, Vec<f64>)> = Vec::new();
        for line in lines {
            let step = line["step"].as_u64().unwrap_or(0);
            let count = |key: &str| line[key].as_u64().unwrap_or(0);
            if let Some(loss) = line["loss"].as_f64() {
                past.losses.push((step, loss));
                past.samples += count("samples");
                past.tokens += count("tokens");
                past.prompts_shared += count("prompts_shared");
                past.seconds += line["seconds"].as_f64().unwrap_or(0.0);
            }
            if let Some(one) = line["exact"].as_f64() {
                match exact.last_mut().filter(|(last, _)| *last == step) {
                    Some((_, all)) => all.push(one),
                    None => exact.push((step, vec![one])),
                }
            }
        }
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        past.judgements = exact.iter().map(|(step, all)| (*step, mean(all))).collect();
        past
    }
}
