//! The training of a run: each step reported and logged, with evaluations and checkpoints between.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::judging::HeldOut;
use super::metrics::{Metrics, Past, Step};
use super::observer::{Done, Event, Observer};
use super::ranks;
use super::samples::{Samples, described};
use super::setup::Setup;
use super::start::{MIX, Start, TEXTS};
use super::texts::Taken;
use super::watch::Watch;
use super::{ending, feedback};
use crate::data::Split;
use crate::eval::report::{Facts, Scores};
use crate::eval::{self, Answer};
use crate::mix::Mixture;
use crate::model::{Model, Parameter};
use crate::tasks::Summary;
use crate::template::Error;
use crate::train::{Control, Group, NotFinite, Others, Progress, Trainer, train};

/// A run's training, and what is known of it so far.
pub struct Training<'a> {
    setup: &'a Setup,
    start: &'a Start,
    held_out: &'a HeldOut<'a>,
    group: &'a Group,
    observer: &'a Observer<'a>,
    /// Which template each sample is of. Samples look at it, and evaluations change it.
    mixture: Rc<RefCell<Mixture>>,
    /// How many rows of texts samples are.
    taken: Rc<RefCell<Taken>>,
    /// Of the process that writes.
    metrics: Option<Metrics>,
    /// All steps, those before a checkpoint included.
    past: Past,
    /// Those of this process.
    done: Done,
    watch: Watch,
    /// When the step that is being done was begun.
    lap: Instant,
}

