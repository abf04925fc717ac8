//! What a model came to in a task.

use serde_json::Value;

use super::{Metric, Prepared};

/// A task's figures.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The metrics, in the task's order.
    pub scores: Vec<Score>,
    /// What was chosen and what was right; none where a model writes.
    pub labels: Option<Labels>,
    /// A line for each item, in order.
    pub lines: Vec<Value>,
}

/// A metric's mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The metric.
    pub metric: Metric,
    /// The mean over the items.
    pub mean: f64,
    /// Its standard error: the sample's standard deviation over the root of the number of items,
    /// and of F1 over choices the jackknife's. None of a single item.
    pub error: Option<f64>,
}

/// How often each label was chosen. A model that prefers one whatever is asked is seen here.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The labels: the choices' texts if all items have the same, or else their numbers from 0.
    pub names: Vec<String>,
    /// The share of items of which each is right.
    pub gold: Vec<f64>,
    /// The share of items in which each was chosen, by each metric.
    pub chosen: Vec<(Metric, Vec<f64>)>,
}

impl Score {
    /// Of a metric's values.
    pub fn of(metric: Metric, values: &[f64]) -> Score {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt() / count.sqrt());
        Score { metric, mean, error }
    }

    /// F1 of the second of two choices, from 0 to 1: 0 if it is neither right nor chosen anywhere.
    /// Its standard error is the jackknife's: what it is without each of the items.
    pub fn f1(gold: &[usize], chosen: &[usize]) -> Score {
        let count = |of: &dyn Fn(usize, usize) -> bool| {
            gold.iter().zip(chosen).filter(|(gold, chosen)| of(**gold, **chosen)).count() as f64
        };
        let both = count(&|gold, chosen| gold == 1 && chosen == 1);
        let one = count(&|gold, chosen| gold != chosen);
        let f1 = |both: f64, one: f64| match both + one > 0.0 {
            true => 2.0 * both / (2.0 * both + one),
            false => 0.0,
        };
        let items = gold.len() as f64;
        // Items of a kind are alike: without one of them it is the same.
        let kinds = [
            (both, f1(both - 1.0, one)),
            (one, f1(both, one - 1.0)),
            (items - both - one, f1(both, one)),
        ];
        let kinds = kinds.map(|(count, without)| (count, if count > 0.0 { without } else { 0.0 }));
        let mean = kinds.iter().map(|(count, without)| count * without).sum::<f64>() / items;
        let squares: f64 =
            kinds.iter().map(|(count, without)| count * (without - mean).powi(2)).sum();
        let error = (gold.len() > 1).then(|| ((items - 1.0) / items * squares).sqrt());
        Score { metric: Metric::F1, mean: f1(both, one), error }
    }
}

impl Labels {
    /// Of items' right choices, and of what was chosen by each metric.
    pub fn of(asked: &Prepared, gold: &[usize], chosen: &[(Metric, Vec<usize>)]) -> Labels {
        let most = asked.items.iter().map(|(item, _)| item.choices().len()).max().unwrap_or(0);
        let first = asked.items.first().map(|(item, _)| item.choices()).unwrap_or_default();
        let is_same =
            asked.items.len() > 1 && asked.items.iter().all(|(item, _)| item.choices() == first);
        let names = match is_same {
            true => first.to_vec(),
            false => (0..most).map(|at| at.to_string()).collect(),
        };
        let shares = |of: &[usize]| {
            let count = |at| of.iter().filter(|one| **one == at).count() as f64;
            (0..most).map(|at| count(at) / of.len() as f64).collect()
        };
        let chosen = chosen.iter().map(|(metric, all)| (*metric, shares(all))).collect();
        Labels { names, gold: shares(gold), chosen }
    }
}

impl Summary {
    /// A metric's score.
    pub fn score(&self, metric: Metric) -> Option<Score> {
        self.scores.iter().find(|score| score.metric == metric).copied()
    }
}

/// The mean of several tasks' scores, each counted once, and its standard error.
pub fn mean(scores: &[Score]) -> (f64, Option<f64>) {
    let count = scores.len() as f64;
    let mean = scores.iter().map(|score| score.mean).sum::<f64>() / count;
    let squares: Option<f64> =
        scores.iter().map(|score| score.error.map(|error| error.powi(2))).sum();
    (mean, squares.map(|sum| sum.sqrt() / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_of_choices_is_that_of_the_second() {
        let score = Score::f1(&[1, 1, 1, 0, 0, 0], &[1, 1, 0, 1, 0, 0]);
        assert!((score.mean - 4.0 / 6.0).abs() < 1e-15, "two of three, and one too many");
        // Without one of the six: 2/4 twice, 4/5 twice, 4/6 twice; their mean is 59/90.
        let without = [0.5, 0.5, 0.8, 0.8, 2.0 / 3.0, 2.0 / 3.0];
        let squares: f64 = without.iter().map(|one: &f64| (one - 59.0 / 90.0).powi(2)).sum();
        let error = (5.0 / 6.0 * squares).sqrt();
        assert!((score.error.expect("six items") - error).abs() < 1e-15);
        assert_eq!(Score::f1(&[0, 0], &[0, 0]).mean, 0.0);
        assert_eq!(Score::f1(&[1, 1], &[1, 1]).mean, 1.0);
        assert_eq!(Score::f1(&[1], &[1]).error, None);
    }

    #[test]
    fn the_standard_error_is_that_of_the_sample() {
        let score = Score::of(Metric::Acc, &[1.0, 0.0, 0.0, 1.0]);
        // The deviation is sqrt(4 · 0.25 / 3), and it is divided by 2.
        assert!((score.error.expect("four items") - (1.0f64 / 3.0).sqrt() / 2.0).abs() < 1e-15);
        assert_eq!(score.mean, 0.5);
        assert_eq!(Score::of(Metric::Acc, &[1.0]).error, None);
        let (mean, error) = mean(&[score, Score { error: Some(0.0), mean: 1.0, ..score }]);
        assert_eq!(mean, 0.75);
        assert_eq!(error, score.error.map(|error| error / 2.0));
    }
}
