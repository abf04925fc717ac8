//! A task made ready for a model: its rows read, and their texts as token ids.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::data;
use super::encode::{Encoded, Encoder};
use super::item::item;
use super::shots::{Shots, unfit};
use super::{Item, Kind, Metric, Settings, Task};
use crate::model::Tokenizer;
use crate::model::infer::likelihood;
use crate::rows::Row;
use crate::template::Error;

/// A task that a model can be asked.
#[derive(Debug)]
pub struct Prepared {
    /// The task.
    pub task: Task,
    /// How many shots are before each item.
    pub shots: usize,
    /// The split that they are from.
    pub shots_from: Option<String>,
    /// How many rows there are.
    pub total: usize,
    /// The items that are asked, with their rows' places.
    pub items: Vec<(Item, String)>,
    /// The shots before each.
    before: Vec<String>,
    /// How many of them were too long, so that tokens were left out at the beginning.
    pub cut: usize,
    /// In how many a choice and its context share a token.
    pub merged: usize,
    /// What a model is asked.
    pub(super) work: Work,
    /// How its rows were found.
    settings: Settings,
}

impl Prepared {
    /// The rows of its items, read again.
    ///
    /// # Errors
    /// [`Error::Input`] if they are no longer there.
    pub fn rows(&self) -> Result<Vec<Map<String, Value>>, Error> {
        let mut rows = Vec::new();
        data::each_row(&self.task, &self.settings, &mut |row, _| {
            if rows.len() < self.items.len() {
                rows.push(row.values);
            }
        })?;
        Ok(rows)
    }

    /// What a model reads of an item, and what it is scored on or how its reply ends, under the
    /// names of lm-evaluation-harness.
    pub(super) fn arguments(&self, at: usize) -> Value {
        let (item, task) = (&self.items[at].0, &self.task);
        let whole = |context: &str| [&self.before[at], context].concat();
        let all: Vec<Value> = match &task.kind {
            Kind::Choice(_) => item
                .pairs()
                .map(|(context, choice)| {
                    let choice = [&task.delimiter, choice].concat();
                    json!({ "arg_0": whole(context), "arg_1": choice })
                })
                .collect(),
            Kind::Generate { until, tokens_max } => {
                let ends = json!({ "until": until, "max_gen_toks": tokens_max });
                vec![json!({ "arg_0": whole(&item.contexts[0]), "arg_1": ends })]
            }
        };
        all.into_iter().enumerate().map(|(at, one)| (format!("gen_args_{at}"), one)).collect()
    }
}

/// What a model is asked.
#[derive(Debug)]
pub enum Work {
    /// The choices of each item; then, if it is measured, those without the question.
    Choices(Vec<likelihood::Item>),
    /// The texts that are continued.
    Prompts(Vec<Vec<u32>>),
}

