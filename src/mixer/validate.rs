//! Mixtures that are trained to the end, to hold what each policy says of them against.

use serde::Serialize;

use super::answers::Answers;
use super::outcomes::{Sight, columns};
use super::runs::{Run, Runs};
use super::{Known, Mixer, best_merged, folder, single, with_targets};
use crate::mix::cookbook::{self, floored};
use crate::mix::statistics::{Correlation, spearman, with_interval};
use crate::mix::{Outcome, draws, log_linear};
use crate::run::{Observer, Setup};
use crate::template::Error;

/// Policies beside mixtures that were trained to the end.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// The seed of the data.
    pub seed: u64,
    /// The templates that are mixed.
    pub templates: Vec<String>,
    /// The targets.
    pub targets: Vec<String>,
    /// The mean accuracy of the base model over the targets, with its standard error.
    pub base: (f64, f64),
    /// The mixtures, of the templates that are mixed.
    pub mixtures: Vec<Trained>,
    /// What each policy says of them, and what it chooses.
    pub compared: Vec<Compared>,
}

/// A mixture that was trained to the end.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    /// Its weights.
    pub mixture: Vec<f64>,
    /// The mean of the targets' accuracies by their right answers.
    pub accuracy: f64,
    /// Its standard error over the items.
    pub error: f64,
    /// The accuracy in each target.
    pub each: Vec<f64>,
}

/// A policy beside them.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The policy.
    pub policy: String,
    /// Whether it saw the targets' right answers.
    pub is_labelled: bool,
    /// Spearman's correlation of what it says of the mixtures with what they came to: value and the
    /// ends of its interval of 95 %. None for a policy that only chooses.
    pub spearman: Option<(f64, f64, f64)>,
    /// The mixture that it chooses.
    pub choice: Trained,
    /// How far that is below the best mixture of all that were trained.
    pub regret: f64,
}

impl Validation {
    /// As JSON.
    ///
    /// # Panics
    /// Never: texts and numbers are JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are JSON") + "\n"
    }
}

/// What a policy says of mixtures.
struct Said {
    policy: &'static str,
    is_labelled: bool,
    scores: Option<Vec<f64>>,
    choice: Vec<f64>,
}

/// Trains that number of mixtures, equal weights among them, and what each policy chooses.
///
/// # Errors
/// As [`learn`](super::learn) has.
pub fn validate(setup: &mut Setup, count: usize, observer: &Observer) -> Result<Validation, Error> {
    let recipe = setup.recipe.clone();
    with_targets(setup, &mut |setup, targets| {
        let place = folder(setup);
        let mut runs = Runs::new(setup, targets, place, observer);
        let found = Mixer { recipe: &recipe, runs: &mut runs }.validate(count);
        runs.end();
        found
    })
}

impl Mixer<'_, '_> {
    fn validate(&mut self, count: usize) -> Result<Validation, Error> {
        let parts = self.trained().len();
        let seed = self.recipe.data.seed;
        let (base, singles) = (self.runs.base()?, self.singles()?);
        let mut mixtures = vec![vec![1.0 / parts as f64; parts]];
        // Other mixtures than those that a policy learns from.
        mixtures.extend(draws::mixtures(parts, count.saturating_sub(1), !seed));
        let mut made = Vec::new();
        for (at, mixture) in mixtures.iter().enumerate() {
            made.push(self.finished(mixture, &format!("mixture {} of {count}", at + 1))?);
        }
        let mut said = vec![Said {
            policy: "uniform",
            is_labelled: false,
            scores: None,
            choice: mixtures[0].clone(),
        }];
        let drawn = self.drawn()?;
        for sight in [Sight::Blind, Sight::Labels] {
            said.extend(self.says((&base, &singles, &drawn), &mixtures, sight)?);
        }
        let mut compared = Vec::new();
        for one in said {
            let choice = draws::rounded(&one.choice);
            let about = format!("what {} chooses", one.policy);
            let choice = self.finished(&choice, &about)?;
            let pairs = one.scores.map(|scores| {
                scores.into_iter().zip(made.iter().map(|one| one.accuracy)).collect::<Vec<_>>()
            });
            let correlation = pairs.and_then(|pairs| with_interval(&pairs, spearman, seed));
            let of = |it: Correlation| (it.value, it.low, it.high);
            compared.push(Compared {
                policy: one.policy.to_string(),
                is_labelled: one.is_labelled,
                spearman: correlation.map(of),
                choice,
                regret: 0.0,
            });
        }
        let all = made.iter().chain(compared.iter().map(|one| &one.choice));
        let best = all.map(|one| one.accuracy).fold(f64::NEG_INFINITY, f64::max);
        compared.iter_mut().for_each(|one| one.regret = best - one.choice.accuracy);
        let names = self.names();
        let base_of = accuracy(&base.answers);
        Ok(Validation {
            seed,
            templates: self.trained().iter().map(|at| names[*at].clone()).collect(),
            targets: base.answers.iter().map(|answers| answers.target.clone()).collect(),
            base: (base_of.0, base_of.1),
            mixtures: made,
            compared,
        })
    }

