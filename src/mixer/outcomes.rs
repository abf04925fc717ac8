//! How often each of several models is right in each target: known, or estimated from their answers
//! alone.

use serde_json::{Map, Value, json};

use super::answers::Answers;
use crate::mix::Outcome;
use crate::mix::accuracy::{self, Agreement, MISSING, Rows, Votes};

/// Standard errors from the middle of an interval of 95 % to its ends.
const INTERVAL: f64 = 1.96;

/// The outcomes of models in one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The target.
    pub target: String,
    /// The outcome of each model, in order; none where it cannot be estimated.
    pub outcomes: Vec<Option<Outcome>>,
    /// Why there is none of any model.
    pub refusal: Option<String>,
}

/// Fewer models than these, the base among them, cannot show that two of them share errors.
const MODELS_MIN: usize = 4;
/// Models whose answers are the same in more than this share of the items cannot be compared.
const ALIKE_MAX: f64 = 0.95;

/// Whose word is taken on what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The right answers of tasks, and the rules of templates.
    Labels,
    /// The rules of templates; accuracies in tasks are estimated.
    Rules,
    /// Nobody's: all accuracies are estimated.
    Blind,
}

/// A column each target. The first model is the one that the others are made from: where accuracies
/// are estimated, the others may copy its errors.
pub fn columns(models: &[&[Answers]], sight: Sight, seed: u64) -> Vec<Column> {
    let targets = models.first().map_or(0, |answers| answers.len());
    (0..targets)
        .map(|at| {
            let column: Vec<&Answers> = models.iter().map(|answers| &answers[at]).collect();
            let is_known = match sight {
                Sight::Labels => true,
                Sight::Rules => column[0].by_rules,
                Sight::Blind => false,
            };
            if is_known { labelled(&column) } else { estimated(&column, seed) }
        })
        .collect()
}

/// By the right answers.
fn labelled(models: &[&Answers]) -> Column {
    let outcome = |answers: &&Answers| {
        let mean = answers.right.iter().sum::<f64>() / answers.right.len() as f64;
        Some(Outcome { mean, error: error(&answers.right) })
    };
    Column {
        target: models[0].target.clone(),
        outcomes: models.iter().map(outcome).collect(),
        refusal: None,
    }
}

/// The standard error of a mean of values from 0 to 1. Two right and two wrong answers are counted
/// besides (Agresti and Coull, 1998), so that few answers of one kind do not seem certain.
fn error(values: &[f64]) -> f64 {
    let all = || values.iter().copied().chain([0.0, 0.0, 1.0, 1.0]);
    let count = all().count() as f64;
    let mean = all().sum::<f64>() / count;
    (all().map(|one| (one - mean).powi(2)).sum::<f64>() / count / count).sqrt()
}

/// By the models' agreements.
fn estimated(models: &[&Answers], seed: u64) -> Column {
    let target = models[0].target.clone();
    let none = |why: String| Column {
        target: target.clone(),
        outcomes: vec![None; models.len()],
        refusal: Some(why),
    };
    if let Some(why) = too_few(models.len() - 1) {
        return none(why);
    }
    let alike = alike(models);
    if alike > ALIKE_MAX {
        return none(format!(
            "the models give the same answer in {:.0} % of the comparisons, so nothing tells them \
             apart: take more steps",
            100.0 * alike
        ));
    }
    let votes = match models[0].options {
        0 => match written(models) {
            Ok(votes) => votes,
            Err(why) => return none(why),
        },
        options => chosen(models, options),
    };
    let options = accuracy::Options { seed, is_independent: false, source: Some(0) };
    let estimates = accuracy::estimate(&votes, options);
    if let Some(refusal) = &estimates.refusal {
        return none(refusal.to_string());
    }
    let outcome = |voter: &accuracy::Voter| {
        let one = voter.accuracy?;
        Some(Outcome { mean: one.value, error: (one.high - one.low) / (2.0 * INTERVAL) })
    };
    let outcomes = estimates.voters.iter().map(outcome).collect();
    Column { target, outcomes, refusal: None }
}

/// Why the answers of the base and of that number of runs are too few for an estimate, if they are.
pub fn too_few(runs: usize) -> Option<String> {
    (runs + 1 < MODELS_MIN).then(|| {
        format!(
            "an estimate needs the answers of the base and of {} runs at least, and there are \
             {runs}: take more templates",
            MODELS_MIN - 1
        )
    })
}

/// The share of items in which a model answers as the base does, over all models.
fn alike(models: &[&Answers]) -> f64 {
    let (base, runs) = models.split_first().expect("the base is the first");
    let same = |run: &&Answers| base.given.iter().zip(&run.given).filter(|(a, b)| a == b).count();
    let all = (runs.len() * base.given.len()).max(1);
    runs.iter().map(same).sum::<usize>() as f64 / all as f64
}

