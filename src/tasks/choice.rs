//! Tasks in which a model chooses: log-likelihoods of the choices, and what follows from them.

use serde_json::{Map, Value, json};

use super::item::Gold;
use super::summary::{Labels, Score, Summary};
use super::{Item, Metric, Prepared, Responses};
use crate::model::Model;
use crate::model::infer::likelihood::{self, Scored, log_likelihoods};
use crate::template::Error;

/// Scores what is not scored yet; false if `go_on` ended it.
pub fn ask(
    requests: &[likelihood::Item],
    model: &Model,
    responses: &mut Responses,
    go_on: &mut dyn FnMut(&Responses) -> bool,
) -> Result<bool, Error> {
    let rest = &requests[responses.scored.len()..];
    let mut each = |scored| {
        responses.scored.extend::<Vec<_>>(scored);
        go_on(responses)
    };
    Ok(log_likelihoods(model, rest, &mut each)?)
}

/// The figures of a model that has scored all.
pub fn summary(asked: &Prepared, scored: &[Vec<Scored>]) -> Result<Summary, Error> {
    let (scored, unconditional) = scored.split_at(asked.items.len());
    let metrics = &asked.task.metrics;
    let mut values = vec![Vec::new(); metrics.len()];
    let mut chosen = vec![Vec::new(); metrics.len()];
    let (mut gold, mut lines) = (Vec::new(), Vec::new());
    for (at, (item, place)) in asked.items.iter().enumerate() {
        let alone = unconditional.get(at).map(Vec::as_slice).unwrap_or_default();
        let one = One { item, scored: &scored[at], alone };
        if one.scored.iter().chain(alone).any(|one| !one.sum.is_finite()) {
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
            let likelihoods = one.likelihoods(*metric);
            let best = best(&likelihoods);
            let value = f64::from(u8::from(best == right));
            values[which].push(value);
            chosen[which].push(best);
            let name = metric.name();
            line.insert(name.into(), value.into());
            line.insert(format!("prediction_{name}"), best.into());
            line.insert(format!("margin_{name}"), margin(&likelihoods, best).into());
        }
        line.insert("arguments".into(), asked.arguments(at));
        lines.push(Value::Object(one.line(at, right, line)));
    }
    let scores = metrics.iter().enumerate().map(|(which, metric)| match metric {
        Metric::F1 => Score::f1(&gold, &chosen[which]),
        _ => Score::of(*metric, &values[which]),
    });
    let scores = scores.collect();
    let chosen: Vec<(Metric, Vec<usize>)> = metrics.iter().copied().zip(chosen).collect();
    let labels = Labels::of(asked, &gold, &chosen);
    Ok(Summary { scores, labels: Some(labels), lines })
}

/// An item, scored.
struct One<'a> {
    item: &'a Item,
    scored: &'a [Scored],
    /// Without the question, if that is measured.
    alone: &'a [Scored],
}

impl One<'_> {
    /// What a metric compares: of each choice, the larger the likelier.
    fn likelihoods(&self, metric: Metric) -> Vec<f64> {
        let of = |(at, one): (usize, &Scored)| match metric {
            // Python's `len`: characters, without the delimiter.
            Metric::AccNorm => one.sum / self.item.continuations[at].chars().count() as f64,
            Metric::AccUncond => one.sum - self.alone[at].sum,
            _ => one.sum,
        };
        self.scored.iter().enumerate().map(of).collect()
    }

    /// Its line, under the names of lm-evaluation-harness where it has some.
    fn line(&self, at: usize, right: usize, rest: Map<String, Value>) -> Map<String, Value> {
        let pairs = |all: &[Scored]| -> Value {
            all.iter().map(|one| json!([one.sum, one.is_greedy])).collect()
        };
        let mut line = Map::new();
        line.insert("doc_id".into(), at.into());
        line.insert("target".into(), right.into());
        line.insert("choices".into(), self.item.choices().into());
        line.insert("filtered_resps".into(), pairs(self.scored));
        if !self.alone.is_empty() {
            line.insert("unconditional_resps".into(), pairs(self.alone));
        }
        line.extend(rest);
        line
    }
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
