//! What rollouts took: tokens, turns and time, where agents say so.

use serde_json::{Map, Value, json};

use super::Response;
use super::column::Column;

const TOKENS: [&str; 4] =
    ["prompt_tokens", "cached_prompt_tokens", "completion_tokens", "reasoning_tokens"];

/// The summary; null if no rollout says what it took.
pub fn summary(responses: &[Response]) -> Value {
    let records: Vec<&Map<String, Value>> =
        responses.iter().filter_map(|one| one.get("ng_perf")?.as_object()).collect();
    if records.is_empty() {
        return Value::Null;
    }
    let share = |count: usize| count as f64 / responses.len() as f64;
    let field = |record: &Map<String, Value>, name: &str| record.get(name).and_then(Value::as_f64);
    let column = |name: &str| {
        let values: Vec<f64> = records.iter().filter_map(|record| field(record, name)).collect();
        (!values.is_empty()).then(|| Column::of(values))
    };
    let mut all: Vec<(String, f64)> = Vec::new();
    let covered = "token_observability_coverage";
    let counted = records.iter().filter(|it| field(it, covered).is_some_and(|it| it > 0.0)).count();
    all.push(("overall_observability_coverage".into(), share(records.len())));
    all.push((covered.into(), share(counted)));
    for name in TOKENS {
        let Some(tokens) = column(name) else { continue };
        let stats =
            [("mean", tokens.mean()), ("median", tokens.quantile(0.5)), ("total", tokens.total())];
        all.extend(stats.map(|(stat, value)| (format!("{stat}_{name}"), value)));
    }
    if let Some(turns) = column("num_turns") {
        let stats = [
            ("mean", turns.mean()),
            ("median", turns.quantile(0.5)),
            ("std", turns.own_deviation()),
            ("min", turns.least()),
            ("p90", turns.quantile(0.9)),
            ("max", turns.greatest()),
        ];
        all.extend(stats.map(|(stat, value)| (format!("{stat}_num_turns"), value)));
    }
    let a_turn = records.iter().filter_map(|record| {
        let turns = field(record, "num_turns").filter(|turns| *turns > 0.0)?;
        Some(field(record, "completion_tokens")? / turns)
    });
    let a_turn: Vec<f64> = a_turn.collect();
    if !a_turn.is_empty() {
        let a_turn = Column::of(a_turn);
        all.push(("mean_tokens_per_turn".into(), a_turn.mean()));
        all.push(("median_tokens_per_turn".into(), a_turn.quantile(0.5)));
    }
    if let Some(time) = column("total_latency_ms") {
        let stats = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];
        let quantile = |(stat, at)| (format!("total_latency_{stat}_ms"), time.quantile(at));
        all.extend(stats.map(quantile));
        all.push(("total_latency_mean_ms".into(), time.mean()));
    }
    all.into_iter().map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>().into()
}
