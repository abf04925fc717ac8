//! NeMo Gym's aggregate metrics: what the numbers of rollouts are on average, by task, by repeat
//! and in all.

mod column;
mod perf;
mod repeats;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use column::Column;

const TASK: &str = "_ng_task_index";
const ROLLOUT: &str = "_ng_rollout_index";
const MASKED: &str = "mask_sample";

type Response<'a> = &'a Map<String, Value>;

/// The metrics under the names that NeMo Gym's own servers give them. Rollouts that are masked
/// count for nothing but the coverage.
pub fn aggregated(responses: &[Response]) -> Value {
    let is_masked = |one: &&Response| one.get(MASKED).is_some_and(is_true);
    let measured: Vec<Response> = responses.iter().filter(|one| !is_masked(one)).copied().collect();
    let coverage = coverage(responses, &measured);
    let mut by_task: BTreeMap<i64, Vec<Response>> = BTreeMap::new();
    for &one in &measured {
        by_task.entry(number(one, TASK)).or_default().push(one);
    }
    let groups: Vec<Value> = by_task.iter().map(|(task, group)| of_task(*task, group)).collect();
    let repeats = repeats::of(&measured);
    let mut agent = if measured.is_empty() { Map::new() } else { described(&measured) };
    let means = agent.iter().filter(|(name, _)| name.starts_with("mean/"));
    let mut headline: Map<String, Value> =
        means.map(|(name, value)| (name.clone(), value.clone())).collect();
    agent.extend(repeats::across(&repeats));
    agent.extend(coverage.clone());
    if !measured.is_empty() {
        let all: BTreeSet<i64> = responses.iter().map(|one| number(one, ROLLOUT)).collect();
        agent.insert("num_repeats".into(), json!(all.len()));
    }
    headline.extend(coverage);
    json!({
        "group_level_metrics": groups,
        "agent_metrics": agent,
        "key_metrics": headline,
        "perf_summary": perf::summary(responses),
        "repeat_level_metrics": repeats,
    })
}

/// What a mask can be: a number, a text or a list as well.
fn is_true(mask: &Value) -> bool {
    match mask {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(values) => !values.is_empty(),
    }
}

/// The metrics of the rollouts of a task.
fn of_task(task: i64, group: &[Response]) -> Value {
    let mut metrics = described(group);
    let mut infos: Vec<Response> = group.to_vec();
    infos.sort_by_key(|one| number(one, ROLLOUT));
    let infos: Vec<Value> = infos.into_iter().map(info).collect();
    let more = json!({
        TASK: task,
        "sample": { "agent_ref": { "name": "agent" } },
        "num_rollouts": group.len(),
        "expected_num_rollouts": group.len(),
        "missing_num_rollouts": 0,
        "reward_profile_completion_pct": 100.0,
        "rollout_infos": infos,
    });
    metrics.extend(more.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Value::Object(metrics)
}

/// What is listed of one rollout: its numbers, after those of its tokens.
fn info(one: Response) -> Value {
    let (task, rollout) = (number(one, TASK), number(one, ROLLOUT));
    let mut info = Map::new();
    info.insert("rollout_id".into(), json!(format!("{task}:{rollout}")));
    info.insert(TASK.into(), json!(task));
    info.insert(ROLLOUT.into(), json!(rollout));
    let is_kept = |name: &String| !name.starts_with('_') && name != MASKED;
    for (name, value) in usage(one).chain(one).filter(|(name, _)| is_kept(name)) {
        match value {
            Value::Bool(truth) => _ = info.insert(name.clone(), json!(u8::from(*truth))),
            Value::Number(_) => _ = info.insert(name.clone(), value.clone()),
            _ => {}
        }
    }
    Value::Object(info)
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

/// The numbers of some rollouts, by the names of their fields. What a rollout says of its tokens
/// comes before what it says itself, if both have a name.
fn columns<'a>(group: &[Response<'a>]) -> BTreeMap<&'a str, Column> {
    let mut columns: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for &one in group {
        let mut fields: BTreeMap<&str, f64> = BTreeMap::new();
        for (name, value) in one.iter().chain(usage(one)) {
            if *name == MASKED || name.starts_with('_') {
                continue;
            }
            let number = value.as_f64().or(value.as_bool().map(|it| f64::from(u8::from(it))));
            match number {
                Some(number) => _ = fields.insert(name, number),
                None => _ = fields.remove(name.as_str()),
            }
        }
        for (name, number) in fields {
            columns.entry(name).or_default().push(number);
        }
    }
    columns.into_iter().map(|(name, values)| (name, Column::of(values))).collect()
}

/// What a rollout says of its tokens.
fn usage<'a>(one: Response<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let usage = one.get("response").and_then(|response| response.get("usage"));
    usage.and_then(Value::as_object).into_iter().flatten()
}

/// Mean, largest, least, median and standard deviation of each field that is a number.
fn described(group: &[Response]) -> Map<String, Value> {
    let columns = columns(group);
    // One value has no deviation, which is left out beside others that have one, or that is not
    // everywhere.
    let has_some = columns.values().any(|column| column.count() > 1);
    let mut all = Map::new();
    for (name, column) in &columns {
        let is_alone = column.count() == 1;
        let deviation = (!is_alone || !has_some && group.len() == 1).then(|| column.deviation());
        let stats = [
            ("mean", Some(column.mean())),
            ("max", Some(column.greatest())),
            ("min", Some(column.least())),
            ("median", Some(column.quantile(0.5))),
            ("std", deviation),
        ];
        let known = stats.into_iter().filter_map(|(stat, value)| Some((stat, value?)));
        all.extend(known.map(|(stat, value)| (format!("{stat}/{name}"), json!(value))));
    }
    all
}

fn number(one: Response, name: &str) -> i64 {
    one.get(name).and_then(Value::as_i64).unwrap_or(0)
}
