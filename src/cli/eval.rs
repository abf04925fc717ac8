//! `cookc eval`: public tasks and the user's own, with the metrics of lm-evaluation-harness.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use candle_core::DType;
use clap::{Args, ValueEnum};

use super::console;
use super::progress::Progress;
use super::{Failure, options, reading};
use crate::disk;
use crate::model::{self, Model, Tokenizer, io, lora, walk};
use crate::ops::cpu::heap;
use crate::run::reading::{Inputs, Trained};
use crate::tasks::kept::Kept;
use crate::tasks::results::{self, Done, Subject};
use crate::tasks::{self, Prepared, Responses, Settings, Style, Summary, Task};

const HELP: &str = "\
Examples:
  cookc eval models/SmolLM2 --tasks gpt4all --data target/tasks -o before
  cookc eval models/SmolLM2 --adapter runs/first/adapter --tasks boolq,piqa --limit 200
  cookc eval runs/first --tasks facts.toml --json

MODEL is a folder with config.json, model.safetensors and tokenizer.json, a .gguf file, hf:ORG/NAME,
or the folder of a run. The tasks that are built in are arc_easy, arc_challenge, boolq, hellaswag,
openbookqa, piqa and winogrande; gpt4all is all seven. `scripts/get-tasks.sh DIR` fetches their data
sets. A task of your own is a TOML file: see docs/tasks.md.

-o writes DIR/results.json, in the layout of lm-evaluation-harness, and DIR/samples_TASK.jsonl, a
line an item: what the model read, its log-likelihoods or reply, what was chosen, what is right, and
by what margin. An evaluation that was stopped leaves DIR/unfinished.json: the same command goes on
from there.";

/// Evaluate a model on public tasks, or on tasks of your own
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Eval {
    /// The model: a folder, a .gguf file, hf:ORG/NAME, or a run's folder
    #[arg(value_name = "MODEL")]
    model: String,
    /// What it has learned: an adapter in PEFT's format
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// The tasks: gpt4all, names and files, separated by commas
    #[arg(long, value_name = "LIST")]
    tasks: String,
    /// The first N items of each task only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Solved items before each item (few-shot examples)
    #[arg(long, value_name = "K", default_value_t = 0, visible_alias = "num_fewshot")]
    shots: u8,
    /// Which items these are
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Whose wording of the tasks
    #[arg(long, value_name = "STYLE", default_value = "lm-eval")]
    style: Style,
    /// The folder with copies of data sets [default: the variable COOKC_TASKS]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write results.json and samples_TASK.jsonl into this folder
    #[arg(short, long, value_name = "DIR", visible_alias = "output_path")]
    out: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// The type of the weights in memory
    #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = ["f32", "bf16", "f16"])]
    dtype: String,
    /// Where to compute
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    #[arg(value_parser = ["auto", "cpu", "cuda"])]
    device: String,
}

impl ValueEnum for Style {
    fn value_variants<'a>() -> &'a [Style] {
        &[Style::LmEval, Style::Olmes]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let help = match self {
            Style::LmEval => "As lm-evaluation-harness 0.4.13",
            Style::Olmes => "As OLMES, but for its five fixed shots",
        };
        Some(clap::builder::PossibleValue::new(self.name()).help(help))
    }
}

/// Reads tasks and model, asks, and reports.
pub fn run(command: &Eval) -> Result<(), Failure> {
    heap::keep();
    let cancel = options::interrupt()?;
    let tasks = tasks::named(&command.tasks, command.style)?;
    let variable = || std::env::var_os(tasks::FOLDER).filter(|it| !it.is_empty());
    let settings = Settings {
        limit: command.limit,
        shots: command.shots.into(),
        seed: command.seed,
        style: command.style,
        folder: command.data.clone().or_else(|| variable().map(PathBuf::from)),
    };
    if let Some(out) = &command.out {
        options::folder(out)?;
    }
    let at_error = |error: anyhow::Error| Failure::Input(format!("{error:#}"));
    let trained = Trained::find(&command.model, command.adapter.as_deref()).map_err(at_error)?;
    let inputs = Inputs::of(std::iter::once(&trained.base).chain(&trained.adapter));
    let config = io::load_config(&trained.base).map_err(at_error)?;
    let tokenizer = Tokenizer::load(&trained.base).map_err(at_error)?;
    tokenizer.expect_within(config.vocab_size).map_err(at_error)?;
    if let Some(adapter) = &trained.adapter {
        lora::expect(adapter).map_err(at_error)?;
    }
    let mut prepared = Vec::new();
    let progress = Progress::new(tasks.len() as u64, "reading the tasks");
    for task in tasks {
        prepared.push(tasks::prepare(task, &settings, &tokenizer, config.tokens_max())?);
        progress.add(1);
        if cancel.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
    }
    progress.finish();
    let model = open(command, &trained).map_err(at_error)?;
    inputs.expect_unchanged()?;
    let device = if model.device.is_cpu() { "cpu" } else { "cuda" };
    let of = format!("{} {device} {}", command.dtype, inputs.text());
    let (mut kept, is_useless) = Kept::open(command.out.clone(), &of);
    if let Some(path) = kept.path().filter(|_| is_useless) {
        let path = path.display();
        console::note(&format!("{path} is of another model or cookc: all items are asked anew"));
    }
    let mut done = Vec::new();
    for asked in &prepared {
        let summary = ask(asked, (&model, &tokenizer), &mut kept, cancel)?;
        if let Some(out) = &command.out {
            write_samples(out, &asked.task, &summary.lines)?;
        }
        done.push((asked, summary));
    }
    let subject = Subject {
        model: command.model.clone(),
        adapter: trained.adapter.map(|path| path.to_string_lossy().into_owned()),
        dtype: command.dtype.clone(),
        device: device.into(),
    };
    report(command, &subject, &settings, &done)?;
    kept.end();
    Ok(())
}

