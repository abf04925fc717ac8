//! Rollouts that were made several times, each repeat by itself and all beside each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::column::Column;
use super::{ROLLOUT, Response, TASK, columns, number};

/// What is said of each repeat; nothing where there is one.
pub fn of(measured: &[Response]) -> Vec<Value> {
    let mut repeats: BTreeMap<i64, Vec<Response>> = BTreeMap::new();
    for &one in measured {
        repeats.entry(number(one, ROLLOUT)).or_default().push(one);
    }
    if repeats.len() < 2 {
        return Vec::new();
    }
    let tasks = |some: &[Response]| {
        some.iter().map(|one| number(one, TASK)).collect::<BTreeSet<i64>>().len()
    };
    let all = tasks(measured);
    let repeat = |(index, group): (&i64, &Vec<Response>)| {
        let here = tasks(group);
        let mut entry = Map::new();
        entry.insert(ROLLOUT.into(), json!(index));
        entry.insert("sample_count".into(), json!(here));
        entry.insert("missing_count".into(), json!(all - here));
        for (name, column) in columns(group) {
            let stats = [
                ("p25", column.quantile(0.25)),
                ("p75", column.quantile(0.75)),
                ("sem", column.error()),
            ];
            let stats = stats.into_iter().chain(common(&column));
            entry.extend(stats.map(|(stat, value)| (format!("{stat}/{name}"), json!(value))));
        }
        Value::Object(entry)
    };
    repeats.iter().map(repeat).collect()
}

/// The means of the repeats beside each other.
pub fn across(repeats: &[Value]) -> Map<String, Value> {
    let mut means: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in repeats.iter().filter_map(Value::as_object).flatten() {
        if let (true, Some(mean)) = (name.starts_with("mean/"), value.as_f64()) {
            means.entry(name).or_default().push(mean);
        }
    }
    let of_one = |(name, values): (&str, Vec<f64>)| {
        let column = Column::of(values);
        let stats = common(&column).into_iter().chain([("se", column.error())]);
        let named = |(stat, value)| (format!("{stat}_across_repeats/{name}"), json!(value));
        stats.map(named).collect::<Vec<_>>()
    };
    means.into_iter().flat_map(of_one).collect()
}

/// What is said of the numbers in both.
fn common(column: &Column) -> Vec<(&'static str, f64)> {
    let mut stats = vec![
        ("mean", column.mean()),
        ("median", column.quantile(0.5)),
        ("std", column.deviation()),
        ("min", column.least()),
        ("max", column.greatest()),
    ];
    if let Some((low, high)) = column.interval() {
        stats.extend([("ci_low_95", low), ("ci_high_95", high)]);
    }
    stats
}
