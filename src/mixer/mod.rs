//! Mixture weights learned before the training: runs on single templates or random mixtures, what
//! their models answer to target tasks, and what follows for the mixture (the paper's Data Mixer).

pub(crate) mod answers;
mod keys;
mod merge;
mod outcomes;
pub(crate) mod runs;
mod validate;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::mix::cookbook::{self, Weighing, floored};
use crate::mix::log_linear::{self, Fit};
use crate::mix::{self, Outcome, draws};
use crate::recipe::Recipe;
use crate::run::{Observer, Setup};
use crate::template::Error;
use answers::{Answers, Targets};
use merge::Change;
use outcomes::{Column, Sight, columns};
use runs::{Run, Runs};
pub use validate::{Compared, Validation, validate};

/// What was learned about a recipe's mixture.
#[derive(Clone, Debug, Serialize)]
pub struct Learned {
    /// The policy.
    pub policy: String,
    /// The seed of the data.
    pub seed: u64,
    /// Whether the right answers of tasks were looked at; those of templates are their rules'.
    pub is_labelled: bool,
    /// The weight of each template in the recipe's order; 0 where it is a target.
    pub weights: Vec<f64>,
    /// The templates by name.
    pub templates: Vec<String>,
    /// The targets.
    pub targets: Vec<TargetOf>,
    /// The base model and the runs, in order.
    pub runs: Vec<RunOf>,
    /// The mixtures that were compared without training, each with the mean of its outcomes.
    pub candidates: Vec<(Vec<f64>, f64)>,
    /// Why the weights are these, in a sentence.
    pub reason: String,
}

/// A target, and whether anything is known of the runs in it.
#[derive(Clone, Debug, Serialize)]
pub struct TargetOf {
    /// The task, or the template with its level.
    pub name: String,
    /// Its items.
    pub items: usize,
    /// Whether its accuracies are known: by a template's rules, or by right answers that may be
    /// looked at. Else they are estimated.
    pub is_known: bool,
    /// Why it is left out.
    pub refusal: Option<String>,
}

/// A run that was learned from.
#[derive(Clone, Debug, Serialize)]
pub struct RunOf {
    /// The mixture weights; all 0 of the base model.
    pub mixture: Vec<f64>,
    /// Where its adapter or model is.
    pub folder: PathBuf,
    /// Mean and standard error in each target; none where it is not known.
    pub outcomes: Vec<Option<(f64, f64)>>,
}

impl Learned {
    /// As JSON.
    ///
    /// # Panics
    /// Never: texts and numbers are JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are JSON") + "\n"
    }
}

/// Learns the mixture weights of a recipe whose policy is learned. Runs, models and answers are
/// kept below [`folder`], and found there again.
///
/// # Errors
/// As a run has; [`Error::Input`] if nothing can be learned from the targets: the text says why.
pub fn learn(setup: &mut Setup, observer: &Observer) -> Result<Learned, Error> {
    let recipe = setup.recipe.clone();
    expect_enough(&recipe)?;
    with_targets(setup, &mut |setup, targets| {
        let place = folder(setup);
        let mut runs = Runs::new(setup, targets, place, observer);
        let learned = Mixer { recipe: &recipe, runs: &mut runs }.learn();
        runs.end();
        learned
    })
}

/// Fails where an estimate will have too few runs, each of a template alone.
fn expect_enough(recipe: &Recipe) -> Result<(), Error> {
    let trained = recipe.templates.iter().filter(|entry| entry.weight > 0.0).count();
    let is_known = recipe.mix.labels || trained < recipe.templates.len();
    match outcomes::too_few(trained) {
        Some(why) if !is_known && recipe.mix.policy.path != mix::LOG_LINEAR => {
            Err(unknown(&format!(" {why}")))
        }
        _ => Ok(()),
    }
}

/// A recipe with its mixture as learned: that of the training itself.
pub fn mixed(recipe: &Recipe, learned: &Learned) -> Recipe {
    let mut mixed = recipe.clone();
    mixed.mix.policy.path = "fixed".to_string();
    for (entry, weight) in mixed.templates.iter_mut().zip(&learned.weights) {
        entry.weight = *weight;
    }
    mixed
}

/// Learns, and puts the recipe with the learned weights in the setup's place.
///
/// # Errors
/// As [`learn`].
pub fn prepare(setup: &mut Setup, observer: &Observer) -> Result<Learned, Error> {
    let learned = learn(setup, observer)?;
    let mixed = mixed(&setup.recipe, &learned);
    setup.put(mixed);
    Ok(learned)
}

