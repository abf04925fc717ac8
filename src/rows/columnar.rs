//! Rows of Parquet and of Arrow: a batch of columns is read at a time.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Map;

use super::cell;
use super::{Place, Row, is_named};
use crate::disk::guard;
use crate::template::Error;

/// The rows that are read from Parquet at a time: some hundred kilobytes of text.
const ROWS_TOGETHER: usize = 1024;

/// What the file is.
#[derive(Clone, Copy)]
pub enum Format {
    /// Arrow IPC, as a stream.
    Stream,
    /// Arrow IPC, as a file.
    File,
    Parquet,
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// A file of columns that is being read.
pub struct Table {
    batches: Batches,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    next: usize,
    /// The rows so far.
    number: u64,
    columns: Vec<String>,
    place: Place,
}

impl Table {
    /// Opens a file; of its columns only those are read that the paths name.
    pub fn open(
        file: File,
        format: Format,
        name: Arc<str>,
        wanted: Option<&[String]>,
    ) -> Result<Table, Error> {
        let opened = guard(|| Table::opened(file, format, name.clone(), wanted));
        opened.unwrap_or_else(|| Err(broken(&name)))
    }

    fn opened(
        file: File,
        format: Format,
        name: Arc<str>,
        wanted: Option<&[String]>,
    ) -> Result<Table, Error> {
        let place = Place { file: name, unit: "row" };
        let failed = |error: ArrowError| damaged(&place.file, &error);
        let (schema, chosen, batches) = match format {
            Format::Parquet => parquet(file, wanted).map_err(failed)?,
            Format::Stream => {
                let reader = BufReader::new(file_again(&file, &place)?);
                let schema = StreamReader::try_new(reader, None).map_err(failed)?.schema();
                let chosen = chosen(&schema, wanted);
                rewind(&file, &place)?;
                let reader = StreamReader::try_new(BufReader::new(file), Some(chosen.clone()));
                (schema, chosen, Box::new(reader.map_err(failed)?) as Batches)
            }
            Format::File => {
                let reader = BufReader::new(file_again(&file, &place)?);
                let schema = FileReader::try_new(reader, None).map_err(failed)?.schema();
                let chosen = chosen(&schema, wanted);
                rewind(&file, &place)?;
                let reader = FileReader::try_new(BufReader::new(file), Some(chosen.clone()));
                (schema, chosen, Box::new(reader.map_err(failed)?) as Batches)
            }
        };
        for &at in &chosen {
            let field = schema.field(at);
            if let Some(kind) = cell::without_json(field.data_type()) {
                let (file, column) = (&place.file, field.name());
                return Err(Error::Input(format!(
                    "{file}: column `{column}` has the type {kind}, which has no form in JSON: \
                     write the data set without it, such as by `remove_columns(\"{column}\")`"
                )));
            }
        }
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Table { batches, batch: None, next: 0, number: 0, columns, place })
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>, Error> {
        let next = guard(|| self.read());
        next.unwrap_or_else(|| Err(broken(&self.place.file)))
    }

    fn read(&mut self) -> Result<Option<Row>, Error> {
        let batch = loop {
            match &self.batch {
                Some(batch) if self.next < batch.num_rows() => break batch,
                _ => {}
            }
            let Some(batch) = self.batches.next() else { return Ok(None) };
            let batch = batch.map_err(|error| damaged(&self.place.file, &error))?;
            (self.batch, self.next) = (Some(batch), 0);
        };
        self.number += 1;
        let mut values = Map::with_capacity(batch.num_columns());
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let value = cell::json(column, self.next).map_err(|why| {
                self.place.error(self.number, format!("column `{}`: {why}", field.name()))
            })?;
            values.insert(field.name().clone(), value);
        }
        self.next += 1;
        Ok(Some(Row { number: self.number, values }))
    }
}

type Opened = (Arc<Schema>, Vec<usize>, Batches);

fn parquet(file: File, wanted: Option<&[String]>) -> Result<Opened, ArrowError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let schema = builder.schema().clone();
    let chosen = chosen(&schema, wanted);
    let mask = ProjectionMask::roots(builder.parquet_schema(), chosen.iter().copied());
    let reader = builder.with_batch_size(ROWS_TOGETHER).with_projection(mask).build()?;
    // The schema of the rows has the columns that are read, and no other.
    debug_assert_eq!(reader.schema().fields().len(), chosen.len());
    Ok((schema, chosen, Box::new(reader)))
}

/// The columns that these paths name.
fn chosen(schema: &Schema, wanted: Option<&[String]>) -> Vec<usize> {
    let is_wanted = |name: &str| wanted.is_none_or(|paths| is_named(name, paths));
    let fields = || schema.fields().iter().enumerate();
    let chosen: Vec<usize> =
        fields().filter(|(_, field)| is_wanted(field.name())).map(|(at, _)| at).collect();
    // A batch without columns would not tell how many rows it has.
    let any = || fields().find(|(_, field)| cell::without_json(field.data_type()).is_none());
    if chosen.is_empty() { any().map(|(at, _)| at).into_iter().collect() } else { chosen }
}

fn file_again(file: &File, place: &Place) -> Result<File, Error> {
    file.try_clone().map_err(|error| io(error, place))
}

fn rewind(mut file: &File, place: &Place) -> Result<(), Error> {
    use std::io::Seek;
    file.rewind().map_err(|error| io(error, place))
}

fn io(error: std::io::Error, place: &Place) -> Error {
    Error::Io { path: PathBuf::from(&*place.file), error }
}

/// The error where the library gave up.
fn broken(file: &str) -> Error {
    Error::Input(format!("{file} cannot be read as rows: it is damaged"))
}

fn damaged(file: &str, error: &ArrowError) -> Error {
    let why = error.to_string();
    let write = if why.contains("IPC decompression") {
        ": write it without compression, or as Parquet"
    } else if why.contains("Disabled feature") {
        ": write it with the compression zstd, snappy or gzip"
    } else {
        ""
    };
    Error::Input(format!("{file} cannot be read as rows: {why}{write}"))
}
