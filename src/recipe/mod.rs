//! The recipe of a run: what is trained, on which templates, and how it is judged, from TOML.

mod checks;
mod evaluation;
mod key;
mod keys;
mod listing;
mod mixing;
mod other;
pub(crate) mod section;
mod sections;
mod study;
mod texts;
mod write;

use std::collections::BTreeMap;

use crate::data::Answer;
use crate::data::dataset::Replies;
use crate::diagnostic::Diagnostic;
use crate::model::chat::Date;
use crate::model::lora::Lora;
use crate::source::{Source, Span};
use crate::train::Settings;

pub use key::Role;
pub use listing::{Row, current, default_of, help, markdown, role, rows};
pub(crate) use section::unknown_word;
pub use study::{Arm, English, Pair, Study};
pub use write::toml_text;

/// A complete recipe, every key resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What runs of it are called; by default as its file.
    pub name: Option<String>,
    /// What is trained.
    pub model: Model,
    /// What it is trained on, and evaluated with; at least one.
    pub templates: Vec<Entry>,
    /// Rows of other people's data that it is trained on, too.
    pub texts: Vec<Text>,
    /// How samples are made.
    pub data: Data,
    /// How often each template's are, as training goes on.
    pub mix: Mix,
    /// Adapters to train; without them all weights are trainable.
    pub lora: Option<Lora>,
    /// How to train.
    pub train: Settings,
    /// Steps between checkpoints; 0 for none except when the run is stopped.
    pub save_every: u64,
    /// How many of the last checkpoints are kept.
    pub keep_checkpoints: usize,
    /// How to evaluate.
    pub eval: Eval,
    /// What is studied.
    pub study: Study,
}

impl Default for Recipe {
    fn default() -> Recipe {
        let model =
            Model { base: Base::default(), dtype: "f32".into(), nf4: false, device: "auto".into() };
        let data = Data {
            seed: 0,
            words: Words::Embedded(Words::EMBEDDED),
            sequence: 2048,
            format: Format::Plain,
            answer: Answer::default(),
            shots: 0,
            date: None,
        };
        Recipe {
            name: None,
            model,
            templates: Vec::new(),
            texts: Vec::new(),
            data,
            mix: Mix::default(),
            lora: None,
            train: Settings::default(),
            save_every: 100,
            keep_checkpoints: 1,
            eval: Eval { samples: 200, every: 0, patience: 0, until_exact: None, tasks: None },
            study: Study::default(),
        }
    }
}

/// `[model]`
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Where its weights come from.
    pub base: Base,
    /// `f32`, `bf16` or `f16`.
    pub dtype: String,
    /// Whether the frozen linears are stored in four bits a weight: NF4 of QLoRA, Dettmers and
    /// others, 2023, arXiv 2305.14314.
    pub nf4: bool,
    /// `auto`, `cpu` or `cuda`.
    pub device: String,
}

/// Where weights come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// `scratch:NAME`: a small model made here.
    Scratch(Shape),
    /// A folder with `config.json`, weights and `tokenizer.json`.
    Folder(Named),
}

impl Default for Base {
    fn default() -> Base {
        Base::Scratch(Shape::default())
    }
}

/// The shape of a small Llama.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The preset that the other numbers start from.
    pub name: String,
    /// The family that it is a model of, by its `model_type` in transformers.
    pub family: &'static str,
    /// Width of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width of the feed-forward network.
    pub feed_forward: usize,
    /// Base of the rotary angles: the larger it is, the less position counts beside content.
    pub rotary_base: f64,
    /// Standard deviation of fresh weights.
    pub init: f64,
}

/// The families that a model from scratch may be of.
pub(crate) const FAMILIES: &[&str] = &["llama", "mistral", "qwen2", "qwen3"];

/// The small models that have a name: width, layers, heads and feed-forward; base of the rotary
/// angles and deviation of fresh weights.
const PRESETS: &[(&str, [usize; 4], [f64; 2])] =
    &[("tiny", [96, 2, 2, 16], [1e9, 0.1]), ("small", [192, 4, 4, 512], [1e4, 0.05])];

impl Shape {
    /// The shape that has this name.
    fn preset(name: &str) -> Option<Shape> {
        let preset = PRESETS.iter().find(|(known, ..)| *known == name)?;
        let (_, [width, layers, heads, feed_forward], [rotary_base, init]) = *preset;
        let name = name.to_string();
        let family = FAMILIES[0];
        Some(Shape { name, family, width, layers, heads, feed_forward, rotary_base, init })
    }

    /// The names of all.
    fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, ..)| *name)
    }
}

impl Default for Shape {
    fn default() -> Shape {
        Shape::preset(PRESETS[0].0).expect("the first preset has its name")
    }
}

/// A path or a name as written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The path.
    pub path: String,
    /// Where it is in the recipe.
    pub span: Span,
}

/// `[[template]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// A path, or `std:NAME`.
    pub file: Named,
    /// Its mixture weight.
    pub weight: f64,
    /// Its mixture weight at the last step, if it changes.
    pub end_weight: Option<f64>,
    /// The level's name; empty for the defaults.
    pub level: String,
    /// Parameters, as numbers in text.
    pub set: BTreeMap<String, String>,
    /// Which replies it is trained with.
    pub replies: Replies,
}

impl Default for Entry {
    fn default() -> Entry {
        let (file, level, set, replies) = Default::default();
        Entry { file, weight: 1.0, end_weight: None, level, set, replies }
    }
}

