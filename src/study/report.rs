//! The study as data: what `study.json` holds.

use std::path::PathBuf;

use serde::Serialize;

use super::figures::{Figure, Fourfold};

/// The version of the shape of `study.json`.
pub const VERSION: u32 = 1;

/// A study.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this shape.
    pub version: u32,
    /// The program that made it.
    pub cookc: &'static str,
    /// What was found, in sentences.
    pub findings: Vec<String>,
    /// Change in alignment against change in accuracy, over the cells of all recipes.
    pub correlations: Vec<Row>,
    /// Each recipe.
    pub recipes: Vec<OfRecipe>,
    /// The text of `items.jsonl`: a line an item of each recipe, seed and target.
    #[serde(skip)]
    pub items: String,
}

/// The correlations over some of the cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which cells, by a name for programs.
    pub over: &'static str,
    /// The same in words.
    pub about: &'static str,
    /// How many cells.
    pub cells: usize,
    /// Of how many models.
    pub models: usize,
    /// Pearson's.
    pub pearson: Option<Correlation>,
    /// Spearman's, of ranks.
    pub spearman: Option<Correlation>,
    /// Why there is none.
    pub refusal: Option<String>,
}

/// A correlation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// From −1 to 1.
    pub value: f64,
    /// The ends of its interval of 95 %, by the bootstrap over models; none of few models.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// The middle 95 % of the same correlation with shuffled rules: from here …
    pub shuffled_low: f64,
    /// … to here.
    pub shuffled_high: f64,
    /// The share of shuffles that are as far from 0: two-sided, and never 0.
    pub p: f64,
}

impl Correlation {
    /// Whether shuffled rules do not give it, and its interval is on one side of 0.
    pub fn is_significant(&self) -> bool {
        let is_apart =
            self.low.is_some_and(|low| low > 0.0) || self.high.is_some_and(|high| high < 0.0);
        self.p < 0.05 && is_apart
    }
}

/// One recipe.
#[derive(Clone, Debug, Serialize)]
pub struct OfRecipe {
    /// Its name.
    pub name: String,
    /// What its models are made from.
    pub base: String,
    /// The seeds of the data.
    pub seeds: Vec<u64>,
    /// The score from which on an answer obeys.
    pub obeyed: f64,
    /// Its models, the base first.
    pub models: Vec<OfModel>,
    /// What they are asked.
    pub targets: Vec<OfTarget>,
    /// How often they are right.
    pub accuracy: Vec<Accuracy>,
    /// How far answers obey rules.
    pub alignment: Vec<Alignment>,
    /// Change in alignment beside change in accuracy.
    pub cells: Vec<Cell>,
    /// Which options are chosen.
    pub labels: Vec<Labels>,
    /// Plain English before and after.
    pub english: Option<OfEnglish>,
}

/// A model, of all seeds.
#[derive(Clone, Debug, Serialize)]
pub struct OfModel {
    /// What it is called in the tables: `base`, a template, or an arm.
    pub name: String,
    /// `base`, or the arm.
    pub arm: &'static str,
    /// The weight of each template that is in it.
    pub mixture: Vec<(String, f64)>,
    /// Its steps and tokens, the mean over the seeds; none of the base.
    pub steps: Option<f64>,
    /// See `steps`.
    pub tokens: Option<f64>,
    /// The folder of each seed.
    pub folders: Vec<PathBuf>,
}

/// Something that is asked.
#[derive(Clone, Debug, Serialize)]
pub struct OfTarget {
    /// The task, or the template.
    pub name: String,
    /// `task`; `held-out`, a template that nothing is trained on; `own`, one that is.
    pub kind: &'static str,
    /// What is right.
    pub metric: String,
    /// Its items.
    pub items: usize,
}

/// How often a model is right in a target.
#[derive(Clone, Debug, Serialize)]
pub struct Accuracy {
    /// The model.
    pub model: String,
    /// The target.
    pub target: String,
    /// The mean.
    pub accuracy: Figure,
    /// Less that of the base, item by item; none of the base.
    pub change: Option<Figure>,
    /// Less that of the model of shuffled replies, where there is one.
    pub beside_shuffled: Option<Figure>,
    /// Less that of the model of natural text, where there is one.
    pub beside_text: Option<Figure>,
}

/// How far answers to a target obey a template's rules.
#[derive(Clone, Debug, Serialize)]
pub struct Alignment {
    /// The template.
    pub template: String,
    /// The target.
    pub target: String,
    /// The rules.
    pub rules: Vec<String>,
    /// That of the right answers.
    pub right: Figure,
    /// The items without a score, and why the first has none.
    pub unscored: Option<Unscored>,
    /// That of each model's answers.
    pub models: Vec<Aligned>,
}

/// Items without a score.
#[derive(Clone, Debug, Serialize)]
pub struct Unscored {
    /// How many.
    pub items: usize,
    /// Why the first has none.
    pub why: String,
}

/// The alignment of a model's answers.
#[derive(Clone, Debug, Serialize)]
pub struct Aligned {
    /// The model.
    pub model: String,
    /// The mean.
    pub alignment: Figure,
    /// Less that of the base; none of the base.
    pub change: Option<Figure>,
}

/// A model, a target and the rules of a template.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// The model.
    pub model: String,
    /// Its arm.
    pub arm: &'static str,
    /// Whether it is trained on this template alone.
    pub is_own: bool,
    /// The template whose rules score.
    pub template: String,
    /// The target.
    pub target: String,
    /// `task` or `held-out`.
    pub kind: &'static str,
    /// The change in alignment.
    pub alignment: Figure,
    /// The change in accuracy.
    pub accuracy: Figure,
    /// The change in accuracy over items whose right answer obeys the rules.
    pub obeying: Option<Figure>,
    /// Over the others.
    pub others: Option<Figure>,
    /// Items that were neither right nor obeying before: newly right and newly obeying.
    pub newly: Option<Fourfold>,
}

/// Which options a model chooses in a task.
#[derive(Clone, Debug, Serialize)]
pub struct Labels {
    /// The model.
    pub model: String,
    /// The task.
    pub target: String,
    /// The options.
    pub labels: Vec<String>,
    /// The share of items of which each is right.
    pub right: Vec<f64>,
    /// The share of items in which each is chosen.
    pub chosen: Vec<f64>,
    /// The accuracy of the chosen options.
    pub accuracy: Figure,
    /// The accuracy that these shares give if choices do not depend on items.
    pub by_shares: f64,
    /// The mean over options of the accuracy on items of which that option is right.
    pub balanced: Figure,
}

/// The loss of plain English.
#[derive(Clone, Debug, Serialize)]
pub struct OfEnglish {
    /// Its rows.
    pub rows: usize,
    /// Their tokens.
    pub tokens: f64,
    /// Each model.
    pub models: Vec<Loss>,
}

/// A model's loss a token, in nats.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// The model.
    pub model: String,
    /// The loss.
    pub loss: Figure,
    /// Less that of the base; none of the base.
    pub change: Option<Figure>,
}

impl Report {
    /// The text of `study.json`.
    ///
    /// # Panics
    /// Never: texts and numbers are JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are JSON") + "\n"
    }
}
