//! The mixture weights of COOKBOOK-MIX as reconstructed here: templates whose own runs do well on
//! the target tasks come more often.
//!
//! The abstract of the paper (Narayan and others, 2024, arXiv 2410.05224) says that the proportions
//! follow from accuracies that are estimated without labels; the formula is ours.

use super::Outcome;

/// How scores become mixture weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighing {
    /// How far the weights follow the scores; 0 gives equal weights.
    pub strength: f64,
    /// The least weight of a template, as a share of an equal one.
    pub floor: f64,
}

/// The mixture weights of templates, which sum to 1, by the outcomes of their runs: a row a
/// template, a column a task. `p ∝ exp(strength · z)` where `z` is the mean over the tasks of the
/// standardised outcomes. Outcomes whose spread is no more than their errors explain are drawn
/// towards equal ones: what is left of the spread without the errors is what counts.
pub fn weights(outcomes: &[Vec<Outcome>], weighing: Weighing) -> Vec<f64> {
    let columns = columns(outcomes);
    let mean = (0..outcomes.len()).map(|at| {
        columns.iter().map(|column| column[at]).sum::<f64>() / columns.len().max(1) as f64
    });
    floored(softmax(&mean.collect::<Vec<f64>>(), weighing.strength), weighing.floor)
}

/// The same with a mixture for each task, `p ∝ exp(strength · z)` of its own standardised outcomes,
/// and the mean of these. A template that helps one task and harms others keeps its share of that
/// task, which it loses where the mean over the tasks comes first.
pub fn weights_by_task(outcomes: &[Vec<Outcome>], weighing: Weighing) -> Vec<f64> {
    let columns = columns(outcomes);
    let each: Vec<Vec<f64>> =
        columns.iter().map(|column| softmax(column, weighing.strength)).collect();
    let mean = (0..outcomes.len())
        .map(|at| each.iter().map(|shares| shares[at]).sum::<f64>() / each.len().max(1) as f64);
    floored(mean.collect(), weighing.floor)
}

/// The standardised outcomes, a column a task.
fn columns(outcomes: &[Vec<Outcome>]) -> Vec<Vec<f64>> {
    let tasks = outcomes.first().map_or(0, Vec::len);
    let column = |task: usize| outcomes.iter().map(|row| row[task]).collect::<Vec<Outcome>>();
    (0..tasks).map(|task| standardised(&column(task))).collect()
}

/// Shares that sum to 1, in proportion to `exp(strength · number)`.
fn softmax(numbers: &[f64], strength: f64) -> Vec<f64> {
    let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each: Vec<f64> = numbers.iter().map(|one| (strength * (one - largest)).exp()).collect();
    let sum: f64 = each.iter().sum();
    each.iter().map(|one| one / sum).collect()
}

/// Shares of which none is below that part of an equal one.
pub fn floored(shares: Vec<f64>, floor: f64) -> Vec<f64> {
    let count = shares.len() as f64;
    shares.into_iter().map(|share| floor / count + (1.0 - floor) * share).collect()
}

/// The outcomes of a task as deviations from their mean, in units of the standard deviation; times
/// the share of the variance that errors do not explain.
pub fn standardised(column: &[Outcome]) -> Vec<f64> {
    let (mean, variance, kept) = spread(column);
    let unit = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    column.iter().map(|one| kept * (one.mean - mean) / unit).collect()
}

/// The outcomes of a task, drawn towards their mean as far as errors explain their spread.
pub fn shrunk(column: &[Outcome]) -> Vec<f64> {
    let (mean, _, kept) = spread(column);
    column.iter().map(|one| mean + kept * (one.mean - mean)).collect()
}

/// Mean and variance of outcomes, and the share of the variance that errors do not explain.
fn spread(column: &[Outcome]) -> (f64, f64, f64) {
    let count = column.len() as f64;
    let mean = column.iter().map(|one| one.mean).sum::<f64>() / count;
    let square = |one: &Outcome| (one.mean - mean).powi(2);
    let variance = column.iter().map(square).sum::<f64>() / (count - 1.0).max(1.0);
    let noise = column.iter().map(|one| one.error.powi(2)).sum::<f64>() / count;
    let kept = if variance > noise { 1.0 - noise / variance } else { 0.0 };
    (mean, variance, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Weighing = Weighing { strength: 1.0, floor: 0.1 };

    fn outcomes(rows: &[&[f64]], error: f64) -> Vec<Vec<Outcome>> {
        let row = |row: &&[f64]| row.iter().map(|mean| Outcome { mean: *mean, error }).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn weights_sum_to_one_and_follow_the_outcomes() {
        let found = weights(&outcomes(&[&[0.9, 0.5], &[0.5, 0.5], &[0.1, 0.5]], 0.0), EVEN);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found[0] > found[1] && found[1] > found[2]);
        // z is ±1 in the first task and 0 in the second; their mean is ±1/2.
        let ratio = (found[0] - 0.1 / 3.0) / (found[2] - 0.1 / 3.0);
        assert!((ratio - 1f64.exp()).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn by_task_a_template_that_helps_one_task_alone_keeps_its_share_of_it() {
        // The first helps its task and harms the other two; the last does nothing.
        let rows = outcomes(&[&[0.9, 0.1, 0.1], &[0.5, 0.6, 0.6], &[0.5, 0.5, 0.5]], 0.0);
        let (mean, by_task) = (weights(&rows, EVEN), weights_by_task(&rows, EVEN));
        assert!(mean[0] < mean[2] && by_task[0] > by_task[2], "{mean:?} {by_task:?}");
        assert!((by_task.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_weight_is_below_the_floor() {
        let sure = Weighing { strength: 50.0, floor: 0.3 };
        let found = weights(&outcomes(&[&[0.9], &[0.5], &[0.1]], 0.0), sure);
        assert!((found[2] - 0.1).abs() < 1e-9 && (found[0] - 0.8).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn outcomes_that_differ_by_no_more_than_their_errors_give_equal_weights() {
        let found = weights(&outcomes(&[&[0.52], &[0.50], &[0.48]], 0.05), EVEN);
        assert!(found.iter().all(|one| (one - 1.0 / 3.0).abs() < 1e-12), "{found:?}");
    }
}
