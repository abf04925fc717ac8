//! Training: the settings, then the loop, top to bottom.

pub mod batch;
pub mod checkpoint;
pub mod checks;
pub mod group;
pub mod noise;
pub mod optimizer;
pub mod schedule;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use candle_core::DType;
use serde::{Deserialize, Serialize};

use crate::model::{Gradients, Model, Recompute, Training, each_part};
pub use batch::Example;
pub use checkpoint::{Others, Saved};
pub use checks::NotFinite;
use group::Exchange;
pub use group::Group;
use optimizer::AdamW;
pub use schedule::Schedule;

/// Steps at which each adapter must have a gradient: at the first B, at the second A as well.
const CHECKED_STEPS: u64 = 2;

/// How to train; each has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of the optimizer in all.
    pub steps: u64,
    /// Samples of a micro-batch.
    pub batch: usize,
    /// Micro-batches of a step, one after the other: the caller's `next_batch` gives
    /// `batch × accumulate` samples. The step is that of all their label tokens together.
    pub accumulate: usize,
    /// Several samples in one row, none of which sees another; else a row for each.
    pub packing: bool,
    /// The highest learning rate of the run.
    pub learning_rate: f64,
    /// How the learning rate falls after the warm-up.
    pub schedule: Schedule,
    /// Share of the steps in which the learning rate climbs from 0.
    pub warmup: f64,
    /// Share of the highest learning rate that the schedule ends at.
    pub min_learning_rate: f64,
    /// Share of a matrix that is taken off a step, times the learning rate; norms keep theirs.
    pub weight_decay: f64,
    /// How long the two running means of AdamW remember.
    pub betas: [f64; 2],
    /// Added to the root of the second mean.
    pub epsilon: f64,
    /// A longer gradient is shortened to this; 0 leaves all as they are.
    pub clip_norm: f64,
    /// The learning rate of an adapter's second half B is so many times the first's (LoRA+, Hayou
    /// and others 2024).
    pub lora_plus_ratio: f64,
    /// Strength of the noise on embedded tokens in training; 0 for none. See [`noise`].
    pub neftune_alpha: f64,
    /// Places, padding included, that go through the model at once. Less takes less memory.
    /// By default 512 on a CPU, where each core takes a part, and 16384 on a GPU.
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
            accumulate: 1,
            packing: true,
            learning_rate: 2e-4,
            schedule: Schedule::Cosine,
            warmup: 0.03,
            min_learning_rate: 0.0,
            weight_decay: 0.0,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            clip_norm: 1.0,
            lora_plus_ratio: 1.0,
            neftune_alpha: 0.0,
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
    exchange: Option<Exchange<'a>>,
}

