//! A recipe's mixture as a data set: the samples that training draws, in its order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::observer::Observer;
use super::setup::{self, Setup, Sources};
use super::{fingerprint, not_learned};
use crate::data::generate::Stopped;
use crate::data::preview::cannot_make;
use crate::data::sink::{self, Format, Ids, Output, Rows, Schema, Shape, settings};
use crate::data::vocab::Vocabulary;
use crate::data::{self, Answer, Origin, Split};
use crate::mix::{self, Mixture};
use crate::recipe::{Entry, Words};
use crate::template::{self, Error, Template};

/// A recipe whose samples are written, not learned from.
pub struct Mixed {
    /// The recipe's text.
    text: String,
    sources: Sources,
    mixture: Mixture,
    /// Where its rows are of ids.
    ids: Option<Arc<Ids>>,
}

/// What a manifest calls the recipe, and its file of words.
const RECIPE: &str = "recipe.toml";
const WORDS: &str = "vocab.words";

impl Mixed {
    /// Reads a recipe with its templates and words. Of a pretrained model only the tokenizer is
    /// read, and only if the words are its tokens.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every error of the recipe and of what it names, and [`Error::Io`]
    /// or [`Error::Input`] if the recipe cannot be read.
    pub fn read(path: &Path, seed: Option<u64>, observer: &Observer) -> Result<Mixed, Error> {
        let text = template::text_of(path)?;
        let (sources, policy) = setup::sources(path, seed, observer)?;
        if mix::is_learned(&sources.recipe) {
            return Err(not_learned(&sources.recipe));
        }
        let mixture = Mixture::new(&sources.recipe, policy);
        Ok(Mixed { text, sources, mixture, ids: None })
    }

    /// The same for rows of at most `length` ids, which are those that training has: the recipe's
    /// tokenizer and chat format make them.
    ///
    /// # Errors
    /// As [`Mixed::read`], and if the model's tokenizer is not there, or samples have shots.
    pub fn read_ids(
        path: &Path,
        seed: Option<u64>,
        length: usize,
        observer: &Observer,
    ) -> Result<Mixed, Error> {
        let mixed = Mixed::read(path, seed, observer)?;
        let setup = Setup::read(path, seed, false, observer)?;
        if setup.recipe.data.shots > 0 {
            let why = "ids of samples with shots are not written: write `shots = 0` in [data]";
            return Err(Error::Input(format!("{}: {why}", path.display())));
        }
        let tokenizer = fingerprint::of_tokenizer(&setup.tokenizer)?;
        let of = format!("{tokenizer}, {}", fingerprint::samples(&setup)?);
        let parts = setup.dataset.parts.into_iter().map(|part| part.ids).collect();
        let ids = Ids { parts, closing: setup.closing, length, of };
        Ok(Mixed { ids: Some(Arc::new(ids)), ..mixed })
    }

