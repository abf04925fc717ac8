//! Solved items before an item, drawn from other rows.

use std::collections::BTreeMap;

use super::data;
use super::field::Unreadable;
use super::item::item;
use super::{Settings, Task};
use crate::rows::Row;
use crate::runtime::random::{self, RunKey};
use crate::template::Error;

/// Splits that shots come from, the first that there is: as of lm-evaluation-harness, but for the
/// rows that are evaluated themselves.
const SPLITS: [&str; 2] = ["train", "validation"];

/// What shots are drawn from.
pub struct Shots<'a> {
    task: &'a Task,
    rows: Vec<(Row, String)>,
    /// Where these rows are from.
    pub split: String,
    /// Whether they are the rows that are evaluated: then none is its own shot.
    is_own: bool,
    count: usize,
    key: [u64; 4],
    texts: BTreeMap<usize, String>,
}

impl<'a> Shots<'a> {
    /// For a task; none if there are no shots.
    pub fn new(
        task: &'a Task,
        settings: &Settings,
        own: &[(Row, String)],
    ) -> Result<Option<Shots<'a>>, Error> {
        let count = settings.shots;
        if count == 0 {
            return Ok(None);
        }
        let mut rows = Vec::new();
        let mut found = None;
        for split in SPLITS {
            let mut keep = |row, place| rows.push((row, place));
            if data::each_row_of_split(task, settings, split, &mut keep)? {
                found = Some(split);
                break;
            }
        }
        let is_own = found.is_none();
        if is_own {
            rows = own.to_vec();
        }
        if rows.len() < count + usize::from(is_own) {
            return Err(Error::Input(format!(
                "{} has {} rows to take shots from, and {count} are asked for: write a smaller \
                 `--shots`",
                task.name,
                rows.len() - usize::from(is_own).min(rows.len())
            )));
        }
        let key = RunKey::new(&task.name, "", "shots", settings.seed).stream("shots");
        let split = found.unwrap_or("the evaluated rows").to_string();
        Ok(Some(Shots { task, rows, split, is_own, count, key, texts: BTreeMap::new() }))
    }

    /// The text before an item.
    pub fn before(&mut self, index: usize) -> Result<String, Error> {
        let mut stream = random::start(&self.key, index as u64);
        let mut chosen: Vec<usize> = Vec::with_capacity(self.count);
        while chosen.len() < self.count {
            let at = stream.below_wide(self.rows.len() as u64) as usize;
            let is_itself = self.is_own && at == index;
            if !is_itself && !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        let mut before = String::new();
        for at in chosen {
            if !self.texts.contains_key(&at) {
                let text = self.text(at)?;
                self.texts.insert(at, text);
            }
            before += &self.texts[&at];
        }
        Ok(before)
    }

    fn text(&self, at: usize) -> Result<String, Error> {
        let (row, place) = &self.rows[at];
        let solved = item(self.task, &row.values);
        let solved = solved.map_err(|error| unfit(self.task, place, &error))?;
        let (context, answer) = solved.solved();
        Ok([context, &self.task.delimiter, answer, &self.task.shots_delimiter].concat())
    }
}

/// The error of a row that is no item.
pub fn unfit(task: &Task, place: &str, error: &Unreadable) -> Error {
    let Unreadable { line, text } = error;
    Error::Input(format!("{place}: {text} ({}, line {line})", task.file))
}
