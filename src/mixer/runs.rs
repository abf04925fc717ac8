//! The runs that a mixture is learned from: each is trained once, kept, and found again by what
//! decides its bits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{self, Answers, Targets, named};
use super::keys::{self, key};
use super::merge::{self, Change};
use crate::disk;
use crate::mix;
use crate::model::{Model, walk};
use crate::recipe::{Eval, Mix, Recipe, Study};
use crate::run::reading::Trained;
use crate::run::{self, Event, Observer, Setup, Target};
use crate::template::Error;
use crate::train::group::Place;

/// Between two looks at whether another process has ended.
const PAUSE: Duration = Duration::from_millis(200);

/// A run on one mixture.
#[derive(Clone, Debug)]
pub struct Run {
    /// The weights of the recipe's templates.
    pub mixture: Vec<f64>,
    /// Its folder: the adapter or the model is in it.
    pub folder: PathBuf,
    /// What its model answers.
    pub answers: Vec<Answers>,
    /// The runs that its model is averaged from, in the shares of the mixture that are not 0;
    /// none of one that was trained.
    pub parts: Vec<PathBuf>,
}

/// Trains, asks and keeps.
pub struct Runs<'a> {
    setup: &'a mut Setup,
    recipe: Recipe,
    policy: mix::Make,
    targets: &'a Targets,
    folder: PathBuf,
    observer: &'a Observer<'a>,
}