    /// What the policies say, of mixtures and by their choice.
    fn says(
        &mut self,
        (base, singles, drawn): (&Run, &[Run], &[Run]),
        mixtures: &[Vec<f64>],
        sight: Sight,
    ) -> Result<Vec<Said>, Error> {
        let known = match self.known(base, singles, sight) {
            Ok(known) => known,
            Err(Error::Input(why)) => {
                self.runs.observer().note(why);
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let means = means(&known);
        let parts = means.len();
        let is_labelled = sight == Sight::Labels;
        let said = |policy, scores, choice| Said { policy, is_labelled, scores, choice };
        let linear =
            mixtures.iter().map(|mixture| mixture.iter().zip(&means).map(|(p, a)| p * a).sum());
        let cookbook = cookbook::weights(&known.rows[1..], self.weighing());
        let mut all = vec![said("cookbook", Some(linear.collect()), cookbook)];
        let by_task = cookbook::weights_by_task(&known.rows[1..], self.weighing());
        all.push(said("cookbook by task", None, by_task));
        let sum: f64 = means.iter().sum();
        let share = |one: &f64| if sum > 0.0 { one / sum } else { 1.0 / parts as f64 };
        all.push(said("proportional", None, means.iter().map(share).collect()));
        let best = (0..parts).rev().max_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap_or(0);
        all.push(said("best single", None, single(parts, best)));
        let candidates = self.candidates();
        let scores = self.merged(base, singles, &candidates, sight)?;
        let best = best_merged(&candidates, &scores);
        let of_made = self.merged(base, singles, mixtures, sight)?;
        let of_made = of_made.iter().map(|score| score.mean).collect();
        let floor = self.recipe.mix.floor;
        all.push(said("merge", Some(of_made), floored(candidates[best].clone(), floor)));
        if let Ok(known) = self.known(base, drawn, sight) {
            let fits = self.fits(&known, drawn);
            let score = |mixture: &Vec<f64>| {
                -fits.iter().map(|fit| fit.loss(mixture)).sum::<f64>() / fits.len() as f64
            };
            let scores = mixtures.iter().map(score).collect();
            let prior = vec![1.0 / parts as f64; parts];
            let best = log_linear::optimum(&fits, &prior, self.recipe.mix.pull);
            all.push(said("log-linear", Some(scores), floored(best, floor)));
        }
        Ok(all)
    }

    /// A mixture trained for all of the training's steps.
    fn finished(&mut self, mixture: &[f64], about: &str) -> Result<Trained, Error> {
        let whole = self.whole(mixture);
        let run = self.runs.run(&whole, self.recipe.train.steps, about)?;
        let (mean, error, each) = accuracy(&run.answers);
        Ok(Trained { mixture: mixture.to_vec(), accuracy: mean, error, each })
    }
}

/// The mean of the targets' accuracies by the right answers, its standard error, and each.
fn accuracy(answers: &[Answers]) -> (f64, f64, Vec<f64>) {
    let columns = columns(&[answers], Sight::Labels, 0);
    let outcomes: Vec<_> = columns.iter().filter_map(|column| column.outcomes[0]).collect();
    let Outcome { mean, error } = Outcome::over(&outcomes);
    (mean, error, outcomes.iter().map(|one| one.mean).collect())
}

/// The mean outcome of each run, the base's left out.
fn means(known: &Known) -> Vec<f64> {
    known.rows[1..].iter().map(|row| Outcome::over(row).mean).collect()
}
