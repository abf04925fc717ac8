//! `cookc run`: from a recipe to a trained model, judged before and after by the compiled rules.

mod bar;
mod dry;
mod ending;
mod fingerprint;
mod folder;
mod format;
mod glued;
mod judging;
mod launch;
mod log;
mod memory;
mod metrics;
mod ranks;
mod samples;
mod setup;
mod shots;
mod start;
mod tensorboard;
mod training;
mod watch;
mod wording;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;

use super::{Failure, console, options};
use crate::model::ops::cpu::heap;
use crate::recipe::Base;
use crate::train::{Group, Trainer, checkpoint};
use fingerprint::Fingerprint;
use folder::Folder;
use judging::HeldOut;
use setup::Setup;
use start::Start;
use training::Training;

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
    let start = Instant::now();
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
    let mut setup = Setup::read(&recipe, command.seed, is_run)?;
    if command.gpus.is_some() {
        setup.recipe.model.device = "cuda".to_string();
        setup.text = crate::recipe::toml_text(&setup.recipe);
    }
    if command.dry_run {
        return dry::print(&setup);
    }
    let cancel = early.map_or_else(options::interrupt, Ok)?;
    if cancel.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    if let Some(count) = count.filter(|_| starts_others) {
        return launch::run(count, cancel);
    }
    let gpu = ranks::gpu(&place);
    let fingerprint = Fingerprint::of(&setup)?;
    let group = ranks::join(place, &setup, &fingerprint, cancel)?;
    let begun = Start::of_all(&group, &fingerprint, &|| begin(command, &setup, &fingerprint));
    let path = begun.as_ref().ok().map(|begun| begun.folder.path.clone());
    let result = begun.and_then(|begun| work(&setup, &begun, &group, gpu, cancel, start));
    ranks::end(&group, cancel, path.as_deref(), result)
}

/// Claims the run's folder, or finds out where the run in it goes on.
fn begin(command: &Run, setup: &Setup, fingerprint: &Fingerprint) -> Result<Start, Failure> {
    if let Some(path) = &command.resume {
        return Start::again(path, fingerprint.clone(), command.force);
    }
    let base = match &setup.recipe.model.base {
        Base::Folder(folder) => Some(Path::new(&folder.path)),
        Base::Scratch(_) => None,
    };
    let folder = Folder::claim(command.out.as_deref(), &setup.name, command.force, base)?;
    Ok(Start::new(folder, fingerprint.clone()))
}

/// One process's part of the run. The first one alone judges and writes; the others wait for it
/// where they next need it.
fn work(
    setup: &Setup,
    begun: &Start,
    group: &Group,
    gpu: usize,
    cancel: &AtomicBool,
    start: Instant,
) -> Result<(), Failure> {
    let folder = &begun.folder;
    let mut model = setup.model(gpu)?;
    let held_out = HeldOut::new(setup)?;
    let mut before = Vec::new();
    if group.is_first() {
        begun.tidy(setup.recipe.keep_checkpoints)?;
        folder.expect_room(setup.recipe.keep_checkpoints, checkpoint::bytes(&model))?;
        folder.write("recipe.toml", &setup.named_text())?;
        console::note(&setup.headline(&model));
        before = held_out.judge(&model, "before", cancel)?;
    }

    let settings = setup.recipe.train.clone();
    let trainer = match &begun.saved {
        Some(saved) => Trainer::from_saved(&mut model, &settings, saved)?,
        None => Trainer::new(&mut model, &settings)?,
    };
    let mut trainer = trainer.in_group(group)?;
    let mut training = Training::new(setup, begun, &held_out, group, cancel)?;
    training.run(&mut trainer, &before)?;
    if !group.is_first() {
        return Ok(());
    }
    let after = held_out.judge(trainer.model, "after", cancel).inspect_err(|_| {
        training.leave_checkpoint(&trainer);
    })?;
    training.ended(&trainer, &after)?;
    let (facts, past) = (training.facts(&trainer), training.past().clone());
    ending::save_model(setup, &folder.path, &model)?;
    ending::report(setup, folder, &held_out, [before, after], (facts, past), start)
}
