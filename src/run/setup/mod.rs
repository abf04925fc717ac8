//! A recipe's text to all that a run needs: every error is found here, before any work.

mod base;
mod budgets;
mod chat;
mod errors;
mod hashing;
mod parts;
mod tasks;
mod templates;
mod texts;

use std::path::Path;
use std::time::Instant;

use super::observer::Observer;
use super::reading::Trained;
use super::shots::Shots;
use super::texts::Text;
use crate::data::budget::Budget;
use crate::data::dataset::{Dataset, Part, Replies, Why};
use crate::data::preview::cannot_make;
use crate::data::vocab::Vocabulary;
use crate::data::{Sampler, Split};
use crate::mix::{self, Mixture};
use crate::model::{Config, Ends, Model, Tokenizer};
use crate::recipe::{self, Entry, Recipe, Words};
use crate::source::Source;
use crate::tasks::Prepared;
use crate::template::{self, Error, Template};
pub(crate) use budgets::tokens;
use chat::Chat;
use errors::Errors;
pub(super) use hashing::{DIGEST, Hashing, base_files, short};

/// All that a run needs but the model's weights.
pub struct Setup {
    /// The recipe's name: the one in it, as in that of a run folder, or its file's.
    pub name: String,
    /// The resolved recipe.
    pub recipe: Recipe,
    /// The same as TOML, every key written out, every path absolute.
    pub text: String,
    /// The templates' texts, in the recipe's order.
    pub templates: Vec<Template>,
    /// Their samples.
    pub dataset: Dataset,
    /// Rows of other people's data, in the recipe's order: in the mixture after the templates.
    pub texts: Vec<Text>,
    /// The most ids of each template's samples, where that is known.
    pub budgets: Vec<Option<Budget>>,
    /// What makes the policy of its mixture: that of the recipe, or another one that a caller
    /// puts in its place before the run.
    pub policy: mix::Make,
    /// Texts to ids.
    pub tokenizer: Tokenizer,
    /// The ids to add after those of a sample: what ends plain text. A chat's end is among them.
    pub closing: Vec<u32>,
    /// What a reply ends before.
    pub ends: Ends,
    /// The model's shape.
    pub config: Config,
    /// Tasks with known answers, to be evaluated beside the held-out samples.
    pub tasks: Vec<Prepared>,
    /// The tasks that a learned mixture is for, where they are other ones.
    pub targets: Vec<Prepared>,
    /// Of a base model, where there is a run to be.
    pub(super) hashing: Option<Hashing>,
    /// When reading it began: what a run takes counts from there.
    pub begun: Instant,
}

impl Setup {
    /// The parameters that the recipe sets in a template, as tables show them.
    pub fn set_of(&self, at: usize) -> impl Iterator<Item = String> {
        let set = self.recipe.templates[at].set.iter();
        set.map(|(name, value)| format!("{name} = {value}"))
    }

