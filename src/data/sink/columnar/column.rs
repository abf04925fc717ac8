//! A column as it grows, a row at a time, and as Arrow has it.

use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, ListArray, StringArray, StructArray, UInt64Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};

use super::super::shape::Value;
use super::super::texts::Texts;
use crate::data::generate::Row;

/// What a column holds, whatever the template.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Text,
    Number,
    List(Box<Kind>),
    Object(Vec<(&'static str, Kind)>),
}

/// The rows of a column so far.
pub enum Column {
    Text {
        bytes: Vec<u8>,
        /// Where each text ends, after a first 0.
        ends: Vec<i32>,
        /// Whether there is a text; empty as long as there is one in each row.
        there: Vec<bool>,
    },
    Number(Vec<u64>),
    List {
        ends: Vec<i32>,
        of: Box<Column>,
    },
    Object(Vec<Column>),
}

impl Kind {
    pub fn of(value: &Value) -> Kind {
        match value {
            Value::Texts(_) | Value::Fields | Value::Null => Kind::Text,
            Value::Number(_) | Value::Index => Kind::Number,
            Value::List(values) => {
                Kind::List(Box::new(values.first().map_or(Kind::Text, Kind::of)))
            }
            Value::Object(columns) => {
                Kind::Object(columns.iter().map(|(name, value)| (*name, Kind::of(value))).collect())
            }
        }
    }

    pub fn field(&self, name: &str) -> Field {
        Field::new(name, self.data_type(), true)
    }

    fn data_type(&self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Number => DataType::UInt64,
            // The name that Parquet gives the elements.
            Kind::List(of) => DataType::List(Arc::new(of.field("element"))),
            Kind::Object(columns) => {
                DataType::Struct(columns.iter().map(|(name, kind)| kind.field(name)).collect())
            }
        }
    }
}

impl Column {
    pub fn empty(kind: &Kind) -> Column {
        match kind {
            Kind::Text => Column::Text { bytes: Vec::new(), ends: vec![0], there: Vec::new() },
            Kind::Number => Column::Number(Vec::new()),
            Kind::List(of) => Column::List { ends: vec![0], of: Box::new(Column::empty(of)) },
            Kind::Object(columns) => {
                Column::Object(columns.iter().map(|(_, kind)| Column::empty(kind)).collect())
            }
        }
    }

    /// Appends a row's value.
    pub fn push(&mut self, value: &Value, row: Row, texts: &Texts) {
        match (self, value) {
            (Column::Number(numbers), Value::Index) => numbers.push(row.index),
            (Column::Number(numbers), Value::Number(number)) => numbers.push(*number),
            (Column::List { ends, of }, Value::List(values)) => {
                values.iter().for_each(|value| of.push(value, row, texts));
                let last = ends.last().copied().unwrap_or_default();
                ends.push(last + values.len() as i32);
            }
            (Column::Object(columns), Value::Object(values)) => {
                for (column, (_, value)) in columns.iter_mut().zip(values) {
                    column.push(value, row, texts);
                }
            }
            (Column::Text { bytes, ends, there }, value) => {
                let is_there = texts.write(value, row, bytes);
                if !is_there && there.is_empty() {
                    there.resize(ends.len() - 1, true);
                }
                if !is_there || !there.is_empty() {
                    there.push(is_there);
                }
                // A block of samples has half a megabyte of text.
                ends.push(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
            }
            _ => unreachable!("the shapes of all templates have the same types"),
        }
    }

    /// Appends all rows of another column of this kind, which is empty afterwards.
    ///
    /// # Errors
    /// If the texts of the column have more than 2 GiB together, the most that Arrow counts.
    pub fn append(&mut self, other: &mut Column) -> Result<()> {
        match (self, other) {
            (Column::Number(numbers), Column::Number(more)) => numbers.append(more),
            (Column::List { ends, of }, Column::List { ends: more, of: others }) => {
                shift_onto(ends, more)?;
                of.append(others)?;
            }
            (Column::Object(columns), Column::Object(others)) => {
                for (column, other) in columns.iter_mut().zip(others) {
                    column.append(other)?;
                }
            }
            (
                Column::Text { bytes, ends, there },
                Column::Text { bytes: more, ends: more_ends, there: more_there },
            ) => {
                if !there.is_empty() || !more_there.is_empty() {
                    there.resize(ends.len() - 1, true);
                    more_there.resize(more_ends.len() - 1, true);
                    there.append(more_there);
                }
                shift_onto(ends, more_ends)?;
                bytes.append(more);
            }
            _ => unreachable!("the columns are those of one layout"),
        }
        Ok(())
    }

    /// The column as Arrow has it; it is empty afterwards.
    pub fn take(&mut self, kind: &DataType) -> Result<ArrayRef> {
        Ok(match (self, kind) {
            (Column::Text { bytes, ends, there }, _) => {
                let there = std::mem::take(there);
                let there = (!there.is_empty()).then(|| NullBuffer::from(there));
                let ends = OffsetBuffer::new(std::mem::replace(ends, vec![0]).into());
                let bytes = Buffer::from_vec(std::mem::take(bytes));
                Arc::new(StringArray::try_new(ends, bytes, there)?)
            }
            (Column::Number(numbers), _) => Arc::new(UInt64Array::from(std::mem::take(numbers))),
            (Column::List { ends, of }, DataType::List(element)) => {
                let values = of.take(element.data_type())?;
                let ends = OffsetBuffer::new(std::mem::replace(ends, vec![0]).into());
                Arc::new(ListArray::try_new(element.clone(), ends, values, None)?)
            }
            (Column::Object(columns), DataType::Struct(fields)) => {
                let both = columns.iter_mut().zip(fields);
                let arrays: Result<Vec<ArrayRef>> =
                    both.map(|(column, field)| column.take(field.data_type())).collect();
                Arc::new(StructArray::try_new(Fields::clone(fields), arrays?, None)?)
            }
            _ => unreachable!("the schema is that of the columns"),
        })
    }
}

/// Appends the ends of more elements, counted on from the last one; the others begin again.
fn shift_onto(ends: &mut Vec<i32>, more: &mut Vec<i32>) -> Result<()> {
    let last = ends.last().copied().unwrap_or_default();
    if last.checked_add(more.last().copied().unwrap_or_default()).is_none() {
        anyhow::bail!("one of its columns has more than 2 GiB: take fewer samples at a time");
    }
    ends.extend(more[1..].iter().map(|end| last + end));
    more.truncate(1);
    Ok(())
}
