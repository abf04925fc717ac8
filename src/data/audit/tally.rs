//! Counts of blocks of samples, added up.

use crate::data::judge::Verdict;

/// How often something was judged exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// How often it was judged.
    pub tried: u64,
    /// In full.
    pub exact: u64,
    /// The sum of the scores.
    pub score: f64,
    /// The sum of what chance alone would have.
    pub chance: f64,
    /// The first sample that was not exact.
    pub first_missed: Option<u64>,
}

impl Tally {
    /// Counts one score of a sample.
    pub fn count(&mut self, index: u64, score: f64, exact: bool) {
        self.tried += 1;
        self.score += score;
        if exact {
            self.exact += 1;
        } else {
            self.first_missed.get_or_insert(index);
        }
    }

    /// Counts a verdict.
    pub fn verdict(&mut self, index: u64, verdict: &Verdict) {
        self.count(index, verdict.mean(), verdict.exact());
    }

    /// The share that is exact.
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.tried.max(1) as f64
    }

    /// Adds the counts of later samples.
    pub fn add(&mut self, later: &Tally) {
        self.tried += later.tried;
        self.exact += later.exact;
        self.score += later.score;
        self.chance += later.chance;
        self.first_missed = self.first_missed.or(later.first_missed);
    }
}

/// Adds the tallies of later samples, one by one.
pub fn add_all(tallies: &mut Vec<Tally>, later: &[Tally]) {
    tallies.resize_with(tallies.len().max(later.len()), Tally::default);
    for (tally, later) in tallies.iter_mut().zip(later) {
        tally.add(later);
    }
}
