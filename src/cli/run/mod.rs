//! `cookc run`: from a recipe to a trained model, judged before and after by the compiled rules.

mod dry;
mod launch;
mod ranks;
mod screen;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, console, options};
use crate::model::ops::cpu::heap;
use crate::run::{self, Event, Observer, Setup, Target};
use screen::Screen;

const HELP: &str = "\
Examples:
  cookc run --train examples/quickstart.toml
  cookc run --train my.toml --out runs/first --seed 7
  cookc run --train my.toml --dry-run              what it would do, and what memory it takes
  cookc run --resume runs/first                    go on after Ctrl-C, or after a kill
  cookc run --train my.toml --processes 4          share it out; torchrun, srun and mpirun do too

The run folder holds recipe.toml (every key written out), model/ or adapter/, best/ (the same after
the best judgement), checkpoints/, metrics.jsonl (a line a step), tensorboard/ (the same for
TensorBoard), samples.jsonl (the held-out samples with both replies), report.json and report.html.
The same recipe and seed give the same losses and replies.";

/// Train a model on templates, and judge it before and after
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Run {
    /// The recipe: which model, which templates, how long
    #[arg(long, value_name = "RECIPE", required_unless_present = "resume")]
    train: Option<PathBuf>,
    /// Go on with a run that was stopped, from its folder
    #[arg(long, value_name = "DIR", group = "folder")]
    #[arg(conflicts_with_all = ["train", "out", "seed"])]
    resume: Option<PathBuf>,
    /// The run folder [default: runs/NAME, after the recipe; runs/NAME-2 if that is there]
    #[arg(long, value_name = "DIR", group = "folder")]
    out: Option<PathBuf>,
    /// With --out: replace the run that is there. With --resume: go on though the recipe or its
    /// files have changed, as the report then says
    #[arg(long, requires = "folder")]
    force: bool,
    /// The seed of the data, in place of the recipe's; training follows unless it has its own
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Only print the whole recipe, the memory it takes, and the longest sample
    #[arg(long)]
    dry_run: bool,
    /// Train with N processes of this machine as one; the step is shared out among them
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    processes: Option<u16>,
    /// The same with N GPUs, a process each
    #[arg(long, value_name = "N", conflicts_with = "processes")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    gpus: Option<u16>,
}

/// Does the whole run, or prints what it would do, or starts the processes that do it.
pub fn run(command: &Run) -> Result<(), Failure> {
    heap::keep();
    // A process that another started watches for Ctrl-C from its first moment on. One by itself is
    // ended by it at once until its work begins, also while it fetches a model.
    let early = ranks::is_launched().then(options::interrupt).transpose()?;
    let count = command.processes.or(command.gpus).map(usize::from);
    let place = ranks::place(count)?;
    let recipe = match (&command.train, &command.resume) {
        (Some(recipe), _) => recipe.clone(),
        (None, folder) => folder.as_deref().unwrap_or(Path::new(".")).join("recipe.toml"),
    };
    let starts_others = count.is_some_and(|count| count > place.size);
    let is_run = !command.dry_run && !starts_others;
    let screen = Screen::default();
    let event = |event: Event| screen.show(event);
    let observer =
        Observer { cancel: options::interrupt_flag(), event: &event, stuck: ranks::stuck };
    let mut setup = Setup::read(&recipe, command.seed, is_run, &observer)?;
    if command.gpus.is_some() {
        setup.recipe.model.device = "cuda".to_string();
        setup.text = crate::recipe::toml_text(&setup.recipe);
    }
    if command.dry_run {
        return dry::print(&setup);
    }
    let cancel = early.map_or_else(options::interrupt, Ok)?;
    if observer.is_cancelled() {
        return Err(Failure::Interrupted);
    }
    if let Some(count) = count.filter(|_| starts_others) {
        return launch::run(count, cancel);
    }
    ranks::follow(cancel);
    let (force, out) = (command.force, command.out.clone());
    let target = match command.resume.clone() {
        Some(path) => Target::Resume { path, force },
        None => Target::New { out, force },
    };
    match run::run(&setup, &target, place, &observer)? {
        Some(done) => console::print(&screen::summary(&done.report, &done.folder)),
        None => Ok(()),
    }
}
