//! The models of a recipe trained and asked, seed by seed: all that the figures are made of.

use std::path::{Path, PathBuf};

use super::arms::{Planned, arms, single};
use super::english::English;
use super::pairs::{self, Asked};
use crate::eval;
use crate::mix;
use crate::mixer;
use crate::mixer::answers::{Answers, Targets, named};
use crate::mixer::runs::{Run, Runs};
use crate::recipe::{Arm, Base, Recipe};
use crate::run::{Observer, Setup};
use crate::tasks::{Gold, Prepared};
use crate::template::Error;

/// A recipe's models, and what they answered.
pub struct Observed {
    /// The recipe's name.
    pub name: String,
    /// What the model is made from.
    pub base: String,
    /// The seeds of the data.
    pub seeds: Vec<u64>,
    /// The score from which on an answer obeys.
    pub obeyed: f64,
    /// The templates, with their levels.
    pub templates: Vec<TemplateOf>,
    /// What is asked.
    pub targets: Vec<TargetOf>,
    /// Which rules score which target.
    pub pairs: Vec<PairOf>,
    /// The base, then what is trained.
    pub models: Vec<ModelOf>,
    /// The tokens of each row of plain English, if there is some.
    pub english: Option<Vec<f64>>,
}

/// A template of a recipe.
pub struct TemplateOf {
    /// Its name, with its level.
    pub name: String,
    /// Its file: entries of one file at several levels have the same rules.
    pub file: String,
    /// Whether it is trained on.
    pub is_trained: bool,
}

/// Something that is asked.
pub struct TargetOf {
    /// The task's name, or the template's.
    pub name: String,
    /// The metric that says what is right.
    pub metric: String,
    /// The template that its items are held-out samples of, by number.
    pub template: Option<usize>,
    /// What its options are called, if it is a choice.
    pub labels: Vec<String>,
    /// The right option of each item.
    pub right: Vec<Option<usize>>,
}

/// Rules on a target.
pub struct PairOf {
    /// The template, by number.
    pub template: usize,
    /// The target, by number.
    pub target: usize,
    /// The rules by name.
    pub rules: Vec<String>,
    /// The score of each right answer; none where the row has none.
    pub right: Vec<Option<f64>>,
    /// Why the first row without a score has none, and how many have none.
    pub unscored: Option<(String, usize)>,
}

/// A model, of all seeds.
pub struct ModelOf {
    /// None of the base.
    pub arm: Option<Arm>,
    /// The only template that it is trained on, by number.
    pub template: Option<usize>,
    /// The weights of the templates.
    pub mixture: Vec<f64>,
    /// Each seed.
    pub seeds: Vec<SeedOf>,
}

/// A model of one seed.
pub struct SeedOf {
    /// Its folder.
    pub folder: PathBuf,
    /// How right each answer to each target is.
    pub right: Vec<Vec<Option<f64>>>,
    /// The option that was chosen in each item of each target; none where it wrote.
    pub chosen: Vec<Vec<Option<usize>>>,
    /// The score of each answer by the rules of each pair.
    pub aligned: Vec<Vec<Option<f64>>>,
    /// The loss of each row of plain English.
    pub english: Option<Vec<f64>>,
    /// Its steps and tokens; none of the base.
    pub counts: Option<[f64; 2]>,
}

impl Observed {
    /// What a model is called in tables.
    pub fn name_of(&self, model: &ModelOf) -> String {
        match (model.arm, model.template) {
            (None, _) => "base".to_string(),
            (_, Some(at)) => self.templates[at].name.clone(),
            (Some(arm), None) => arm.name().to_string(),
        }
    }
}

/// A recipe, checked.
pub struct Ready {
    path: PathBuf,
    setup: Setup,
    targets: Targets,
    asked: Asked,
}

