//! Samples as rows of a data set, in the shape that a trainer reads.

use std::fmt;
use std::ops::Range;

use super::{Error, Sampler};
use crate::data::sink::{self, Jsonl, Row, Schema, Shape};
use crate::data::{Observer, Split};

/// The samples of a split and a seed as rows of a shape: what `cookc generate` writes, byte for
/// byte. Threads share it.
pub struct Rows {
    pub(super) sampler: Sampler,
    pub(super) schema: Schema,
    lines: Jsonl,
}

impl Sampler {
    /// Its samples as rows of a data set; [`sink::SHAPES`] has the shapes, and [`Shape::named`]
    /// finds one.
    ///
    /// # Examples
    /// ```
    /// use cookc::{Split, Template, data::Observer, data::sink::Shape};
    ///
    /// let sampler = Template::builtin("retrieval")?.compile()?;
    /// let shape = Shape::named("prompt-completion").expect("there is one");
    /// let rows = sampler.rows(Split::Train, 42, shape);
    /// let lines = rows.lines(0..1000, &Observer::none())?;
    /// assert!(lines.starts_with(&rows.line(0)?));
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn rows(&self, split: Split, seed: u64, shape: &'static Shape) -> Rows {
        let schema = Schema { shape, ..self.schema(split, seed) };
        Rows { sampler: self.clone(), lines: Jsonl::new(&schema), schema }
    }
}

impl Rows {
    /// The JSON line of one sample, with its line break.
    ///
    /// # Errors
    /// [`Error::Sample`] if it cannot be drawn.
    pub fn line(&self, index: u64) -> Result<Vec<u8>, Error> {
        let Schema { split, seed, .. } = self.schema;
        self.sampler.in_memory_of(split, seed, index, |memory| {
            let mut line = Vec::new();
            self.lines.line(Row { sampler: 0, index, memory }, &mut line);
            line
        })
    }

    /// The JSON lines of these samples, drawn in parallel and in order.
    ///
    /// # Errors
    /// [`Error::Sample`] if one cannot be drawn, and [`Error::Cancelled`] if the observer stops it.
    pub fn lines(&self, indices: Range<u64>, observer: &Observer) -> Result<Vec<u8>, Error> {
        let Schema { split, seed, .. } = self.schema;
        let lines = sink::lines(&self.schema, &indices.into(), observer);
        lines.map_err(|why| self.sampler.stopped(split, seed, why))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Schema { split, seed, shape, .. } = &self.schema;
        f.debug_struct("Rows")
            .field("sampler", &self.sampler)
            .field("split", split)
            .field("seed", seed)
            .field("shape", &shape.name)
            .finish_non_exhaustive()
    }
}
