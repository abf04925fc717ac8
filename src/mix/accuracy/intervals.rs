//! Intervals by the bootstrap over items, in which each resample weighs the structures anew.

use rayon::prelude::*;

use super::model::{self, Fit};
use super::votes::Table;
use crate::runtime::random::{RunKey, Stream, start};

/// Resamples of the items.
const RESAMPLES: u64 = 200;
/// Passes of a fit that starts from all items' fit.
const PASSES: usize = 12;
/// Structures that are this much less likely than the best are left out.
const BEHIND_MAX: f64 = 8.0;
/// No more structures are weighed.
const STRUCTURES_MAX: usize = 6;

/// The fits that are weighed: the likeliest of those that have enough sources.
pub fn likely<'a>(table: &Table, found: &'a [Fit], sources_min: usize) -> Vec<&'a Fit> {
    let enough = found.iter().filter(|fit| fit.sources() >= sources_min);
    let mut likely: Vec<&Fit> = enough.collect();
    let first = likely.first().map_or(0.0, |fit| fit.criterion(table));
    likely.retain(|fit| fit.criterion(table) - first <= BEHIND_MAX);
    likely.truncate(STRUCTURES_MAX);
    likely
}

/// The probability of each fit, by the criterion.
pub fn weights(table: &Table, fits: &[&Fit]) -> Vec<f64> {
    let all: Vec<f64> = fits.iter().map(|fit| fit.criterion(table)).collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let odds: Vec<f64> = all.iter().map(|one| (-0.5 * (one - least)).exp()).collect();
    let sum: f64 = odds.iter().sum();
    odds.iter().map(|one| one / sum).collect()
}

/// The accuracies of the voters, as a mean over the fits.
pub fn mean(weights: &[f64], fits: &[&Fit]) -> Vec<f64> {
    let voters = fits.first().map_or(0, |fit| fit.accuracy.len());
    let of = |voter: usize| {
        weights.iter().zip(fits).map(|(weight, fit)| weight * fit.accuracy[voter]).sum()
    };
    (0..voters).map(of).collect()
}

/// The accuracies in each resample.
pub fn resampled(table: &Table, fits: &[&Fit], seed: u64) -> Vec<Vec<f64>> {
    let key = RunKey::new("votes", "items", "bootstrap", seed).stream("resample");
    let one = |resample: u64| {
        let counts = counts(table, &mut start(&key, resample));
        let table = table.recounted(counts);
        let again: Vec<Fit> = fits
            .iter()
            .map(|fit| model::fit(&table, &fit.groups, fit.parameters.clone(), PASSES))
            .collect();
        let again: Vec<&Fit> = again.iter().collect();
        mean(&weights(&table, &again), &again)
    };
    (0..RESAMPLES).into_par_iter().map(one).collect()
}

/// How often each row comes where as many items are drawn as there are.
pub fn counts(table: &Table, stream: &mut Stream) -> Vec<f64> {
    let mut counts = vec![0.0; table.counts.len()];
    for _ in 0..table.row_of.len() {
        let item = stream.below(table.row_of.len() as u32) as usize;
        counts[table.row_of[item]] += 1.0;
    }
    counts
}

/// The value below which this share of the numbers lies, between the two nearest.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, rest) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] * (1.0 - rest) + sorted[high] * rest
}
