//! A recipe's text to all that a run needs: every error is found here, before any work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use candle_core::DType;

use super::fingerprint::Hashing;
use super::format::Chat;
use super::observer::{Event, Observer};
use super::{reading, shots, wording};
use crate::data::Sampler;
use crate::data::budget::{Budget, budget};
use crate::data::layout::TokenIds;
use crate::data::lessons::{Lessons, Part, Why};
use crate::data::preview::cannot_make;
use crate::data::vocab::Vocabulary;
use crate::diagnostic::Diagnostic;
use crate::model::{self, Config, Ends, Model, Tokenizer, gguf, io, lora, walk, weights};
use crate::recipe::{self, Base, Named, Recipe, Words};
use crate::source::{Source, Span};
use crate::stdlib;
use crate::template::{self, Error, Findings, Template};

/// All that a run needs but the model's weights.
pub struct Setup {
    /// The recipe's name: the one in it, as in that of a run folder, or its file's.
    pub name: String,
    /// The resolved recipe.
    pub recipe: Recipe,
    /// The same as TOML, every key written out, every path whole.
    pub text: String,
    /// The templates' texts, in the recipe's order.
    pub templates: Vec<Template>,
    /// Their samples.
    pub lessons: Lessons,
    /// The most ids of each template's samples, where that is known.
    pub budgets: Vec<Option<Budget>>,
    /// Texts to ids.
    pub tokenizer: Tokenizer,
    /// The ids to add behind those of a sample: what ends plain text. A chat's end is among them.
    pub closing: Vec<u32>,
    /// What a reply ends before.
    pub ends: Ends,
    /// The model's shape.
    pub config: Config,
    /// Of a base model, where there is a run to be.
    pub hashing: Option<Hashing>,
    /// When reading it began: what a run takes counts from there.
    pub begun: Instant,
}

impl Setup {
    /// Reads a recipe and the files that it names. All errors are shown. Where it is to be run,
    /// the digests of its base model are made meanwhile.
    pub fn read(
        path: &Path,
        seed: Option<u64>,
        is_run: bool,
        observer: &Observer,
    ) -> Result<Setup, Error> {
        let begun = Instant::now();
        let source = Source::new(path.to_string_lossy(), template::text_of(path)?);
        let (recipe, errors) = recipe::parse(&source);
        let Some(mut recipe) = recipe else { return Err(Error::invalid(&source, errors)) };
        if let Some(seed) = seed {
            if recipe.train.seed == recipe.data.seed {
                recipe.train.seed = seed;
            }
            recipe.data.seed = seed;
        }
        let mut errors = Errors { observer, source: &source, errors, of_templates: Vec::new() };
        let folder = path.parent().unwrap_or(Path::new(""));
        let templates = templates(&mut recipe, folder, &mut errors);
        let hashing = if is_run { hashing(&recipe, folder) } else { None };
        let known = known_tokenizer(&mut recipe, folder, &mut errors);
        let words = words(&mut recipe, folder, known.as_ref().map(|known| &known.0), &mut errors);
        let (templates, words) = errors.all_well(templates.zip(words))?;

        let mut samplers = Vec::new();
        for (template, entry) in templates.iter().zip(&recipe.templates) {
            samplers.push(sampler(template, entry, &words)?);
        }
        let (tokenizer, config) = match known {
            Some(known) => known,
            None => made_tokenizer(&samplers, &recipe, &mut errors)?,
        };
        let mut chat = Chat::of(&mut recipe, &tokenizer, config.vocab_size, &mut errors);
        let mut parts = Vec::new();
        for (sampler, entry) in samplers.into_iter().zip(&recipe.templates) {
            let entry = (entry, &recipe);
            parts.push(part(sampler, entry, &tokenizer, chat.as_mut(), &mut errors));
        }
        let (ends, closing) = match chat.and_then(|chat| chat.ends) {
            Some(ends) => (ends, Vec::new()),
            None => (Ends::of(tokenizer.ends()), vec![tokenizer.eos()]),
        };
        let budgets = budgets(&parts, &tokenizer, closing.len(), &recipe, &config, &mut errors);
        errors.all_well(Some(()))?;
        let lessons = Lessons::new(parts, recipe.data.seed);
        let (name, text) = (name(path, &recipe), recipe::toml_text(&recipe));
        Ok(Setup {
            name,
            recipe,
            text,
            templates,
            lessons,
            budgets,
            tokenizer,
            closing,
            ends,
            config,
            hashing,
            begun,
        })
    }

    /// The recipe as it goes into the run folder: a run that goes on is named as it was.
    pub fn named_text(&self) -> String {
        format!("name = {}\n\n{}", toml::Value::from(self.name.as_str()), self.text)
    }