/// Votes among options.
fn chosen(models: &[&Answers], options: usize) -> Votes {
    let items = models[0].given.len();
    let vote = |answers: &&Answers, at: usize| answers.given[at].parse().unwrap_or(MISSING);
    let row = |at: usize| models.iter().map(|answers| vote(answers, at)).collect();
    Votes {
        voters: (0..models.len()).map(|at| at.to_string()).collect(),
        items: (0..items).map(row).collect(),
        gold: vec![None; items],
        options,
        labels: models[0].labels.clone(),
        soft: None,
    }
}

/// Votes in free text.
fn written(models: &[&Answers]) -> Result<Votes, String> {
    let mut rows = Rows::default();
    for at in 0..models[0].given.len() {
        let votes: Map<String, Value> = models
            .iter()
            .enumerate()
            .map(|(model, answers)| (model.to_string(), answers.given[at].trim().into()))
            .collect();
        rows.add(&json!({ "votes": votes }).to_string())?;
    }
    let sets = rows.votes(Agreement::Normalised, None)?;
    let votes = sets.into_iter().next().map(|(_, votes)| votes);
    votes.ok_or_else(|| "there are no answers".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{RunKey, random};

    /// Answers to 400 items of four options, of which that number in ten are right.
    fn answers(right: u32, salt: u64) -> Answers {
        let key = RunKey::new("", "", "answers", salt).stream("test");
        let right_of = |at: usize| at as u32 % 4;
        let given = (0..400).map(|at| {
            let mut stream = random::start(&key, at as u64);
            let is_right = stream.below(10) < right;
            if is_right { right_of(at) } else { (right_of(at) + 1 + stream.below(3)) % 4 }
        });
        let given: Vec<u32> = given.collect();
        let is_right = |(at, given): (usize, &u32)| f64::from(u8::from(*given == right_of(at)));
        let right = given.iter().enumerate().map(is_right).collect();
        let given = given.iter().map(u32::to_string).collect();
        let target = "task".into();
        Answers { target, by_rules: false, options: 4, labels: None, given, right }
    }

    #[test]
    fn accuracies_are_known_with_labels_and_estimated_without() {
        let models: Vec<Vec<Answers>> = [(4, 1), (8, 5), (7, 11), (5, 17), (6, 23)]
            .map(|(right, salt)| vec![answers(right, salt)])
            .to_vec();
        let models: Vec<&[Answers]> = models.iter().map(Vec::as_slice).collect();
        let known = &columns(&models, Sight::Labels, 0)[0];
        let found = &columns(&models, Sight::Blind, 0)[0];
        assert_eq!(found.refusal, None);
        for (known, found) in known.outcomes.iter().zip(&found.outcomes) {
            let (known, found) = (known.expect("known"), found.expect("estimated"));
            assert!((known.mean - found.mean).abs() < 0.12, "{known:?} {found:?}");
        }
    }

    #[test]
    fn a_template_says_itself_what_is_right() {
        let ruled = |right, salt| vec![Answers { by_rules: true, ..answers(right, salt) }];
        let models = [ruled(4, 1), ruled(8, 5)];
        let models: Vec<&[Answers]> = models.iter().map(Vec::as_slice).collect();
        assert_eq!(columns(&models, Sight::Rules, 0), columns(&models, Sight::Labels, 0));
        assert!(columns(&models, Sight::Blind, 0)[0].refusal.is_some());
    }

    #[test]
    fn models_that_all_answer_alike_are_refused_without_labels() {
        let models: Vec<Vec<Answers>> = (0..5).map(|_| vec![answers(8, 1)]).collect();
        let models: Vec<&[Answers]> = models.iter().map(Vec::as_slice).collect();
        let refusal = columns(&models, Sight::Blind, 0)[0].refusal.clone().expect("a refusal");
        assert!(refusal.contains("100 %"), "{refusal}");
    }

    #[test]
    fn a_few_right_answers_are_not_certain() {
        assert!(error(&[1.0, 1.0]) > 0.15);
        assert!((error(&vec![1.0; 10_000]) - 0.0).abs() < 1e-3);
    }

    #[test]
    fn two_models_alone_are_refused_without_labels() {
        let models = [vec![answers(4, 1)], vec![answers(8, 5)]];
        let models: Vec<&[Answers]> = models.iter().map(Vec::as_slice).collect();
        let found = &columns(&models, Sight::Blind, 0)[0];
        assert!(found.refusal.is_some() && found.outcomes == [None, None]);
    }
}
