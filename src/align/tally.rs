//! The scores of many rows added up: mean, standard error, distribution.

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
    /// Its standard error, as if the rows were independent: the sample's standard deviation by the
    /// square root of the number of rows. 0 of a single row.
    pub error: f64,
}

impl Tally {
    /// Of no row yet, for this many rules.
    pub fn new(rules: usize) -> Tally {
        let (mean, rules) = (Moments::default(), vec![Moments::default(); rules]);
        Tally { rows: 0, exact: 0, mean, rules, histogram: [0; BINS] }
    }

    /// Adds a row.
    pub fn add(&mut self, verdict: &Verdict) {
        let mean = verdict.mean();
        self.rows += 1;
        self.exact += u64::from(verdict.exact());
        self.mean.add(mean);
        for (moments, &score) in self.rules.iter_mut().zip(&verdict.scores) {
            moments.add(score);
        }
        let bin = (mean * BINS as f64) as usize;
        self.histogram[bin.min(BINS - 1)] += 1;
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The mean over the rows of the mean over the rules.
    pub fn mean(&self) -> Mean {
        self.mean.of(self.rows)
    }

    /// That of each rule.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = Mean> {
        self.rules.iter().map(|moments| moments.of(self.rows))
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

    #[test]
    fn mean_standard_error_and_bins_are_those_of_the_numbers() {
        let mut tally = Tally::new(2);
        for scores in [[0.0, 0.0], [1.0, 1.0], [0.5, 1.0], [1.0, 1.0]] {
            tally.add(&Verdict { scores: scores.to_vec(), unreadable: None });
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
