//! How good a reply is, rule by rule.

use std::sync::Arc;

use crate::data::judge::Verdict;
use crate::data::read::Unreadable;

/// How good a reply is.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    names: Arc<[String]>,
    verdict: Verdict,
}

impl Score {
    pub(super) fn new(names: &Arc<[String]>, verdict: Verdict) -> Score {
        Score { names: names.clone(), verdict }
    }

    /// True if every rule holds in full.
    pub fn exact(&self) -> bool {
        self.verdict.exact()
    }

    /// The mean of the rules, from 0 to 1.
    pub fn mean(&self) -> f64 {
        self.verdict.mean()
    }

    /// Each rule's name and its score, from 0 to 1, in the order of the template.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.names.iter().map(String::as_str).zip(self.verdict.scores.iter().copied())
    }

    /// The score of the rule with this name.
    pub fn rule(&self, name: &str) -> Option<f64> {
        self.rules().find(|(rule, _)| *rule == name).map(|(_, score)| score)
    }

    /// The scores alone, in the order of the rules.
    pub fn into_scores(self) -> Vec<f64> {
        self.verdict.scores
    }

    /// Why the reply could not be read, so that every rule scores 0; none where it could. The kind
    /// of cause is [`Unreadable::cause`].
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.verdict.unreadable.as_ref()
    }
}
