//! Columnar formats: Parquet, and Arrow IPC as a stream.

mod column;
mod features;
mod packed;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::schema::Schema;
use super::shape::Columns;
use super::template::Template;
use super::texts::Texts;
use super::{Output, Rows, Sink, in_order, order_of, write_as};
use crate::data::generate::{Order, Row, Stopped};
use crate::data::observer::Observer;
use column::{Column, Kind};
use packed::Packed;
pub use packed::batch as batch_of_ids;

/// The features of a schema's columns, as Hugging Face's `datasets` writes them in JSON.
pub fn features_of(schema: &Schema) -> serde_json::Value {
    let Some(template) = schema.templates.first() else { return serde_json::Value::Null };
    let columns = schema.columns(template);
    let kinds: Vec<(&str, Kind)> =
        columns.iter().map(|(name, value)| (*name, Kind::of(value))).collect();
    features::value(kinds.iter().map(|(name, kind)| (*name, kind)))
}

/// Bytes of a row group in memory, from which on it is written: memory is bounded, and a reader of
/// some rows reads little more.
const GROUP_BYTES: usize = 64 << 20;

/// Lays rows out in columns.
struct Layout {
    /// The columns of each template's rows, and what writes their texts.
    templates: Vec<(Columns, Texts)>,
    kinds: Vec<Kind>,
    schema: SchemaRef,
}

/// Some rows, a buffer for each column.
#[derive(Default)]
pub struct Batch {
    rows: usize,
    columns: Vec<Column>,
}

impl Layout {
    fn new(schema: &Schema) -> Layout {
        let of = |template: &Template| (schema.columns(template), Texts::new(&template.sampler));
        let templates: Vec<(Columns, Texts)> = schema.templates.iter().map(of).collect();
        let columns = templates.first().map(|(columns, _)| columns.as_slice()).unwrap_or_default();
        let kinds: Vec<Kind> = columns.iter().map(|(_, value)| Kind::of(value)).collect();
        let names = || columns.iter().map(|(name, _)| *name);
        let fields: Vec<_> = names().zip(&kinds).map(|(name, kind)| kind.field(name)).collect();
        let features = features::json(names().zip(&kinds));
        let metadata = HashMap::from([("huggingface".to_string(), features)]);
        let schema = Arc::new(arrow_schema::Schema::new_with_metadata(fields, metadata));
        Layout { templates, kinds, schema }
    }

    fn empty(&self) -> Vec<Column> {
        self.kinds.iter().map(Column::empty).collect()
    }

    fn lay_out(&self, row: Row, batch: &mut Batch) {
        if batch.columns.is_empty() {
            batch.columns = self.empty();
        }
        let (columns, texts) = &self.templates[row.sampler];
        for ((_, value), column) in columns.iter().zip(&mut batch.columns) {
            column.push(value, row, texts);
        }
        batch.rows += 1;
    }

    /// The rows as Arrow has them; the buffers are empty afterwards.
    fn take(&self, batch: &mut Batch) -> Result<RecordBatch> {
        batch.rows = 0;
        let both = batch.columns.iter_mut().zip(self.schema.fields());
        let arrays: Result<Vec<_>> =
            both.map(|(column, field)| column.take(field.data_type())).collect();
        Ok(RecordBatch::try_new(self.schema.clone(), arrays?)?)
    }
}

impl Batch {
    /// Appends all rows of another batch, which is empty afterwards.
    fn append(&mut self, other: &mut Batch) -> Result<()> {
        if self.columns.is_empty() {
            std::mem::swap(&mut self.columns, &mut other.columns);
        } else {
            for (column, other) in self.columns.iter_mut().zip(&mut other.columns) {
                column.append(other)?;
            }
        }
        self.rows += std::mem::take(&mut other.rows);
        Ok(())
    }
}

/// Rows of a data set as one batch of Arrow's, drawn in parallel.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn, a column has more than 2 GiB, or the observer stops it.
pub fn batch(
    schema: &Schema,
    indices: Range<u64>,
    observer: &Observer,
) -> Result<RecordBatch, Stopped> {
    let layout = Layout::new(schema);
    let mut rows = Batch { rows: 0, columns: layout.empty() };
    let lay_out = |row: Row, batch: &mut Batch| layout.lay_out(row, batch);
    let order = Order { shared: true, ..order_of(schema, &indices.into()) };
    in_order(schema, &order, lay_out, |part, _| rows.append(part), observer)?;
    layout.take(&mut rows).map_err(Stopped::Output)
}

/// The columns of such a batch.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    Layout::new(schema).schema
}

/// A file of batches.
pub trait Batches: Send + Sized {
    /// Opens one with the columns of a schema.
    fn open(output: Output, schema: &SchemaRef) -> Result<Self>;

    fn put(&mut self, batch: &RecordBatch) -> Result<()>;

    /// The bytes that the output has taken so far.
    fn bytes(&self) -> u64;

    /// Ends it; returns how many bytes were written.
    fn finish(self) -> Result<u64>;
}

/// Parquet.
impl Batches for ArrowWriter<Output> {
    fn open(output: Output, schema: &SchemaRef) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("cookc {}", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(ArrowWriter::try_new(output, schema.clone(), Some(properties))?)
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<()> {
        self.write(batch)?;
        if self.in_progress_size() >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.bytes_written() as u64
    }

    fn finish(self) -> Result<u64> {
        self.into_inner()?.finish()
    }
}

/// Arrow IPC, as a stream: `datasets` does not open the form of a file.
impl Batches for StreamWriter<Output> {
    fn open(output: Output, schema: &SchemaRef) -> Result<Self> {
        Ok(StreamWriter::try_new(output, schema)?)
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.write(batch)?)
    }

    fn bytes(&self) -> u64 {
        self.get_ref().bytes()
    }

    fn finish(self) -> Result<u64> {
        self.into_inner()?.finish()
    }
}

/// Writes rows into such a file: a sample a row, or ids of several.
pub fn write<W: Batches>(
    schema: &Schema,
    rows: &Rows,
    output: Output,
    observer: &Observer,
) -> Result<u64, Stopped> {
    match schema.ids {
        Some(_) => write_as::<Packed<W>>(schema, rows, output, observer),
        None => write_as::<Columnar<W>>(schema, rows, output, observer),
    }
}

/// A sample a row.
struct Columnar<W>(Layout, PhantomData<fn() -> W>);

impl<W: Batches> Sink for Columnar<W> {
    type Columns = Batch;
    type File = W;

    fn open(schema: &Schema, output: Output) -> Result<(Columnar<W>, W)> {
        let layout = Layout::new(schema);
        let file = W::open(output, &layout.schema)?;
        Ok((Columnar(layout, PhantomData), file))
    }

    fn lay_out(&self, row: Row, batch: &mut Batch) {
        self.0.lay_out(row, batch);
    }

    fn write(&self, batch: &mut Batch, _: u64, file: &mut W) -> Result<()> {
        match batch.rows {
            0 => Ok(()),
            _ => file.put(&self.0.take(batch)?),
        }
    }

    fn bytes(file: &W) -> u64 {
        file.bytes()
    }

    fn finish(self, file: W) -> Result<u64> {
        file.finish()
    }
}
