//! Which template's rules score which task, held against both before anything is trained.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::english::{self, English};
use crate::align::{Items, Unscored};
use crate::diagnostic::{Diagnostic, near_miss};
use crate::mixer::answers::Answers;
use crate::recipe;
use crate::run::Setup;
use crate::source::{Source, Span};
use crate::tasks::{Gold, Item, Prepared};
use crate::template::{self, Error};

/// Rows that a thread scores before it takes others.
const ROWS_TOGETHER: usize = 16;

/// A template whose rules score a task.
pub struct Pair {
    /// The template, by number.
    pub template: usize,
    /// The task, by number.
    pub task: usize,
    /// The rules by name.
    pub rules: Vec<String>,
    /// The score of each item's right answer; none where the row has no score.
    pub right: Vec<Option<f64>>,
    /// Why the first row without a score has none, and how many have none.
    pub unscored: Option<(String, usize)>,
    items: Items,
    rows: Vec<Map<String, Value>>,
}

/// What a recipe is studied with.
pub struct Asked {
    /// Rules on tasks.
    pub pairs: Vec<Pair>,
    /// Plain English.
    pub english: Option<English>,
}

/// What a recipe says, checked; `tasks` are its own.
///
/// # Errors
/// [`Error::Invalid`] with each error at its place in the recipe.
pub fn asked(path: &std::path::Path, setup: &Setup, tasks: &[Prepared]) -> Result<Asked, Error> {
    let study = &setup.recipe.study;
    let mut errors = Vec::new();
    let mut pairs = Vec::new();
    for asked in &study.align {
        match pair(asked, setup, tasks) {
            Ok(pair) if pairs.iter().any(|one: &Pair| one.is_of(&pair)) => {
                let (of, task) = (&asked.template.path, &asked.task.path);
                let title = format!("the rules of `{of}` are held against `{task}` twice");
                let help = "leave one `[[study.align]]` out".to_string();
                errors.push(Diagnostic::error("E708", title, asked.task.span, "again").help(help));
            }
            Ok(pair) => pairs.push(pair),
            Err(Stop::Wrong(error)) => errors.push(*error),
            Err(Stop::Other(error)) => return Err(error),
        }
    }
    let english = study.english.as_ref().map(|asked| english::read(asked, setup)).transpose();
    let english = english.unwrap_or_else(|error| {
        errors.push(*error);
        None
    });
    if errors.is_empty() {
        return Ok(Asked { pairs, english });
    }
    errors.sort_by_key(Diagnostic::span);
    let source = Source::new(path.to_string_lossy(), template::text_of(path)?);
    Err(Error::invalid(&source, errors))
}

/// Why there is no pair.
enum Stop {
    Wrong(Box<Diagnostic>),
    Other(Error),
}

fn wrong(title: String, span: Span, help: String) -> Stop {
    Stop::Wrong(Box::new(Diagnostic::error("E708", title, span, "this pair").help(help)))
}

fn pair(asked: &recipe::Pair, setup: &Setup, tasks: &[Prepared]) -> Result<Pair, Stop> {
    let wanted = &asked.template;
    let names = || setup.recipe.templates.iter().map(|entry| entry.file.path.as_str());
    let template = names().position(|name| name == wanted.path).ok_or_else(|| {
        let title = format!("the recipe has no template `{}`", wanted.path);
        wrong(title, wanted.span, hint(&wanted.path, names(), "[[template]]"))
    })?;
    let wanted = &asked.task;
    let names = || tasks.iter().map(|one| one.task.name.as_str());
    let is = |one: &Prepared| one.task.name == wanted.path || one.task.file == wanted.path;
    let task = tasks.iter().position(is).ok_or_else(|| {
        let title = format!("the recipe has no task `{}`", wanted.path);
        wrong(title, wanted.span, hint(&wanted.path, names(), "[eval.tasks]"))
    })?;
    let rows = tasks[task].rows().map_err(Stop::Other)?;
    let columns: BTreeSet<&String> = rows.iter().flat_map(Map::keys).collect();
    let columns: Vec<String> = columns.into_iter().cloned().collect();
    let sampler = &setup.dataset.parts[template].sampler;
    let name = &tasks[task].task.name;
    let items = Items::new(sampler, &asked.map, (&columns, name)).map_err(|error| {
        let (map, of) = (asked.span, &sampler.program().name);
        let error = error.to_string();
        let (title, help) = error.split_once(": ").unwrap_or((&error, ""));
        wrong(format!("{of} and {name}: {title}"), map, help.to_string())
    })?;
    let mut pair = Pair {
        template,
        task,
        rules: items.rules(),
        right: Vec::new(),
        unscored: None,
        items,
        rows,
    };
    let scored = pair.scored(&tasks[task], &[]);
    let mut reasons = scored.iter().filter_map(|one| one.as_ref().err());
    let first = reasons.next().map(Unscored::to_string);
    pair.unscored = first.map(|why| (why, 1 + reasons.count()));
    pair.right = scored.into_iter().map(|one| one.ok().map(|scores| scores[0])).collect();
    if pair.right.iter().all(Option::is_none) {
        let why = pair.unscored.map_or("it has no row".to_string(), |(why, _)| why);
        let title = format!("no row of {name} has a score: {why}");
        let help = "write other columns in its `map`".to_string();
        return Err(wrong(title, asked.span, help));
    }
    Ok(pair)
}

fn hint<'a>(wanted: &str, names: impl Iterator<Item = &'a str> + Clone, table: &str) -> String {
    match near_miss(wanted, names.clone()) {
        Some(near) => format!("write `{near}`"),
        None => {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            match names.is_empty() {
                true => format!("name it below `{table}`"),
                false => format!("it has {}: name it below `{table}`", names.join(", ")),
            }
        }
    }
}

impl Pair {
    /// Whether it is of the same template and task.
    fn is_of(&self, other: &Pair) -> bool {
        (self.template, self.task) == (other.template, other.task)
    }

    /// The score of each of a model's answers; none where the row has none.
    pub fn score(&self, task: &Prepared, answers: &Answers) -> Vec<Option<f64>> {
        let scored = self.scored(task, &[answers]);
        scored.into_iter().map(|one| one.ok().map(|scores| scores[1])).collect()
    }

    /// The scores of each item's right answer and of models' answers.
    fn scored(&self, task: &Prepared, models: &[&Answers]) -> Vec<Result<Vec<f64>, Unscored>> {
        let all: Vec<usize> = (0..self.rows.len().min(task.items.len())).collect();
        let some = all.par_chunks(ROWS_TOGETHER).flat_map_iter(|some| {
            let mut room = self.items.room();
            let one = |at: &usize| {
                let item = &task.items[*at].0;
                let given: Vec<&str> =
                    models.iter().map(|model| said(item, &model.given[*at])).collect();
                self.items.score(&self.rows[*at], (right(item), &given), &mut room)
            };
            some.iter().map(one).collect::<Vec<_>>()
        });
        some.collect()
    }
}

/// The text of an item's right answer.
fn right(item: &Item) -> &str {
    match &item.gold {
        Gold::Choice(at) => &item.choices()[*at],
        Gold::Replies(replies) => replies.first().map_or("", String::as_str),
    }
}

/// The text of what was chosen, or what was written.
fn said<'a>(item: &'a Item, given: &'a str) -> &'a str {
    match &item.gold {
        Gold::Choice(_) => {
            let chosen = given.parse::<usize>().ok().and_then(|at| item.choices().get(at));
            chosen.map_or("", String::as_str)
        }
        Gold::Replies(_) => given,
    }
}
