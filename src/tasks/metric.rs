//! What is measured of a task's items.

/// A metric: the mean of its values over the items is reported, but for F1 of choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Whether the most likely choice is the right one.
    Acc,
    /// The same by log-likelihood per character of the choice.
    AccNorm,
    /// The same by log-likelihood less that of the choice without the question: pointwise mutual
    /// information, Holtzman and others, 2021, arXiv 2104.08315.
    AccUncond,
    /// Whether the reply is a right one, normalised as SQuAD does.
    ExactMatch,
    /// Whether a right reply is in the reply, normalised likewise.
    Contains,
    /// F1 over the words of the reply and of the nearest right reply, normalised likewise. Of two
    /// choices: F1 of the second over all items, the most likely choice of each.
    F1,
}

impl Metric {
    /// Those of tasks in which a model chooses.
    pub const CHOICE: &[Metric] = &[Metric::Acc, Metric::AccNorm, Metric::AccUncond, Metric::F1];
    /// Those of tasks in which a model writes.
    pub const GENERATE: &[Metric] = &[Metric::ExactMatch, Metric::Contains, Metric::F1];

    /// As it is written in files and results.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Acc => "acc",
            Metric::AccNorm => "acc_norm",
            Metric::AccUncond => "acc_uncond",
            Metric::ExactMatch => "exact_match",
            Metric::Contains => "contains",
            Metric::F1 => "f1",
        }
    }
}
