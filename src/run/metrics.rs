//! What is known of a run step by step: `metrics.jsonl`, and the same for TensorBoard.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::start::Start;
use super::tensorboard::Events;
use super::{log, memory};
use crate::eval::report::{Change, Scores};
use crate::tasks::summary::Score;
use crate::train::Progress;

/// The files, open to append to.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
    /// Of the lines so far: a checkpoint keeps how many bytes they have, and their digest.
    bytes: u64,
    digest: blake3::Hasher,
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
    /// Mean share of exact replies by evaluation.
    pub judgements: Vec<(u64, f64)>,
    /// Where the run went on as another one.
    pub changes: Vec<Change>,
}

/// What a step did, beside what the trainer says of it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Samples of the run's stream that have been learned from: where the next step goes on.
    pub position: u64,
    /// Held-out prompts among its samples.
    pub prompts_shared: u64,
    /// Rows of texts among them.
    pub text_samples: u64,
    /// Seconds, making its samples included.
    pub seconds: f64,
}

impl Metrics {
    /// Opens the files of a run. Lines of steps that will be done again are taken out; where the
    /// run goes on as another one, a line says how.
    pub fn open(start: &Start) -> Result<(Metrics, Past)> {
        let (folder, text) = (&start.folder, &start.log.text);
        let file = folder.begin("metrics.jsonl", text)?;
        let events = Events::create(&folder.join("tensorboard"), start.steps())?;
        let mut digest = blake3::Hasher::new();
        digest.update(text.as_bytes());
        let (path, bytes) = (folder.join("metrics.jsonl"), text.len() as u64);
        let mut metrics = Metrics { path, file, bytes, digest, events };
        let mut past = Past::of(text);
        if !start.changes.is_empty() {
            let change = Change { step: start.steps(), changes: start.changes.clone() };
            metrics.line(&serde_json::to_value(&change)?)?;
            past.changes.push(change);
        }
        Ok((metrics, past))
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
            "text_samples": step.text_samples,
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

    /// The line of a template's evaluation after a step.
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

    /// The line of a task with known answers after a step.
    pub fn scored(&mut self, step: u64, task: &str, scores: &[Score]) -> Result<()> {
        let mut line = Map::new();
        line.insert("step".into(), step.into());
        line.insert("task".into(), task.into());
        for score in scores {
            line.insert(score.metric.name().into(), score.mean.into());
            line.insert(format!("{}_stderr", score.metric.name()), json!(score.error));
        }
        self.line(&Value::Object(line))?;
        let name = |score: &Score| format!("eval/{task}/{}", score.metric.name());
        let scalars: Vec<(String, f64)> =
            scores.iter().map(|score| (name(score), score.mean)).collect();
        self.events.scalars(step, &scalars)
    }

    /// Waits until all lines are on the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// What a checkpoint keeps of the lines before it.
    pub fn seal(&self) -> Value {
        log::seal(self.bytes, self.digest.finalize())
    }

    /// A line in one write, so that a reader never sees half of one.
    fn line(&mut self, value: &Value) -> Result<()> {
        let path = || format!("cannot write {}", self.path.display());
        let line = format!("{value}\n");
        self.file.write_all(line.as_bytes()).with_context(path)?;
        self.bytes += line.len() as u64;
        self.digest.update(line.as_bytes());
        Ok(())
    }
}

impl Past {
    fn of(text: &str) -> Past {
        let mut past = Past::default();
        let mut exact: Vec<(u64, Vec<f64>)> = Vec::new();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
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
            if let Ok(change) = serde_json::from_value(line.clone()) {
                past.changes.push(change);
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
