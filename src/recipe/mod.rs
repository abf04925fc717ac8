//! The recipe of a run: what is trained, on which templates, and how it is judged, from TOML.

mod read;
mod sections;
mod write;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::chat::Date;
use crate::model::lora::Lora;
use crate::source::{Source, Span};
use crate::train::Settings;

pub use write::toml_text;

/// A whole recipe, every key resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What runs of it are called; by default as its file.
    pub name: Option<String>,
    /// What is trained.
    pub model: Model,
    /// What it is trained on; at least one.
    pub templates: Vec<Entry>,
    /// How samples are made.
    pub data: Data,
    /// Adapters to train; without them every weight learns.
    pub lora: Option<Lora>,
    /// How to train.
    pub train: Settings,
    /// A checkpoint after each so many steps; 0 for none but when the run is stopped.
    pub save_every: u64,
    /// How many of the last checkpoints stay.
    pub keep_checkpoints: usize,
    /// How to judge.
    pub eval: Eval,
}

/// `[model]`
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Where its weights come from.
    pub base: Base,
    /// `f32`, `bf16` or `f16`.
    pub dtype: String,
    /// Whether the frozen linears are held in four bits a weight (QLoRA's NF4).
    pub nf4: bool,
    /// `auto`, `cpu` or `cuda`.
    pub device: String,
}

/// Where weights come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// `scratch:NAME`: a small Llama made here.
    Scratch(Shape),
    /// A folder with `config.json`, weights and `tokenizer.json`.
    Folder(Named),
}

/// The shape of a small Llama.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The preset that the other numbers start from.
    pub name: String,
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

/// A path as written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The path.
    pub path: String,
    /// Where it stands in the recipe.
    pub span: Span,
}

/// `[[template]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// A path, or `std:NAME`.
    pub file: Named,
    /// How often, beside the others.
    pub weight: f64,
    /// The level's name; empty for the defaults.
    pub level: String,
    /// Parameters, as numbers in text.
    pub set: BTreeMap<String, String>,
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
    /// Solved samples of the same template before each prompt.
    pub shots: usize,
    /// The day that a chat template sees, such as `2026-11-28`; None where none was asked for.
    pub date: Option<Date>,
}

/// The words of `vocab`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// So many of the embedded ones.
    Embedded(usize),
    /// A file, one a line.
    File(Named),
    /// Those that are one token of the model.
    Tokenizer,
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
    /// Also judge after each so many steps; 0 for before and after alone.
    pub every: u64,
    /// Stop after so many judgements without a better one; 0 for never.
    pub patience: u64,
    /// Stop when this share of replies is exact.
    pub until_exact: Option<f64>,
}

/// Reads a recipe. What is wrong with it is in the list, and stands as its default; only a text
/// that is no TOML gives none.
pub fn parse(source: &Source) -> (Option<Recipe>, Vec<Diagnostic>) {
    let (table, errors) = toml::de::DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return (None, errors.iter().map(|error| invalid(error, source)).collect());
    }
    let mut errors = Vec::new();
    let recipe = sections::recipe(table.get_ref(), &mut errors);
    (Some(recipe), errors)
}

fn invalid(error: &toml::de::Error, source: &Source) -> Diagnostic {
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
