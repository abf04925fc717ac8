//! The numbers of the model: a channel `P(label | right label)` a voter, and which share a source.

use super::votes::{Numbering, Table};

/// Which voters share a source: for each voter the number of its group, or none.
pub type Groups = Vec<Option<usize>>;

/// Probabilities that a fit has found.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The probability of each right label (one coin: all are equal).
    pub prior: Vec<f64>,
    /// `P(v | y)` of each voter where it does not copy, by [`Shape::cell`].
    pub own: Vec<Vec<f64>>,
    /// `P(s | y)` of each group's source.
    pub source: Vec<Vec<f64>>,
    /// With which probability each voter copies its group's source; its members are alike.
    pub copied: Vec<f64>,
    /// The voter whose votes are those of the one group's source; then each member differs.
    pub shown: Option<usize>,
}

/// How a channel's probabilities are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub options: usize,
    pub is_coin: bool,
}

impl Shape {
    pub fn new(table: &Table) -> Shape {
        Shape { options: table.options, is_coin: table.numbering == Numbering::Row }
    }

    /// How many numbers a channel has.
    pub fn cells(self) -> usize {
        if self.is_coin { 2 } else { self.options * self.options }
    }

    /// Which of them is of a label where another is right.
    #[inline(always)]
    pub fn cell(self, right: usize, label: usize) -> usize {
        if self.is_coin { usize::from(right == label) } else { right * self.options + label }
    }

    /// Free numbers of a channel.
    pub fn free(self) -> f64 {
        if self.is_coin { 1.0 } else { (self.options * (self.options - 1)) as f64 }
    }

    /// The channel with one accuracy.
    pub fn coin(self, accuracy: f64) -> Vec<f64> {
        let wrong = (1.0 - accuracy) / (self.options as f64 - 1.0);
        if self.is_coin {
            return vec![wrong, accuracy];
        }
        let cells = 0..self.cells();
        let is_right = |at: usize| at / self.options == at % self.options;
        cells.map(|at| if is_right(at) { accuracy } else { wrong }).collect()
    }
}

/// How many groups there are.
pub fn count_of(groups: &Groups) -> usize {
    groups.iter().flatten().max().map_or(0, |last| last + 1)
}