    /// Reads a recipe and the files that it names. All errors are shown. Where it is to be run,
    /// the digests of its base model are made meanwhile.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every error of the recipe and of what it names, and [`Error::Io`]
    /// or [`Error::Input`] if the recipe cannot be read.
    pub fn read(
        path: &Path,
        seed: Option<u64>,
        is_run: bool,
        observer: &Observer,
    ) -> Result<Setup, Error> {
        let begun = Instant::now();
        let (mut recipe, mut errors) = open(path, seed, observer)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let templates = templates::read(&mut recipe, folder, &mut errors);
        tasks::rooted(&mut recipe.study, folder);
        recipe.texts.iter_mut().for_each(|text| _ = templates::whole(folder, &mut text.file));
        let hashing = if is_run { base::hashing(&recipe, folder) } else { None };
        let known = base::known(&mut recipe, folder, &mut errors);
        let tokenizer = known.as_ref().map(|known| &known.0);
        let words = templates::words(&mut recipe, folder, tokenizer, &mut errors);
        let (templates, words) = errors.all_well(templates.zip(words))?;
        let samplers = templates::samplers(&templates, &recipe, &words)?;
        let (tokenizer, config) = match known {
            Some(known) => known,
            None => base::made(&samplers, &recipe, &mut errors)?,
        };
        let chat = Chat::of(&mut recipe, &tokenizer, config.vocab_size, &mut errors);
        let mut format = parts::Format { recipe: &recipe, tokenizer: &tokenizer, chat };
        let parts = format.parts(samplers, &mut errors);
        let tokens_max = config.tokens_max().min(recipe.data.sequence);
        let texts = format.texts(tokens_max, &mut errors);
        let (ends, closing) = match format.chat.and_then(|chat| chat.ends) {
            Some(ends) => (ends, Vec::new()),
            None => (Ends::of(tokenizer.ends()), vec![tokenizer.eos()]),
        };
        let room = budgets::Room::of(&recipe, &config, &tokenizer, closing.len());
        let budgets = room.budgets(&parts, &mut errors);
        let policy = mix::policy(&recipe).map_err(|error| errors.push(*error)).ok();
        let policy = errors.all_well(policy)?;
        let dataset = Dataset { parts, seed: recipe.data.seed };
        let place = (folder, recipe.data.seed);
        let is_learned = mix::is_learned(&recipe);
        let prepared = |tasks| tasks::prepared(tasks, place, &tokenizer, config.tokens_max());
        let tasks = prepared(recipe.eval.tasks.as_mut())?;
        let targets = match is_learned {
            true => prepared(recipe.mix.tasks.as_mut())?,
            false => Vec::new(),
        };
        let (name, text) = (name(path, &recipe), recipe::toml_text(&recipe));
        Ok(Setup {
            name,
            recipe,
            text,
            templates,
            dataset,
            texts,
            budgets,
            policy,
            tokenizer,
            closing,
            ends,
            config,
            tasks,
            targets,
            hashing,
            begun,
        })
    }

    /// Puts another recipe in the place of this one, with the same templates, texts, words and
    /// model.
    pub(crate) fn put(&mut self, recipe: Recipe) {
        self.text = recipe::toml_text(&recipe);
        for (part, entry) in self.dataset.parts.iter_mut().zip(&recipe.templates) {
            part.replies = entry.replies;
        }
        self.recipe = recipe;
    }

    /// The recipe as it goes into the run folder: a run that goes on is named as it was.
    pub fn named_text(&self) -> String {
        format!("name = {}\n\n{}", toml::Value::from(self.name.as_str()), self.text)
    }

    /// The model before training, on the GPU of this number if on one.
    pub(crate) fn model(&self, gpu: usize, observer: &Observer) -> Result<Model, Error> {
        base::model(&self.recipe, &self.config, gpu, observer)
    }

    /// A model that a run of the recipe has trained.
    pub(crate) fn trained(&self, found: &Trained, observer: &Observer) -> Result<Model, Error> {
        base::trained(&self.recipe, found, observer)
    }

    /// What is about to happen, in a clause.
    pub fn about(&self, model: &Model) -> String {
        let learning = model.trainable();
        let learning: usize = learning.iter().map(|one| one.value.elem_count()).sum();
        let all = model.count();
        let device = if model.device.is_cpu() { "CPU" } else { "GPU" };
        let both = self.dataset.parts.iter().zip(&self.recipe.templates);
        // A template without weight is evaluated only.
        let trained = both.filter(|(_, it)| it.weight > 0.0 || it.end_weight > Some(0.0));
        let template = |(part, entry): (&Part, &Entry)| {
            let name = &part.sampler.program().name;
            match entry.replies {
                Replies::Own => name.clone(),
                Replies::Shuffled => format!("{name} with shuffled replies"),
            }
        };
        let templates = trained.map(template);
        let text =
            |it: &Text| format!("{} ({} rows, {} tokens)", it.name, it.rows.len(), it.tokens);
        let names: Vec<String> = templates.chain(self.texts.iter().map(text)).collect();
        format!(
            "{learning} of {all} weights learn {} on the {device}, {} steps of {} samples",
            names.join(", "),
            self.recipe.train.steps,
            self.samples_of_a_step(),
        )
    }

    /// Which template each sample is of, before the first step.
    pub(crate) fn mixture(&self) -> Mixture {
        Mixture::new(&self.recipe, self.policy)
    }