/// Where the runs are kept that a recipe's mixture is learned from.
pub fn folder(setup: &Setup) -> PathBuf {
    match setup.recipe.mix.cache.as_str() {
        "" => Path::new("runs").join(format!("{}-mix", setup.name)),
        named => PathBuf::from(named),
    }
}

/// Does something with the targets in hand, which the setup has back afterwards.
fn with_targets<T>(
    setup: &mut Setup,
    work: &mut dyn FnMut(&mut Setup, &Targets) -> Result<T, Error>,
) -> Result<T, Error> {
    let is_own = !setup.targets.is_empty();
    let from = if is_own { &mut setup.targets } else { &mut setup.tasks };
    let tasks = std::mem::take(from);
    let held_out = setup.recipe.templates.iter().enumerate().filter(|(_, it)| it.weight == 0.0);
    let templates = held_out.map(|(at, _)| at).collect();
    let targets = Targets { tasks, templates, samples: setup.recipe.mix.samples };
    let done = work(setup, &targets);
    let to = if is_own { &mut setup.targets } else { &mut setup.tasks };
    *to = targets.tasks;
    done
}

/// Learns one recipe's mixture.
struct Mixer<'a, 'b> {
    recipe: &'a Recipe,
    runs: &'a mut Runs<'b>,
}

/// Outcomes of models, a row a model; only of targets of which something is known.
struct Known {
    rows: Vec<Vec<Outcome>>,
    columns: Vec<Column>,
}

impl Mixer<'_, '_> {
    fn learn(&mut self) -> Result<Learned, Error> {
        let policy = self.recipe.mix.policy.path.clone();
        match policy.as_str() {
            mix::MERGE => self.merge(),
            mix::LOG_LINEAR => self.log_linear(),
            _ => self.cookbook(),
        }
    }

    fn cookbook(&mut self) -> Result<Learned, Error> {
        let (base, singles) = (self.runs.base()?, self.singles()?);
        let known = self.known(&base, &singles, self.sight())?;
        let weighing = self.weighing();
        let Weighing { strength, floor } = weighing;
        let targets = counted(known.rows[0].len(), "target");
        let (weights, z) = match self.recipe.mix.per_target {
            true => {
                let weights = cookbook::weights_by_task(&known.rows[1..], weighing);
                (weights, format!("its run's standardised accuracy in a target, mean of {targets}"))
            }
            false => {
                let weights = cookbook::weights(&known.rows[1..], weighing);
                (weights, format!("the mean over {targets} of its run's standardised accuracy"))
            }
        };
        let mut reason = format!(
            "a template's weight is exp({strength} · z), z {z}; the least weight is {floor} of an \
             equal one"
        );
        if weights.iter().all(|weight| *weight == weights[0]) {
            reason += "; the runs differ by no more than their errors, so the weights are equal: \
                       train longer, or take targets that they can do";
        }
        Ok(self.learned(&weights, (&known, &base, &singles), Vec::new(), reason))
    }

    fn merge(&mut self) -> Result<Learned, Error> {
        let (base, singles) = (self.runs.base()?, self.singles()?);
        let known = self.known(&base, &singles, self.sight())?;
        let mixtures = self.candidates();
        let scores = self.merged(&base, &singles, &mixtures, self.sight())?;
        let best = best_merged(&mixtures, &scores);
        let weights = floored(mixtures[best].clone(), self.recipe.mix.floor);
        let reason = format!(
            "of {} mixtures of the runs' models, averaged without training, this one is nearest to \
             equal weights among those whose mean accuracy is within a standard error of the \
             highest: {:.3} ± {:.3}",
            mixtures.len(),
            scores[best].mean,
            scores[best].error
        );
        let means = scores.iter().map(|score| score.mean);
        let candidates: Vec<(Vec<f64>, f64)> = mixtures.into_iter().zip(means).collect();
        Ok(self.learned(&weights, (&known, &base, &singles), candidates, reason))
    }

    fn log_linear(&mut self) -> Result<Learned, Error> {
        let count = self.trained().len();
        let (base, made) = (self.runs.base()?, self.drawn()?);
        let known = self.known(&base, &made, self.sight())?;
        let fits = self.fits(&known, &made);
        let prior = vec![1.0 / count as f64; count];
        let best = log_linear::optimum(&fits, &prior, self.recipe.mix.pull);
        let weights = floored(best, self.recipe.mix.floor);
        let errors: f64 = fits.iter().map(|fit| fit.loss(&weights)).sum();
        let reason = format!(
            "error rates of {} runs on random mixtures are fitted as c + exp(b + w·p); at \
             these weights their mean is least, {:.3}, with the pull {} to equal ones",
            made.len(),
            errors / fits.len() as f64,
            self.recipe.mix.pull
        );
        Ok(self.learned(&weights, (&known, &base, &made), Vec::new(), reason))
    }

