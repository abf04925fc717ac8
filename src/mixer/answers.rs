//! What a model answers to the items of the target tasks, and how often it is right.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::model::Model;
use crate::run::judging::{HeldOut, ask_all};
use crate::run::{Observer, Setup};
use crate::tasks::{Kind, Prepared, Summary};
use crate::template::Error;

/// The version of the files that answers are kept in; others are asked again.
const VERSION: u32 = 3;

/// A model's answers to the items of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The task's name, or the template's with its level.
    pub target: String,
    /// Whether a template's rules say what is right, and no labels are needed.
    pub by_rules: bool,
    /// Among how many options it chose; 0 where it wrote.
    pub options: usize,
    /// What the options are called, where they are the same in all items.
    pub labels: Option<Vec<String>>,
    /// The number of the option that it chose, or what it wrote.
    pub given: Vec<String>,
    /// How right each answer is, from 0 to 1.
    pub right: Vec<f64>,
}

/// A file of answers to one target.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    answers: Answers,
}

/// What a learned mixture is for.
#[derive(Debug)]
pub struct Targets {
    /// Tasks with known answers.
    pub tasks: Vec<Prepared>,
    /// The templates that are not trained on, by number.
    pub templates: Vec<usize>,
    /// The number of samples of each.
    pub samples: u64,
}

impl Targets {
    /// How many there are: the tasks, then the templates.
    pub fn count(&self) -> usize {
        self.tasks.len() + self.templates.len()
    }

    /// The task of that number, or the number of the template.
    pub fn at(&self, number: usize) -> Result<&Prepared, usize> {
        self.tasks.get(number).ok_or_else(|| self.templates[number - self.tasks.len()])
    }

    /// Asks a model one of them.
    pub fn ask(
        &self,
        number: usize,
        (setup, model): (&Setup, &Model),
        observer: &Observer,
    ) -> Result<Answers, Error> {
        let template = match self.at(number) {
            Ok(task) => {
                let asked = std::slice::from_ref(task);
                let summaries = ask_all(setup, asked, model, (&task.task.name, observer))?;
                return Ok(of_task(task, &summaries[0]));
            }
            Err(template) => template,
        };
        let count = |at: usize| if at == template { self.samples } else { 0 };
        let target = named(setup, template);
        let judged = HeldOut::of(setup, &count)?.judge(model, &target, observer)?;
        let answers = &judged[template];
        let right = answers.iter().map(|one| f64::from(u8::from(one.verdict.exact())));
        Ok(Answers {
            target,
            by_rules: true,
            options: 0,
            labels: None,
            given: answers.iter().map(|one| one.reply.clone()).collect(),
            right: right.collect(),
        })
    }
}

/// A template of a recipe by its number, as it is called in tables: with its level and settings.
pub fn named(setup: &Setup, at: usize) -> String {
    let sampler = &setup.dataset.parts[at].sampler;
    let level = Some(sampler.level()).filter(|level| !["", "default"].contains(level));
    let settings: Vec<String> =
        level.map(str::to_string).into_iter().chain(setup.set_of(at)).collect();
    let name = &sampler.program().name;
    if settings.is_empty() { name.clone() } else { format!("{name} ({})", settings.join(", ")) }
}

fn of_task(asked: &Prepared, summary: &Summary) -> Answers {
    let main = asked.task.main.name();
    let chosen = format!("prediction_{main}");
    let choices: Vec<usize> = asked.items.iter().map(|(item, _)| item.choices().len()).collect();
    let is_choice = matches!(asked.task.kind, Kind::Choice(_));
    let given = summary.lines.iter().map(|line| match is_choice {
        true => line[&chosen].to_string(),
        false => line["filtered_resps"][0].as_str().unwrap_or_default().to_string(),
    });
    // Names of options that differ from item to item are their numbers, and say nothing.
    let labels = summary.labels.as_ref().map(|labels| labels.names.clone());
    let labels =
        labels.filter(|names| names.iter().enumerate().any(|(at, name)| *name != at.to_string()));
    let right = summary.lines.iter().map(|line| line[main].as_f64().unwrap_or(0.0));
    Answers {
        target: asked.task.name.clone(),
        by_rules: false,
        options: if is_choice { choices.into_iter().max().unwrap_or(0) } else { 0 },
        labels,
        given: given.collect(),
        right: right.collect(),
    }
}

/// The answers that a file keeps; none if there is none, or another version wrote it.
pub fn read(path: &Path) -> Option<Answers> {
    let text = std::fs::read_to_string(path).ok()?;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    (kept.version == VERSION).then_some(kept.answers)
}

/// Keeps answers in a file.
pub fn write(path: &Path, answers: &Answers) -> Result<(), Error> {
    let kept = Kept { version: VERSION, answers: answers.clone() };
    let text = serde_json::to_string(&kept).expect("texts and numbers are JSON");
    let written = disk::write(path, text.as_bytes());
    Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
}
