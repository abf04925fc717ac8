//! Tasks with known answers, public or the user's own: what a model finds most likely, or writes.
//!
//! A task is a TOML file; those that are built in are, too. It becomes texts of the rows of a data
//! set (`item.rs`), these become token ids (`encode.rs`), and a model's log-likelihoods or replies
//! become metrics (`choice.rs`, `generate.rs`, `summary.rs`).

pub mod builtin;
mod choice;
mod data;
mod encode;
pub(crate) mod field;
mod file;
mod generate;
mod item;
pub mod kept;
mod metric;
mod prepare;
pub mod results;
mod shots;
mod squad;
pub mod summary;

use std::path::PathBuf;

use fancy_regex::NoExpand;
use serde::{Deserialize, Serialize};

use crate::model::infer::likelihood::Scored;
use crate::model::{Model, Tokenizer};
use crate::template::Error;
use field::Field;
use prepare::Work;

pub use data::FOLDER;
pub use file::{named, parse};
pub use item::{Gold, Item};
pub use metric::Metric;
pub use prepare::{Prepared, prepare};
pub use summary::Summary;

/// What a model answers to the first items of a task, in their order. An answer does not depend on
/// what is asked beside it, so that those of a run that was stopped are as good as new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Responses {
    /// Of a task in which it chooses: how likely the choices are.
    scored: Vec<Vec<Scored>>,
    /// Of a task in which it writes: what it wrote.
    replies: Vec<String>,
}

impl Responses {
    /// The number of items that are answered.
    pub fn items(&self, asked: &Prepared) -> usize {
        // Choices without the question come after all items.
        (self.scored.len() + self.replies.len()).min(asked.items.len())
    }
}

/// Asks a model what it has not answered yet, and gives its figures; none if `go_on`, which gets
/// all answers now and then, ended it.
///
/// # Errors
/// [`Error::Input`] if log-likelihoods are no numbers, and [`Error::Failed`] if the device fails.
pub fn ask(
    asked: &Prepared,
    (model, tokenizer): (&Model, &Tokenizer),
    responses: &mut Responses,
    go_on: &mut dyn FnMut(&Responses) -> bool,
) -> Result<Option<Summary>, Error> {
    if !go_on(responses) {
        return Ok(None);
    }
    let is_whole = match &asked.work {
        Work::Choices(requests) => choice::ask(requests, model, responses, go_on)?,
        Work::Prompts(prompts) => {
            generate::ask(asked, prompts, (model, tokenizer), responses, go_on)?
        }
    };
    if !is_whole {
        return Ok(None);
    }
    Ok(Some(match &asked.work {
        Work::Choices(_) => choice::summary(asked, &responses.scored)?,
        Work::Prompts(_) => generate::summary(asked, &responses.replies),
    }))
}

/// A task, as its file says.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it is called.
    pub name: String,
    /// Which version of its definition it is.
    pub version: String,
    /// Where its rows come from.
    pub data: Data,
    /// What is measured, in the order in which it is reported.
    pub metrics: Vec<Metric>,
    /// The metric that stands for the task.
    pub main: Metric,
    /// What a model does.
    pub kind: Kind,
    /// Where the file is, for messages.
    pub file: String,
    /// What a model reads: one text, or one for each choice.
    contexts: Vec<Field>,
    /// The right choice, or the right replies.
    gold: Field,
    /// What is changed in contexts and choices, in order.
    replace: Vec<Replacement>,
    /// Between a context and what follows it.
    delimiter: String,
    /// Between shots.
    shots_delimiter: String,
}

/// What a model does.
#[derive(Clone, Debug)]
pub enum Kind {
    /// It chooses: the most likely continuation counts.
    Choice(Choice),
    /// It writes, by greedy decoding.
    Generate {
        /// Texts that end a reply; they are no part of it.
        until: Vec<String>,
        /// The most tokens of a reply.
        tokens_max: usize,
    },
}

/// What a model chooses from.
#[derive(Clone, Debug)]
pub struct Choice {
    /// A list, or the texts of a list; of a task with a context for each choice, the one text that
    /// follows them all.
    continuations: Vec<Field>,
    /// What choices are also scored after, without the question, for [`Metric::AccUncond`].
    unconditional: Option<String>,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A file or a folder.
    Path(PathBuf),
    /// A data set of the Hugging Face hub, of which there is a copy.
    Set {
        /// `ORG/NAME`.
        dataset: String,
        /// One of its configurations.
        config: Option<String>,
        /// One of its splits.
        split: String,
    },
}

/// A regular expression, and what it becomes.
#[derive(Clone, Debug)]
struct Replacement {
    pattern: fancy_regex::Regex,
    with: String,
}

impl Replacement {
    /// A text after it.
    fn replaced(&self, text: &str) -> Result<String, String> {
        let replaced = self.pattern.try_replacen(text, 0, NoExpand(&self.with));
        replaced.map(String::from).map_err(|error| format!("`replace`: {error}"))
    }
}

/// Whose wording a task has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// EleutherAI's lm-evaluation-harness.
    #[default]
    LmEval,
    /// OLMES, Gu and others, 2024, arXiv 2406.08446.
    Olmes,
}

impl Style {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Style::LmEval => "lm-eval",
            Style::Olmes => "olmes",
        }
    }
}

/// What is asked of every task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The first items only.
    pub limit: Option<u64>,
    /// Solved items before each item.
    pub shots: usize,
    /// Which items these are.
    pub seed: u64,
    /// Whose wording.
    pub style: Style,
    /// The folder with copies of data sets.
    pub folder: Option<PathBuf>,
}
