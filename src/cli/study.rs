//! `cookc study`: do the rules of templates carry over to other tasks, and to right answers?

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::options::{self, Format};
use super::run::screen::Screen;
use super::{Failure, console};
use crate::disk;
use crate::ops::cpu::heap;
use crate::run::{Event, Observer};
use crate::study::{self, OfRecipe, Report, signed};

const HELP: &str = r#"Examples:
  cookc study recipe.toml
  cookc study smollm2.toml small.toml tiny.toml --seeds 3 -o study
  cookc study recipe.toml --json

Each recipe is a model with its templates and tasks. Its arms are trained: each template alone, its
mixture, equal weights, and the controls, shuffled replies and natural text (`arms` below [study]
says which). All are asked the tasks of [eval.tasks], and held-out samples of every template. The
pairs of [[study.align]] say which template's rules score which task. Then changes in alignment are
set against changes in accuracy, over all recipes.

DIR/report.html and DIR/study.json hold all of it, every number with its interval; DIR/items.jsonl
has each item. Runs are kept and found again, as of `cookc mix`: a second call trains nothing, and
Ctrl-C loses no more than the steps since a checkpoint.

--json prints study.json: {"version", "cookc", "findings": [sentence], "correlations": [{"over",
"about", "cells", "models", "pearson", "spearman", "refusal"}], "recipes": [{"name", "base",
"seeds", "obeyed", "models", "targets", "accuracy", "alignment", "cells", "labels", "english"}]}.
The book's page of this command says what is in each."#;

/// Study whether the rules of templates carry over to tasks, with controls
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Study {
    /// The recipes, one a model
    #[arg(value_name = "RECIPE", required = true)]
    recipes: Vec<PathBuf>,
    /// The folder of report.html, study.json and items.jsonl [default: runs/NAME-study]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seeds of each recipe, from its own on
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=64))]
    seeds: u64,
    /// Human-readable text, or JSON for programs
    #[arg(long, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Studies, writes the page, and prints a summary.
pub fn run(command: &Study) -> Result<(), Failure> {
    heap::keep();
    let screen = Screen::default();
    let event = |event: Event| screen.show(event);
    let cancel = options::interrupt()?;
    let observer = Observer { cancel, event: &event, stuck: |_| {} };
    if let Some(out) = &command.out {
        options::folder(out)?;
    }
    let report = study::study(&command.recipes, command.seeds, &observer)?;
    let folder = command.out.clone().unwrap_or_else(|| {
        let name = report.recipes.first().map_or("recipe", |one| one.name.as_str());
        Path::new("runs").join(format!("{name}-study"))
    });
    let json = report.json();
    let page = study::html(&report);
    for (name, text) in
        [("items.jsonl", &report.items), ("study.json", &json), ("report.html", &page)]
    {
        let cannot = || format!("cannot write {}", folder.join(name).display());
        std::fs::create_dir_all(&folder).with_context(cannot)?;
        disk::write(&folder.join(name), text.as_bytes()).with_context(cannot)?;
    }
    match command.json || command.format == Format::Json {
        true => console::data(&json),
        false => console::print(&text(&report, &folder)),
    }
}

/// The accuracies, and what was found.
fn text(report: &Report, folder: &Path) -> String {
    let mut text: String = report.recipes.iter().map(accuracies).collect();
    for finding in &report.findings {
        text += &format!("- {finding}\n");
    }
    text + &format!("{}\n", folder.join("report.html").display())
}

/// A line a model, a column a target.
fn accuracies(of: &OfRecipe) -> String {
    let mut header = vec![of.name.as_str()];
    header.extend(of.targets.iter().map(|target| target.name.as_str()));
    let mut table = console::table(&header);
    for model in &of.models {
        let mut row = vec![model.name.clone()];
        for target in &of.targets {
            let found = of.accuracy.iter();
            let found =
                found.into_iter().find(|one| one.model == model.name && one.target == target.name);
            row.push(match found {
                None => String::new(),
                Some(one) => match &one.change {
                    None => format!("{:.3}", one.accuracy.value),
                    Some(change) => signed(change),
                },
            });
        }
        table.add_row(row);
    }
    format!("{table}\n\n")
}