impl<'a> Trainer<'a> {
    /// A run from its first step. The model's adapters learn, or all its weights if it has none.
    pub fn new(model: &'a mut Model, settings: &Settings) -> Result<Trainer<'a>> {
        if let Some(parameter) = model.learning().iter().find(|p| p.value.dtype() != DType::F32) {
            let (name, dtype) = (&parameter.name, parameter.value.dtype());
            bail!("`{name}` is to learn but is {dtype:?}; load the model as f32, or add adapters");
        }
        let optimizer = AdamW::new(&model.learning())?;
        Ok(Trainer { model, settings: settings.clone(), optimizer, exchange: None })
    }

    /// A run that goes on from a checkpoint, as if it had never stopped. One that was made with
    /// other settings is refused: it would go on differently from how it began.
    pub fn resume(model: &'a mut Model, settings: &Settings, path: &Path) -> Result<Trainer<'a>> {
        let saved = Saved::open(path)?;
        saved.expect_settings(settings)?;
        Trainer::from_saved(model, settings, &saved)
    }

    /// The same whatever the settings were: the caller has looked at what differs.
    pub fn from_saved(
        model: &'a mut Model,
        settings: &Settings,
        saved: &Saved,
    ) -> Result<Trainer<'a>> {
        let mut trainer = Trainer::new(model, settings)?;
        trainer.optimizer = saved.restore(trainer.model)?;
        Ok(trainer)
    }

    /// The same as one of several processes, each of which gives its share of a step's samples. It
    /// is checked that all start alike; then they stay alike, bit for bit.
    pub fn in_group(mut self, group: &'a Group) -> Result<Trainer<'a>> {
        if group.size() > 1 {
            let exchange = Exchange::new(group, &self.model.device)?;
            let learning = self.model.learning();
            let values = learning.iter().map(|parameter| &parameter.value);
            let tensors = values.chain(self.optimizer.means.iter().flatten());
            group::expect_same(group, self.optimizer.steps, tensors)?;
            self.exchange = Some(exchange);
        }
        Ok(self)
    }

    /// Writes what learns, the optimizer's means and the step to one file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.save_of(&Others::default(), path)
    }

    /// The same with what the caller keeps in it: [`Saved::run`] and [`Saved::slot`].
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_of(&self, others: &Others, path: &Path) -> Result<()> {
        checkpoint::save(self.model, &self.optimizer, (&self.settings, others), path)
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
        let micro_batches =
            self.micro_batches(examples).with_context(|| format!("at step {step}"))?;
        let labels: usize = micro_batches.iter().flatten().map(|pass| pass.labels.len()).sum();
        let tokens: usize = examples.iter().map(|example| example.ids.len()).sum();
        let sums = self.loss(&micro_batches, self.place_in_step(0))?;
        let counts = [labels, tokens, examples.len()].map(|count| count as u64);
        let (loss, gradients, [labels, tokens, samples]) = self.sum_over_group(sums, counts)?;
        ensure!(labels > 0, "at step {step}: no token of the batch is a target");

        // The one division of a step. Were each pass divided by its own label tokens, those of a
        // pass with few would count for more.
        let loss = loss / labels as f64;
        let norm = gradients.norm()? / labels as f64;
        if !loss.is_finite() || !norm.is_finite() {
            let sample = self.not_finite(examples)?;
            return Err(NotFinite { step, loss, gradient_norm: norm, sample }.into());
        }
        if step <= CHECKED_STEPS && self.model.has_adapters() {
            let checked = checks::every_adapter_learns(self.model, &gradients);
            checked.with_context(|| format!("at step {step}"))?;
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

    /// The passes of each micro-batch.
    fn micro_batches(&self, examples: &[Example]) -> Result<Vec<Vec<batch::Pass>>> {
        let (places_max, tokens_max) = (self.tokens_at_once(), self.model.config.tokens_max());
        let micro_batches = examples.chunks(self.settings.batch.max(1));
        let packing = self.settings.packing;
        micro_batches.map(|some| batch::passes(some, places_max, tokens_max, packing)).collect()
    }

    /// The first example that alone gives a loss or a gradient that is no number.
    fn not_finite(&self, examples: &[Example]) -> Result<Option<usize>> {
        for (index, example) in examples.iter().enumerate() {
            let alone = self.micro_batches(std::slice::from_ref(example))?;
            let place = self.place_in_step(index);
            let (loss, gradients) = self.loss(&alone, place)?;
            if !loss.is_finite() || !gradients.norm()?.is_finite() {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Sums of the loss and of its gradients over all micro-batches, each of which is summed by
    /// itself, in the order of its passes: the same bits on any number of threads. `place` is that
    /// of the first sample in the step.
    fn loss(&self, micro_batches: &[Vec<batch::Pass>], place: usize) -> Result<(f64, Gradients)> {
        let none = || (0.0, Gradients::new(!self.model.has_adapters()));
        let (model, batch) = (&*self.model, self.settings.batch);
        let mut sum = none();
        for (number, passes) in micro_batches.iter().enumerate() {
            let mut of_passes = none();
            let first = place + number * batch;
            for done in each_part(&model.device, passes, |pass| self.loss_of_pass(pass, first)) {
                add(&mut of_passes, done?)?;
            }
            add(&mut sum, of_passes)?;
        }
        Ok(sum)
    }

    /// `first` is the place in the step of the micro-batch's first sample.
    fn loss_of_pass(&self, pass: &batch::Pass, first: usize) -> Result<(f64, Gradients)> {
        let (model, settings) = (&*self.model, &self.settings);
        let (seed, step) = (settings.seed, self.optimizer.steps + 1);
        let noise = noise::Noise { alpha: settings.neftune_alpha, seed, step };
        let noise = noise.of(pass, first, model.config.hidden_size, &model.device)?;
        let training = Training {
            recompute: settings.recompute,
            noise: noise.as_ref(),
            dropout: Some(noise::dropout_key(seed, step, pass, first)),
        };
        let mut gradients = Gradients::new(!model.has_adapters());
        let loss = model.loss(&pass.inputs, &pass.labels, &training, &mut gradients)?;
        Ok((loss, gradients))
    }

    /// The place in the step of this process's sample `index`.
    fn place_in_step(&self, index: usize) -> usize {
        let samples = (self.settings.batch * self.settings.accumulate) as u64;
        let share = self.exchange.as_ref().map(|of| of.group.share(0..samples).start as usize);
        share.unwrap_or(0) + index
    }

    /// The sums of all processes: of the loss, of its gradients, and of the counts. They are
    /// divided once, by the label tokens of all, so that it does not matter how a step is shared.
    fn sum_over_group(
        &self,
        (loss, gradients): (f64, Gradients),
        mut counts: [u64; 3],
    ) -> Result<(f64, Gradients, [u64; 3])> {
        let Some(exchange) = &self.exchange else { return Ok((loss, gradients, counts)) };
        let mut loss = [loss];
        exchange.group.all_reduce(&mut loss)?;
        exchange.group.all_reduce(&mut counts)?;
        let gradients = exchange.sum_gradients(&self.model.learning(), &gradients)?;
        Ok((loss[0], gradients, counts))
    }

    fn tokens_at_once(&self) -> usize {
        let default = if self.model.device.is_cpu() { 512 } else { 16_384 };
        self.settings.tokens_at_once.unwrap_or(default)
    }
}

fn add(sum: &mut (f64, Gradients), (loss, gradients): (f64, Gradients)) -> Result<()> {
    sum.0 += loss;
    sum.1.merge(gradients)
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
