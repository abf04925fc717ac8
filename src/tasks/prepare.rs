//! A task made ready for a model: its rows read, and their texts as token ids.

use rayon::prelude::*;

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
    /// How many of them were too long, so that tokens were left out at the beginning.
    pub cut: usize,
    /// In how many a choice and its context share a token.
    pub merged: usize,
    /// What a model is asked.
    pub(super) work: Work,
}

/// What a model is asked.
#[derive(Debug)]
pub enum Work {
    /// The choices of each item; then, if it is measured, those without the question.
    Choices(Vec<likelihood::Item>),
    /// The texts that are continued.
    Prompts(Vec<Vec<u32>>),
}

/// Reads a task's rows, for a model of that tokenizer that reads so many tokens.
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
    let mut before = Vec::new();
    for index in 0..items.len() {
        before.push(shots.as_mut().map_or(Ok(String::new()), |shots| shots.before(index))?);
    }
    drop(shots);
    let encoder = Encoder::new(tokenizer, tokens_max);
    let all: Vec<(&Item, &String, &(Row, String))> =
        items.iter().zip(&before).zip(asked).map(|((a, b), c)| (a, b, c)).collect();
    let (mut cut, mut merged) = (0, 0);
    let at = |place: &str, why: String| Error::Input(format!("{place}: {why}"));
    let work = match &task.kind {
        Kind::Generate { tokens_max: room, .. } => {
            let prompts = in_order(&all, |(item, before, (_, place))| {
                let text = [before.as_str(), &item.contexts[0]].concat();
                encoder.prompt(&text, *room).map_err(|why| at(place, why))
            })?;
            cut = prompts.iter().filter(|(_, is_cut)| *is_cut).count();
            Work::Prompts(prompts.into_iter().map(|(ids, _)| ids).collect())
        }
        Kind::Choice(choice) => {
            let choices = in_order(&all, |(item, before, (_, place))| {
                encoder.choices(before, &task.delimiter, item).map_err(|why| at(place, why))
            })?;
            let any = |is: fn(&Encoded) -> bool| {
                choices.iter().filter(|choices| choices.iter().any(is)).count()
            };
            (cut, merged) = (any(|one| one.is_cut), any(|one| one.is_merged));
            let mut asked = choices;
            let wants = task.metrics.contains(&Metric::AccUncond);
            if let Some(context) = choice.unconditional.as_ref().filter(|_| wants) {
                asked.extend(in_order(&all, |(item, _, (_, place))| {
                    let item = Item { contexts: vec![context.clone()], ..(*item).clone() };
                    encoder.choices("", &task.delimiter, &item).map_err(|why| at(place, why))
                })?);
            }
            Work::Choices(asked.into_iter().map(requests).collect())
        }
    };
    let places = asked.iter().map(|(_, place)| place.clone());
    let items = items.into_iter().zip(places).collect();
    Ok(Prepared { task, shots: settings.shots, shots_from, total, items, cut, merged, work })
}

fn requests(choices: Vec<Encoded>) -> likelihood::Item {
    likelihood::Item { requests: choices.into_iter().map(|choice| choice.request).collect() }
}

/// `make` of each on all cores, in order; or the first error.
fn in_order<T: Sync, Made: Send>(
    all: &[T],
    make: impl Fn(&T) -> Result<Made, Error> + Sync,
) -> Result<Vec<Made>, Error> {
    let made: Vec<Result<Made, Error>> = all.par_iter().map(make).collect();
    made.into_iter().collect()
}
