//! `cookc run`: from a recipe to a trained model, judged before and after by the compiled rules.

mod dry;
mod launch;
mod ranks;
pub(super) mod screen;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{Failure, console, options, weights};
use crate::ops::cpu::heap;
use crate::run::{self, Event, Observer, Setup, Target};
use crate::{disk, mix, mixer};
use screen::Screen;

const HELP: &str = "\
Examples:
  cookc run --train examples/quickstart.toml
  cookc run --train my.toml --out runs/first --seed 7
  cookc run --train my.toml --dry-run              what it would do, and what memory it takes
  cookc run --resume runs/first                    go on after Ctrl-C, or after a kill
  cookc run --train my.toml --processes 4          share it out; torchrun, srun and mpirun do too

The run folder holds recipe.toml (every key written out), model/ or adapter/, best/ (the same after
the best evaluation), checkpoints/, metrics.jsonl (a line a step), tensorboard/ (the same for
TensorBoard), samples.jsonl (the held-out samples with both replies), mixture.json (where weights
are learned: from what), report.json and report.html.
The same recipe and seed give the same losses and replies. `cookc train --help` lists the keys of a
recipe.";

const TRAIN_HELP: &str = "\
Examples:
  cookc train examples/quickstart.toml
  cookc train my.toml --out runs/first --seed 7
  cookc train my.toml --dry-run                    what it would do, and what memory it takes
  cookc train my.toml --processes 4                share it out; torchrun, srun and mpirun do too

`cookc run --help` says what the run folder holds.";

/// Adds every key of a recipe to the long help of `cookc train`.
pub fn with_keys(train: clap::Command) -> clap::Command {
    train.after_long_help(format!(
        "{TRAIN_HELP}\n\nThe keys of a recipe; all have a default but [[template]] file,\n\
         and [[text]] file and reply:\n\n{}",
        crate::recipe::help()
    ))
}

const RESUME_HELP: &str = "\
Examples:
  cookc resume runs/first                          go on after Ctrl-C, or after a kill
  cookc resume runs/first --force                  though the recipe or its files have changed";

/// Train a model on templates, and evaluate it before and after
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
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    how: How,
}

/// Train a model on templates, and evaluate it before and after
#[derive(Debug, Args)]
#[command(after_help = TRAIN_HELP)]
pub struct Train {
    /// The recipe: which model, which templates, how long
    #[arg(value_name = "RECIPE")]
    recipe: PathBuf,
    /// The run folder [default: runs/NAME, after the recipe; runs/NAME-2 if that is there]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the run that is there
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    how: How,
}

/// Go on with a run that was stopped
#[derive(Debug, Args)]
#[command(after_help = RESUME_HELP)]
pub struct Resume {
    /// The run folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Go on though the recipe or its files have changed, as the report then says
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    how: How,
}

/// Carries a recipe out, in a folder named after it.
pub fn recipe(recipe: &Path) -> Result<(), Failure> {
    let how = How { dry_run: false, processes: None, gpus: None };
    carry_out(recipe, None, &how, Target::New { out: None, force: false })
}

#[derive(Debug, Default, Args)]
struct Seed {
    /// The seed of the data, in place of the recipe's; training follows unless it has its own
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
}

/// How a run is carried out.
#[derive(Debug, Args)]
struct How {
    /// Only print the resolved recipe, the memory it takes, and the longest sample
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

/// `cookc run`
pub fn run(command: &Run) -> Result<(), Failure> {
    let (out, force) = (command.out.clone(), command.force);
    match (&command.train, &command.resume) {
        (_, Some(folder)) => resumed(folder, force, &command.how),
        (Some(recipe), None) => {
            carry_out(recipe, command.seed.seed, &command.how, Target::New { out, force })
        }
        (None, None) => unreachable!("clap asks for one of them"),
    }
}

/// `cookc train`
pub fn train(command: &Train) -> Result<(), Failure> {
    let target = Target::New { out: command.out.clone(), force: command.force };
    carry_out(&command.recipe, command.seed.seed, &command.how, target)
}

/// `cookc resume`
pub fn resume(command: &Resume) -> Result<(), Failure> {
    resumed(&command.folder, command.force, &command.how)
}

fn resumed(folder: &Path, force: bool, how: &How) -> Result<(), Failure> {
    let target = Target::Resume { path: folder.to_path_buf(), force };
    carry_out(&folder.join("recipe.toml"), None, how, target)
}

/// Carries the run out, or prints what it would do, or starts the processes that do it.
fn carry_out(recipe: &Path, seed: Option<u64>, how: &How, target: Target) -> Result<(), Failure> {
    heap::keep();
    // A process that another started watches for Ctrl-C from its first moment on. One by itself is
    // ended by it at once until its work begins, also while it fetches a model.
    let early = ranks::is_launched().then(options::interrupt).transpose()?;
    let count = how.processes.or(how.gpus).map(usize::from);
    let place = ranks::place(count)?;
    let starts_others = count.is_some_and(|count| count > place.size);
    let is_run = !how.dry_run && !starts_others;
    let screen = Screen::default();
    let event = |event: Event| screen.show(event);
    let observer =
        Observer { cancel: options::interrupt_flag(), event: &event, stuck: ranks::stuck };
    let mut setup = Setup::read(recipe, seed, is_run, &observer)?;
    if how.gpus.is_some() {
        setup.recipe.model.device = "cuda".to_string();
        setup.text = crate::recipe::toml_text(&setup.recipe);
    }
    if how.dry_run {
        return dry::print(&setup);
    }
    let cancel = early.map_or_else(options::interrupt, Ok)?;
    if observer.is_cancelled() {
        return Err(Failure::Interrupted);
    }
    if !ranks::is_launched() {
        target.expect_free()?;
    }
    let mut learned = None;
    if mix::is_learned(&setup.recipe) {
        if starts_others {
            // What is learned here is found by the processes, by the same digests.
            setup = Setup::read(recipe, seed, true, &observer)?;
        }
        let found = mixer::prepare(&mut setup, &observer)?;
        if !ranks::is_launched() {
            console::note(&weights::table(&found));
        }
        learned = Some(found);
    }
    if let Some(count) = count.filter(|_| starts_others) {
        return launch::run(count, cancel);
    }
    ranks::follow(cancel);
    match run::run(&setup, &target, place, &observer)? {
        Some(done) => {
            if let Some(learned) = learned {
                let path = done.folder.join("mixture.json");
                let cannot = || format!("cannot write {}", path.display());
                disk::write(&path, learned.json().as_bytes()).with_context(cannot)?;
            }
            console::print(&screen::summary(&done.report, &done.folder))
        }
        None => Ok(()),
    }
}
