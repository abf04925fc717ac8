//! The results of a model as JSON, in the layout of lm-evaluation-harness 0.4.13.

use serde_json::{Map, Value, json};

use super::summary::{Labels, Score, mean};
use super::{Data, Kind, Metric, Prepared, Settings, Summary, Task, builtin};

/// How a model was computed, as `config` of the results has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The model, as it was named.
    pub model: String,
    /// The adapter.
    pub adapter: Option<String>,
    /// The type of the weights in memory.
    pub dtype: String,
    /// Where it was computed.
    pub device: String,
}

/// A task that was asked.
pub type Done<'a> = (&'a Prepared, Summary);

/// All results. The same model, tasks and settings give the same bytes: there is no date in them.
pub fn json(subject: &Subject, settings: &Settings, all: &[Done]) -> Value {
    let each = |of: &dyn Fn(&Done) -> Value| -> Value {
        all.iter().map(|done| (done.0.task.name.clone(), of(done))).collect()
    };
    let group = group_name(all);
    let names: Vec<&str> = all.iter().map(|(asked, _)| asked.task.name.as_str()).collect();
    let mut results = Map::new();
    results.insert("results".into(), each(&task));
    if let Some(group) = group {
        let mut means = Map::new();
        means.insert("alias".into(), group.into());
        means_of(all).iter().for_each(|(name, mean, error)| put(&mut means, name, *mean, *error));
        results.insert("groups".into(), json!({ group: means }));
        results.insert("group_subtasks".into(), json!({ group: names }));
    }
    results.insert("configs".into(), each(&|(asked, _)| config(&asked.task, asked.shots)));
    results.insert("versions".into(), each(&|(asked, _)| version(&asked.task)));
    results.insert("n-shot".into(), each(&|(asked, _)| asked.shots.into()));
    results.insert("higher_is_better".into(), each(&|(asked, _)| higher_is_better(&asked.task)));
    results.insert("n-samples".into(), each(&samples));
    results.insert("config".into(), of_subject(subject, settings));
    results.insert(
        "cookc".into(),
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "style": settings.style.name(),
            "tasks": each(&beyond),
        }),
    );
    Value::Object(results)
}

/// What all tasks together are called; none of a single one.
pub fn group_name(all: &[Done]) -> Option<&'static str> {
    let is_known = |name| all.iter().any(|(asked, _)| asked.task.name == name);
    let is_gpt4all = builtin::names().all(is_known) && all.len() == builtin::names().count();
    (all.len() > 1).then_some(if is_gpt4all { builtin::GPT4ALL } else { "mean" })
}

/// The means over the tasks, each counted once, with their standard errors: of `acc`; of
/// `acc_norm`, or of `acc` where a task has none; of what stands for each task. Only those of
/// tasks that all have them.
pub fn means_of(all: &[Done]) -> Vec<(&'static str, f64, Option<f64>)> {
    let over = |of: &dyn Fn(&Done) -> Option<Score>| -> Option<(f64, Option<f64>)> {
        let scores: Option<Vec<Score>> = all.iter().map(of).collect();
        scores.map(|scores| mean(&scores))
    };
    let acc = |done: &Done| done.1.score(Metric::Acc);
    let norm = |done: &Done| done.1.score(Metric::AccNorm).or_else(|| acc(done));
    let main = |done: &Done| done.1.score(done.0.task.main);
    // Of tasks of lm-evaluation-harness, that is `acc`.
    let has_main = all.iter().any(|(asked, _)| asked.task.main != Metric::Acc);
    let means = [
        ("acc", over(&acc)),
        ("acc_norm", over(&norm)),
        ("main", over(&main).filter(|_| has_main)),
    ];
    means
        .into_iter()
        .filter_map(|(name, mean)| mean.map(|(mean, error)| (name, mean, error)))
        .collect()
}