impl Ready {
    /// Reads a recipe, with another seed if one is given, and holds what it studies against its
    /// templates and tasks.
    ///
    /// # Errors
    /// As [`Setup::read`] has, and [`Error::Invalid`] for what does not fit together.
    pub fn read(path: &Path, seed: Option<u64>, observer: &Observer) -> Result<Ready, Error> {
        let mut setup = Setup::read(path, seed, true, observer)?;
        let mut tasks = std::mem::take(&mut setup.tasks);
        for other in std::mem::take(&mut setup.targets) {
            match tasks.iter().any(|one| one.task.name == other.task.name) {
                true => {}
                false => tasks.push(other),
            }
        }
        let asked = pairs::asked(path, &setup, &tasks)?;
        let templates = (0..setup.recipe.templates.len()).collect();
        let samples = setup.recipe.study.samples;
        let targets = Targets { tasks, templates, samples };
        Ok(Ready { path: path.to_path_buf(), setup, targets, asked })
    }

    /// The recipe's name.
    pub fn name(&self) -> &str {
        &self.setup.name
    }

    /// The models that are trained for each seed.
    pub fn runs(&self) -> usize {
        arms(&self.setup.recipe).len()
    }

    /// Whether anything is asked that is not trained on.
    pub fn has_targets(&self) -> bool {
        let templates = &self.setup.recipe.templates;
        !self.targets.tasks.is_empty() || templates.iter().any(|entry| entry.weight == 0.0)
    }

    /// Trains and asks, for so many seeds from the recipe's own on.
    ///
    /// # Errors
    /// As a run has; what is done by then is kept.
    pub fn observe(mut self, seeds: u64, observer: &Observer) -> Result<Observed, Error> {
        let first = self.setup.recipe.data.seed;
        let mut observed = self.observed();
        for seed in first..first + seeds {
            if seed > first {
                self = Ready::read(&self.path, Some(seed), observer)?;
            }
            self.seed(&mut observed, observer)?;
            observed.seeds.push(seed);
        }
        Ok(observed)
    }

    /// Trains and asks the models of one seed.
    fn seed(&mut self, observed: &mut Observed, observer: &Observer) -> Result<(), Error> {
        if mix::is_learned(&self.setup.recipe) {
            self.learn(observer)?;
        }
        let planned = arms(&self.setup.recipe);
        let Ready { setup, targets, asked, .. } = self;
        let (name, seed) = (setup.name.clone(), setup.recipe.data.seed);
        let folder = mixer::folder(setup);
        let per_text = setup.texts.iter().map(|text| text.tokens as f64 / text.rows.len() as f64);
        let per_text: Vec<f64> = per_text.collect();
        let mut runs = Runs::new(setup, targets, folder, observer);
        let base = runs.base()?;
        let mut all = vec![(None, base)];
        for (at, one) in planned.iter().enumerate() {
            let about = format!(
                "{name}, seed {seed}, run {} of {}, {}",
                at + 1,
                planned.len(),
                about(one, &observed.templates)
            );
            let mut recipe = one.recipe.clone();
            if one.arm == Arm::Text {
                recipe.train.steps = steps_of_text(&recipe, &per_text, &all);
            }
            let run = match one.arm {
                Arm::Merged => merged(&mut runs, &recipe, &about)?,
                _ => runs.run_of(recipe, &about)?,
            };
            all.push((Some(one), run));
        }
        let mut losses = Vec::new();
        for (_, run) in &all {
            losses.push(loss(&mut runs, run, asked.english.as_ref(), observer)?);
        }
        runs.end();
        for (at, ((planned, run), english)) in all.into_iter().zip(losses).enumerate() {
            if observed.models.len() == at {
                observed.models.push(ModelOf {
                    arm: planned.map(|one| one.arm),
                    template: planned.and_then(|one| one.template),
                    mixture: run.mixture.clone(),
                    seeds: Vec::new(),
                });
            }
            let seed = self.seed_of(&run, english)?;
            observed.models[at].seeds.push(seed);
        }
        Ok(())
    }

