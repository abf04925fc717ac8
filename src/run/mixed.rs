//! A recipe's mixture as a data set: the samples that training draws, in its order.

use std::ops::Range;
use std::path::Path;

use super::not_learned;
use super::observer::Observer;
use super::setup::{self, Sources};
use crate::data::generate::Stopped;
use crate::data::preview::cannot_make;
use crate::data::sink::{self, Format, Output, Rows, Schema, Shape, settings};
use crate::data::{self, Split};
use crate::mix::{self, Mixture};
use crate::template::Error;

/// A recipe whose samples are written, not learned from.
pub struct Mixed {
    sources: Sources,
    mixture: Mixture,
}

impl Mixed {
    /// Reads a recipe with its templates and words. Of a pretrained model only the tokenizer is
    /// read, and only if the words are its tokens.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every error of the recipe and of what it names, and [`Error::Io`]
    /// or [`Error::Input`] if the recipe cannot be read.
    pub fn read(path: &Path, seed: Option<u64>, observer: &Observer) -> Result<Mixed, Error> {
        let (sources, policy) = setup::sources(path, seed, observer)?;
        if mix::is_learned(&sources.recipe) {
            return Err(not_learned(&sources.recipe));
        }
        let mixture = Mixture::new(&sources.recipe, policy);
        Ok(Mixed { sources, mixture })
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

    fn schema(&self, split: Split, shape: &'static Shape) -> Schema {
        let Sources { recipe, templates, samplers } = &self.sources;
        let both = templates.iter().zip(samplers).zip(&recipe.templates);
        let templates = both.map(|((template, sampler), entry)| {
            let set: Vec<(String, String)> =
                entry.set.iter().map(|(name, number)| (name.clone(), number.clone())).collect();
            let set = settings(template.typed(), &set);
            sink::Template { sampler: sampler.clone(), set }
        });
        Schema { templates: templates.collect(), split, seed: recipe.data.seed, shape }
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
            Stopped::Mixing(why) => Error::Input(why),
            Stopped::Fault(row, why) => {
                let of = self.mixing(split, row..row + 1).expect("the row was drawn from one")[0];
                let Sources { recipe, templates, samplers } = &self.sources;
                let program = samplers[of].program();
                let diagnostic = cannot_make(program, recipe.data.seed, row, why);
                Error::invalid(templates[of].source(), vec![diagnostic])
            }
        }
    }
}