    /// The mixtures that `merge` compares: equal weights, each template alone, and random ones.
    fn candidates(&self) -> Vec<Vec<f64>> {
        let count = self.trained().len();
        let mut mixtures = vec![vec![1.0 / count as f64; count]];
        mixtures.extend((0..count).map(|at| single(count, at)));
        let drawn = self.recipe.mix.candidates as usize;
        mixtures.extend(draws::mixtures(count, drawn, self.recipe.data.seed));
        mixtures
    }

    /// The runs on random mixtures that `log-linear` is fitted to.
    fn drawn(&mut self) -> Result<Vec<Run>, Error> {
        let count = self.trained().len();
        let wanted = match self.recipe.mix.runs {
            0 => 2 * count,
            runs => runs as usize,
        };
        if wanted < count + 2 {
            return Err(Error::Input(format!(
                "`runs = {wanted}` below `[mix]` is too few: a fit over {count} templates has {} \
                 numbers, so write {} or more, or leave it out",
                count + 2,
                count + 2
            )));
        }
        let mixtures = draws::mixtures(count, wanted, self.recipe.data.seed);
        let run = |(at, mixture): (usize, &Vec<f64>)| {
            self.run(mixture, &format!("run {} of {wanted} on a random mixture", at + 1))
        };
        mixtures.iter().enumerate().map(run).collect()
    }

    /// The templates that are trained on, by number.
    fn trained(&self) -> Vec<usize> {
        let all = self.recipe.templates.iter().enumerate();
        all.filter(|(_, entry)| entry.weight > 0.0).map(|(at, _)| at).collect()
    }

    fn sight(&self) -> Sight {
        if self.recipe.mix.labels { Sight::Labels } else { Sight::Rules }
    }

    fn weighing(&self) -> Weighing {
        Weighing { strength: self.recipe.mix.strength, floor: self.recipe.mix.floor }
    }

    fn steps(&self) -> u64 {
        match self.recipe.mix.steps {
            0 => self.recipe.train.steps,
            steps => steps,
        }
    }

    /// The run on a mixture of the templates that are trained on.
    fn run(&mut self, mixture: &[f64], about: &str) -> Result<Run, Error> {
        let steps = self.steps();
        let whole = self.whole(mixture);
        self.runs.run(&whole, steps, about)
    }

    /// A mixture of the templates that are trained on as one of all.
    fn whole(&self, mixture: &[f64]) -> Vec<f64> {
        let mut whole = vec![0.0; self.recipe.templates.len()];
        self.trained().iter().zip(mixture).for_each(|(at, share)| whole[*at] = *share);
        whole
    }

    /// The run of each template alone.
    fn singles(&mut self) -> Result<Vec<Run>, Error> {
        let names = self.names();
        let trained = self.trained();
        let count = trained.len();
        let run = |(at, template): (usize, &usize)| {
            let about = format!("run {} of {count}, {} alone", at + 1, names[*template]);
            self.run(&single(count, at), &about)
        };
        trained.iter().enumerate().map(run).collect()
    }

    /// The outcomes of the base and of runs.
    fn known(&self, base: &Run, runs: &[Run], sight: Sight) -> Result<Known, Error> {
        let models = std::iter::once(base).chain(runs).map(|run| run.answers.as_slice());
        let models: Vec<&[Answers]> = models.collect();
        known(&models, sight, self.recipe.data.seed)
    }

    /// The mean outcome of models that are averaged from the templates' own in each mixture.
    fn merged(
        &mut self,
        base: &Run,
        singles: &[Run],
        mixtures: &[Vec<f64>],
        sight: Sight,
    ) -> Result<Vec<Outcome>, Error> {
        let folders: Vec<PathBuf> = singles.iter().map(|run| run.folder.clone()).collect();
        let mut loaded = None;
        let mut scores = Vec::new();
        for (at, mixture) in mixtures.iter().enumerate() {
            let how = format!(
                "merge {:?} {mixture:?}",
                folders.iter().map(|it| it.file_name()).collect::<Vec<_>>()
            );
            let observer = self.runs.observer();
            let answers = self.runs.made(&how, &mut |setup| {
                if loaded.is_none() {
                    let left = mixtures.len() - at;
                    observer.note(format!("{left} averaged models are asked"));
                    loaded = Some(runs::parts(setup, &folders, observer)?);
                }
                let (like, changes) = loaded.as_ref().expect("it was just loaded");
                let changes: Vec<&Change> = changes.iter().collect();
                Ok(merge::averaged(like, &changes, mixture)?)
            })?;
            let models = std::iter::once(base).chain(singles).map(|run| run.answers.as_slice());
            let models: Vec<&[Answers]> = models.chain([answers.as_slice()]).collect();
            let known = known(&models, sight, self.recipe.data.seed)?;
            let last = known.rows.last().expect("it is the last model");
            scores.push(Outcome::over(last));
        }
        Ok(scores)
    }