    /// Learns the mixture of a recipe whose policy learns one, for its own targets.
    fn learn(&mut self, observer: &Observer) -> Result<(), Error> {
        let mut setup = Setup::read(&self.path, Some(self.setup.recipe.data.seed), true, observer)?;
        let learned = mixer::learn(&mut setup, observer)?;
        let mixed = mixer::mixed(&self.setup.recipe, &learned);
        self.setup.put(mixed);
        Ok(())
    }

    /// What a run's answers say.
    fn seed_of(&self, run: &Run, english: Option<Vec<f64>>) -> Result<SeedOf, Error> {
        let answers = &run.answers;
        let some = |numbers: &Vec<f64>| numbers.iter().copied().map(Some).collect();
        let chosen = |answers: &Answers| match answers.options {
            0 => Vec::new(),
            _ => answers.given.iter().map(|given| given.parse().ok()).collect(),
        };
        let mut aligned = Vec::new();
        for pair in &self.asked.pairs {
            aligned.push(pair.score(&self.targets.tasks[pair.task], &answers[pair.task]));
        }
        for (at, answers) in answers[self.targets.tasks.len()..].iter().enumerate() {
            aligned.push(self.judged(at, answers)?.into_iter().map(Some).collect());
        }
        Ok(SeedOf {
            folder: run.folder.clone(),
            right: answers.iter().map(|answers| some(&answers.right)).collect(),
            chosen: answers.iter().map(chosen).collect(),
            aligned,
            english,
            counts: counts(run),
        })
    }

    /// The scores of replies to held-out samples of a template by its own rules.
    fn judged(&self, at: usize, answers: &Answers) -> Result<Vec<f64>, Error> {
        let (setup, part) = (&self.setup, &self.setup.dataset.parts[at]);
        let seed = setup.recipe.data.seed;
        let asked = eval::questions(part, seed, self.targets.samples)
            .map_err(|(index, why)| setup.sample_error(at, index, why))?;
        let judged = eval::judge(part, seed, &asked, answers.given.clone());
        Ok(judged.into_iter().map(|one| one.verdict.mean()).collect())
    }

    /// What is known before anything is trained.
    fn observed(&self) -> Observed {
        let Ready { setup, targets, asked, .. } = self;
        let recipe = &setup.recipe;
        let both = recipe.templates.iter().zip(&setup.dataset.parts);
        let templates: Vec<TemplateOf> = both
            .enumerate()
            .map(|(at, (entry, _))| TemplateOf {
                name: named(setup, at),
                file: entry.file.path.clone(),
                is_trained: entry.weight > 0.0,
            })
            .collect();
        let tasks = targets.tasks.len();
        let templates = apart(templates, &targets.tasks);
        let own = (0..templates.len()).map(|at| PairOf {
            template: at,
            target: tasks + at,
            rules: eval::rules(&setup.dataset.parts[at]),
            right: vec![Some(1.0); targets.samples as usize],
            unscored: None,
        });
        let pairs = asked.pairs.iter().map(|pair| PairOf {
            template: pair.template,
            target: pair.task,
            rules: pair.rules.clone(),
            right: pair.right.clone(),
            unscored: pair.unscored.clone(),
        });
        let held_out = templates.iter().enumerate().map(|(at, template)| TargetOf {
            name: template.name.clone(),
            metric: "exact".to_string(),
            template: Some(at),
            labels: Vec::new(),
            right: Vec::new(),
        });
        Observed {
            name: setup.name.clone(),
            base: base_of(setup),
            seeds: Vec::new(),
            obeyed: recipe.study.obeyed,
            pairs: pairs.chain(own).collect(),
            targets: targets.tasks.iter().map(of_task).chain(held_out).collect(),
            templates,
            models: Vec::new(),
            english: asked.english.as_ref().map(|english| english.tokens.clone()),
        }
    }
}

/// The templates under names that are neither those of tasks nor of other models.
fn apart(mut templates: Vec<TemplateOf>, tasks: &[Prepared]) -> Vec<TemplateOf> {
    let mut taken: Vec<String> = tasks.iter().map(|one| one.task.name.clone()).collect();
    taken.extend(Arm::ALL.map(|arm| arm.name().to_string()));
    taken.push("base".to_string());
    for (at, template) in templates.iter_mut().enumerate() {
        if taken.contains(&template.name) {
            template.name = format!("{} (template {})", template.name, at + 1);
        }
        taken.push(template.name.clone());
    }
    templates
}