/// A task's metrics.
fn task((asked, summary): &Done) -> Value {
    let mut fields = Map::new();
    fields.insert("name".into(), asked.task.name.as_str().into());
    fields.insert("alias".into(), asked.task.name.as_str().into());
    fields.insert("sample_len".into(), asked.items.len().into());
    for Score { metric, mean, error } in &summary.scores {
        put(&mut fields, metric.name(), *mean, *error);
    }
    Value::Object(fields)
}

/// A metric under the names that have a filter in them; an error that is not known is a text.
fn put(fields: &mut Map<String, Value>, name: &str, mean: f64, error: Option<f64>) {
    fields.insert(format!("{name},none"), mean.into());
    fields.insert(format!("{name}_stderr,none"), error.map_or("N/A".into(), Value::from));
}

fn samples((asked, _): &Done) -> Value {
    json!({ "original": asked.total, "effective": asked.items.len() })
}

fn higher_is_better(task: &Task) -> Value {
    task.metrics.iter().map(|metric| (metric.name().to_string(), Value::from(true))).collect()
}

/// A number where it is one.
fn version(task: &Task) -> Value {
    task.version.parse::<f64>().map_or_else(|_| task.version.as_str().into(), Value::from)
}

/// What a task's file says.
fn config(task: &Task, shots: usize) -> Value {
    let texts = |fields: &[super::Field]| match fields {
        [one] => Value::from(one.text.as_str()),
        all => all.iter().map(|field| field.text.as_str()).collect(),
    };
    let mut config = Map::new();
    config.insert("task".into(), task.name.as_str().into());
    match &task.data {
        Data::Path(path) => {
            config.insert("dataset_path".into(), path.to_string_lossy().into());
        }
        Data::Set { dataset, config: name, split } => {
            config.insert("dataset_path".into(), dataset.as_str().into());
            config.insert("dataset_name".into(), json!(name));
            config.insert("test_split".into(), split.as_str().into());
        }
    }
    config.insert("doc_to_text".into(), texts(&task.contexts));
    config.insert("doc_to_target".into(), task.gold.text.as_str().into());
    match &task.kind {
        Kind::Choice(choice) => {
            config.insert("output_type".into(), "multiple_choice".into());
            config.insert("doc_to_choice".into(), texts(&choice.continuations));
        }
        Kind::Generate { until, tokens_max } => {
            config.insert("output_type".into(), "generate_until".into());
            let settings =
                json!({ "until": until, "max_gen_toks": tokens_max, "do_sample": false });
            config.insert("generation_kwargs".into(), settings);
        }
    }
    config.insert("target_delimiter".into(), task.delimiter.as_str().into());
    config.insert("fewshot_delimiter".into(), task.shots_delimiter.as_str().into());
    config.insert("num_fewshot".into(), shots.into());
    config.insert("metadata".into(), json!({ "version": version(task) }));
    Value::Object(config)
}

fn of_subject(subject: &Subject, settings: &Settings) -> Value {
    let Subject { model, adapter, dtype, device } = subject;
    let mut given = Map::new();
    given.insert("pretrained".into(), model.as_str().into());
    if let Some(adapter) = adapter {
        given.insert("peft".into(), adapter.as_str().into());
    }
    given.insert("dtype".into(), dtype.as_str().into());
    json!({
        "model": "cookc",
        "model_args": given,
        "device": device,
        "limit": settings.limit,
        "fewshot_seed": settings.seed,
    })
}

/// What lm-evaluation-harness does not report.
fn beyond((asked, summary): &Done) -> Value {
    let mut fields = Map::new();
    fields.insert("main".into(), asked.task.main.name().into());
    fields.insert("cut".into(), asked.cut.into());
    fields.insert("merged".into(), asked.merged.into());
    fields.insert("shots_from".into(), json!(asked.shots_from));
    if let Some(Labels { names, gold, chosen }) = &summary.labels {
        let chosen: Map<String, Value> = chosen
            .iter()
            .map(|(metric, shares)| (metric.name().to_string(), shares.as_slice().into()))
            .collect();
        fields.insert("labels".into(), json!({ "names": names, "gold": gold, "chosen": chosen }));
    }
    Value::Object(fields)
}