    /// The model before training, on the GPU of this number if on one.
    pub fn model(&self, gpu: usize, observer: &Observer) -> Result<Model, Error> {
        let (model, seed) = (&self.recipe.model, self.recipe.train.seed);
        let device = model::device(&model.device, gpu).context("cannot use the device")?;
        let mut made = match &model.base {
            Base::Scratch(shape) => weights::fresh(&self.config, seed, shape.init, &device)?,
            Base::Folder(folder) => {
                let path = model::locate(&folder.path)?;
                let read = |done, total| observer.tell(Event::Reading { done, total });
                reading::model(&path, dtype(&model.dtype), &device, model.nf4, &read)?
            }
        };
        if let Some(lora) = &self.recipe.lora {
            lora::attach(&mut made, lora, seed)?;
        }
        walk::pack(&mut made)?;
        Ok(made)
    }

    /// What is about to happen, in a clause.
    pub fn about(&self, model: &Model) -> String {
        let learning = model.learning();
        let learning: usize = learning.iter().map(|one| one.value.elem_count()).sum();
        let all = model.count();
        let device = if model.device.is_cpu() { "CPU" } else { "GPU" };
        let names: Vec<&str> =
            self.lessons.parts.iter().map(|part| part.sampler.program().name.as_str()).collect();
        format!(
            "{learning} of {all} weights learn {} on the {device}, {} steps of {} samples",
            names.join(", "),
            self.recipe.train.steps,
            self.samples_of_a_step(),
        )
    }

    /// Samples of all micro-batches of a step.
    pub fn samples_of_a_step(&self) -> u64 {
        (self.recipe.train.batch * self.recipe.train.accumulate) as u64
    }

    /// The failure that a faulty sample of a template is.
    pub fn sample_error(&self, part: usize, index: u64, why: Why) -> Error {
        let program = self.lessons.parts[part].sampler.program();
        let seed = self.recipe.data.seed;
        match why {
            Why::Fault(error) => {
                let diagnostic = cannot_make(program, seed, index, error);
                Error::invalid(self.templates[part].source(), vec![diagnostic])
            }
            Why::Ids(why) => {
                let (name, level) = (&program.name, self.lessons.parts[part].sampler.level());
                let sample = format!("sample {index} of {name} (level {level}, seed {seed})");
                Error::Input(format!("{sample}: {why}"))
            }
        }
    }
}

/// Errors of the recipe, shown together.
pub(super) struct Errors<'a> {
    observer: &'a Observer<'a>,
    source: &'a Source,
    errors: Vec<Diagnostic>,
    /// Those of the templates themselves, which come first.
    of_templates: Vec<Findings>,
}

impl Errors<'_> {
    pub(super) fn add(
        &mut self,
        code: &'static str,
        title: String,
        span: Span,
        label: &str,
        help: String,
    ) {
        self.errors.push(Diagnostic::error(code, title, span, label).help(help));
    }

    /// Takes in the errors of a template, which are shown before those of the recipe.
    fn of_template(&mut self, error: Error) {
        if let Error::Invalid(found) = error {
            self.of_templates.extend(found);
        }
    }

    /// What was made, if nothing is invalid.
    fn all_well<Made>(&mut self, made: Option<Made>) -> Result<Made, Error> {
        self.errors.sort_by_key(Diagnostic::span);
        match made {
            Some(made) if self.errors.is_empty() => Ok(made),
            _ => {
                let mut all = std::mem::take(&mut self.of_templates);
                let diagnostics = std::mem::take(&mut self.errors);
                all.push(Findings { source: self.source.clone(), diagnostics });
                Err(Error::Invalid(all))
            }
        }
    }
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

/// A path of the recipe, which counts from the recipe's folder, made whole.
fn whole(folder: &Path, named: &mut Named) -> PathBuf {
    let path = folder.join(&named.path);
    let path = path.canonicalize().unwrap_or(path);
    named.path = path.to_string_lossy().into_owned();
    path
}

fn templates(recipe: &mut Recipe, folder: &Path, errors: &mut Errors) -> Option<Vec<Template>> {
    let (mut templates, mut shown) = (Vec::new(), Vec::new());
    let entries = recipe.templates.len();
    for entry in &mut recipe.templates {
        if !entry.file.path.starts_with("std:") {
            whole(folder, &mut entry.file);
        }
        let source = match template::source_of(&entry.file.path) {
            Ok(source) => source,
            Err(error) => {
                let help = "write the path of a .cook file, counted from the recipe's folder, or \
                            one that is built in: ";
                let built_in: Vec<String> =
                    stdlib::TEMPLATES.iter().map(|(name, _)| format!("\"std:{name}\"")).collect();
                let help = format!("{help}{}", built_in.join(", "));
                errors.add("E707", error.to_string(), entry.file.span, "named here", help);
                continue;
            }
        };
        match Template::checked(source.clone()) {
            Ok(template) => templates.push(template),
            Err(error) => {
                // A template that comes at several levels has its errors once.
                if !shown.contains(&source.name) {
                    errors.of_template(error);
                    shown.push(source.name.clone());
                }
                let title = format!("{} has errors", source.name);
                let help = format!("fix them: `cookc check {}` shows them", source.name);
                errors.add("E709", title, entry.file.span, "named here", help);
            }
        }
    }
    (templates.len() == entries && entries > 0).then_some(templates)
}

