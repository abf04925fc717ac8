//! The head of a GGUF file: its metadata, and where each tensor lies.
//!
//! The format is specified in ggml's docs/gguf.md. Nothing is allocated before the size of the file
//! has shown that it can be there, so a broken file costs little and ends in an error.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::quantized::GgmlDType;

use super::bytes::Bytes;
use super::keys;
use super::value::{Metadata, Value, write_text};
use crate::model::files;

/// Where tensors begin at a multiple of, unless the metadata says otherwise.
pub(super) const ALIGNMENT: u64 = 32;
const MAGIC: &[u8; 4] = b"GGUF";
/// The version that is written; 2 differs from it in nothing that matters here.
const VERSION: u32 = 3;
/// The heads of the largest vocabularies take a fifth of it.
const HEAD_MAX: u64 = 128 << 20;
/// The format has no tensor of more.
const DIMENSIONS_MAX: u32 = 4;

/// How the elements of a tensor are stored: the number in the file, and candle's type for it.
const KINDS: [(u32, GgmlDType); 13] = [
    (0, GgmlDType::F32),
    (1, GgmlDType::F16),
    (2, GgmlDType::Q4_0),
    (3, GgmlDType::Q4_1),
    (6, GgmlDType::Q5_0),
    (7, GgmlDType::Q5_1),
    (8, GgmlDType::Q8_0),
    (10, GgmlDType::Q2K),
    (11, GgmlDType::Q3K),
    (12, GgmlDType::Q4K),
    (13, GgmlDType::Q5K),
    (14, GgmlDType::Q6K),
    (30, GgmlDType::BF16),
];

/// What stands before the tensors.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) metadata: Metadata,
    pub(super) tensors: BTreeMap<String, Stored>,
}

/// A tensor in the file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) kind: GgmlDType,
    /// Rows first, as everywhere but in the file.
    pub(super) shape: Vec<usize>,
    /// Where its bytes begin: counted from the file's begin when read, from the first tensor's
    /// when written.
    pub(super) start: u64,
}

impl Stored {
    /// Elements of a row, the last dimension.
    pub(super) fn row(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Bytes in the file; None if there cannot be so many, or if a row ends within a block.
    pub(super) fn bytes(&self) -> Option<u64> {
        let row = self.row() as u64;
        let block = self.kind.block_size() as u64;
        let elements = self.shape.iter().try_fold(1u64, |all, &size| all.checked_mul(size as u64));
        let blocks = elements? / block;
        row.is_multiple_of(block).then(|| blocks.checked_mul(self.kind.type_size() as u64))?
    }
}

impl Header {
    /// Reads the head of a file; every tensor that it tells of lies within the file.
    pub(super) fn read(path: &Path) -> Result<Header> {
        let file = files::open(path)?;
        let size = file.metadata()?.len();
        let mut bytes = Bytes::new(BufReader::new(file), size.min(HEAD_MAX));
        parse(&mut bytes, size).with_context(|| format!("in {}", path.display()))
    }

    /// Writes the head, filled up to where the first tensor begins.
    pub(super) fn write(&self, to: &mut impl Write) -> Result<()> {
        let mut head = Vec::new();
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        head.extend_from_slice(&(self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            write_text(key, &mut head)?;
            value.write(&mut head).with_context(|| format!("in `{key}`"))?;
        }
        for (name, stored) in &self.tensors {
            write_text(name, &mut head)?;
            head.extend_from_slice(&(stored.shape.len() as u32).to_le_bytes());
            for &size in stored.shape.iter().rev() {
                head.extend_from_slice(&(size as u64).to_le_bytes());
            }
            let kind = KINDS.iter().find(|(_, kind)| *kind == stored.kind);
            let (number, _) = kind.expect("what is written has a number");
            head.extend_from_slice(&number.to_le_bytes());
            head.extend_from_slice(&stored.start.to_le_bytes());
        }
        head.resize(head.len().next_multiple_of(ALIGNMENT as usize), 0);
        Ok(to.write_all(&head)?)
    }
}

fn parse(bytes: &mut Bytes<impl Read>, size: u64) -> Result<Header> {
    let magic: [u8; 4] = bytes.array().context("this is no GGUF file")?;
    ensure!(&magic == MAGIC, "this is no GGUF file");
    let version = bytes.u32()?;
    ensure!((2..=3).contains(&version), "GGUF version {version} is not supported; 2 and 3 are");
    let (tensor_count, value_count) = (bytes.u64()?, bytes.u64()?);
    let mut metadata = Metadata::new();
    for _ in 0..value_count {
        let key = bytes.text()?;
        let value = Value::read(bytes).with_context(|| format!("in `{key}`"))?;
        ensure!(!metadata.contains_key(&key), "`{key}` comes twice");
        metadata.insert(key, value);
    }
    // Of a file that cannot be read at all, nothing else is worth a word.
    keys::expect_model(&metadata)?;
    let mut tensors = BTreeMap::new();
    for _ in 0..tensor_count {
        let name = bytes.text()?;
        let stored = tensor(bytes).with_context(|| format!("tensor `{name}`"))?;
        ensure!(!tensors.contains_key(&name), "tensor `{name}` comes twice");
        tensors.insert(name, stored);
    }
    let alignment = match metadata.get("general.alignment") {
        None => ALIGNMENT,
        Some(Value::Whole(number)) if (1..=1 << 20).contains(number) => *number as u64,
        Some(Value::Whole(number)) => bail!("`general.alignment` is {number}"),
        Some(_) => bail!("`general.alignment` is no number"),
    };
    let first = bytes.place().next_multiple_of(alignment);
    for (name, stored) in &mut tensors {
        let end = stored.bytes().and_then(|bytes| {
            stored.start = stored.start.checked_add(first)?;
            stored.start.checked_add(bytes)
        });
        let end = end.with_context(|| format!("tensor `{name}` has no whole rows, or too many"))?;
        ensure!(end <= size, "the file ends within tensor `{name}`: it was cut off");
    }
    Ok(Header { metadata, tensors })
}

/// Name aside, what the head tells of a tensor.
fn tensor(bytes: &mut Bytes<impl Read>) -> Result<Stored> {
    let count = bytes.u32()?;
    ensure!((1..=DIMENSIONS_MAX).contains(&count), "it has {count} dimensions");
    let mut shape = Vec::new();
    for _ in 0..count {
        let size = bytes.u64()?;
        ensure!(size > 0, "a dimension of it is 0");
        shape.push(usize::try_from(size).context("it is too large")?);
    }
    shape.reverse();
    let number = bytes.u32()?;
    let kind = KINDS.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind);
    let kind = kind.with_context(|| {
        let known: Vec<String> = KINDS.iter().map(|(_, kind)| format!("{kind:?}")).collect();
        format!("elements of type {number} are not supported; {} are", known.join(", "))
    })?;
    Ok(Stored { kind, shape, start: bytes.u64()? })
}
