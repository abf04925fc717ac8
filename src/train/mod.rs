//! Training: the settings, then the loop, top to bottom.

pub mod batch;
pub mod checkpoint;
pub mod group;
pub mod optimizer;
pub mod schedule;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use candle_core::DType;
use serde::{Deserialize, Serialize};

use crate::model::{Gradients, Model, Recompute, Training, each_part};
pub use batch::Example;
pub use group::Group;
use optimizer::AdamW;
pub use schedule::Schedule;

/// How to train; each has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of the optimizer in all.
    pub steps: u64,
    /// Samples a step; the caller's `next_batch` gives so many.
    pub batch: usize,
    /// The highest learning rate of the run.
    pub learning_rate: f64,
    /// How the learning rate falls after the warm-up.
    pub schedule: Schedule,
    /// Share of the steps in which the learning rate climbs from 0.
    pub warmup: f64,
    /// Share of a matrix that is taken off a step, times the learning rate; norms keep theirs.
    pub weight_decay: f64,
    /// How long the two running means of AdamW remember.
    pub betas: [f64; 2],
    /// Added to the root of the second mean.
    pub epsilon: f64,
    /// A longer gradient is shortened to this; 0 leaves all as they are.
    pub clip_norm: f64,
    /// Places, padding included, that go through the model at once. Less takes less memory.
    /// By default 1024 on a CPU, where each core takes a part, and 16384 on a GPU.
    pub tokens_at_once: Option<usize>,
    /// What the backward pass computes again, to take less memory.
    pub recompute: Recompute,
    /// Seed of fresh weights and adapters.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            steps: 500,
            batch: 16,
            learning_rate: 2e-4,
            schedule: Schedule::Cosine,
            warmup: 0.03,
            weight_decay: 0.0,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            clip_norm: 1.0,
            tokens_at_once: None,
            recompute: Recompute::None,
            seed: 0,
        }
    }
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Steps done, this one included.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean cross-entropy of this step's label tokens before the update, in nats.
    pub loss: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Length of the gradient before it is shortened.
    pub gradient_norm: f64,
    /// Tokens of this step's samples.
    pub tokens: u64,
    /// Those of them that are targets.
    pub label_tokens: u64,
    /// Samples of this step.
    pub samples: u64,
    /// Seconds that this step took, without making its samples.
    pub seconds: f64,
}

/// What the observer of a run says after each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop after this step.
    Stop,
}

/// What a run did since it was started or resumed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Steps done in this run.
    pub steps: u64,
    /// Loss of its first step.
    pub loss_first: f64,
    /// Loss of its last step.
    pub loss_last: f64,
    /// Tokens of its samples.
    pub tokens: u64,
    /// Samples seen.
    pub samples: u64,
    /// Seconds in all steps.
    pub seconds: f64,
    /// Whether the observer stopped it.
    pub stopped: bool,
}

/// Trains to the last step. `next_batch` is given the number of steps done, and alone says which
/// samples come: so a resumed run sees what it would have seen. `observe` sees each step, and the
/// trainer, to ask its model or to save it.
pub fn train(
    trainer: &mut Trainer<'_>,
    next_batch: &mut dyn FnMut(u64) -> Result<Vec<Example>>,
    observe: &mut dyn FnMut(&Progress, &Trainer<'_>) -> Result<Control>,
) -> Result<Summary> {
    let mut summary = Summary::default();
    while trainer.steps_done() < trainer.settings.steps {
        let examples = next_batch(trainer.steps_done())?;
        let progress = trainer.step(&examples)?;
        summary.add(&progress);
        if observe(&progress, trainer)? == Control::Stop {
            summary.stopped = true;
            break;
        }
    }
    Ok(summary)
}

/// A model in training.
#[derive(Debug)]
pub struct Trainer<'a> {
    /// The model as it is now.
    pub model: &'a mut Model,
    /// The settings of the run.
    pub settings: Settings,
    optimizer: AdamW,
    group: Option<&'a Group>,
}