/// `[[text]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// A file of rows, or a folder of such files.
    pub file: Named,
    /// What is read before the reply, with placeholders for columns; empty for language modelling.
    pub prompt: Written,
    /// What is learned.
    pub reply: Written,
    /// Its mixture weight, which no policy changes.
    pub weight: f64,
    /// Rows before the first that is taken.
    pub skip: u64,
    /// The most rows; 0 for all.
    pub limit: u64,
}

impl Default for Text {
    fn default() -> Text {
        let (file, prompt, reply) = Default::default();
        Text { file, prompt, reply, weight: 1.0, skip: 0, limit: 0 }
    }
}

/// A text as it is written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Where it is in the recipe.
    pub span: Span,
}

/// `[mix]`
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The name of what chooses the mixture weights of each step.
    pub policy: Named,
    /// The tasks that learned weights are for; those of `[eval]` if it names none.
    pub tasks: Option<Tasks>,
    /// Samples of each held-out template that they are for as well.
    pub samples: u64,
    /// Whether the right answers of these may be looked at.
    pub labels: bool,
    /// Steps of each run that weights are learned from; 0 for those of the training.
    pub steps: u64,
    /// Runs on random mixtures, of `log-linear`; 0 for twice as many as templates.
    pub runs: u64,
    /// Mixtures that `merge` compares.
    pub candidates: u64,
    /// Where the runs are kept; empty for a folder of the recipe's name.
    pub cache: String,
    /// Whether `cookbook` weighs for each target, and takes the mean of these mixtures.
    pub per_target: bool,
    /// How far weights follow the outcomes of runs.
    pub strength: f64,
    /// The least weight, as a share of an equal one.
    pub floor: f64,
    /// How strongly `log-linear` is drawn to equal weights.
    pub pull: f64,
    /// The alignment at which `online` goes on to the next level.
    pub mastered: f64,
    /// That at which it goes back to the one before.
    pub failed: f64,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix {
            policy: Named { path: "fixed".into(), span: Span::default() },
            tasks: None,
            samples: 200,
            labels: false,
            steps: 0,
            runs: 0,
            candidates: 32,
            cache: String::new(),
            per_target: false,
            strength: 1.0,
            floor: 0.1,
            pull: 0.01,
            mastered: 0.7,
            failed: 0.1,
        }
    }
}

/// `[data]`
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Which samples are made.
    pub seed: u64,
    /// Where the words of `vocab` come from.
    pub words: Words,
    /// The most tokens of a sample, its shots included.
    pub sequence: usize,
    /// How the texts of a sample become one.
    pub format: Format,
    /// The form of answers.
    pub answer: Answer,
    /// Solved samples of the same template before each prompt.
    pub shots: usize,
    /// The day that a chat template is rendered with, such as `2026-11-28`; none if the template
    /// asks for none.
    pub date: Option<Date>,
}

/// The words of `vocab`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// The first of the embedded ones, this many.
    Embedded(usize),
    /// A file, one a line.
    File(Named),
    /// Those that are one token of the model.
    Tokenizer,
}

impl Words {
    /// How many of the embedded words are taken unless the recipe says otherwise.
    pub const EMBEDDED: usize = 512;
}

/// How system text, prompt and reply become one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One after the other.
    Plain,
    /// As messages, in the model's own chat template.
    Chat,
}

/// `[eval]`
#[derive(Clone, Debug, PartialEq)]
pub struct Eval {
    /// Held-out samples of each template.
    pub samples: u64,
    /// Steps between evaluations during training; 0 for before and after only.
    pub every: u64,
    /// Stop after this many evaluations without a better one; 0 for never.
    pub patience: u64,
    /// Stop when this share of replies is exact.
    pub until_exact: Option<f64>,
    /// Tasks with known answers, evaluated at the same steps.
    pub tasks: Option<Tasks>,
}

/// `[eval.tasks]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tasks {
    /// Names, groups and files, separated by commas.
    pub names: Named,
    /// How many items of each; 0 for all.
    pub limit: u64,
    /// Solved items before each item.
    pub shots: u64,
    /// `lm-eval` or `olmes`.
    pub style: String,
    /// The folder with copies of data sets; empty for that of the environment.
    pub data: String,
}

/// The adapters of an empty `[lora]`.
fn adapters() -> Lora {
    Lora::all_linear(16, 32.0)
}

/// Reads a recipe. Each error is in the list, and its key has the default; only for a text that is
/// not TOML is there no recipe.
pub fn parse(source: &Source) -> (Option<Recipe>, Vec<Diagnostic>) {
    let (table, errors) = toml::de::DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return (None, errors.iter().map(|error| invalid(error, source)).collect());
    }
    let mut errors = Vec::new();
    let recipe = sections::recipe(table.get_ref(), &mut errors);
    (Some(recipe), errors)
}

/// The error of a text that is not TOML.
pub(crate) fn invalid(error: &toml::de::Error, source: &Source) -> Diagnostic {
    let end = source.text.len();
    let span = error.span().map_or(Span::new(0, 0), |span| Span::new(span.start, span.end));
    // An error at the end of the text has nothing under it; the last character can be shown.
    let span = if span.start >= end { Span::new(last_character(source), end) } else { span };
    let help = "write `[table]`, `key = value`, texts in quotes, one key a line";
    Diagnostic::error("E701", "this is not TOML", span, error.message()).help(help)
}

fn last_character(source: &Source) -> usize {
    source.text.char_indices().next_back().map_or(0, |(at, _)| at)
}