/// Reads a task's rows, for a model of that tokenizer and number of tokens at most.
///
/// # Errors
/// [`Error::Input`] if the rows are not there, are not what the task's file says, or have no ids.
pub fn prepare(
    task: Task,
    settings: &Settings,
    tokenizer: &Tokenizer,
    tokens_max: usize,
) -> Result<Prepared, Error> {
    let limit = settings.limit.map_or(usize::MAX, |limit| limit as usize);
    let (mut rows, mut total) = (Vec::new(), 0);
    // Rows that are not asked may still be shots.
    let kept = if settings.shots > 0 { usize::MAX } else { limit };
    data::each_row(&task, settings, &mut |row, place| {
        total += 1;
        if rows.len() < kept {
            rows.push((row, place));
        }
    })?;
    let mut shots = Shots::new(&task, settings, &rows)?;
    let shots_from = shots.as_ref().map(|shots| shots.split.clone());
    let asked = &rows[..rows.len().min(limit)];
    let items = in_order(asked, |(row, place)| {
        item(&task, &row.values).map_err(|error| unfit(&task, place, &error))
    })?;
    expect_two(&task, &items, asked)?;
    let mut all = Vec::new();
    for (index, (item, (_, place))) in items.iter().zip(asked).enumerate() {
        let before = shots.as_mut().map_or(Ok(String::new()), |shots| shots.before(index))?;
        all.push(Asked { item, before, place });
    }
    let encoder = Encoder::new(tokenizer, tokens_max);
    let cut;
    let mut merged = 0;
    let work = match &task.kind {
        Kind::Generate { tokens_max: room, .. } => {
            let prompts = in_order(&all, |asked| {
                let text = [&asked.before, &*asked.item.contexts[0]].concat();
                asked.placed(encoder.prompt(&text, *room))
            })?;
            cut = prompts.iter().filter(|(_, is_cut)| *is_cut).count();
            Work::Prompts(prompts.into_iter().map(|(ids, _)| ids).collect())
        }
        Kind::Choice(_) => {
            let mut choices = in_order(&all, |asked| {
                asked.placed(encoder.choices(&asked.before, &task.delimiter, asked.item))
            })?;
            let any = |is: fn(&Encoded) -> bool| {
                choices.iter().filter(|choices| choices.iter().any(is)).count()
            };
            cut = any(|one| one.is_cut);
            merged = any(|one| one.is_merged);
            choices.extend(unconditional(&task, &all, &encoder)?);
            Work::Choices(choices.into_iter().map(requests).collect())
        }
    };
    let before = all.into_iter().map(|asked| asked.before).collect();
    let places = asked.iter().map(|(_, place)| place.clone());
    let items = items.into_iter().zip(places).collect();
    let (shots, settings) = (settings.shots, settings.clone());
    Ok(Prepared { task, shots, shots_from, total, items, before, cut, merged, work, settings })
}

/// F1 of choices is that of the second of two.
fn expect_two(task: &Task, items: &[Item], rows: &[(Row, String)]) -> Result<(), Error> {
    let is_measured = matches!(task.kind, Kind::Choice(_)) && task.metrics.contains(&Metric::F1);
    let odd = items.iter().position(|item| is_measured && item.pairs().count() != 2);
    odd.map_or(Ok(()), |at| {
        let (place, count) = (&rows[at].1, items[at].pairs().count());
        Err(Error::Input(format!(
            "{place}: `f1` is that of the second of two choices, and this item has {count}: leave \
             it out of `metrics` in {}",
            task.file
        )))
    })
}

/// An item with what is before it.
struct Asked<'a> {
    item: &'a Item,
    /// The shots.
    before: String,
    place: &'a str,
}

impl Asked<'_> {
    /// What was made of it, or the error with its place.
    fn placed<T>(&self, made: Result<T, String>) -> Result<T, Error> {
        made.map_err(|why| Error::Input(format!("{}: {why}", self.place)))
    }
}

/// The choices of all items without the question, if that is measured.
fn unconditional(
    task: &Task,
    all: &[Asked],
    encoder: &Encoder,
) -> Result<Vec<Vec<Encoded>>, Error> {
    let Kind::Choice(choice) = &task.kind else { return Ok(Vec::new()) };
    let is_measured = task.metrics.contains(&Metric::AccUncond);
    let Some(context) = choice.unconditional.as_ref().filter(|_| is_measured) else {
        return Ok(Vec::new());
    };
    in_order(all, |asked| {
        let item = Item { contexts: vec![context.clone()], ..asked.item.clone() };
        asked.placed(encoder.choices("", &task.delimiter, &item))
    })
}

fn requests(choices: Vec<Encoded>) -> likelihood::Item {
    likelihood::Item { requests: choices.into_iter().map(|choice| choice.request).collect() }
}

/// `make` of each on all cores, in order; or the first error.
fn in_order<T: Sync, Made: Send>(
    all: &[T],
    make: impl Fn(&T) -> Result<Made, Error> + Sync + Send,
) -> Result<Vec<Made>, Error> {
    let made: Vec<Result<Made, Error>> = all.par_iter().map(make).collect();
    made.into_iter().collect()
}