impl<'a> Training<'a> {
    /// Goes on from where it starts.
    pub fn new(
        setup: &'a Setup,
        start: &'a Start,
        held_out: &'a HeldOut<'a>,
        group: &'a Group,
        observer: &'a Observer<'a>,
    ) -> Result<Training<'a>, Error> {
        let (metrics, past) = match group.is_first() {
            true => Metrics::open(start).map(|(metrics, past)| (Some(metrics), past))?,
            false => (None, Past::default()),
        };
        let mut watch = Watch::new(&setup.recipe.eval);
        let mut mixture = setup.mixture();
        if let Some(saved) = &start.saved {
            let path = saved.path.display();
            let kept = saved.slot(MIX);
            mixture.restore(kept).map_err(|why| Error::Input(format!("{path}: {why}")))?;
        }
        let kept = start.saved.as_ref().map_or(&Value::Null, |saved| saved.slot(TEXTS));
        let taken = Taken::restored(setup.dataset.parts.len(), setup.texts.len(), kept);
        for (step, exact) in past.judgements.iter().filter(|(step, _)| *step > 0) {
            watch.add(*step, *exact);
        }
        Ok(Training {
            setup,
            start,
            held_out,
            group,
            observer,
            mixture: Rc::new(RefCell::new(mixture)),
            taken: Rc::new(RefCell::new(taken)),
            metrics,
            past,
            done: Done::default(),
            watch,
            lap: Instant::now(),
        })
    }

    /// Trains to the last step, to an evaluation that ends it, or to Ctrl-C: then a checkpoint is
    /// left.
    pub fn run(&mut self, trainer: &mut Trainer<'_>, before: &[Vec<Answer>]) -> Result<(), Error> {
        self.judgement_before(trainer, before)?;
        let (result, failure) = match self.is_over()? {
            true => (Ok(()), None),
            false => self.steps(trainer),
        };
        self.observer.tell(Event::Ended);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let cancelled = self.observer.is_cancelled();
        result.map_err(|error| {
            // Another process is lost in the midst of a step, and this one is as after the last.
            if self.group.size() > 1 && cancelled {
                self.leave_checkpoint(trainer);
            }
            self.stopped_by(error)
        })?;
        let unfinished = trainer.steps_done() < self.setup.recipe.train.steps;
        if unfinished && (cancelled || !self.is_over()?) {
            self.leave_checkpoint(trainer);
            return Err(Error::Cancelled);
        }
        if let Some(reason) = self.watch.reason_to_stop() {
            let steps = trainer.steps_done();
            self.observer.note(format!("stopped after step {steps}: {reason}"));
        }
        Ok(())
    }

    /// Logs the evaluation before the first step. If a run was stopped after a step and before its
    /// evaluation, evaluates now.
    fn judgement_before(
        &mut self,
        trainer: &Trainer<'_>,
        before: &[Vec<Answer>],
    ) -> Result<(), Error> {
        let steps_done = trainer.steps_done();
        if !self.group.is_first() {
            return Ok(self.feed_back(steps_done, None)?);
        }
        let every = self.setup.recipe.eval.every;
        let is_missing = self.watch.last.is_none_or(|(step, _)| step < steps_done);
        if steps_done == 0 {
            self.write_down(0, before)?;
            self.feed_back(0, Some(before))?;
        } else if self.is_due(every, steps_done) && is_missing {
            let answers = self.judge(trainer, steps_done)?.ok_or(Error::Cancelled)?;
            self.feed_back(steps_done, Some(&answers))?;
        } else {
            self.feed_back(steps_done, None)?;
        }
        Ok(())
    }

    /// Gives the scores of an evaluation to the mixture of every process.
    fn feed_back(&self, step: u64, answers: Option<&[Vec<Answer>]>) -> Result<()> {
        feedback::share(self.setup, self.group, &self.mixture, step, answers)
    }

    /// Whether an evaluation ends the run: rank 0, which alone evaluates, decides.
    fn is_over(&self) -> Result<bool> {
        let own = self.watch.reason_to_stop().map_or(Control::Continue, |_| Control::Stop);
        Ok(ranks::agreed(self.group, own)? == Control::Stop)
    }

    /// Does the steps. A sample that cannot be made comes beside the trainer's error.
    fn steps(&mut self, trainer: &mut Trainer<'_>) -> (Result<()>, Option<Error>) {
        let (shared, group, setup) = (Cell::new(0), self.group, self.setup);
        let (mixture, taken) = (Rc::clone(&self.mixture), Rc::clone(&self.taken));
        let mut samples = Samples::new(setup, group, &mixture, &taken, &self.held_out.prompts);
        let mut next_batch = |done: u64| {
            let examples = samples.of_step(done)?;
            // Before the step: where a process is lost, each step that was done is written down.
            let mut all = [samples.prompts_shared];
            group.all_reduce(&mut all)?;
            shared.set(all[0]);
            Ok(examples)
        };
        self.lap = Instant::now();
        let mut observe = |progress: &Progress, trainer: &Trainer| {
            let control = self.observe(progress, trainer, shared.get());
            self.lap = Instant::now();
            control
        };
        let result = train(trainer, &mut next_batch, &mut observe).map(drop);
        (result, samples.failure())
    }

    /// Takes in the evaluation at the end of the run.
    pub fn ended(
        &mut self,
        trainer: &Trainer<'_>,
        after: &[Vec<Answer>],
        asked: &[Summary],
    ) -> Result<(), Error> {
        let steps = trainer.steps_done();
        match self.watch.last {
            Some((last, _)) if last == steps => Ok(()),
            _ => {
                self.write_tasks(steps, asked)?;
                Ok(self.take_in(trainer.model, steps, after)?)
            }
        }
    }

    /// Logs the figures of tasks with known answers after a step.
    pub fn write_tasks(&mut self, step: u64, asked: &[Summary]) -> Result<()> {
        for (prepared, summary) in self.setup.tasks.iter().zip(asked) {
            if let Some(metrics) = &mut self.metrics {
                metrics.scored(step, &prepared.task.name, &summary.scores)?;
            }
        }
        Ok(())
    }

    /// Writes a checkpoint and says how to go on.
    pub fn leave_checkpoint(&self, trainer: &Trainer<'_>) {
        if !self.group.is_first() {
            return;
        }
        let (steps, folder) = (trainer.steps_done(), &self.start.folder.path);
        match self.save(trainer) {
            Ok(()) => self.observer.tell(Event::Left { steps, folder }),
            Err(error) => self.observer.tell(Event::Error(&format!("{error:#}"))),
        }
    }

    /// What is known of all steps.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// How many rows of each text the steps took.
    pub fn taken(&self) -> Vec<u64> {
        self.taken.borrow().counts().to_vec()
    }

    /// What is known now that it is over.
    pub fn facts(&self, trainer: &Trainer<'_>) -> Facts {
        let count = |parameters: Vec<&Parameter>| -> u64 {
            parameters.iter().map(|one| one.value.elem_count() as u64).sum()
        };
        let past = &self.past;
        let seconds = past.seconds.max(1e-9);
        Facts {
            steps: trainer.steps_done(),
            samples: past.samples,
            tokens: past.tokens,
            loss_first: past.losses.first().map_or(0.0, |loss| loss.1),
            loss_last: past.losses.last().map_or(0.0, |loss| loss.1),
            tokens_per_second: past.tokens as f64 / seconds,
            samples_per_second: past.samples as f64 / seconds,
            train_seconds: past.seconds,
            parameters: count(trainer.model.parameters()),
            parameters_learning: count(trainer.model.trainable()),
            device: if trainer.model.device.is_cpu() { "cpu".into() } else { "cuda".into() },
            prompts_shared: past.prompts_shared,
            step_best: self.watch.best.map(|best| best.0),
            ..Facts::default()
        }
    }

    fn observe(
        &mut self,
        progress: &Progress,
        trainer: &Trainer<'_>,
        prompts_shared: u64,
    ) -> Result<Control> {
        let seconds = self.lap.elapsed().as_secs_f64();
        let position = progress.step * self.setup.samples_of_a_step();
        self.past.add(progress, prompts_shared, seconds);
        self.done.add(progress, seconds);
        if let Some(metrics) = &mut self.metrics {
            let text_samples = self.taken.borrow().of_last_step();
            metrics.step(progress, Step { position, prompts_shared, text_samples, seconds })?;
            self.observer.tell(Event::Step { progress, done: &self.done });
        }
        if self.observer.is_cancelled() {
            return Ok(Control::Stop);
        }
        let (step, recipe) = (progress.step, &self.setup.recipe);
        let mut control = Control::Continue;
        if self.is_due(recipe.eval.every, step) {
            let answers = match self.group.is_first() {
                true => self.judge(trainer, step)?,
                false => None,
            };
            if self.group.is_first() && answers.is_none() || self.watch.reason_to_stop().is_some() {
                control = Control::Stop;
            }
            self.feed_back(step, answers.as_deref())?;
            control = ranks::agreed(self.group, control)?;
        }
        // Evaluated before it is saved: a checkpoint's metrics then have the evaluation.
        if self.group.is_first()
            && control == Control::Continue
            && self.is_due(recipe.save_every, step)
        {
            self.save(trainer)?;
        }
        Ok(control)
    }

    /// A sample of a step, for an error. No evaluation has changed the mixture since.
    fn described(&self, step: u64, index: u64) -> String {
        match self.mixture.borrow().order(Split::Train, step - 1) {
            Ok(order) => {
                let first = (step - 1) * self.setup.samples_of_a_step();
                let sources = self.taken.borrow().sources(&order, first..index + 1);
                described(self.setup, sources[(index - first) as usize], index)
            }
            Err(why) => why,
        }
    }

    fn is_due(&self, every: u64, step: u64) -> bool {
        every > 0 && step.is_multiple_of(every) && step < self.setup.recipe.train.steps
    }

    /// The answers of an evaluation between two steps; none if it was interrupted.
    fn judge(&mut self, trainer: &Trainer<'_>, step: u64) -> Result<Option<Vec<Vec<Answer>>>> {
        let answers = self.held_out.judge(trainer.model, "now", self.observer);
        let both = answers.and_then(|answers| {
            let asked = self.held_out.ask(trainer.model, "now", self.observer)?;
            Ok((answers, asked))
        });
        let (answers, asked) = match both {
            Ok(both) => both,
            Err(Error::Cancelled) => return Ok(None),
            Err(Error::Failed(error)) => return Err(error),
            Err(error) => return Err(anyhow::anyhow!("{error}")),
        };
        // Before the evaluation's own lines, which say that it is over.
        self.write_tasks(step, &asked)?;
        for (prepared, summary) in self.setup.tasks.iter().zip(&asked) {
            let (task, metric) = (&prepared.task.name, prepared.task.main);
            let mean = summary.score(metric).map_or(0.0, |score| score.mean);
            self.observer.tell(Event::Scored { step, task, metric: metric.name(), mean });
        }
        self.take_in(trainer.model, step, &answers)?;
        for (answers, part) in answers.iter().zip(&self.setup.dataset.parts) {
            let scores = Scores::of(answers, 0);
            let (template, exact) = (&part.sampler.program().name, scores.exact);
            let alignment = scores.alignment;
            self.observer.tell(Event::Judged { step, template, exact, alignment });
        }
        Ok(Some(answers))
    }

    /// Logs an evaluation, and keeps the weights if it is the best so far.
    fn take_in(&mut self, model: &Model, step: u64, answers: &[Vec<Answer>]) -> Result<()> {
        self.write_down(step, answers)?;
        let exact = answers.iter().map(|of_one| Scores::of(of_one, 0).exact);
        let mean = exact.sum::<f64>() / answers.len() as f64;
        if self.watch.add(step, mean) && self.setup.recipe.eval.every > 0 {
            ending::save_model(self.setup, &self.start.folder.join("best"), model)?;
        }
        Ok(())
    }

    fn write_down(&mut self, step: u64, answers: &[Vec<Answer>]) -> Result<()> {
        for (answers, part) in answers.iter().zip(&self.setup.dataset.parts) {
            let rules = eval::rules(part);
            let name = [part.sampler.program().name.as_str(), part.sampler.level()];
            if let Some(metrics) = &mut self.metrics {
                metrics.judged(step, name, &Scores::of(answers, rules.len()), &rules)?;
            }
        }
        Ok(())
    }

    fn save(&self, trainer: &Trainer<'_>) -> Result<()> {
        let steps = trainer.steps_done();
        let synced = self.metrics.as_ref().map_or(Ok(()), Metrics::sync);
        let saved = synced.and_then(|()| {
            let run = json!({
                "fingerprint": self.start.fingerprint.to_json(),
                "metrics": self.metrics.as_ref().map_or(Value::Null, Metrics::seal),
            });
            let folder = &self.start.folder;
            let mut slots = Map::new();
            slots.insert(MIX.into(), self.mixture.borrow().state());
            slots.insert(TEXTS.into(), self.taken.borrow().kept(steps));
            trainer.save_of(&Others { run, slots }, &folder.checkpoint_after(steps))?;
            folder.keep_checkpoints(self.setup.recipe.keep_checkpoints)
        });
        saved.with_context(|| format!("no checkpoint after step {steps}"))
    }

    /// The failure that an error of the trainer is.
    fn stopped_by(&self, error: anyhow::Error) -> Error {
        let Some(found) = error.downcast_ref::<NotFinite>() else {
            let folder = &self.start.folder;
            let how = match folder.checkpoint() {
                Ok(Some(last)) => format!(
                    "stopped, and {} is whole: when the cause is gone, go on with \
                     `cookc run --resume {}`",
                    last.display(),
                    folder.path.display()
                ),
                _ => "stopped before the first checkpoint".to_string(),
            };
            return error.context(how).into();
        };
        let first = (found.step - 1) * self.setup.samples_of_a_step();
        let alone = found.sample.map(|at| self.described(found.step, first + at as u64));
        let sample = match alone {
            Some(sample) => format!("; alone it is so of {sample}"),
            None => ", but of no sample alone".to_string(),
        };
        let (step, loss, norm) = (found.step, found.loss, found.gradient_norm);
        let help = "the step was not done; write a smaller `learning_rate`, a larger \
                    `warmup_ratio` or `max_grad_norm = 1.0`, and train again";
        Error::Input(format!(
            "at step {step} the loss is {loss} and the gradient's norm {norm}{sample}\n{help}"
        ))
    }
}

impl Past {
    fn add(&mut self, progress: &Progress, prompts_shared: u64, seconds: f64) {
        self.losses.push((progress.step, progress.loss));
        self.samples += progress.samples;
        self.tokens += progress.tokens;
        self.prompts_shared += prompts_shared;
        self.seconds += seconds;
    }
}