    /// The names of the templates, once each, in the recipe's order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for sampler in &self.sources.samplers {
            let name = sampler.program().name.as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Generates the rows with these indices in parallel, and writes them in order: row *r* is the
    /// sample that training sees as its *r*-th, if no evaluation has changed the mixture. Returns
    /// how many bytes were written.
    ///
    /// # Errors
    /// [`Stopped`], which [`Mixed::error`] tells the place of. A file is then left as it was.
    pub fn write(
        &self,
        (format, shape): (&Format, &'static Shape),
        (split, indices): (Split, Range<u64>),
        output: Output,
        observer: &data::Observer,
    ) -> Result<u64, Stopped> {
        let mixing = |indices| self.mixing(split, indices);
        let rows = Rows { indices, mixing: Some(&mixing) };
        format.write(&self.schema(split, shape), &rows, output, observer)
    }

    /// What tells its rows from all others: the same text, the same bytes.
    pub fn text(&self, (format, shape): (&Format, &'static Shape), split: Split) -> String {
        let rows = self.schema(split, shape).text(format.name);
        let recipe = &self.sources.recipe;
        let weights = recipe.templates.iter().map(|one| (one.weight, one.end_weight));
        let steps = (recipe.train.steps, recipe.train.batch, recipe.train.accumulate);
        let weights: Vec<_> = weights.collect();
        format!("{rows}, mixed by {} {weights:?} {steps:?}", recipe.mix.policy.path)
    }

    /// Its templates, with their settings.
    pub fn templates(&self) -> Vec<sink::Template> {
        self.templates_where(|_| true)
    }

    /// Those that rows are drawn from: the others are only evaluated.
    pub fn drawn(&self) -> Vec<sink::Template> {
        self.templates_where(|entry| entry.weight.max(entry.end_weight.unwrap_or(0.0)) > 0.0)
    }

    fn templates_where(&self, is: impl Fn(&Entry) -> bool) -> Vec<sink::Template> {
        let Sources { recipe, templates, samplers, .. } = &self.sources;
        let both = templates.iter().zip(samplers).zip(&recipe.templates);
        let templates = both.filter(|(_, entry)| is(entry)).map(|((template, sampler), entry)| {
            let set: Vec<(String, String)> =
                entry.set.iter().map(|(name, number)| (name.clone(), number.clone())).collect();
            let set = settings(template.typed(), &set);
            sink::Template { sampler: sampler.clone(), set }
        });
        templates.collect()
    }

    /// Each of its templates with its level and what is set, as a server offers them.
    pub fn chosen(&self) -> impl Iterator<Item = (&Template, &str, Vec<(String, String)>)> {
        let Sources { recipe, templates, .. } = &self.sources;
        templates.iter().zip(&recipe.templates).map(|(template, entry)| {
            let set = entry.set.iter().map(|(name, value)| (name.clone(), value.clone()));
            (template, entry.level.as_str(), set.collect())
        })
    }

    /// The words of its templates.
    pub fn words(&self) -> &Vocabulary {
        &self.sources.words
    }

    /// How answers are written.
    pub fn answer(&self) -> Answer {
        self.sources.recipe.data.answer
    }

    /// The seed of its samples.
    pub fn seed(&self) -> u64 {
        self.sources.recipe.data.seed
    }

    /// What its rows are made from, with the texts of all files; none if its words or its rows are
    /// of the tokens of a model, which no manifest holds.
    pub fn origin(&self, split: Split, (shape, format): (&str, &str)) -> Option<Origin> {
        if self.ids.is_some() {
            return None;
        }
        let Sources { recipe, templates, .. } = &self.sources;
        let mut origin = Origin {
            answer: None,
            template: RECIPE.to_string(),
            level: None,
            set: Vec::new(),
            vocab: None,
            split: split.name().to_string(),
            seed: recipe.data.seed,
            shape: shape.to_string(),
            format: format.to_string(),
            files: BTreeMap::new(),
        };
        let mut table: toml::Table = self.text.parse().ok()?;
        for (at, template) in templates.iter().enumerate() {
            // Each in a folder, since two may have files of one name.
            let own = template.origin(None, &[], None, (split, 0), (shape, format));
            let name = format!("{at}/{}", own.file());
            if !own.template.starts_with("std:") {
                table.get_mut("template")?.get_mut(at)?.as_table_mut()?["file"] = name.into();
            }
            let files = own.files.into_iter().map(|(name, text)| (format!("{at}/{name}"), text));
            origin.files.extend(files);
        }
        match &recipe.data.words {
            Words::Embedded(_) => {}
            Words::Tokenizer => return None,
            Words::File(file) => {
                let text = template::text_of(Path::new(&file.path)).ok()?;
                origin.files.insert(WORDS.to_string(), text);
                table.get_mut("data")?.as_table_mut()?["vocab"] = WORDS.into();
            }
        }
        origin.files.insert(RECIPE.to_string(), table.to_string());
        Some(origin)
    }

    fn schema(&self, split: Split, shape: &'static Shape) -> Schema {
        let seed = self.sources.recipe.data.seed;
        Schema { templates: self.templates(), split, seed, shape, ids: self.ids.clone() }
    }

    /// Which template each row of a range is of.
    fn mixing(&self, split: Split, indices: Range<u64>) -> Result<Vec<usize>, String> {
        let mut step = self.mixture.step_of(indices.start);
        let mut order = self.mixture.order(split, step)?;
        let mut of = Vec::with_capacity((indices.end - indices.start) as usize);
        for row in indices {
            if self.mixture.step_of(row) != step {
                step = self.mixture.step_of(row);
                order = self.mixture.order(split, step)?;
            }
            of.push(order.template(row));
        }
        Ok(of)
    }

    /// Why a data set is not written: [`Error::Invalid`] if a sample cannot be drawn,
    /// [`Error::Input`] if the mixture weights of a step are no weights, [`Error::Cancelled`] if
    /// the observer stopped it, and [`Error::Failed`] if the output cannot be written.
    ///
    /// # Panics
    /// If the error is of a row that was not drawn.
    pub fn error(&self, split: Split, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Cancelled => Error::Cancelled,
            Stopped::Output(error) => error.into(),
            Stopped::NoRow(why) => Error::Input(why),
            Stopped::Fault(row, why) => {
                let of = self.mixing(split, row..row + 1).expect("the row was drawn from one")[0];
                let Sources { recipe, templates, samplers, .. } = &self.sources;
                let program = samplers[of].program();
                let diagnostic = cannot_make(program, recipe.data.seed, row, why);
                Error::invalid(templates[of].source(), vec![diagnostic])
            }
        }
    }
}
