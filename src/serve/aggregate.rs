//! NeMo Gym's aggregate metrics: what the numbers of rollouts are on average, by task and in all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const TASK: &str = "_ng_task_index";
const ROLLOUT: &str = "_ng_rollout_index";
const MASKED: &str = "mask_sample";

type Response<'a> = &'a Map<String, Value>;

/// The metrics under the names that NeMo Gym's own servers give them. Rollouts that are masked
/// count for nothing but the coverage.
pub fn aggregated(responses: &[Response]) -> Value {
    let is_masked = |one: &&Response| one.get(MASKED).and_then(Value::as_bool) == Some(true);
    let measured: Vec<Response> = responses.iter().filter(|one| !is_masked(one)).copied().collect();
    let coverage = coverage(responses, &measured);
    if measured.is_empty() {
        return whole(Vec::new(), coverage.clone(), coverage);
    }
    let mut by_task: BTreeMap<i64, Vec<Response>> = BTreeMap::new();
    for &one in &measured {
        by_task.entry(number(one, TASK)).or_default().push(one);
    }
    let groups = by_task.iter().map(|(task, group)| {
        let mut metrics = described(group);
        metrics.insert("num_rollouts".into(), json!(group.len()));
        metrics.insert(TASK.into(), json!(task));
        Value::Object(metrics)
    });
    let mut agent = described(&measured);
    let repeats: BTreeSet<i64> = responses.iter().map(|one| number(one, ROLLOUT)).collect();
    let means = agent.iter().filter(|(name, _)| name.starts_with("mean/"));
    let mut headline: Map<String, Value> =
        means.map(|(name, value)| (name.clone(), value.clone())).collect();
    agent.extend(coverage.clone());
    agent.insert("num_repeats".into(), json!(repeats.len()));
    headline.extend(coverage);
    whole(groups.collect(), agent, headline)
}

fn whole(groups: Vec<Value>, agent: Map<String, Value>, headline: Map<String, Value>) -> Value {
    json!({
        "group_level_metrics": groups,
        "agent_metrics": agent,
        "key_metrics": headline,
        "perf_summary": null,
        "repeat_level_metrics": [],
    })
}

/// How many rollouts were measured; nothing if all were.
fn coverage(all: &[Response], measured: &[Response]) -> Map<String, Value> {
    let tasks =
        |some: &[Response]| -> BTreeSet<i64> { some.iter().map(|one| number(one, TASK)).collect() };
    let mut coverage = Map::new();
    if all.len() > measured.len() {
        let (every, known) = (tasks(all), tasks(measured));
        let mut put = |name: &str, count: usize| {
            coverage.insert(format!("coverage/{name}"), json!(count));
        };
        put("measured_rollouts", measured.len());
        put("masked_rollouts", all.len() - measured.len());
        put("measured_tasks", known.len());
        put("fully_masked_tasks", every.difference(&known).count());
    }
    coverage
}

/// Mean, largest, least, median and standard deviation of each field that is a number.
fn described(group: &[Response]) -> Map<String, Value> {
    let mut columns: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in group {
        let usage = one.get("response").and_then(|response| response.get("usage"));
        let usage = usage.and_then(Value::as_object).into_iter().flatten();
        let own = one.iter().filter(|(name, _)| *name != MASKED && !name.starts_with('_'));
        for (name, value) in own.chain(usage) {
            let number = value.as_f64().or(value.as_bool().map(|it| f64::from(u8::from(it))));
            if let Some(number) = number {
                columns.entry(name).or_default().push(number);
            }
        }
    }
    let mut all = Map::new();
    for (name, mut values) in columns {
        values.sort_by(f64::total_cmp);
        let (count, middle) = (values.len() as f64, values.len() / 2);
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let median = match values.len() % 2 {
            0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        let stats = [
            ("mean", mean),
            ("max", values[values.len() - 1]),
            ("min", values[0]),
            ("median", median),
            // That of a sample; of a single value it is 0.
            ("std", (squares / (count - 1.0).max(1.0)).sqrt()),
        ];
        all.extend(stats.map(|(stat, value)| (format!("{stat}/{name}"), json!(value))));
    }
    all
}

fn number(one: Response, name: &str) -> i64 {
    one.get(name).and_then(Value::as_i64).unwrap_or(0)
}
