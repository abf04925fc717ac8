//! Samples as token ids, packed into rows: what a trainer reads that has no tokenizer.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, bail};
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, SchemaRef};
use serde_json::json;

use super::super::ids::{IGNORED, Ids};
use super::super::schema::Schema;
use super::super::{Output, Sink, in_order, order_of};
use super::Batches;
use crate::data::SampleId;
use crate::data::generate::{NoRow, Order, Row, Stopped};
use crate::data::layout::Encoded;
use crate::data::observer::Observer;

/// Ids of a batch of rows in a file, from which on it is written.
const BATCH_IDS: usize = 1 << 18;
/// The most ids of a batch: what lists of Arrow's have room for.
const IDS_MAX: usize = i32::MAX as usize;

/// The lists of a row, in order; before them comes its `id`.
const LISTS: [&str; 4] = ["input_ids", "labels", "position_ids", "seq_lengths"];

/// Packs consecutive samples into a row for as long as they fit.
struct Packing {
    ids: Arc<Ids>,
    /// What an id of each template's samples begins with.
    keys: Vec<String>,
    schema: SchemaRef,
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

/// Rows in columns; the last one may still grow.
#[derive(Default)]
struct Rows {
    ids: Vec<String>,
    lists: [ListBuilder<Int32Builder>; 4],
    count: usize,
    /// Ids of the row that grows.
    open: usize,
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
        self.open += ids.len();
    }

    /// Ends the row that grows, if there is one.
    fn end(&mut self) {
        if self.open > 0 {
            self.lists.iter_mut().for_each(|list| list.append(true));
        }
        self.open = 0;
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

impl Packing {
    fn new(schema: &Schema) -> Result<Packing> {
        let Some(ids) = schema.ids.clone() else { bail!("there are no ids without a tokenizer") };
        let key =
            |one: &super::Template| SampleId::first(&one.sampler, schema.split, schema.seed).key();
        let keys = schema.templates.iter().map(key).collect();
        Ok(Packing { ids, keys, schema: arrow_schema() })
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

    /// Adds samples to the rows, and calls `each` where a row is complete; no sample is left.
    fn add(
        &self,
        samples: &mut Samples,
        rows: &mut Rows,
        mut each: impl FnMut(&mut Rows) -> Result<()>,
    ) -> Result<()> {
        let mut start = 0;
        for sample in &samples.ends {
            let ids = &samples.ids[start..sample.end];
            if rows.open > 0 && rows.open + ids.len() > self.ids.length {
                rows.end();
                each(rows)?;
            }
            if rows.count + ids.len() > IDS_MAX {
                bail!("a batch has more than {IDS_MAX} ids: take fewer samples at once");
            }
            if rows.open == 0 {
                rows.ids.push(format!("{}{}", self.keys[sample.sampler], sample.index));
            }
            rows.add(ids, sample.read);
            start = sample.end;
        }
        if let Some(why) = samples.failed.take() {
            return Err(NoRow(why).into());
        }
        samples.ids.clear();
        samples.ends.clear();
        Ok(())
    }
}

/// These samples as one batch of rows of ids.
///
/// # Errors
/// [`Stopped`] if a sample cannot be drawn or has no ids, there are more of them than a column has
/// room for, or the observer stops it.
pub fn batch(
    schema: &Schema,
    indices: Range<u64>,
    observer: &Observer,
) -> Result<RecordBatch, Stopped> {
    let packing = Packing::new(schema).map_err(Stopped::Output)?;
    let mut rows = Rows::default();
    let lay_out = |row: Row, samples: &mut Samples| packing.lay_out(row, samples);
    let put = |samples: &mut Samples, _| packing.add(samples, &mut rows, |_| Ok(()));
    let order = Order { shared: true, ..order_of(schema, &indices.into()) };
    in_order(schema, &order, lay_out, put, observer)?;
    rows.end();
    rows.take(&packing.schema).map_err(Stopped::Output)
}

/// Rows of ids in a file.
pub struct Packed<W>(Packing, PhantomData<fn() -> W>);

/// The file, and rows that are not written yet.
pub struct File<W> {
    out: W,
    rows: Rows,
}

impl<W: Batches> Sink for Packed<W> {
    type Columns = Samples;
    type File = File<W>;

    fn open(schema: &Schema, output: Output) -> Result<(Packed<W>, File<W>)> {
        let packing = Packing::new(schema)?;
        let out = W::open(output, &packing.schema)?;
        Ok((Packed(packing, PhantomData), File { out, rows: Rows::default() }))
    }

    fn lay_out(&self, row: Row, samples: &mut Samples) {
        self.0.lay_out(row, samples);
    }

    fn write(&self, samples: &mut Samples, _: u64, file: &mut File<W>) -> Result<()> {
        let File { out, rows } = file;
        self.0.add(samples, rows, |rows| match rows.count {
            count if count >= BATCH_IDS => out.put(&rows.take(&self.0.schema)?),
            _ => Ok(()),
        })
    }

    fn bytes(file: &File<W>) -> u64 {
        file.out.bytes()
    }

    fn finish(self, mut file: File<W>) -> Result<u64> {
        file.rows.end();
        if file.rows.count > 0 {
            file.out.put(&file.rows.take(&self.0.schema)?)?;
        }
        file.out.finish()
    }
}
