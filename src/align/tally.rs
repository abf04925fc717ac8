//! The scores of many rows added up: mean, standard error, distribution.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::data::judge::Verdict;

/// The bins of the histogram, all of one width; the last holds 1 too.
pub const BINS: usize = 10;

/// The scores of many rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    rows: u64,
    exact: u64,
    /// Of each row's mean over the rules.
    mean: Moments,
    rules: Vec<Moments>,
    histogram: [u64; BINS],
    /// The sums of each cluster of rows by what it is called, where rows are clustered.
    clusters: Option<BTreeMap<u64, Cluster>>,
}

/// The rows of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cluster {
    rows: u64,
    /// Of each row's mean over the rules.
    mean: f64,
    rules: Vec<f64>,
}

/// The sum of some numbers, and that of their squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moments {
    sum: f64,
    squares: f64,
}

/// A mean over rows, and how far it may be from that of all such rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error. As if the rows were independent, it is the sample's standard deviation
    /// by the square root of the number of rows. Of rows in clusters, only the clusters are
    /// independent (Liang and Zeger 1986, "Longitudinal data analysis using generalized linear
    /// models"; Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640): with the sums S and
    /// sizes n of G clusters, √(G/(G − 1) · Σ(S − n·mean)²) by the number of rows. 0 of a single
    /// row or cluster.
    pub error: f64,
}

impl Tally {
    /// Of no row yet, for this many rules; of rows in clusters, or of independent ones.
    pub fn new(rules: usize, is_clustered: bool) -> Tally {
        let (mean, rules) = (Moments::default(), vec![Moments::default(); rules]);
        let clusters = is_clustered.then(BTreeMap::new);
        Tally { rows: 0, exact: 0, mean, rules, histogram: [0; BINS], clusters }
    }

    /// Adds a row, of this cluster.
    pub fn add(&mut self, verdict: &Verdict, cluster: u64) {
        let mean = verdict.mean();
        self.rows += 1;
        self.exact += u64::from(verdict.exact());
        self.mean.add(mean);
        for (moments, &score) in self.rules.iter_mut().zip(&verdict.scores) {
            moments.add(score);
        }
        let bin = (mean * BINS as f64) as usize;
        self.histogram[bin.min(BINS - 1)] += 1;
        let Some(clusters) = &mut self.clusters else { return };
        let of = clusters.entry(cluster).or_default();
        of.rows += 1;
        of.mean += mean;
        of.rules.resize(self.rules.len(), 0.0);
        of.rules.iter_mut().zip(&verdict.scores).for_each(|(sum, score)| *sum += score);
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The mean over the rows of the mean over the rules.
    pub fn mean(&self) -> Mean {
        self.with_error(self.mean.of(self.rows), |cluster| cluster.mean)
    }

    /// That of each rule.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = Mean> {
        let rules = self.rules.iter().enumerate();
        rules.map(|(at, rule)| self.with_error(rule.of(self.rows), |cluster| cluster.rules[at]))
    }

    /// How many clusters the rows are in; none where rows are independent.
    pub fn clusters(&self) -> Option<usize> {
        self.clusters.as_ref().map(BTreeMap::len)
    }

    /// A mean with the error that clusters give, where there are some.
    fn with_error(&self, mean: Mean, sum: impl Fn(&Cluster) -> f64) -> Mean {
        let Some(clusters) = &self.clusters else { return mean };
        let count = clusters.len() as f64;
        let off = |cluster: &Cluster| (sum(cluster) - cluster.rows as f64 * mean.mean).powi(2);
        let spread: f64 = clusters.values().map(off).sum();
        let error = match clusters.len() {
            0 | 1 => 0.0,
            _ => (count / (count - 1.0) * spread).sqrt() / self.rows as f64,
        };
        Mean { error, ..mean }
    }

    /// The share of the rows in which every rule holds in full; 0 of none.
    pub fn exact(&self) -> f64 {
        self.exact as f64 / self.rows.max(1) as f64
    }

    /// How many rows have a mean in each bin.
    pub fn histogram(&self) -> [u64; BINS] {
        self.histogram
    }

    /// All of it, with the names of the rules.
    pub fn json(&self, rules: &[String]) -> Value {
        let by_rule = rules.iter().zip(self.rules());
        let by_rule = by_rule.map(|(rule, mean)| (rule.clone(), mean.json()));
        let Mean { mean, error } = self.mean();
        json!({
            "rows": self.rows,
            "clusters": self.clusters(),
            "mean": mean,
            "standard_error": error,
            "exact": self.exact(),
            "rules": by_rule.collect::<Map<_, _>>(),
            "histogram": self.histogram,
        })
    }
}

impl Mean {
    fn json(self) -> Value {
        json!({"mean": self.mean, "standard_error": self.error})
    }
}

impl Moments {
    fn add(&mut self, number: f64) {
        self.sum += number;
        self.squares += number * number;
    }

    fn of(self, rows: u64) -> Mean {
        let count = rows as f64;
        if rows == 0 {
            return Mean { mean: 0.0, error: 0.0 };
        }
        let mean = self.sum / count;
        // Rounding may leave a little less than nothing.
        let spread = (self.squares - count * mean * mean).max(0.0);
        let error = if rows > 1 { (spread / (count - 1.0) / count).sqrt() } else { 0.0 };
        Mean { mean, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(scores: &[f64]) -> Verdict {
        Verdict { scores: scores.to_vec(), unreadable: None }
    }

    #[test]
    fn rows_that_come_several_times_in_a_cluster_say_no_more_than_once() {
        let rows = [0.0, 1.0, 0.75, 0.5];
        let (mut once, mut thrice) = (Tally::new(1, false), Tally::new(1, true));
        let mut alone = Tally::new(1, true);
        for (cluster, score) in (0..).zip(rows) {
            once.add(&verdict(&[score]), 0);
            alone.add(&verdict(&[score]), cluster);
            (0..3).for_each(|_| thrice.add(&verdict(&[score]), cluster));
        }
        let Mean { mean, error } = once.mean();
        for tally in [&alone, &thrice] {
            for found in [tally.mean(), tally.rules().next().expect("a rule")] {
                assert!((found.mean - mean).abs() < 1e-12 && (found.error - error).abs() < 1e-12);
            }
            assert_eq!(tally.clusters(), Some(4));
        }
        assert_eq!(once.clusters(), None);
    }

    #[test]
    fn mean_standard_error_and_bins_are_those_of_the_numbers() {
        let mut tally = Tally::new(2, false);
        for scores in [[0.0, 0.0], [1.0, 1.0], [0.5, 1.0], [1.0, 1.0]] {
            tally.add(&verdict(&scores), 0);
        }
        // Of 0, 1, 0.75 and 1 the standard deviation is 0.4732.
        let Mean { mean, error } = tally.mean();
        assert_eq!(mean, 0.6875);
        assert!((error - 0.236_621).abs() < 1e-5, "{error}");
        assert_eq!(tally.histogram(), [1, 0, 0, 0, 0, 0, 0, 1, 0, 2]);
        assert_eq!((tally.exact(), tally.rows()), (0.5, 4));
        assert_eq!(tally.rules().map(|rule| rule.mean).collect::<Vec<_>>(), [0.625, 0.75]);
    }
}
