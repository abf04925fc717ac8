//! Samples as batches of Arrow's, which the libraries of other languages read without a copy.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{Error, Rows, Sampler};
use crate::data::sink::{self, IDS, Ids, SHAPES, Schema};
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

/// The samples of a split and a seed as token ids, packed into rows: what `cookc generate --shape
/// ids` writes. Threads share it.
pub struct TokenRows {
    sampler: Sampler,
    schema: Schema,
}

impl Sampler {
    /// Its samples as rows of ids; `cookc::run::ids` makes what encodes them.
    pub fn token_rows(&self, split: Split, seed: u64, ids: Arc<Ids>) -> TokenRows {
        let schema = Schema { shape: &IDS, ids: Some(ids), ..self.schema(split, seed) };
        TokenRows { sampler: self.clone(), schema }
    }
}

impl TokenRows {
    /// The rows of these samples as one batch, drawn in parallel and in order: a row holds as many
    /// of them as fit, the first of which its `id` names.
    ///
    /// # Errors
    /// [`Error::Sample`] if one cannot be drawn, [`Error::Input`] if one has no ids or too many,
    /// [`Error::Cancelled`] if the observer stops it, and [`Error::Failed`] if there are more than
    /// 2³¹ − 1 ids.
    pub fn batch(&self, indices: Range<u64>, observer: &Observer) -> Result<RecordBatch, Error> {
        let Schema { split, seed, .. } = self.schema;
        let batch = sink::batch_of_ids(&self.schema, indices, observer);
        batch.map_err(|why| self.sampler.stopped(split, seed, why))
    }
}

impl fmt::Debug for TokenRows {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("TokenRows").field("sampler", &self.sampler).finish_non_exhaustive()
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