/// What a run is about, in a few words.
fn about(planned: &Planned, templates: &[TemplateOf]) -> String {
    match planned.template {
        Some(at) => format!("{} alone", templates[at].name),
        None => planned.arm.name().to_string(),
    }
}

/// The average of the adapters of a recipe's templates alone, in its shares.
fn merged(runs: &mut Runs, recipe: &Recipe, about: &str) -> Result<Run, Error> {
    let mixture: Vec<f64> = recipe.templates.iter().map(|entry| entry.weight).collect();
    let mut singles = Vec::new();
    for at in (0..mixture.len()).filter(|at| mixture[*at] > 0.0) {
        let about = format!("{about}, for which template {} is trained alone", at + 1);
        singles.push(runs.run_of(single(recipe, at), &about)?);
    }
    runs.merged(&mixture, &singles, about)
}

/// The steps in which the texts alone have as many tokens as the mixture had, or else the first
/// model that was trained; `per_text` is how many each text has a row.
fn steps_of_text(recipe: &Recipe, per_text: &[f64], all: &[(Option<&Planned>, Run)]) -> u64 {
    let trained = || all.iter().filter_map(|(planned, run)| planned.map(|one| (one.arm, run)));
    let like = trained().find(|(arm, _)| *arm == Arm::Mixture).or_else(|| trained().next());
    let Some([_, tokens]) = like.and_then(|(_, run)| counts(run)) else {
        return recipe.train.steps;
    };
    let weights = || recipe.texts.iter().map(|text| text.weight);
    let both = weights().zip(per_text).map(|(weight, tokens)| weight * tokens);
    let of_sample = both.sum::<f64>() / weights().sum::<f64>();
    let samples = (recipe.train.batch * recipe.train.accumulate) as f64;
    ((tokens / (of_sample * samples)).round() as u64).max(1)
}

/// The steps and the tokens of a run, as its report has them.
fn counts(run: &Run) -> Option<[f64; 2]> {
    let text = std::fs::read_to_string(run.folder.join("report.json")).ok()?;
    let report: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some([report["steps"].as_f64()?, report["tokens"].as_f64()?])
}

fn loss(
    runs: &mut Runs,
    run: &Run,
    english: Option<&English>,
    observer: &Observer,
) -> Result<Option<Vec<f64>>, Error> {
    let Some(english) = english else { return Ok(None) };
    let losses =
        runs.measured(run, &english.about, &mut |_, model| english.losses(model, observer))?;
    Ok(Some(losses))
}

fn base_of(setup: &Setup) -> String {
    match &setup.recipe.model.base {
        Base::Scratch(shape) => {
            format!("{} from scratch, {} wide, {} blocks", shape.family, shape.width, shape.layers)
        }
        Base::Folder(named) => {
            let name = Path::new(&named.path).file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}

fn of_task(asked: &Prepared) -> TargetOf {
    let gold = |gold: &Gold| match gold {
        Gold::Choice(at) => Some(*at),
        Gold::Replies(_) => None,
    };
    let right: Vec<Option<usize>> = asked.items.iter().map(|(item, _)| gold(&item.gold)).collect();
    let first = asked.items.first().map(|(item, _)| item.choices()).unwrap_or_default();
    let is_same = asked.items.iter().all(|(item, _)| item.choices() == first);
    let most = asked.items.iter().map(|(item, _)| item.choices().len()).max().unwrap_or(0);
    let labels = match is_same {
        true => first.iter().map(|label| label.trim().to_string()).collect(),
        false => (1..=most).map(|at| format!("choice {at}")).collect(),
    };
    TargetOf {
        name: asked.task.name.clone(),
        metric: asked.task.main.name().to_string(),
        template: None,
        labels,
        right,
    }
}
