//! Tasks in which a model chooses: log-likelihoods of the choices, and what follows from them.

use serde_json::{Map, Value, json};

use super::item::Gold;
use super::summary::{Labels, Score, Summary};
use super::{Item, Metric, Prepared};
use crate::model::Model;
use crate::model::infer::likelihood::{self, Scored, log_likelihoods};
use crate::template::Error;

/// The figures of a model; none if `go_on`, which gets the number of items that are done, ended it.
pub fn ask(
    asked: &Prepared,
    requests: &[likelihood::Item],
    model: &Model,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Summary>, Error> {
    let Some(scored) = log_likelihoods(model, requests, go_on)? else { return Ok(None) };
    let (scored, unconditional) = scored.split_at(asked.items.len());
    let metrics = &asked.task.metrics;
    let mut values = vec![Vec::new(); metrics.len()];
    let mut chosen = vec![Vec::new(); metrics.len()];
    let (mut gold, mut lines) = (Vec::new(), Vec::new());
    for (at, (item, place)) in asked.items.iter().enumerate() {
        let alone = unconditional.get(at).map(Vec::as_slice).unwrap_or_default();
        if scored[at].iter().chain(alone).any(|one| !one.sum.is_finite()) {
            return Err(Error::Input(format!(
                "{place} ({}, item {at}): the model's log-likelihoods are no numbers; compute in \
                 f32, or look at the loss of its training",
                asked.task.name
            )));
        }
        let Gold::Choice(right) = item.gold else {
            unreachable!("an item with choices has one that is right")
        };
        gold.push(right);
        let mut line = Map::new();
        for (which, metric) in metrics.iter().enumerate() {
            let likelihoods = likelihoods(*metric, item, &scored[at], alone);
            let best = best(&likelihoods);
            let value = f64::from(u8::from(best == right));
            values[which].push(value);
            chosen[which].push(best);
            let name = metric.name();
            line.insert(name.into(), value.into());
            line.insert(format!("prediction_{name}"), best.into());
            line.insert(format!("margin_{name}"), margin(&likelihoods, best).into());
        }
        lines.push(Value::Object(logged(at, item, right, &scored[at], alone, line)));
    }
    let scores = metrics.iter().zip(&values).map(|(metric, all)| Score::of(*metric, all));
    let chosen: Vec<(Metric, Vec<usize>)> = metrics.iter().copied().zip(chosen).collect();
    let labels = Labels::of(asked, &gold, &chosen);
    Ok(Some(Summary { scores: scores.collect(), labels: Some(labels), lines }))
}

/// What a metric compares: of each choice, the larger the likelier.
fn likelihoods(metric: Metric, item: &Item, scored: &[Scored], alone: &[Scored]) -> Vec<f64> {
    let of = |(at, one): (usize, &Scored)| match metric {
        // Python's `len`: characters, without the delimiter.
        Metric::AccNorm => one.sum / item.continuations[at].chars().count() as f64,
        Metric::AccUncond => one.sum - alone[at].sum,
        _ => one.sum,
    };
    scored.iter().enumerate().map(of).collect()
}

/// The first of the largest.
fn best(likelihoods: &[f64]) -> usize {
    let mut best = 0;
    for (at, one) in likelihoods.iter().enumerate() {
        if *one > likelihoods[best] {
            best = at;
        }
    }
    best
}

/// How far the largest is before the next.
fn margin(likelihoods: &[f64], best: usize) -> f64 {
    let others = likelihoods.iter().enumerate().filter(|(at, _)| *at != best);
    let next = others.map(|(_, one)| *one).fold(f64::NEG_INFINITY, f64::max);
    likelihoods[best] - next
}

/// The line of an item, under the names of lm-evaluation-harness where it has some.
fn logged(
    at: usize,
    item: &Item,
    right: usize,
    scored: &[Scored],
    alone: &[Scored],
    metrics: Map<String, Value>,
) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("doc_id".into(), at.into());
    line.insert("target".into(), right.into());
    line.insert("choices".into(), item.choices().into());
    let pairs = |all: &[Scored]| -> Value {
        all.iter().map(|one| json!([one.sum, one.is_greedy])).collect()
    };
    line.insert("filtered_resps".into(), pairs(scored));
    if !alone.is_empty() {
        line.insert("unconditional_resps".into(), pairs(alone));
    }
    line.extend(metrics);
    line
}
