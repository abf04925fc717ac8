//! The scores of an evaluation on every process, for the policy of the mixture to learn from.

use std::cell::RefCell;

use anyhow::{Result, ensure};

use super::setup::Setup;
use crate::eval::report::Scores;
use crate::eval::{self, Answer};
use crate::mix::{Evaluated, Mixture};
use crate::train::Group;

/// Scores of a template beside those of its rules.
const FIXED: usize = 3;

/// Passes the scores of an evaluation after a step to the mixture of every process. Rank 0,
/// which alone evaluates, has the answers, or none where there was no evaluation.
pub fn share(
    setup: &Setup,
    group: &Group,
    mixture: &RefCell<Mixture>,
    step: u64,
    answers: Option<&[Vec<Answer>]>,
) -> Result<()> {
    let rules: Vec<usize> =
        setup.dataset.parts.iter().map(|part| eval::rules(part).len()).collect();
    let own = |answers: &[Vec<Answer>]| -> Vec<f64> {
        let both = answers.iter().zip(&rules);
        both.flat_map(|(answers, rules)| numbers(&Scores::of(answers, *rules))).collect()
    };
    let own = answers.map(own).unwrap_or_default();
    let bytes = group.broadcast(own.iter().flat_map(|number| number.to_le_bytes()).collect())?;
    if bytes.is_empty() {
        return Ok(());
    }
    let (all, _) = bytes.as_chunks::<8>();
    let all: Vec<f64> = all.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let count = rules.iter().map(|rules| FIXED + rules).sum::<usize>();
    ensure!(all.len() == count, "rank 0 sends {} scores, not {count}", all.len());
    let mut rest = &all[..];
    let mut scores = Vec::new();
    for rules in rules {
        let (own, others) = rest.split_at(FIXED + rules);
        scores.push(Scores {
            exact: own[0],
            alignment: own[1],
            unreadable: own[2],
            rules: own[FIXED..].to_vec(),
        });
        rest = others;
    }
    mixture.borrow_mut().update(&Evaluated { step, scores: &scores });
    Ok(())
}

fn numbers(scores: &Scores) -> Vec<f64> {
    let mut all = vec![scores.exact, scores.alignment, scores.unreadable];
    all.extend(&scores.rules);
    all
}
