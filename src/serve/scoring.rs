//! Replies scored by the rules of their samples: on all cores, in the order of the request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value, json};

use super::Service;
use super::catalog::Named;
use super::refusal::Refusal;
use crate::data::Observer;
use crate::template::Score;

/// A reply to a sample.
pub struct Asked<'a> {
    /// The sample.
    pub named: Named,
    /// The reply.
    pub reply: &'a str,
}

/// Scores replies, each to its own sample. What is counted is counted here.
///
/// # Errors
/// [`Refusal`] for the first sample that cannot be drawn, and if the work is stopped.
pub fn scores(
    service: &Service,
    asked: &[Asked],
    cancel: &AtomicBool,
) -> Result<Vec<Score>, Refusal> {
    let scores = match asked {
        [Asked { named, reply }] => {
            vec![named.of.sampler.score(named.split, named.seed, named.index, reply)?]
        }
        asked => together(asked, cancel)?,
    };
    for (one, score) in asked.iter().zip(&scores) {
        service.metrics.scored(one.named.of.sampler.name(), score);
    }
    Ok(scores)
}

/// Replies of one sampler, split and seed are scored together.
fn together(asked: &[Asked], cancel: &AtomicBool) -> Result<Vec<Score>, Refusal> {
    let mut groups: Vec<(&Named, Vec<usize>)> = Vec::new();
    let mut by_key = HashMap::new();
    for (at, Asked { named, .. }) in asked.iter().enumerate() {
        let key = (Arc::as_ptr(&named.of), named.split, named.seed);
        let group = *by_key.entry(key).or_insert_with(|| {
            groups.push((named, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(at);
    }
    let mut scores: Vec<Option<Score>> = vec![None; asked.len()];
    let observer = Observer { cancel, event: &|_| {} };
    for (named, all) in groups {
        let replies: Vec<(u64, &str)> =
            all.iter().map(|&at| (asked[at].named.index, asked[at].reply)).collect();
        let sampler = &named.of.sampler;
        let found = sampler.score_many(named.split, named.seed, &replies, &observer)?;
        for (at, score) in all.into_iter().zip(found) {
            scores[at] = Some(score);
        }
    }
    let whole: Option<Vec<Score>> = scores.into_iter().collect();
    Ok(whole.expect("every reply is in a group"))
}

/// A score as a client reads it.
pub fn verdict(score: &Score) -> Map<String, Value> {
    let rules: Map<String, Value> =
        score.rules().map(|(rule, score)| (rule.to_string(), Value::from(score))).collect();
    let mut all = Map::new();
    all.insert("score".into(), json!(score.mean()));
    all.insert("exact".into(), json!(score.exact()));
    all.insert("scores".into(), Value::Object(rules));
    all.insert("unreadable".into(), json!(score.unreadable().map(|why| why.to_string())));
    all.insert("cause".into(), json!(score.unreadable().map(|why| why.cause())));
    all
}
