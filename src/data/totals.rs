//! The scores of many replies, added up: what an evaluation and `cookc judge` report.

use std::collections::BTreeMap;

use super::judge::Verdict;

/// The scores of many replies, added up.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    replies: u64,
    exact: u64,
    unreadable: u64,
    /// The sum of each reply's mean.
    mean: f64,
    /// The sum of each rule's scores.
    rules: Vec<f64>,
    first_unreadable: Option<String>,
    /// How many could not be read, by the name of the cause.
    causes: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Of no reply yet, for this many rules.
    pub fn new(rules: usize) -> Totals {
        Totals { rules: vec![0.0; rules], ..Totals::default() }
    }

    /// Adds a reply's verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        self.replies += 1;
        self.exact += u64::from(verdict.exact());
        self.mean += verdict.mean();
        for (sum, score) in self.rules.iter_mut().zip(&verdict.scores) {
            *sum += score;
        }
        if let Some(why) = &verdict.unreadable {
            self.unreadable += 1;
            *self.causes.entry(why.cause()).or_default() += 1;
            self.first_unreadable.get_or_insert_with(|| why.to_string());
        }
    }

    /// How many replies were added.
    pub fn replies(&self) -> u64 {
        self.replies
    }

    /// Share of replies for which every rule holds in full; 0 of none, as all means are.
    pub fn exact(&self) -> f64 {
        self.share(self.exact as f64)
    }

    /// Mean over the replies of the mean of their rules.
    pub fn mean(&self) -> f64 {
        self.share(self.mean)
    }

    /// Mean of each rule.
    pub fn rules(&self) -> Vec<f64> {
        self.rules.iter().map(|&sum| self.share(sum)).collect()
    }

    /// Share of replies that could not be read.
    pub fn unreadable(&self) -> f64 {
        self.share(self.unreadable as f64)
    }

    /// How many could not be read, by the name of the cause, in the order of the names.
    pub fn causes(&self) -> impl ExactSizeIterator<Item = (&'static str, u64)> {
        self.causes.iter().map(|(cause, count)| (*cause, *count))
    }

    /// How many could not be read, and why the first of them could not; none if all were read.
    pub fn first_unreadable(&self) -> Option<(u64, &str)> {
        self.first_unreadable.as_deref().map(|why| (self.unreadable, why))
    }

    fn share(&self, sum: f64) -> f64 {
        sum / self.replies.max(1) as f64
    }
}
