//! Columnar formats: Parquet, and Arrow IPC as a stream.

mod column;
mod features;

use std::collections::HashMap;
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
use super::{Output, Sink, in_order};
use crate::data::generate::{Row, Stopped};
use crate::data::observer::Observer;
use column::{Column, Kind};

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
    in_order(schema, &indices.into(), lay_out, |part| rows.append(part), observer)?;
    layout.take(&mut rows).map_err(Stopped::Output)
}

/// The columns of such a batch.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    Layout::new(schema).schema
}

/// Parquet.
pub struct Parquet(Layout);

impl Sink for Parquet {
    type Columns = Batch;
    type File = ArrowWriter<Output>;

    fn open(schema: &Schema, output: Output) -> Result<(Parquet, ArrowWriter<Output>)> {
        let layout = Layout::new(schema);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("cookc {}", env!("CARGO_PKG_VERSION")))
            .build();
        let file = ArrowWriter::try_new(output, layout.schema.clone(), Some(properties))?;
        Ok((Parquet(layout), file))
    }

    fn lay_out(&self, row: Row, batch: &mut Batch) {
        self.0.lay_out(row, batch);
    }

    fn write(&self, batch: &mut Batch, file: &mut ArrowWriter<Output>) -> Result<()> {
        if batch.rows > 0 {
            file.write(&self.0.take(batch)?)?;
        }
        if file.in_progress_size() >= GROUP_BYTES {
            file.flush()?;
        }
        Ok(())
    }

    fn bytes(file: &ArrowWriter<Output>) -> u64 {
        file.bytes_written() as u64
    }

    fn finish(self, file: ArrowWriter<Output>) -> Result<u64> {
        file.into_inner()?.finish()
    }
}

/// Arrow IPC, as a stream: `datasets` does not open the form of a file.
pub struct Arrow(Layout);

impl Sink for Arrow {
    type Columns = Batch;
    type File = StreamWriter<Output>;

    fn open(schema: &Schema, output: Output) -> Result<(Arrow, StreamWriter<Output>)> {
        let layout = Layout::new(schema);
        let file = StreamWriter::try_new(output, &layout.schema)?;
        Ok((Arrow(layout), file))
    }

    fn lay_out(&self, row: Row, batch: &mut Batch) {
        self.0.lay_out(row, batch);
    }

    fn write(&self, batch: &mut Batch, file: &mut StreamWriter<Output>) -> Result<()> {
        if batch.rows > 0 {
            file.write(&self.0.take(batch)?)?;
        }
        Ok(())
    }

    fn bytes(file: &StreamWriter<Output>) -> u64 {
        file.get_ref().bytes()
    }

    fn finish(self, file: StreamWriter<Output>) -> Result<u64> {
        file.into_inner()?.finish()
    }
}