impl<'a> Runs<'a> {
    /// Of a recipe; runs are kept below a folder.
    pub fn new(
        setup: &'a mut Setup,
        targets: &'a Targets,
        folder: PathBuf,
        observer: &'a Observer<'a>,
    ) -> Runs<'a> {
        let (recipe, policy) = (setup.recipe.clone(), setup.policy);
        note_of_version(&folder, observer);
        Runs { setup, recipe, policy, targets, folder, observer }
    }

    /// The run on a mixture, made where it is not there yet.
    pub fn run(&mut self, mixture: &[f64], steps: u64, about: &str) -> Result<Run, Error> {
        self.run_of(alone(&self.recipe, mixture, steps), about)
    }

    /// The run of a recipe that [`alone`] has made, and that a caller may have changed.
    pub fn run_of(&mut self, recipe: Recipe, about: &str) -> Result<Run, Error> {
        let mixture: Vec<f64> = recipe.templates.iter().map(|entry| entry.weight).collect();
        self.setup.policy = mix::policy(&recipe).map_err(|error| Error::Input(error.title))?;
        self.setup.put(recipe);
        let folder = self.folder.join(keys::of_run(self.setup)?);
        if let Some(answers) = self.kept(&folder)? {
            return Ok(Run { mixture, folder, answers, parts: Vec::new() });
        }
        self.observer.note(format!("{about}: {}", folder.display()));
        if !folder.join("report.json").is_file() {
            self.train(&folder)?;
        }
        let model = match trained(self.setup, &folder, self.observer) {
            Ok(model) => model,
            Err(why) => {
                let note = format!("{} is trained anew: {why}", folder.display());
                self.observer.note(note);
                self.anew(&folder)?;
                trained(self.setup, &folder, self.observer)?
            }
        };
        let answers = self.asked(&folder, &model)?;
        Ok(Run { mixture, folder, answers, parts: Vec::new() })
    }

    /// What else is measured of a run's model: kept by the text that says what it is.
    pub fn measured<T: Serialize + DeserializeOwned>(
        &mut self,
        run: &Run,
        what: &str,
        measure: &mut dyn FnMut(&Setup, &Model) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let kept = run.folder.join(format!("measured-{}.json", key(&[what])));
        let text = std::fs::read_to_string(&kept).ok();
        if let Some(known) = text.and_then(|text| serde_json::from_str(&text).ok()) {
            return Ok(known);
        }
        let model = self.model(run)?;
        let found = measure(self.setup, &model)?;
        let text = serde_json::to_string(&found).expect("texts and numbers are JSON");
        let written = disk::write(&kept, text.as_bytes());
        written.with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(found)
    }

    /// A run's model.
    fn model(&self, run: &Run) -> Result<Model, Error> {
        if !run.parts.is_empty() {
            let (like, changes) = parts(self.setup, &run.parts, self.observer)?;
            return Ok(merge::averaged(&like, &changes.iter().collect::<Vec<_>>(), &shares(run))?);
        }
        match run.folder.join("report.json").is_file() {
            true => trained(self.setup, &run.folder, self.observer),
            false => self.setup.model(0, self.observer),
        }
    }

    /// The model between those of some runs, in the shares of a mixture of their templates.
    pub fn merged(&mut self, mixture: &[f64], runs: &[Run], about: &str) -> Result<Run, Error> {
        let parts: Vec<PathBuf> = runs.iter().map(|run| run.folder.clone()).collect();
        let names: Vec<_> = parts.iter().map(|folder| folder.file_name()).collect();
        let how = format!("merge {names:?} {mixture:?}");
        let folder = self.folder.join(key(&[&how]));
        let mut run = Run { mixture: mixture.to_vec(), folder, answers: Vec::new(), parts };
        run.answers = match self.kept(&run.folder)? {
            Some(answers) => answers,
            None => {
                self.observer.note(format!("{about}: {}", run.folder.display()));
                self.asked(&run.folder, &self.model(&run)?)?
            }
        };
        Ok(run)
    }

    /// What the base answers, before any training.
    pub fn base(&mut self) -> Result<Run, Error> {
        let mixture: Vec<f64> = self.recipe.templates.iter().map(|entry| entry.weight).collect();
        self.setup.put(alone(&self.recipe, &mixture, 1));
        let folder = self.folder.join(keys::of_base(self.setup)?);
        let answers = match self.kept(&folder)? {
            Some(answers) => answers,
            None => {
                self.observer.note(format!("the base model: {}", folder.display()));
                self.asked(&folder, &self.setup.model(0, self.observer)?)?
            }
        };
        let mixture = vec![0.0; mixture.len()];
        Ok(Run { mixture, folder, answers, parts: Vec::new() })
    }

    /// What a model answers that is made of runs: kept by the text that says how.
    pub fn made(
        &mut self,
        how: &str,
        make: &mut dyn FnMut(&Setup) -> Result<Model, Error>,
    ) -> Result<Vec<Answers>, Error> {
        let folder = self.folder.join(key(&[how]));
        if let Some(answers) = self.kept(&folder)? {
            return Ok(answers);
        }
        let model = make(self.setup)?;
        self.asked(&folder, &model)
    }

    /// Who follows them.
    pub fn observer(&self) -> &'a Observer<'a> {
        self.observer
    }

    /// The templates by name, with their levels and settings; and numbers, where these are alike.
    pub fn names(&self) -> Vec<String> {
        let names: Vec<String> =
            (0..self.setup.dataset.parts.len()).map(|at| named(self.setup, at)).collect();
        let is_alone = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
        let one = |(at, name): (usize, &String)| match is_alone(name) {
            true => name.clone(),
            false => format!("{name} (template {})", at + 1),
        };
        names.iter().enumerate().map(one).collect()
    }

    /// Puts the recipe back as it was.
    pub fn end(self) {
        self.setup.policy = self.policy;
        self.setup.put(self.recipe);
    }

    /// Where the answers of a folder's model to a target are kept.
    fn answers_of(&self, folder: &Path, target: usize) -> Result<PathBuf, Error> {
        let key = keys::of_target(self.setup, self.targets, target)?;
        Ok(folder.join(format!("answers-{key}.json")))
    }

    /// The answers of a folder's model to all targets, if all are kept.
    fn kept(&self, folder: &Path) -> Result<Option<Vec<Answers>>, Error> {
        let one = |target| Ok(answers::read(&self.answers_of(folder, target)?));
        (0..self.targets.count()).map(one).collect()
    }

    /// The same of a model, which is asked what is not kept.
    fn asked(&self, folder: &Path, model: &Model) -> Result<Vec<Answers>, Error> {
        create(folder)?;
        // Packed once for all targets.
        let model = walk::to_infer(model)?;
        let one = |target| {
            let kept = self.answers_of(folder, target)?;
            if let Some(answers) = answers::read(&kept) {
                return Ok(answers);
            }
            let answers = self.targets.ask(target, (self.setup, &model), self.observer)?;
            answers::write(&kept, &answers)?;
            Ok(answers)
        };
        (0..self.targets.count()).map(one).collect()
    }

    /// Carries a run out, or goes on where it was stopped; or waits while another process does.
    fn train(&mut self, folder: &Path) -> Result<(), Error> {
        let mut is_told = false;
        while !folder.join("report.json").is_file() {
            if !is_busy(folder) {
                match self.train_now(folder) {
                    // Another process was faster.
                    Err(Error::Input(_)) if is_busy(folder) => {}
                    done => return done,
                }
            }
            if !std::mem::replace(&mut is_told, true) {
                let folder = folder.display();
                self.observer.note(format!("another cookc trains {folder}: waiting for it"));
            }
            if self.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(())
    }

    fn train_now(&mut self, folder: &Path) -> Result<(), Error> {
        if !folder.join("recipe.toml").is_file() {
            return self.anew(folder);
        }
        let again = Target::Resume { path: folder.to_path_buf(), force: false };
        match self.carry_out(&again) {
            Err(Error::Input(why)) => {
                self.observer.note(format!("{} is trained anew: {why}", folder.display()));
                self.anew(folder)
            }
            done => done,
        }
    }

    /// Carries a run out from its beginning, whatever is there.
    fn anew(&mut self, folder: &Path) -> Result<(), Error> {
        self.carry_out(&Target::New { out: Some(folder.to_path_buf()), force: true })
    }

    fn carry_out(&mut self, target: &Target) -> Result<(), Error> {
        let tasks = std::mem::take(&mut self.setup.tasks);
        let event = |event: Event| match event {
            // The command that makes this run among others finds it again.
            Event::Left { steps, folder } => self.observer.note(format!(
                "{} stopped after step {steps}: the same command goes on",
                folder.display()
            )),
            other => self.observer.tell(other),
        };
        let observer = Observer { event: &event, ..*self.observer };
        let done = run::run(self.setup, target, Place::alone(), &observer);
        self.setup.tasks = tasks;
        done.map(drop)
    }
}