impl<'a> Trainer<'a> {
    /// A run from its first step. The model's adapters learn, or all its weights if it has none.
    pub fn new(model: &'a mut Model, settings: &Settings) -> Result<Trainer<'a>> {
        if let Some(parameter) = model.learning().iter().find(|p| p.value.dtype() != DType::F32) {
            let (name, dtype) = (&parameter.name, parameter.value.dtype());
            bail!("`{name}` is to learn but is {dtype:?}; load the model as f32, or add adapters");
        }
        let optimizer = AdamW::new(&model.learning())?;
        Ok(Trainer { model, settings: settings.clone(), optimizer, group: None })
    }

    /// A run that goes on from a checkpoint, as if it had never stopped.
    pub fn resume(model: &'a mut Model, settings: &Settings, path: &Path) -> Result<Trainer<'a>> {
        let mut trainer = Trainer::new(model, settings)?;
        trainer.optimizer = checkpoint::load(trainer.model, settings, path)?;
        Ok(trainer)
    }

    /// The same as one of several processes, each of which gives its share of a step's samples. It
    /// is checked that all start alike; then they stay alike, bit for bit.
    pub fn in_group(mut self, group: &'a Group) -> Result<Trainer<'a>> {
        if group.size() > 1 {
            let learning = self.model.learning();
            let values = learning.iter().map(|parameter| &parameter.value);
            let tensors = values.chain(self.optimizer.means.iter().flatten());
            group::expect_same(group, self.optimizer.steps, tensors)?;
            self.group = Some(group);
        }
        Ok(self)
    }

    /// Writes what learns, the optimizer's means and the step to one file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        checkpoint::save(self.model, &self.optimizer, &self.settings, path)
    }

    /// Steps done so far, those before a checkpoint included.
    pub fn steps_done(&self) -> u64 {
        self.optimizer.steps
    }

    /// One step: the mean loss over all label tokens of the examples, its gradient, the update.
    pub fn step(&mut self, examples: &[Example]) -> Result<Progress> {
        let started = Instant::now();
        let settings = &self.settings;
        let step = self.optimizer.steps + 1;
        let passes = batch::passes(examples, self.tokens_at_once(), self.model.config.tokens_max())
            .with_context(|| format!("at step {step}"))?;
        let labels: usize = passes.iter().map(|pass| pass.labels.len()).sum();
        let tokens: usize = examples.iter().map(|example| example.ids.len()).sum();
        let sums = self.loss(&passes)?;
        let counts = [labels, tokens, examples.len()].map(|count| count as u64);
        let (loss, gradients, [labels, tokens, samples]) = self.sum_over_group(sums, counts)?;
        ensure!(labels > 0, "at step {step}: no token of the batch is a target");
        let loss = loss / labels as f64;
        let norm = gradients.norm()? / labels as f64;
        if !loss.is_finite() || !norm.is_finite() {
            bail!(
                "at step {step} the loss is {loss} and the gradient's norm {norm}; \
                 a smaller learning_rate or a longer warmup may help"
            );
        }
        let learning_rate = schedule::learning_rate(settings, self.optimizer.steps);
        let factor = clip_factor(norm, settings.clip_norm) / labels as f64;
        let parameters = self.model.learning_mut();
        self.optimizer.step(parameters, &gradients, factor, learning_rate, settings)?;

        Ok(Progress {
            step,
            steps: settings.steps,
            loss,
            learning_rate,
            gradient_norm: norm,
            tokens,
            label_tokens: labels,
            samples,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Sum of the loss over all passes, and of its gradients, in the order of the passes: the
    /// same bits on any number of threads.
    fn loss(&self, passes: &[batch::Pass]) -> Result<(f64, Gradients)> {
        let one = |pass: &batch::Pass| -> Result<(f64, Gradients)> {
            let mut gradients = Gradients::new(!self.model.has_adapters());
            let training = Training { recompute: self.settings.recompute, ..Training::default() };
            let loss = self.model.loss(&pass.inputs, &pass.labels, &training, &mut gradients)?;
            Ok((loss, gradients))
        };
        let mut sum = (0.0, Gradients::new(!self.model.has_adapters()));
        for part in each_part(&self.model.device, passes, one) {
            let (loss, gradients) = part?;
            sum.0 += loss;
            sum.1.merge(gradients)?;
        }
        Ok(sum)
    }

    /// The sums of all processes: of the loss, of its gradients, and of the counts. They are
    /// divided once, by the label tokens of all, so that it does not matter how a step is shared.
    fn sum_over_group(
        &self,
        (loss, gradients): (f64, Gradients),
        mut counts: [u64; 3],
    ) -> Result<(f64, Gradients, [u64; 3])> {
        let Some(group) = self.group else { return Ok((loss, gradients, counts)) };
        let mut loss = [loss];
        group.all_reduce(&mut loss)?;
        group.all_reduce(&mut counts)?;
        let gradients = group::sum_gradients(group, &self.model.learning(), &gradients)?;
        Ok((loss[0], gradients, counts))
    }

    fn tokens_at_once(&self) -> usize {
        let default = if self.model.device.is_cpu() { 1024 } else { 16_384 };
        self.settings.tokens_at_once.unwrap_or(default)
    }
}

/// What to multiply a gradient of that norm with, so that it is no longer than `longest`.
fn clip_factor(norm: f64, longest: f64) -> f64 {
    // The same small number as in PyTorch, so that runs compare.
    if longest > 0.0 { (longest / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

impl Summary {
    fn add(&mut self, progress: &Progress) {
        if self.steps == 0 {
            self.loss_first = progress.loss;
        }
        self.steps += 1;
        self.loss_last = progress.loss;
        self.tokens += progress.tokens;
        self.samples += progress.samples;
        self.seconds += progress.seconds;
    }
}
