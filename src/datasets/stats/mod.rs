//! A data set in numbers: how many prompts differ, how long texts are, how balanced replies are.

mod distinct;
mod lengths;
mod values;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::texts::texts;
use crate::data::SampleId;
use crate::rows::{Row, Rows};
use crate::template::Error;
pub use distinct::{Count, Distinct};
pub use lengths::{Bin, Lengths};
pub use values::{Top, Values};

/// Rows that are measured together, while others are read.
const BATCH: usize = 4096;
/// How many of the most frequent values are reported.
const TOP: usize = 10;
/// How many bars a histogram has.
const BINS: u64 = 10;

/// How to count.
#[derive(Clone, Debug)]
pub struct Options {
    /// The columns of the texts; none for those that trainers read.
    pub columns: Vec<String>,
    /// Bytes of memory in which hashes of prompts, and those of replies, are kept.
    pub memory: u64,
}

/// What was counted.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The rows that were read.
    pub rows: u64,
    /// The different prompts.
    pub prompts: Distinct,
    /// The different replies.
    pub replies: Distinct,
    /// Rows that have a reply.
    pub replied: u64,
    /// How often each reply comes.
    pub reply_values: Values,
    /// How often each template comes, at which level.
    pub templates: Values,
    /// Words and characters of prompts.
    pub prompt_lengths: [Lengths; 2],
    /// Words and characters of replies.
    pub reply_lengths: [Lengths; 2],
    /// Whether it was stopped before the last row.
    pub is_stopped: bool,
}

/// What counts of a row.
struct Measured {
    prompt: u64,
    prompt_lengths: [u64; 2],
    reply: Option<(u64, String, [u64; 2])>,
    template: Option<String>,
}

impl Stats {
    /// Reads all rows of a file or folder, and counts; `progress` gets how many more rows were
    /// read. When `cancel` is set, it ends with what was counted so far.
    ///
    /// # Errors
    /// [`Error`] if the rows cannot be read.
    pub fn of(
        path: &Path,
        options: &Options,
        cancel: &AtomicBool,
        progress: &dyn Fn(u64),
    ) -> Result<Stats, Error> {
        let mut rows = Rows::open(path)?;
        let mut stats = Stats::new(options.memory);
        let mut batch = read(&mut rows)?;
        while !batch.is_empty() {
            if cancel.load(Ordering::Relaxed) {
                stats.is_stopped = true;
                break;
            }
            let measure = || {
                let measured = batch.par_iter().map(|row| Measured::of(&row.values, options));
                measured.collect::<Vec<_>>()
            };
            let (next, measured) = rayon::join(|| read(&mut rows), measure);
            measured.into_iter().for_each(|row| stats.add(row));
            progress(batch.len() as u64);
            batch = next?;
        }
        Ok(stats)
    }

    fn new(memory: u64) -> Stats {
        Stats {
            rows: 0,
            prompts: Distinct::new(memory),
            replies: Distinct::new(memory),
            replied: 0,
            reply_values: Values::default(),
            templates: Values::default(),
            prompt_lengths: Default::default(),
            reply_lengths: Default::default(),
            is_stopped: false,
        }
    }

    fn add(&mut self, row: Measured) {
        let Measured { prompt, prompt_lengths, reply, template } = row;
        self.rows += 1;
        self.prompts.add(prompt);
        add_lengths(&mut self.prompt_lengths, prompt_lengths);
        if let Some((hash, shown, lengths)) = reply {
            self.replied += 1;
            self.replies.add(hash);
            self.reply_values.add(hash, shown);
            add_lengths(&mut self.reply_lengths, lengths);
        }
        if let Some(template) = template {
            self.templates.add(hash(&template), template);
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let lengths = |[words, characters]: &[Lengths; 2]| {
            let [words, characters] = [words, characters].map(|lengths| lengths.json(BINS));
            json!({ "words": words, "characters": characters })
        };
        let count = |distinct: &Distinct| {
            let Count { value, is_exact, error } = distinct.count();
            json!({ "unique": value, "exact": is_exact, "error": error })
        };
        let mut replies = count(&self.replies);
        replies["rows"] = self.replied.into();
        replies["entropy"] = self.reply_values.entropy().into();
        let top = self.reply_values.top(TOP);
        replies["top"] = top.map(|top| top.iter().map(Top::json).collect::<Value>()).into();
        json!({
            "rows": self.rows,
            "prompts": count(&self.prompts),
            "replies": replies,
            "templates": self.templates.top(usize::MAX)
                .map(|all| all.iter().map(Top::json).collect::<Vec<_>>()),
            "lengths": {
                "prompt": lengths(&self.prompt_lengths),
                "reply": lengths(&self.reply_lengths),
            },
            "stopped": self.is_stopped,
        })
    }
}

impl Measured {
    fn of(row: &Map<String, Value>, options: &Options) -> Measured {
        let texts = texts(row, &options.columns);
        let reply = texts.reply.as_ref().map(|reply| {
            let shown = reply.trim();
            (hash(shown), values::shown(shown), of_text(shown))
        });
        Measured {
            prompt: hash(&texts.prompt),
            prompt_lengths: of_text(&texts.prompt),
            reply,
            template: template(row),
        }
    }
}

/// What a row says that it is of: the template, and the level if it has a column.
fn template(row: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let id = text("id").and_then(|id| id.parse::<SampleId>().ok());
    let template = id.map(|id| id.template).or_else(|| text("template").map(str::to_string))?;
    Some(match text("level") {
        Some(level) => format!("{template} · {level}"),
        None => template,
    })
}

/// Its words, between white space, and its characters.
fn of_text(text: &str) -> [u64; 2] {
    [text.split_whitespace().count() as u64, text.chars().count() as u64]
}

fn add_lengths(into: &mut [Lengths; 2], [words, characters]: [u64; 2]) {
    into[0].add(words);
    into[1].add(characters);
}

/// The first 64 bits of BLAKE3: two of 10 million texts have the same once in 400,000 data sets.
fn hash(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().expect("it has 32 bytes");
    u64::from_le_bytes(*first)
}

fn read(rows: &mut Rows) -> Result<Vec<Row>, Error> {
    rows.by_ref().take(BATCH).collect()
}
