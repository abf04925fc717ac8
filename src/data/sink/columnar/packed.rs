//! Samples as token ids, packed into rows: what a trainer reads that has no tokenizer.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::{Result, bail};
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, SchemaRef};
use serde_json::json;

use super::super::ids::{IGNORED, Ids};
use super::super::schema::Schema;
use super::super::{Output, Sink};
use super::Batches;
use crate::data::SampleId;
use crate::data::generate::{NoRow, Row};
use crate::data::layout::Encoded;

/// Ids of a batch of rows in a file, from which on it is written.
const BATCH_IDS: usize = 1 << 18;

/// The lists of a row, in order; before them comes its `id`.
const LISTS: [&str; 4] = ["input_ids", "labels", "position_ids", "seq_lengths"];

/// Packs consecutive samples into a row for as long as they fit.
pub struct Packed<W> {
    ids: Arc<Ids>,
    /// What an id of each template's samples begins with.
    keys: Vec<String>,
    schema: SchemaRef,
    file: PhantomData<fn() -> W>,
}

/// Samples as ids, one after the other.
#[derive(Default)]
pub struct Samples {
    ids: Vec<u32>,
    ends: Vec<Placed>,
    encoded: Encoded,
    /// Why the next one has no ids.
    failed: Option<String>,
}

/// Where a sample is among the ids of several.
struct Placed {
    sampler: usize,
    index: u64,
    end: usize,
    /// How many of its ids the loss does not look at.
    read: usize,
}

/// The file, and what is not written yet: complete rows, and one that may still grow.
pub struct File<W> {
    out: W,
    rows: Rows,
    /// Ids of the row that grows.
    open: usize,
}

/// Rows in columns.
#[derive(Default)]
struct Rows {
    ids: Vec<String>,
    lists: [ListBuilder<Int32Builder>; 4],
    count: usize,
}

impl Rows {
    fn add(&mut self, ids: &[u32], read: usize) {
        let [inputs, labels, positions, lengths] = &mut self.lists;
        for (at, id) in ids.iter().enumerate() {
            let id = id.cast_signed();
            inputs.values().append_value(id);
            // Nothing of this sample comes before its first id.
            labels.values().append_value(if at < read.max(1) { IGNORED } else { id });
            positions.values().append_value(at as i32);
        }
        lengths.values().append_value(ids.len() as i32);
        self.count += ids.len();
    }

    fn end(&mut self) {
        self.lists.iter_mut().for_each(|list| list.append(true));
    }

    fn take(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.count = 0;
        let ids: ArrayRef = Arc::new(StringArray::from(std::mem::take(&mut self.ids)));
        let lists = self.lists.iter_mut().map(|list| Arc::new(list.finish()) as ArrayRef);
        Ok(RecordBatch::try_new(schema.clone(), [ids].into_iter().chain(lists).collect())?)
    }
}

fn arrow_schema() -> SchemaRef {
    // The name and kind that builders of lists give the elements.
    let list = || DataType::List(Arc::new(Field::new("item", DataType::Int32, true)));
    let fields = LISTS.map(|name| Field::new(name, list(), true));
    let feature = |dtype: &str| json!({ "dtype": dtype, "_type": "Value" });
    let of_list = json!({ "feature": feature("int32"), "_type": "List" });
    let lists = LISTS.iter().map(|name| (name.to_string(), of_list.clone()));
    let features: serde_json::Map<_, _> =
        [("id".to_string(), feature("string"))].into_iter().chain(lists).collect();
    let features = json!({ "info": { "features": features } }).to_string();
    let metadata = HashMap::from([("huggingface".to_string(), features)]);
    let id = Field::new("id", DataType::Utf8, true);
    let fields: Vec<Field> = [id].into_iter().chain(fields).collect();
    Arc::new(arrow_schema::Schema::new_with_metadata(fields, metadata))
}

impl<W: Batches> Packed<W> {
    fn add(&self, sample: &Placed, ids: &[u32], file: &mut File<W>) -> Result<()> {
        if file.open > 0 && file.open + ids.len() > self.ids.length {
            self.end(file)?;
        }
        if file.open == 0 {
            file.rows.ids.push(format!("{}{}", self.keys[sample.sampler], sample.index));
        }
        file.rows.add(ids, sample.read);
        file.open += ids.len();
        Ok(())
    }

    /// Ends the row that grows.
    fn end(&self, file: &mut File<W>) -> Result<()> {
        file.rows.end();
        file.open = 0;
        if file.rows.count >= BATCH_IDS {
            file.out.put(&file.rows.take(&self.schema)?)?;
        }
        Ok(())
    }
}

impl<W: Batches> Sink for Packed<W> {
    type Columns = Samples;
    type File = File<W>;

    fn open(schema: &Schema, output: Output) -> Result<(Packed<W>, File<W>)> {
        let Some(ids) = schema.ids.clone() else { bail!("there are no ids without a tokenizer") };
        let key =
            |one: &super::Template| SampleId::first(&one.sampler, schema.split, schema.seed).key();
        let keys = schema.templates.iter().map(key).collect();
        let arrow = arrow_schema();
        let out = W::open(output, &arrow)?;
        let packed = Packed { ids, keys, schema: arrow, file: PhantomData };
        Ok((packed, File { out, rows: Rows::default(), open: 0 }))
    }

    fn lay_out(&self, row: Row, samples: &mut Samples) {
        if samples.failed.is_some() {
            return;
        }
        let Samples { ids, ends, encoded, failed } = samples;
        let Row { sampler, index, memory } = row;
        match self.ids.encode(sampler, index, memory, encoded) {
            Ok(()) => {
                ids.extend(&encoded.ids);
                ends.push(Placed { sampler, index, end: ids.len(), read: encoded.reply_start });
            }
            Err(why) => *failed = Some(why),
        }
    }

    fn write(&self, samples: &mut Samples, _: u64, file: &mut File<W>) -> Result<()> {
        let mut start = 0;
        for sample in &samples.ends {
            self.add(sample, &samples.ids[start..sample.end], file)?;
            start = sample.end;
        }
        if let Some(why) = samples.failed.take() {
            return Err(NoRow(why).into());
        }
        samples.ids.clear();
        samples.ends.clear();
        Ok(())
    }

    fn bytes(file: &File<W>) -> u64 {
        file.out.bytes()
    }

    fn finish(self, mut file: File<W>) -> Result<u64> {
        if file.open > 0 {
            self.end(&mut file)?;
        }
        if file.rows.count > 0 {
            file.out.put(&file.rows.take(&self.schema)?)?;
        }
        file.out.finish()
    }
}
