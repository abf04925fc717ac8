//! The alignment report: the scores before training and after, as data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Answer;
use crate::data::totals::Totals;

/// Means over the held-out samples of one template.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Share of replies for which every rule holds in full.
    pub exact: f64,
    /// Mean of the rules.
    pub alignment: f64,
    /// Mean of each rule.
    pub rules: Vec<f64>,
    /// Share of replies that could not be read.
    pub unreadable: f64,
}

impl Scores {
    /// Of some answers; all 0 if there is none.
    pub fn of(answers: &[Answer], rules: usize) -> Scores {
        let mut totals = Totals::new(rules);
        answers.iter().for_each(|answer| totals.add(&answer.verdict));
        Scores {
            exact: totals.exact(),
            alignment: totals.mean(),
            rules: totals.rules(),
            unreadable: totals.unreadable(),
        }
    }
}

/// One template at one level, before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The template's name.
    pub template: String,
    /// The level's name.
    pub level: String,
    /// Held-out samples.
    pub samples: usize,
    /// The names of the rules.
    pub rules: Vec<String>,
    /// Before training.
    pub before: Scores,
    /// After it.
    pub after: Scores,
    /// A few samples with both replies.
    pub examples: Vec<Example>,
}

/// A metric of a task with known answers, before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfTask {
    /// The task's name.
    pub task: String,
    /// Its items.
    pub items: usize,
    /// The metric's name.
    pub metric: String,
    /// Its mean before training.
    pub before: f64,
    /// The standard error of that; none of a single item.
    pub before_stderr: Option<f64>,
    /// Its mean after training.
    pub after: f64,
    /// The standard error of that.
    pub after_stderr: Option<f64>,
}

/// Rows of other people's data that were trained on, and not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfText {
    /// The file, without its folder.
    pub file: String,
    /// Its rows.
    pub rows: usize,
    /// Their tokens.
    pub tokens: usize,
    /// Rows that lost their end.
    pub cut: usize,
    /// Rows that were left out.
    pub left_out: usize,
    /// How many samples were its rows; more than its rows if they came several times.
    pub taken: u64,
}

/// A held-out sample with the replies to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// The template's name.
    pub template: String,
    /// The level's name.
    pub level: String,
    /// Its index in the held-out split.
    pub index: u64,
    /// What the model reads.
    pub prompt: String,
    /// The reply that the template makes.
    pub reply: String,
    /// What the model wrote before training.
    pub before: String,
    /// Its score: the mean of the rules.
    pub score_before: f64,
    /// What it wrote after.
    pub after: String,
    /// Its score.
    pub score_after: f64,
    /// Why the reply after could not be read, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_after: Option<String>,
}

/// What a run did, beside its evaluations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Steps done.
    pub steps: u64,
    /// Samples learned from.
    pub samples: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Mean loss of the first step, in nats a token.
    pub loss_first: f64,
    /// Of the last.
    pub loss_last: f64,
    /// Tokens a second of training, making the samples included.
    pub tokens_per_second: f64,
    /// Samples a second.
    pub samples_per_second: f64,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of the command.
    pub seconds: f64,
    /// The most memory that the process held; none where the system does not report it.
    pub peak_memory_bytes: Option<u64>,
    /// Weights of the model.
    pub parameters: u64,
    /// Those of them, or of its adapters, that are trainable.
    pub parameters_learning: u64,
    /// Where it ran.
    pub device: String,
    /// Held-out prompts that came up in training as well: 0 but for templates with few samples.
    pub prompts_shared: u64,
    /// The step after which the best evaluation was made; none if there was none in between.
    pub step_best: Option<u64>,
}

/// Where a run that was stopped went on as another one, because the user wanted so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The steps that were done until then.
    pub step: u64,
    /// What was changed, a line each.
    pub changes: Vec<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run's name.
    pub name: String,
    /// Each template.
    pub templates: Vec<Comparison>,
    /// Each metric of each task with known answers.
    pub tasks: Vec<OfTask>,
    /// Each text.
    pub texts: Vec<OfText>,
    /// What else is known.
    pub facts: Facts,
    /// Loss by step, for the curve.
    pub losses: Vec<(u64, f64)>,
    /// The seeds of data and of training.
    pub seeds: [u64; 2],
    /// The resolved recipe.
    pub recipe: String,
    /// Where it went on as another run, in order; in general nowhere.
    pub changes: Vec<Change>,
}

impl Report {
    /// The mean of a score over the templates.
    pub fn mean(&self, score: impl Fn(&Comparison) -> f64) -> f64 {
        self.templates.iter().map(score).sum::<f64>() / self.templates.len().max(1) as f64
    }

    /// The text of `report.json`.
    pub fn json(&self) -> String {
        let mut map = Map::new();
        map.insert("name".into(), json!(self.name));
        let means = [
            ("exact_before", self.mean(|one| one.before.exact)),
            ("exact_after", self.mean(|one| one.after.exact)),
            ("alignment_before", self.mean(|one| one.before.alignment)),
            ("alignment_after", self.mean(|one| one.after.alignment)),
        ];
        map.extend(means.map(|(key, mean)| (key.to_string(), json!(mean))));
        map.insert("templates".into(), self.templates.iter().map(comparison).collect());
        if !self.tasks.is_empty() {
            map.insert("tasks".into(), json!(self.tasks));
        }
        if !self.texts.is_empty() {
            map.insert("texts".into(), json!(self.texts));
        }
        if let Ok(Value::Object(facts)) = serde_json::to_value(&self.facts) {
            map.extend(facts);
        }
        let [data, train] = self.seeds;
        map.insert("seeds".into(), json!({ "data": data, "train": train }));
        map.insert("versions".into(), versions());
        if !self.changes.is_empty() {
            map.insert("changed".into(), json!(self.changes));
        }
        format!("{:#}\n", Value::Object(map))
    }
}

fn comparison(one: &Comparison) -> Value {
    let scores = one.before.rules.iter().zip(&one.after.rules);
    let rules = one.rules.iter().zip(scores);
    let rules: Map<String, Value> = rules
        .map(|(name, (before, after))| (name.clone(), json!({ "before": before, "after": after })))
        .collect();
    json!({
        "template": one.template,
        "level": one.level,
        "samples": one.samples,
        "exact_before": one.before.exact,
        "exact_after": one.after.exact,
        "alignment_before": one.before.alignment,
        "alignment_after": one.after.alignment,
        "unreadable_before": one.before.unreadable,
        "unreadable_after": one.after.unreadable,
        "rules": rules,
    })
}

fn versions() -> Value {
    json!({
        "cookc": env!("CARGO_PKG_VERSION"),
        "streams": crate::runtime::random::STREAM_VERSION,
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    })
}