/// Begins to read all of the base model's files, if they are there.
fn hashing(recipe: &Recipe, folder: &Path) -> Option<Hashing> {
    let Base::Folder(named) = &recipe.model.base else { return None };
    let path = match named.path.starts_with(model::HUB) {
        true => model::locate(&named.path).ok()?,
        false => folder.join(&named.path),
    };
    path.exists().then(|| Hashing::start(path))
}

/// The tokenizer and shape of a model that is there already.
fn known_tokenizer(
    recipe: &mut Recipe,
    folder: &Path,
    errors: &mut Errors,
) -> Option<(Tokenizer, Config)> {
    let Base::Folder(named) = &mut recipe.model.base else { return None };
    // What is refused by its name has been refused already.
    if errors.errors.iter().any(|error| error.span() == named.span && error.code == "E706") {
        return None;
    }
    if !named.path.starts_with(model::HUB) {
        whole(folder, named);
    }
    let base = named.path.clone();
    let mut read = || -> anyhow::Result<_> {
        let path = model::locate(&base)?;
        named.path = model::pinned(&base, &path);
        if gguf::is_named(&path) {
            return Ok((Tokenizer::load(&path)?, io::load_config(&path)?));
        }
        anyhow::ensure!(path.is_dir(), "there is no folder {}", path.display());
        let config = io::load_config(&path)?;
        let tokenizer = Tokenizer::load(&path)?;
        tokenizer.expect_within(config.vocab_size)?;
        let has_weights = ["model.safetensors", "model.safetensors.index.json"]
            .iter()
            .any(|name| path.join(name).is_file());
        anyhow::ensure!(has_weights, "there is no {}", path.join("model.safetensors").display());
        Ok((tokenizer, config))
    };
    match read() {
        Ok(known) => Some(known),
        Err(error) => {
            let help = "write a folder that holds config.json, model.safetensors and \
                        tokenizer.json, a .gguf file, or `base = \"hf:ORG/NAME\"`";
            errors.add("E707", format!("{error:#}"), named.span, "the model", help.to_string());
            None
        }
    }
}

fn words(
    recipe: &mut Recipe,
    folder: &Path,
    tokenizer: Option<&Tokenizer>,
    errors: &mut Errors,
) -> Option<Vocabulary> {
    match &mut recipe.data.words {
        Words::Embedded(count) => Some(Vocabulary::embedded_part(*count)),
        Words::Tokenizer => {
            let words = wording::words_of(tokenizer?);
            let words = words.and_then(|words| Ok(Vocabulary::new(words)?));
            let help = "write `vocab = 512` for made-up words, or a file of words";
            let note = |error: anyhow::Error| {
                let title = format!("the tokenizer gives no words: {error:#}");
                errors.add("E707", title, Span::default(), "", help.to_string());
            };
            words.map_err(note).ok()
        }
        Words::File(file) => {
            let path = whole(folder, file);
            let words = template::vocabulary(Some(&path));
            let help = "write a file with a word a line, or how many made-up words to take";
            let note = |why: Error| {
                errors.add("E707", why.to_string(), file.span, "the words", help.to_string())
            };
            words.map_err(note).ok()
        }
    }
}

fn sampler(of: &Template, entry: &recipe::Entry, words: &Vocabulary) -> Result<Sampler, Error> {
    let level = of.level(&*entry.level).vocabulary(words.clone());
    let compile = entry.set.iter().fold(level, |compile, (name, value)| compile.set(name, value));
    Ok(compile.compile()?.inner().clone())
}

/// The tokenizer and shape of a model from scratch.
fn made_tokenizer(
    samplers: &[Sampler],
    recipe: &Recipe,
    errors: &mut Errors,
) -> Result<(Tokenizer, Config), Error> {
    let Base::Scratch(shape) = &recipe.model.base else {
        unreachable!("a model of a folder has its own tokenizer")
    };
    let programs = samplers.iter().map(|sampler| (&**sampler.program(), &**sampler.vocabulary()));
    let tokenizer = match wording::of_words(programs)? {
        Ok(tokenizer) => tokenizer,
        Err(value) => {
            let title = format!("`{value}` shows numbers that cannot each be a word of the model");
            let help = "choose a level with smaller integers, or a model with a tokenizer";
            let span = recipe.templates[0].file.span;
            errors.add("E708", title, span, "among these templates", help.to_string());
            return errors.all_well(None);
        }
    };
    let mut config = Config::small(
        tokenizer.vocab_size(),
        shape.width,
        shape.feed_forward,
        shape.layers,
        shape.heads,
    );
    config.rope_theta = shape.rotary_base;
    config.max_position_embeddings = recipe.data.sequence;
    Ok((tokenizer, config))
}

