//! `cookc.TokenRows`: samples as token ids, packed into rows.

use std::path::PathBuf;
use std::sync::Arc;

use cookc::Split;
use cookc::model::Tokenizer;
use cookc::run::ids;
use pyo3::prelude::*;

use crate::arrow::Batch;
use crate::error::input;
use crate::read;
use crate::threads::detached;

/// The samples of a seed and a split as token ids, packed into rows: see `Sampler.token_rows`.
#[pyclass(frozen, module = "cookc")]
pub struct TokenRows(cookc::TokenRows);

impl TokenRows {
    pub fn new(
        py: Python,
        sampler: &cookc::Sampler,
        (tokenizer, length): (PathBuf, usize),
        (split, seed): (Split, u64),
    ) -> PyResult<TokenRows> {
        let made = py.detach(|| {
            let tokenizer = Tokenizer::load(&tokenizer)?;
            ids::of_template(&tokenizer, sampler.inner(), seed, length)
        });
        let ids = made.map_err(|error| input(py, format!("{error:#}")))?;
        Ok(TokenRows(sampler.token_rows(split, seed, Arc::new(ids))))
    }
}

#[pymethods]
impl TokenRows {
    /// The rows of these samples as a `pyarrow.RecordBatch`, drawn on all cores: `id` (that of the
    /// row's first sample), `input_ids`, `labels`, `position_ids` and `seq_lengths`. `start` and
    /// `count` are of samples; a batch has fewer rows. It needs pyarrow.
    #[pyo3(signature = (start=None, count=None))]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        start: Option<&Bound<'py, PyAny>>,
        count: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let indices = read::indices_to_end(start, count)?;
        let batch = detached(py, |observer| self.0.batch(indices, observer))?;
        Batch(batch).into_pyarrow(py)
    }

    fn __repr__(&self) -> &'static str {
        "<cookc.TokenRows>"
    }
}
