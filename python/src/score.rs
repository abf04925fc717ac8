//! `cookc.Score`: how good a reply is, rule by rule.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// How good a reply is.
#[pyclass(frozen, module = "cookc", eq)]
#[derive(PartialEq)]
pub struct Score {
    names: Arc<[String]>,
    scores: Vec<f64>,
    /// Why the reply could not be read, so that every rule scores 0; None where it could.
    #[pyo3(get)]
    unreadable: Option<String>,
    /// The kind of cause why it could not be read: `no_answer`, `two_answers`, `open_thought`,
    /// `too_long`, `form`, `value` or `memory`; None where it could.
    #[pyo3(get)]
    cause: Option<String>,
    /// True if every rule holds in full.
    #[pyo3(get)]
    exact: bool,
    /// The mean of the rules, from 0 to 1.
    #[pyo3(get)]
    mean: f64,
}

/// What a score is made again from.
type Parts = (Vec<String>, Vec<f64>, (Option<String>, Option<String>), bool, f64);

impl Score {
    /// Of the rules with these names.
    pub fn of(score: cookc::Score, names: &Arc<[String]>) -> Score {
        let (exact, mean) = (score.exact(), score.mean());
        let unreadable = score.unreadable().map(|why| why.to_string());
        let cause = score.unreadable().map(|why| why.cause().to_string());
        Score { names: names.clone(), scores: score.into_scores(), unreadable, cause, exact, mean }
    }
}

#[pymethods]
impl Score {
    #[new]
    fn new(
        names: Vec<String>,
        scores: Vec<f64>,
        why: (Option<String>, Option<String>),
        exact: bool,
        mean: f64,
    ) -> Score {
        let (unreadable, cause) = why;
        Score { names: names.into(), scores, unreadable, cause, exact, mean }
    }

    fn __getnewargs__(&self) -> Parts {
        let Score { names, scores, unreadable, cause, exact, mean } = self;
        (names.to_vec(), scores.clone(), (unreadable.clone(), cause.clone()), *exact, *mean)
    }

    /// Each rule's score, from 0 to 1, by the rule's name, in the order of the template.
    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let rules = PyDict::new(py);
        for (name, score) in self.names.iter().zip(&self.scores) {
            rules.set_item(name, score)?;
        }
        Ok(rules)
    }

    /// The mean of the rules: a reward.
    fn __float__(&self) -> f64 {
        self.mean
    }

    fn __repr__(&self) -> String {
        let rules = self.names.iter().zip(&self.scores);
        let rules: String = rules.map(|(name, score)| format!(" {name}={score:?}")).collect();
        let why = self.unreadable.as_ref().map_or(String::new(), |why| format!(": {why}"));
        format!("<cookc.Score {:?}{rules}{why}>", self.mean)
    }
}
