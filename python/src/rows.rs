//! `cookc.Rows`: samples as rows of a data set.

use std::sync::Arc;

use cookc::Split;
use cookc::data::sink::Shape;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrow::{Batch, Stream};
use crate::error::raised;
use crate::read;
use crate::threads::detached;

/// The samples of a seed and a split as rows of a data set: see `Sampler.rows`. `rows[7]` is the
/// row of the sample with the index 7.
#[pyclass(frozen, module = "cookc")]
pub struct Rows {
    rows: Arc<cookc::Rows>,
    shape: &'static str,
}

impl Rows {
    pub fn new(
        sampler: &cookc::Sampler,
        (split, seed, shape): (Split, u64, &'static Shape),
    ) -> Rows {
        Rows { rows: Arc::new(sampler.rows(split, seed, shape)), shape: shape.name }
    }
}

#[pymethods]
impl Rows {
    /// The row of a sample, by the names of its columns.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let index = read::unsigned(index, "index")?;
        let line = py.detach(|| self.rows.line(index)).map_err(|error| raised(py, error))?;
        py.import("json")?.call_method1("loads", (PyBytes::new(py, &line),))
    }

    /// Without it, Python would count the indices up for ever.
    fn __iter__(&self) -> PyResult<()> {
        let write = "write `batch(0, 10)` or `stream(0, 10)`";
        Err(pyo3::exceptions::PyTypeError::new_err(format!("rows have no end: {write}")))
    }

    /// These rows as JSON lines, drawn on all cores: the bytes that `cookc generate` writes.
    #[pyo3(signature = (start=None, count=None))]
    fn lines<'py>(
        &self,
        py: Python<'py>,
        start: Option<&Bound<'py, PyAny>>,
        count: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let indices = read::indices_to_end(start, count)?;
        let lines = detached(py, |observer| self.rows.lines(indices, observer))?;
        Ok(PyBytes::new(py, &lines))
    }

    /// These rows as a `pyarrow.RecordBatch`, drawn on all cores.
    #[pyo3(signature = (start=None, count=None))]
    pub fn batch<'py>(
        &self,
        py: Python<'py>,
        start: Option<&Bound<'py, PyAny>>,
        count: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let indices = read::indices_to_end(start, count)?;
        let batch = detached(py, |observer| self.rows.batch(indices, observer))?;
        Batch(batch).into_pyarrow(py)
    }

    /// These rows as a stream of batches of `rows` rows: see `Sampler.stream`.
    #[pyo3(signature = (start=None, count=None, rows=None))]
    pub fn stream(
        &self,
        py: Python,
        start: Option<&Bound<PyAny>>,
        count: Option<&Bound<PyAny>>,
        rows: Option<&Bound<PyAny>>,
    ) -> PyResult<Stream> {
        Stream::new(py, self.rows.clone(), read::indices_to_end(start, count)?, rows)
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Rows {}>", self.shape)
    }
}