/// Asks a task what was not answered before, and keeps all answers.
fn ask(
    asked: &Prepared,
    by: (&Model, &Tokenizer),
    kept: &mut Kept,
    cancel: &AtomicBool,
) -> Result<Summary, Failure> {
    let name = &asked.task.name;
    let mut responses = kept.of(asked);
    let mut shown = responses.items(asked);
    let progress = Progress::new(asked.items.len() as u64, name);
    progress.add(shown as u64);
    if shown > 0 {
        let all = console::count(asked.items.len(), "item");
        console::note(&format!("{name}: {shown} of {all} were answered before"));
    }
    let mut written = Ok(());
    let mut go_on = |responses: &Responses| {
        progress.add((responses.items(asked) - shown) as u64);
        shown = responses.items(asked);
        written = kept.keep(asked, responses, false);
        written.is_ok() && !cancel.load(Ordering::Relaxed)
    };
    let summary = tasks::ask(asked, by, &mut responses, &mut go_on)?;
    progress.finish();
    written?;
    kept.keep(asked, &responses, true)?;
    if let Some(path) = kept.path().filter(|_| summary.is_none() && responses.items(asked) > 0) {
        let path = path.display();
        console::note(&format!("{path} keeps the answers: the same command goes on"));
    }
    summary.ok_or(Failure::Interrupted)
}

/// Reads the model with its adapter.
fn open(command: &Eval, trained: &Trained) -> anyhow::Result<Model> {
    let device = model::device(&command.device, 0)?;
    let dtype = match command.dtype.as_str() {
        "bf16" => DType::BF16,
        "f16" => DType::F16,
        _ => DType::F32,
    };
    let mut model = reading::model(&trained.base, dtype, &device)?;
    if let Some(adapter) = &trained.adapter {
        lora::load(&mut model, adapter)?;
    }
    walk::to_infer(&model)
}

fn write_samples(out: &Path, task: &Task, lines: &[serde_json::Value]) -> Result<(), Failure> {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").expect("a text takes all that is written");
    }
    let path = out.join(format!("samples_{}.jsonl", task.name));
    Ok(disk::write(&path, text.as_bytes()).with_context(|| cannot_write(&path))?)
}

fn report(
    command: &Eval,
    subject: &Subject,
    settings: &Settings,
    done: &[Done],
) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(&results::json(subject, settings, done));
    let json = json.expect("texts and numbers are JSON") + "\n";
    if let Some(out) = &command.out {
        let path = out.join("results.json");
        disk::write(&path, json.as_bytes()).with_context(|| cannot_write(&path))?;
    }
    for (asked, _) in done {
        for (count, what) in [
            (asked.cut, "longer than the model reads: tokens were left out at the beginning"),
            (asked.merged, "where a choice and its context share a token"),
        ] {
            if count > 0 {
                let items = console::count(count, "item");
                console::note(&format!("{}: {items} {what}", asked.task.name));
            }
        }
    }
    match command.json {
        true => console::data(&json),
        false => console::print(&table(done)),
    }
}

/// The table of metrics, and which labels were chosen.
fn table(done: &[Done]) -> String {
    let mut metrics = console::table(&["task", "items", "metric", "value", "stderr"]);
    let number = |value: f64| format!("{value:.4}");
    let error = |value: Option<f64>| value.map_or_else(|| "-".to_string(), number);
    for (asked, summary) in done {
        for (at, score) in summary.scores.iter().enumerate() {
            let (name, items) = match at {
                0 => (asked.task.name.clone(), asked.items.len().to_string()),
                _ => Default::default(),
            };
            let metric = score.metric.name().to_string();
            metrics.add_row([name, items, metric, number(score.mean), error(score.error)]);
        }
    }
    if let Some(group) = results::group_name(done) {
        for (at, (metric, mean, deviation)) in results::means_of(done).into_iter().enumerate() {
            let name = if at == 0 { group.to_string() } else { String::new() };
            metrics.add_row([
                name,
                String::new(),
                metric.to_string(),
                number(mean),
                error(deviation),
            ]);
        }
    }
    format!("{metrics}\n{}", labels(done))
}

/// Which labels were chosen and which are right, by the metric that stands for the task.
fn labels(done: &[Done]) -> String {
    /// Labels that a line has room for.
    const SHOWN: usize = 8;
    let mut lines = String::new();
    for (asked, summary) in done {
        let Some(labels) = &summary.labels else { continue };
        let main = asked.task.main;
        let chosen = labels.chosen.iter().find(|(metric, _)| *metric == main);
        let shares = |of: &[f64]| {
            let share = |(name, share): (&String, &f64)| format!("{name}: {:.0} %", 100.0 * share);
            let all: Vec<String> = labels.names.iter().zip(of).map(share).collect();
            all.join(", ")
        };
        if let Some((_, chosen)) = chosen.filter(|_| labels.names.len() <= SHOWN) {
            let (name, gold) = (&asked.task.name, shares(&labels.gold));
            lines += &format!("{name}: chosen {}; right {gold}\n", shares(chosen));
        }
    }
    lines
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
