//! Samples as batches of Arrow's, which the libraries of other languages read without a copy.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{Error, Rows, Sampler};
use crate::data::sink::{self, SHAPES, Schema};
use crate::data::{Observer, Split};

impl Sampler {
    /// These samples as one batch of the shape `full`, drawn in parallel; [`Rows::batch`] has the
    /// other shapes.
    ///
    /// # Errors
    /// Those of [`Rows::batch`].
    ///
    /// # Examples
    /// ```
    /// use cookc::{Split, Template};
    ///
    /// let sampler = Template::builtin("retrieval")?.compile()?;
    /// let batch = sampler.batch(Split::Train, 42, 0..1000)?;
    /// assert_eq!(batch.num_rows(), 1000);
    /// assert!(batch.column_by_name("prompt").is_some());
    /// # Ok::<(), cookc::Error>(())
    /// ```
    pub fn batch(
        &self,
        split: Split,
        seed: u64,
        indices: Range<u64>,
    ) -> Result<RecordBatch, Error> {
        self.rows(split, seed, &SHAPES[0]).batch(indices, &Observer::none())
    }
}

impl Rows {
    /// The columns that batches have, with the features of `datasets` in their metadata.
    pub fn arrow_schema(&self) -> SchemaRef {
        sink::arrow_schema(&self.schema)
    }

    /// These samples as one batch, drawn in parallel and in order.
    ///
    /// # Errors
    /// [`Error::Sample`] if one cannot be drawn, [`Error::Cancelled`] if the observer stops it, and
    /// [`Error::Failed`] if a column has more than 2 GiB.
    pub fn batch(&self, indices: Range<u64>, observer: &Observer) -> Result<RecordBatch, Error> {
        let Schema { split, seed, .. } = self.schema;
        let batch = sink::batch(&self.schema, indices, observer);
        batch.map_err(|why| self.sampler.stopped(split, seed, why))
    }
}
