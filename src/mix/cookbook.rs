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
/// towards equal ones: the spread is divided by what would be left of it without errors.
pub fn weights(outcomes: &[Vec<Outcome>], weighing: Weighing) -> Vec<f64> {
    let count = outcomes.len() as f64;
    let tasks = outcomes.first().map_or(0, Vec::len);
    let mut mean = vec![0.0; outcomes.len()];
    for task in 0..tasks {
        let column: Vec<Outcome> = outcomes.iter().map(|row| row[task]).collect();
        for (sum, z) in mean.iter_mut().zip(standardised(&column)) {
            *sum += z / tasks as f64;
        }
    }
    let largest = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each: Vec<f64> = mean.iter().map(|z| (weighing.strength * (z - largest)).exp()).collect();
    let sum: f64 = each.iter().sum();
    each.iter()
        .map(|one| (weighing.floor + (1.0 - weighing.floor) * count * one / sum) / count)
        .collect()
}

/// The outcomes of a task as deviations from their mean, in units of the standard deviation; times
/// the share of the variance that errors do not explain.
pub fn standardised(column: &[Outcome]) -> Vec<f64> {
    let count = column.len() as f64;
    let mean = column.iter().map(|one| one.mean).sum::<f64>() / count;
    let square = |one: &Outcome| (one.mean - mean).powi(2);
    let variance = column.iter().map(square).sum::<f64>() / (count - 1.0).max(1.0);
    let noise = column.iter().map(|one| one.error.powi(2)).sum::<f64>() / count;
    if variance <= noise || variance <= 0.0 {
        return vec![0.0; column.len()];
    }
    let kept = 1.0 - noise / variance;
    column.iter().map(|one| kept * (one.mean - mean) / variance.sqrt()).collect()
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