/// Whether another process writes into a folder.
fn is_busy(folder: &Path) -> bool {
    folder.is_dir() && disk::lock(folder).is_ok_and(|lock| lock.is_none())
}

/// Says that the runs of another version are not taken: their digests are other ones.
fn note_of_version(folder: &Path, observer: &Observer) {
    let path = folder.join("version");
    let own = env!("CARGO_PKG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim() != own => {
            let (folder, other) = (folder.display(), text.trim().to_string());
            observer.note(format!("{folder} is of cookc {other}, whose runs {own} does not take"));
        }
        Ok(_) => return,
        Err(_) => {}
    }
    // What cannot be written now is said where a run is.
    let _ = std::fs::create_dir_all(folder).and_then(|()| disk::write(&path, own.as_bytes()));
}

/// The weights that are not 0, so that their sum is 1.
fn shares(run: &Run) -> Vec<f64> {
    let weights: Vec<f64> = run.mixture.iter().copied().filter(|weight| *weight > 0.0).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The model that a run has left in its folder.
pub fn trained(setup: &Setup, folder: &Path, observer: &Observer) -> Result<Model, Error> {
    let name = folder.to_string_lossy();
    let found = Trained::find(&name, None)?;
    setup.trained(&found, observer)
}

/// A model and what each run has changed.
pub fn parts(
    setup: &Setup,
    folders: &[PathBuf],
    observer: &Observer,
) -> Result<(Model, Vec<Change>), Error> {
    let mut like = None;
    let mut changes = Vec::new();
    for folder in folders {
        let model = trained(setup, folder, observer)?;
        changes.push(Change::of(&model).map_err(|error| Error::Input(format!("{error:#}")))?);
        like = Some(model);
    }
    let like = like.ok_or_else(|| Error::Input("there are no runs to merge".to_string()))?;
    Ok((like, changes))
}

/// The recipe of a run on a mixture: nothing is evaluated that the targets are not.
pub fn alone(recipe: &Recipe, mixture: &[f64], steps: u64) -> Recipe {
    let mut alone = recipe.clone();
    alone.mix = Mix::default();
    alone.eval = Eval { samples: 1, every: 0, patience: 0, until_exact: None, tasks: None };
    alone.study = Study::default();
    alone.train.steps = steps;
    for (entry, weight) in alone.templates.iter_mut().zip(mixture) {
        entry.weight = *weight;
        entry.end_weight = None;
    }
    alone
}

fn create(folder: &Path) -> Result<(), Error> {
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| {
        anyhow::Error::new(error).context(format!("cannot write {}", folder.display())).into()
    })
}
