//! A recipe carried out: prepared, trained, judged before and after, and written into a folder.
//!
//! Nothing here prints: what happens goes to an [`Observer`], and what went wrong is an [`Error`].

mod ending;
mod feedback;
pub(crate) mod fingerprint;
mod folder;
mod glued;
pub mod ids;
pub(crate) mod judging;
mod log;
pub(crate) mod memory;
mod metrics;
pub(crate) mod mixed;
pub(crate) mod observer;
pub(crate) mod ranks;
pub(crate) mod reading;
mod samples;
pub(crate) mod setup;
pub(crate) mod shots;
mod start;
mod tensorboard;
pub(crate) mod texts;
mod training;
mod watch;
mod wording;

use std::path::{Path, PathBuf};

use crate::eval::report::Report;
use crate::mix;
use crate::recipe::{Base, Recipe};
use crate::template::Error;
use crate::train::group::Place;
use crate::train::{Group, Trainer, checkpoint};
use ending::Outcome;
use fingerprint::Fingerprint;
use folder::Folder;
use judging::HeldOut;
pub use mixed::Mixed;
pub use observer::{Done, Event, Observer};
pub use setup::Setup;
use start::Start;
use training::Training;
pub use wording::words_of;

/// Where a run goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// A new run, into this folder, or the next free one after the recipe's name.
    New {
        /// The folder; none for the next free one.
        out: Option<PathBuf>,
        /// Whether the run that is there is replaced.
        force: bool,
    },
    /// A run that was stopped goes on, in its folder.
    Resume {
        /// The folder.
        path: PathBuf,
        /// Whether it goes on though the recipe or its files have changed.
        force: bool,
    },
}

impl Target {
    /// Fails if a new run has no place there: what comes before it would be for nothing.
    ///
    /// # Errors
    /// [`Error::Input`] if the folder has files in it that are not to be replaced, or is a file.
    pub fn expect_free(&self) -> Result<(), Error> {
        match self {
            Target::New { out: Some(path), .. } if path.is_file() => Err(Error::Input(format!(
                "{} is a file: name a folder for the run",
                path.display()
            ))),
            Target::New { out: Some(path), force: false } => folder::expect_free(path),
            _ => Ok(()),
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// Its figures, as `report.json` has them.
    pub report: Report,
    /// Its folder.
    pub folder: PathBuf,
}

/// The error of a recipe whose mixture is learned, and that is carried out before.
fn not_learned(recipe: &Recipe) -> Error {
    let policy = &recipe.mix.policy.path;
    Error::Input(format!(
        "the mixture weights of `policy = \"{policy}\"` are learned by runs first: `cookc mix` \
         does it, and writes a recipe with them"
    ))
}

/// Carries a run out, as one process or as one of a group. None for a process that is not the
/// first of its group: that one alone judges and writes.
///
/// # Errors
/// [`Error::Cancelled`] if the observer stopped it: a checkpoint is left. [`Error::Input`] for a
/// folder, a checkpoint or a loss that it cannot go on with, and [`Error::Failed`] if disk, memory
/// or device failed.
pub fn run(
    setup: &Setup,
    target: &Target,
    place: Place,
    observer: &Observer,
) -> Result<Option<Finished>, Error> {
    if mix::is_learned(&setup.recipe) {
        return Err(not_learned(&setup.recipe));
    }
    let gpu = ranks::gpu(&place);
    let fingerprint = Fingerprint::of(setup)?;
    let group = ranks::join(place, setup, &fingerprint, observer)?;
    let begin = || begin(target, setup, &fingerprint, observer);
    let start = Start::of_all(&group, &fingerprint, &begin);
    let path = start.as_ref().ok().map(|start| start.folder.path.clone());
    let result = start.and_then(|start| {
        let report = work(Work { setup, start: &start, group: &group, observer }, gpu)?;
        Ok(report.map(|report| Finished { report, folder: start.folder.path.clone() }))
    });
    ranks::end(&group, observer, path.as_deref(), result)
}

/// Claims the run's folder, or finds out where the run in it goes on.
fn begin(
    target: &Target,
    setup: &Setup,
    fingerprint: &Fingerprint,
    observer: &Observer,
) -> Result<Start, Error> {
    match target {
        Target::Resume { path, force } => Start::again(path, fingerprint.clone(), *force, observer),
        Target::New { out, force } => {
            let base = match &setup.recipe.model.base {
                Base::Folder(folder) => Some(Path::new(&folder.path)),
                Base::Scratch(_) => None,
            };
            let folder = Folder::claim(out.as_deref(), &setup.name, *force, base)?;
            Ok(Start::new(folder, fingerprint.clone()))
        }
    }
}

/// What one process's part of a run is made of.
struct Work<'a> {
    setup: &'a Setup,
    start: &'a Start,
    group: &'a Group,
    observer: &'a Observer<'a>,
}

/// One process's part of the run. The first one alone judges and writes; the others wait for it
/// where they next need it.
fn work(work: Work, gpu: usize) -> Result<Option<Report>, Error> {
    let Work { setup, start, group, observer } = work;
    let folder = &start.folder;
    let mut model = setup.model(gpu, observer)?;
    let held_out = HeldOut::new(setup)?;
    let (mut before, mut asked_before) = Default::default();
    if group.is_first() {
        start.tidy(setup.recipe.keep_checkpoints)?;
        folder.expect_room(setup.recipe.keep_checkpoints, checkpoint::bytes(&model))?;
        folder.write("recipe.toml", &setup.named_text())?;
        observer.tell(Event::Started { name: &setup.name, about: &setup.about(&model) });
        before = held_out.judge(&model, "before", observer)?;
        asked_before = held_out.ask(&model, "before", observer)?;
    }

    let settings = setup.recipe.train.clone();
    let trainer = match &start.saved {
        Some(saved) => Trainer::from_saved(&mut model, &settings, saved)?,
        None => Trainer::new(&mut model, &settings)?,
    };
    let mut trainer = trainer.in_group(group)?;
    let mut training = Training::new(setup, start, &held_out, group, observer)?;
    if group.is_first() && trainer.steps_done() == 0 {
        training.write_tasks(0, &asked_before)?;
    }
    training.run(&mut trainer, &before)?;
    if !group.is_first() {
        return Ok(None);
    }
    let judged = held_out.judge(trainer.model, "after", observer);
    let judged = judged.and_then(|after| {
        let asked = held_out.ask(trainer.model, "after", observer)?;
        Ok((after, asked))
    });
    let (after, asked_after) = judged.inspect_err(|_| training.leave_checkpoint(&trainer))?;
    training.ended(&trainer, &after, &asked_after)?;
    let (facts, past) = (training.facts(&trainer), training.past().clone());
    let taken = training.taken();
    ending::save_model(setup, &folder.path, &model)?;
    let asked = [asked_before, asked_after];
    let outcome = Outcome { before, after, asked, taken, facts, past };
    ending::report(setup, folder, &held_out, outcome).map(Some)
}
