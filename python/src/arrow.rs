//! Batches and streams of them, as Arrow's PyCapsule interface passes them on without a copy.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, SchemaRef};
use cookc::data::Observer;
use pyo3::exceptions::{PyImportError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use rayon::ThreadPool;

use crate::read;
use crate::threads;

/// Rows of a stream's batch unless the caller says otherwise: some tens of megabytes.
const ROWS: u64 = 1 << 16;

/// Rows as one batch of Arrow's, which pyarrow, polars and others take as it is.
#[pyclass(frozen, module = "cookc")]
pub struct Batch(pub RecordBatch);

impl Batch {
    /// The same as pyarrow has it.
    pub fn into_pyarrow(self, py: Python) -> PyResult<Bound<PyAny>> {
        let pyarrow = py.import("pyarrow").map_err(|_| {
            PyImportError::new_err(
                "a batch needs pyarrow: `pip install 'cookc[arrow]'`; `stream` does without it",
            )
        })?;
        pyarrow.call_method1("record_batch", (self,))
    }
}

#[pymethods]
impl Batch {
    /// The batch as Arrow's C structures, for any library that reads them.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A producer may ignore what is requested: the consumer then casts.
        let _ = requested_schema;
        let array = FFI_ArrowArray::new(&StructArray::from(self.0.clone()).to_data());
        let array = PyCapsule::new_with_value(py, array, c"arrow_array")?;
        Ok((schema_capsule(py, &self.0.schema())?, array))
    }
}

fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref());
    let schema = schema.map_err(|why| PyRuntimeError::new_err(why.to_string()))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// Rows as a stream of Arrow's batches: see `Sampler.stream`. It can be read more than once.
#[pyclass(frozen, module = "cookc")]
pub struct Stream {
    rows: Arc<cookc::Rows>,
    indices: Range<u64>,
    batch: u64,
}

impl Stream {
    pub fn new(
        _: Python,
        rows: Arc<cookc::Rows>,
        indices: Range<u64>,
        batch: Option<&Bound<PyAny>>,
    ) -> PyResult<Stream> {
        let batch = batch.map(|rows| read::unsigned(rows, "rows")).transpose()?.unwrap_or(ROWS);
        match batch {
            0 => Err(PyValueError::new_err("`rows` must be at least 1, and is 0")),
            _ => Ok(Stream { rows, indices, batch }),
        }
    }
}

#[pymethods]
impl Stream {
    /// The columns of its batches, as Arrow's C structure.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.rows.arrow_schema())
    }

    /// The stream as Arrow's C structure, for any library that reads one.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let Stream { rows, indices, batch } = self;
        let reader = Reader {
            schema: rows.arrow_schema(),
            threads: threads::threads(py)?,
            rows: rows.clone(),
            indices: indices.clone(),
            batch: *batch,
        };
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __repr__(&self) -> String {
        format!("<cookc.Stream of {} rows>", self.indices.end - self.indices.start)
    }
}

/// Draws a batch when it is asked for one.
struct Reader {
    schema: SchemaRef,
    threads: Arc<ThreadPool>,
    rows: Arc<cookc::Rows>,
    indices: Range<u64>,
    batch: u64,
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Range { start, end } = self.indices;
        if start == end {
            return None;
        }
        let next = start.saturating_add(self.batch).min(end);
        self.indices.start = next;
        let drawn = self.threads.install(|| self.rows.batch(start..next, &Observer::none()));
        Some(drawn.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