fn part(
    sampler: Sampler,
    (entry, recipe): (&recipe::Entry, &Recipe),
    tokenizer: &Tokenizer,
    chat: Option<&mut Chat>,
    errors: &mut Errors,
) -> Part {
    if let Some(error) = wording::unknown(tokenizer, &sampler, recipe.data.seed) {
        let of = match &recipe.model.base {
            Base::Folder(base) => format!(", which is that of {}", base.path),
            Base::Scratch(_) => String::new(),
        };
        let help = format!("take words and templates that the model's tokenizer knows{of}");
        errors.add("E708", format!("{error:#}"), entry.file.span, "shown here", help);
    }
    let tokenize = Arc::new(tokenizer.clone());
    let ids = TokenIds::new(sampler.program(), sampler.vocabulary().clone(), tokenize);
    let ids = match chat {
        Some(chat) => chat.frame(ids, &sampler, tokenizer, errors),
        None => ids.behind(tokenizer.opening()),
    };
    let ids = if recipe.data.shots > 0 { ids.after_shots(shots::BETWEEN) } else { ids };
    let part = Part { sampler, ids, weight: entry.weight };
    // The ids of words that a model from scratch learns are theirs wherever they are.
    if tokenizer.is_of_words() { part } else { known(part.held(recipe.data.seed), recipe, errors) }
}

/// The part; tells if its prompts alone have other ids than before a reply.
fn known(part: Part, recipe: &Recipe, errors: &Errors) -> Part {
    let mut memory = part.sampler.memory(crate::data::Split::Train, recipe.data.seed);
    let made = part.sampler.sample(&mut memory, 0).is_ok();
    if made && part.ids.reads_alone(&memory) == Ok(false) {
        errors.observer.note(format!(
            "warning: the prompt of {} ends with white space that the tokenizer joins with what \
             comes after it: who reads the prompt alone reads other tokens than are learned; end \
             it with a word or a sign",
            part.sampler.program().name
        ));
    }
    part
}

fn budgets(
    parts: &[Part],
    tokenizer: &Tokenizer,
    closing: usize,
    recipe: &Recipe,
    config: &Config,
    errors: &mut Errors,
) -> Vec<Option<Budget>> {
    let tokens_max = config.tokens_max().min(recipe.data.sequence) as u64;
    let (shots, between) = (recipe.data.shots as u64, shots::between_max(tokenizer));
    let one = |(part, entry): (&Part, &recipe::Entry)| {
        let words = (&**part.sampler.vocabulary(), &**part.sampler.pools());
        let mut program = (**part.sampler.program()).clone();
        // One that is the same everywhere may be a part of what stands around the texts.
        program.layout.system = program.layout.system.filter(|_| part.ids.has_system());
        let budget = budget(&program, words, tokenizer, !part.ids.has_tables());
        let budget = budget.map(|budget| Budget {
            prompt: budget.prompt + part.ids.around_max() as u64,
            ..budget
        });
        let tokens = budget.map_or(0, |budget| tokens(&budget, shots, between, closing as u64));
        if tokens > tokens_max {
            let with = if shots > 0 { format!(" with its {shots} shots") } else { String::new() };
            let title =
                format!("a sample{with} may have {tokens} tokens, and {tokens_max} are read");
            let help = match config.tokens_max() as u64 >= tokens {
                true => format!("write `sequence = {tokens}` below `[data]`"),
                false if shots > 0 => "write fewer `shots`, or choose an easier level".to_string(),
                false => "choose an easier level, or set smaller parameters".to_string(),
            };
            // A model from scratch is made for as many as the recipe says.
            let help = match &recipe.model.base {
                Base::Scratch(_) => format!("write `sequence = {tokens}` below `[data]`"),
                Base::Folder(_) => help,
            };
            errors.add("E710", title, entry.file.span, "this template", help);
        }
        budget
    };
    parts.iter().zip(&recipe.templates).map(one).collect()
}

/// The most tokens of a sample with its shots and its end.
pub fn tokens(budget: &Budget, shots: u64, between: u64, closing: u64) -> u64 {
    (shots + 1) * (budget.prompt + budget.reply) + shots * between + closing
}

fn dtype(name: &str) -> DType {
    match name {
        "bf16" => DType::BF16,
        "f16" => DType::F16,
        _ => DType::F32,
    }
}
