//! The end of a run: the model on disk, the report, and the table for the terminal.

use std::path::Path;

use anyhow::Result;

use super::folder::Folder;
use super::judging::HeldOut;
use super::memory;
use super::metrics::Past;
use super::setup::Setup;
use super::texts::Text;
use crate::eval::report::{Comparison, Example, Facts, OfTask, OfText, Report, Scores};
use crate::eval::{self, Answer, page};
use crate::model::{self, Model, io, lora};
use crate::recipe::Base;
use crate::tasks::Summary;
use crate::template::Error;

/// Samples of each template that the page shows.
const EXAMPLES: usize = 6;

/// Writes the trained weights into a folder: adapters in PEFT's format, or all of the model.
pub fn save_model(setup: &Setup, folder: &Path, model: &Model) -> Result<()> {
    match &setup.recipe.lora {
        Some(lora) => {
            let base = match &setup.recipe.model.base {
                // PEFT looks for a model of the hub under its plain name.
                Base::Folder(folder) => model::plain_name(&folder.path).to_string(),
                // The weights beneath are made again from the recipe; they go with the adapter.
                Base::Scratch(_) => {
                    let path = folder.join("model");
                    io::save(model, &path)?;
                    setup.tokenizer.save(&path)?;
                    path.to_string_lossy().into_owned()
                }
            };
            lora::save(model, lora, &base, &folder.join("adapter"))?;
        }
        None => {
            let path = folder.join("model");
            io::save(model, &path)?;
            let learned = [&setup.ends.of_format()[..], &setup.closing].concat();
            setup.tokenizer.clone().ended_by(&learned)?.save(&path)?;
        }
    }
    Ok(())
}

/// What a run came to.
pub struct Outcome {
    /// The answers before training, those of each template.
    pub before: Vec<Vec<Answer>>,
    /// The answers after it.
    pub after: Vec<Vec<Answer>>,
    /// The figures of tasks with known answers, before it and after it.
    pub asked: [Vec<Summary>; 2],
    /// How many rows of each text its samples were.
    pub taken: Vec<u64>,
    /// What it did.
    pub facts: Facts,
    /// Its steps.
    pub past: Past,
}

/// Writes the report.
pub fn report(
    setup: &Setup,
    folder: &Folder,
    held_out: &HeldOut,
    outcome: Outcome,
) -> Result<Report, Error> {
    let Outcome { before, after, asked, taken, facts, past } = outcome;
    let mut templates = Vec::new();
    let mut lines = String::new();
    for (at, part) in setup.dataset.parts.iter().enumerate() {
        let (mut one, examples) = compare(setup, held_out, at, &before[at], &after[at]);
        for example in &examples {
            lines += &serde_json::to_string(example).expect("texts and numbers are JSON");
            lines.push('\n');
        }
        one.examples = examples.into_iter().take(EXAMPLES).collect();
        one.rules = eval::rules(part);
        templates.push(one);
    }
    folder.write("samples.jsonl", &lines)?;
    let seconds = setup.begun.elapsed().as_secs_f64();
    let report = Report {
        name: setup.name.clone(),
        templates,
        tasks: of_tasks(setup, &asked),
        texts: of_texts(setup, &taken),
        facts: Facts { seconds, peak_memory_bytes: memory::peak(), ..facts },
        losses: past.losses,
        seeds: [setup.recipe.data.seed, setup.recipe.train.seed],
        recipe: setup.text.clone(),
        changes: past.changes,
    };
    folder.write("report.html", &page::html(&report))?;
    folder.write("report.json", &report.json())?;
    Ok(report)
}

/// Each metric of each task with known answers.
fn of_tasks(setup: &Setup, [before, after]: &[Vec<Summary>; 2]) -> Vec<OfTask> {
    let mut all = Vec::new();
    for (prepared, (before, after)) in setup.tasks.iter().zip(before.iter().zip(after)) {
        for (before, after) in before.scores.iter().zip(&after.scores) {
            all.push(OfTask {
                task: prepared.task.name.clone(),
                items: prepared.items.len(),
                metric: before.metric.name().to_string(),
                before: before.mean,
                before_stderr: before.error,
                after: after.mean,
                after_stderr: after.error,
            });
        }
    }
    all
}

/// The texts, and how much of them was trained on.
fn of_texts(setup: &Setup, taken: &[u64]) -> Vec<OfText> {
    let of_text = |(text, taken): (&Text, &u64)| OfText {
        file: text.name.clone(),
        rows: text.rows.len(),
        tokens: text.tokens,
        cut: text.cut,
        left_out: text.left_out.count(),
        taken: *taken,
    };
    setup.texts.iter().zip(taken).map(of_text).collect()
}

fn compare(
    setup: &Setup,
    held_out: &HeldOut,
    at: usize,
    before: &[Answer],
    after: &[Answer],
) -> (Comparison, Vec<Example>) {
    let part = &setup.dataset.parts[at];
    let rules = eval::rules(part);
    let (template, level) = (part.sampler.program().name.clone(), part.sampler.level().to_string());
    let with_set: Vec<String> = std::iter::once(level.clone()).chain(setup.set_of(at)).collect();
    let answers = held_out.questions[at].iter().zip(before.iter().zip(after));
    let examples = answers.map(|(asked, (before, after))| Example {
        template: template.clone(),
        level: level.clone(),
        index: asked.index,
        prompt: asked.prompt.clone(),
        reply: asked.made.clone(),
        before: before.reply.clone(),
        score_before: before.verdict.mean(),
        after: after.reply.clone(),
        score_after: after.verdict.mean(),
        unreadable_after: after.verdict.unreadable.as_ref().map(|why| why.to_string()),
    });
    let examples = examples.collect();
    let comparison = Comparison {
        template,
        level: with_set.join(", "),
        samples: before.len(),
        before: Scores::of(before, rules.len()),
        after: Scores::of(after, rules.len()),
        rules,
        examples: Vec::new(),
    };
    (comparison, examples)
}