    /// What makes the shots before the samples of a split.
    pub(crate) fn shots(&self, split: Split) -> Shots<'_> {
        Shots::new(&self.dataset, self.recipe.data.shots, split)
    }

    /// Samples of all micro-batches of a step.
    pub fn samples_of_a_step(&self) -> u64 {
        (self.recipe.train.batch * self.recipe.train.accumulate) as u64
    }

    /// The failure that a faulty sample of a template is.
    pub fn sample_error(&self, part: usize, index: u64, why: Why) -> Error {
        let program = self.dataset.parts[part].sampler.program();
        let seed = self.recipe.data.seed;
        match why {
            Why::Fault(error) => {
                let diagnostic = cannot_make(program, seed, index, error);
                Error::invalid(self.templates[part].source(), vec![diagnostic])
            }
            Why::Ids(why) => {
                let (name, level) = (&program.name, self.dataset.parts[part].sampler.level());
                let sample = format!("sample {index} of {name} (level {level}, seed {seed})");
                Error::Input(format!("{sample}: {why}"))
            }
        }
    }
}

/// What a recipe names apart from its model.
pub struct Sources {
    /// The recipe.
    pub recipe: Recipe,
    /// Its templates.
    pub templates: Vec<Template>,
    /// Their samplers.
    pub samplers: Vec<Sampler>,
    /// Their words.
    pub words: Vocabulary,
}

/// Reads a recipe's templates and words, and its mixture's policy. The model need not be there,
/// unless the words are its tokens.
pub(super) fn sources(
    path: &Path,
    seed: Option<u64>,
    observer: &Observer,
) -> Result<(Sources, mix::Make), Error> {
    let (mut recipe, mut errors) = open(path, seed, observer)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let templates = templates::read(&mut recipe, folder, &mut errors);
    expect_generated(&recipe, &mut errors);
    let known = match recipe.data.words {
        Words::Tokenizer => base::known(&mut recipe, folder, &mut errors),
        _ => None,
    };
    let tokenizer = known.as_ref().map(|known| &known.0);
    let words = templates::words(&mut recipe, folder, tokenizer, &mut errors);
    let policy = mix::policy(&recipe).map_err(|error| errors.push(*error)).ok();
    let (templates, (words, policy)) = errors.all_well(templates.zip(words.zip(policy)))?;
    let samplers = templates::samplers(&templates, &recipe, &words)?;
    Ok((Sources { recipe, templates, samplers, words }, policy))
}

/// Notes what is trained on and cannot be generated.
fn expect_generated(recipe: &Recipe, errors: &mut Errors) {
    let shuffled = recipe.templates.iter().filter(|entry| entry.replies == Replies::Shuffled);
    let shuffled = shuffled
        .map(|entry| ("shuffled replies are", entry.file.span, "write `replies = \"own\"`"));
    let texts = recipe.texts.iter().map(|text| {
        ("rows of a text are", text.file.span, "leave it out: samples are generated of templates")
    });
    for (what, span, help) in shuffled.chain(texts) {
        let title = format!("{what} trained on, and not generated");
        errors.add("E706", title, span, "this one", help.to_string());
    }
}

/// A recipe, with another seed if one is asked for, and the errors of its text.
fn open<'a>(
    path: &Path,
    seed: Option<u64>,
    observer: &'a Observer<'a>,
) -> Result<(Recipe, Errors<'a>), Error> {
    let source = Source::new(path.to_string_lossy(), template::text_of(path)?);
    let (recipe, errors) = recipe::parse(&source);
    let Some(mut recipe) = recipe else { return Err(Error::invalid(&source, errors)) };
    if let Some(seed) = seed {
        if recipe.train.seed == recipe.data.seed {
            recipe.train.seed = seed;
        }
        recipe.data.seed = seed;
    }
    Ok((recipe, Errors::of(source, errors, observer)))
}

fn name(path: &Path, recipe: &Recipe) -> String {
    if let Some(name) = &recipe.name {
        return name.clone();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().and_then(Path::file_name);
    match folder {
        Some(folder) if stem == "recipe" => folder.to_string_lossy().into_owned(),
        _ => stem,
    }
}
