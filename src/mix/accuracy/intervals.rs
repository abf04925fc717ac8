//! Intervals by the bootstrap over items, in which each resample weighs the structures anew.

use rayon::prelude::*;

use super::agreement::Agreements;
use super::channel::Groups;
use super::model::{self, Fit};
use super::votes::{Table, Votes};
use super::{Interval, Tick};
use crate::runtime::random::{RunKey, Stream, start};

/// Resamples of the items.
pub const RESAMPLES: u64 = 200;
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
pub fn resampled(table: &Table, fits: &[&Fit], seed: u64, tick: Tick) -> Vec<Vec<f64>> {
    let key = key(seed);
    let one = |resample: u64| {
        tick(1);
        let mut counts = vec![0.0; table.counts.len()];
        drawn(table.row_of.len(), &mut start(&key, resample), |item| {
            counts[table.row_of[item]] += 1.0;
        });
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

/// The same by agreements of pairs, where answers are more or less alike.
pub fn resampled_pairs(votes: &Votes, groups: &Groups, seed: u64) -> Vec<Vec<f64>> {
    let key = key(seed);
    let one = |resample: u64| {
        let mut counts = vec![0.0; votes.items.len()];
        drawn(counts.len(), &mut start(&key, resample), |item| counts[item] += 1.0);
        Agreements::new(votes, Some(&counts)).rank_one(groups)
    };
    (0..RESAMPLES).into_par_iter().filter_map(one).collect()
}

/// The interval of 95 %: the wider of the quantiles and of the normal distribution, on either side.
pub fn interval(value: f64, mut resampled: Vec<f64>) -> Interval {
    resampled.sort_by(f64::total_cmp);
    let count = resampled.len().max(1) as f64;
    let mean = resampled.iter().sum::<f64>() / count;
    let squares: f64 = resampled.iter().map(|one| (one - mean) * (one - mean)).sum();
    let half = 1.96 * (squares / (count - 1.0).max(1.0)).sqrt();
    let (low, high) = match resampled.is_empty() {
        true => (0.0, 1.0),
        false => (quantile(&resampled, 0.025), quantile(&resampled, 0.975)),
    };
    Interval { value, low: low.min(value - half).max(0.0), high: high.max(value + half).min(1.0) }
}

fn key(seed: u64) -> [u64; 4] {
    RunKey::new("votes", "items", "bootstrap", seed).stream("resample")
}

/// Draws as many items as there are.
fn drawn(items: usize, stream: &mut Stream, mut each: impl FnMut(usize)) {
    (0..items).for_each(|_| each(stream.below(items as u32) as usize));
}

/// The value below which this share of the numbers lies, between the two nearest.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, rest) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] * (1.0 - rest) + sorted[high] * rest
}