    /// Error rates as a function of the mixture, of each target of which something is known.
    fn fits(&self, known: &Known, runs: &[Run]) -> Vec<Fit> {
        let trained = self.trained();
        let share = |run: &Run| trained.iter().map(|at| run.mixture[*at]).collect();
        let mixtures: Vec<Vec<f64>> = runs.iter().map(share).collect();
        let targets = known.rows[0].len();
        let of = |target: usize| {
            let column: Vec<Outcome> = known.rows[1..].iter().map(|row| row[target]).collect();
            let losses = cookbook::shrunk(&column).into_iter().map(|mean| 1.0 - mean);
            Fit::of(&mixtures, &losses.collect::<Vec<f64>>())
        };
        (0..targets).map(of).collect()
    }

    fn names(&self) -> Vec<String> {
        self.runs.names()
    }

    fn learned(
        &self,
        weights: &[f64],
        (known, base, runs): (&Known, &Run, &[Run]),
        candidates: Vec<(Vec<f64>, f64)>,
        reason: String,
    ) -> Learned {
        let of = |(at, run): (usize, &Run)| RunOf {
            mixture: run.mixture.clone(),
            folder: run.folder.clone(),
            outcomes: known
                .columns
                .iter()
                .map(|column| column.outcomes[at].map(|one| (one.mean, one.error)))
                .collect(),
        };
        let target = |(column, answers): (&Column, &Answers)| TargetOf {
            name: column.target.clone(),
            items: answers.given.len(),
            is_known: answers.by_rules || self.recipe.mix.labels,
            refusal: column.refusal.clone(),
        };
        Learned {
            policy: self.recipe.mix.policy.path.clone(),
            seed: self.recipe.data.seed,
            is_labelled: self.recipe.mix.labels,
            weights: self.whole(&draws::rounded(weights)),
            templates: self.names(),
            targets: known.columns.iter().zip(&base.answers).map(target).collect(),
            runs: std::iter::once(base).chain(runs).enumerate().map(of).collect(),
            candidates,
            reason,
        }
    }
}

/// The outcomes of models of which the first is the base.
fn known(models: &[&[Answers]], sight: Sight, seed: u64) -> Result<Known, Error> {
    let columns = columns(models, sight, seed);
    let mut rows = vec![Vec::new(); models.len()];
    for column in columns.iter().filter(|column| column.refusal.is_none()) {
        // Of a model that cannot be estimated alone, nothing is known beyond the others.
        let known: Vec<Outcome> = column.outcomes.iter().flatten().copied().collect();
        let count = known.len().max(1) as f64;
        let mean = known.iter().map(|one| one.mean).sum::<f64>() / count;
        let error = known.iter().map(|one| one.error).sum::<f64>() / count;
        for (row, outcome) in rows.iter_mut().zip(&column.outcomes) {
            row.push(outcome.unwrap_or(Outcome { mean, error }));
        }
    }
    if rows[0].is_empty() {
        let why = columns.iter().map(|column| {
            let why = column.refusal.as_deref().unwrap_or("it has no items");
            format!("\n  {}: {why}", column.target)
        });
        let why: String = why.collect();
        return Err(unknown(&why));
    }
    Ok(Known { rows, columns })
}

/// The error where no outcome is known.
fn unknown(why: &str) -> Error {
    Error::Input(format!(
        "nothing can be learned from the answers without labels:{why}\nwrite `labels = true` \
         below `[mix]` if the right answers may be looked at, or take a template with `weight = \
         0.0` as a target, whose rules say what is right, or more templates, items or steps"
    ))
}

/// The mixture that `merge` chooses: the nearest to equal weights among those that are within a
/// standard error of the best, since a difference that may be chance is no reason to leave them.
fn best_merged(mixtures: &[Vec<f64>], scores: &[Outcome]) -> usize {
    let highest = scores.iter().copied().max_by(|a, b| a.mean.total_cmp(&b.mean));
    let highest = highest.expect("equal weights are a candidate");
    let is_good = |at: &usize| scores[*at].mean >= highest.mean - highest.error;
    let distance = |at: &usize| mixtures[*at].iter().map(|share| share * share).sum::<f64>();
    let good = (0..scores.len()).filter(is_good);
    good.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

/// All of one template.
fn single(count: usize, at: usize) -> Vec<f64> {
    (0..count).map(|other| f64::from(u8::from(other == at))).collect()
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
