//! The values of a GGUF file's metadata: what they are, in and out.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};

use super::bytes::Bytes;

/// A value of the metadata. Lists that say nothing about our models are skipped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Any integer; written as 32 bits without a sign.
    Whole(i128),
    /// A real number; written in 32 bits.
    Real(f64),
    Truth(bool),
    Text(String),
    Texts(Vec<String>),
    Wholes(Vec<i32>),
    Reals(Vec<f32>),
    Skipped,
}

/// The metadata by key.
pub(super) type Metadata = BTreeMap<String, Value>;

/// The numbers that name a type in the file, from the format's specification (ggml's docs/gguf.md).
const UINT32: u32 = 4;
const INT32: u32 = 5;
const FLOAT32: u32 = 6;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const FLOAT64: u32 = 12;

impl Value {
    pub(super) fn read(from: &mut Bytes<impl Read>) -> Result<Value> {
        let kind = from.u32()?;
        Ok(match kind {
            FLOAT32 => Value::Real(shortest(f32::from_le_bytes(from.array()?))),
            FLOAT64 => Value::Real(f64::from_le_bytes(from.array()?)),
            BOOL => Value::Truth(u8::from_le_bytes(from.array()?) != 0),
            STRING => Value::Text(from.text()?),
            ARRAY => Value::read_list(from)?,
            _ => Value::Whole(whole(kind, from)?),
        })
    }

    fn read_list(from: &mut Bytes<impl Read>) -> Result<Value> {
        let kind = from.u32()?;
        let count = from.u64()?;
        // A text has at least the eight bytes of its length.
        let width = if kind == STRING { 8 } else { width(kind)? };
        let size = count.checked_mul(width).filter(|size| *size <= from.left());
        let size =
            size.with_context(|| format!("a list of {count} values goes beyond the file"))?;
        Ok(match kind {
            STRING => Value::Texts((0..count).map(|_| from.text()).collect::<Result<_>>()?),
            UINT32 | INT32 => Value::Wholes(
                (0..count).map(|_| Ok(i32::from_le_bytes(from.array()?))).collect::<Result<_>>()?,
            ),
            FLOAT32 => Value::Reals(
                (0..count).map(|_| Ok(f32::from_le_bytes(from.array()?))).collect::<Result<_>>()?,
            ),
            _ => {
                from.skip(size)?;
                Value::Skipped
            }
        })
    }

    pub(super) fn write(&self, to: &mut impl Write) -> Result<()> {
        match self {
            Value::Whole(number) => {
                let number = u32::try_from(*number).context("a number of the metadata is large")?;
                to.write_all(&UINT32.to_le_bytes())?;
                to.write_all(&number.to_le_bytes())?;
            }
            Value::Real(number) => {
                to.write_all(&FLOAT32.to_le_bytes())?;
                to.write_all(&(*number as f32).to_le_bytes())?;
            }
            Value::Truth(truth) => {
                to.write_all(&BOOL.to_le_bytes())?;
                to.write_all(&[u8::from(*truth)])?;
            }
            Value::Text(text) => {
                to.write_all(&STRING.to_le_bytes())?;
                write_text(text, to)?;
            }
            Value::Texts(list) => {
                write_list(STRING, list.len(), to)?;
                list.iter().try_for_each(|text| write_text(text, to))?;
            }
            Value::Wholes(list) => {
                write_list(INT32, list.len(), to)?;
                list.iter().try_for_each(|number| to.write_all(&number.to_le_bytes()))?;
            }
            Value::Reals(list) => {
                write_list(FLOAT32, list.len(), to)?;
                list.iter().try_for_each(|number| to.write_all(&number.to_le_bytes()))?;
            }
            Value::Skipped => bail!("a list that was not read cannot be written"),
        }
        Ok(())
    }
}

pub(super) fn write_text(text: &str, to: &mut impl Write) -> Result<()> {
    to.write_all(&(text.len() as u64).to_le_bytes())?;
    Ok(to.write_all(text.as_bytes())?)
}

fn write_list(kind: u32, count: usize, to: &mut impl Write) -> Result<()> {
    to.write_all(&ARRAY.to_le_bytes())?;
    to.write_all(&kind.to_le_bytes())?;
    Ok(to.write_all(&(count as u64).to_le_bytes())?)
}

/// Bytes of a number of that type.
fn width(kind: u32) -> Result<u64> {
    Ok(match kind {
        0 | 1 | BOOL => 1,
        2 | 3 => 2,
        UINT32 | INT32 | FLOAT32 => 4,
        10..=12 => 8,
        ARRAY => bail!("a list of lists, which no model has"),
        _ => bail!("a value of the unknown type {kind}"),
    })
}

fn whole(kind: u32, from: &mut Bytes<impl Read>) -> Result<i128> {
    Ok(match kind {
        0 => u8::from_le_bytes(from.array()?).into(),
        1 => i8::from_le_bytes(from.array()?).into(),
        2 => u16::from_le_bytes(from.array()?).into(),
        3 => i16::from_le_bytes(from.array()?).into(),
        UINT32 => u32::from_le_bytes(from.array()?).into(),
        INT32 => i32::from_le_bytes(from.array()?).into(),
        10 => u64::from_le_bytes(from.array()?).into(),
        11 => i64::from_le_bytes(from.array()?).into(),
        _ => bail!("a value of the unknown type {kind}"),
    })
}

/// The number with the fewest digits that these 32 bits stand for: `1e-5`, not its neighbour.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Looks values up in the metadata, with the key in every error.
pub(super) struct Lookup<'a>(pub(super) &'a Metadata);

impl<'a> Lookup<'a> {
    pub(super) fn size(&self, key: &str) -> Result<Option<usize>> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) => {
                let size = usize::try_from(*number).ok();
                Ok(Some(size.with_context(|| format!("`{key}` is {number}"))?))
            }
            Some(_) => bail!("`{key}` is no integer"),
        }
    }

    /// The id of a token; −1, as a number of any width with a sign or without, says that there is
    /// none.
    pub(super) fn id(&self, key: &str) -> Result<Option<i128>> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) => {
                let none = [-1, u32::MAX.into(), u64::MAX.into()].contains(number);
                Ok(Some(*number).filter(|_| !none))
            }
            Some(_) => bail!("`{key}` is no integer"),
        }
    }

    pub(super) fn real(&self, key: &str) -> Result<Option<f64>> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Real(number)) => {
                ensure!(number.is_finite(), "`{key}` is {number}");
                Ok(Some(*number))
            }
            Some(Value::Whole(number)) => Ok(Some(*number as f64)),
            Some(_) => bail!("`{key}` is no number"),
        }
    }

    pub(super) fn truth(&self, key: &str) -> Option<bool> {
        match self.0.get(key) {
            Some(Value::Truth(truth)) => Some(*truth),
            _ => None,
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn texts(&self, key: &str) -> Option<&'a [String]> {
        match self.0.get(key) {
            Some(Value::Texts(list)) => Some(list),
            _ => None,
        }
    }

    pub(super) fn wholes(&self, key: &str) -> Option<&'a [i32]> {
        match self.0.get(key) {
            Some(Value::Wholes(list)) => Some(list),
            _ => None,
        }
    }

    pub(super) fn reals(&self, key: &str) -> Option<&'a [f32]> {
        match self.0.get(key) {
            Some(Value::Reals(list)) => Some(list),
            _ => None,
        }
    }
}
