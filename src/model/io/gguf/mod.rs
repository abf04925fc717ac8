//! GGUF, llama.cpp's format: a model in one file, with its config and its tokenizer, in and out.

mod bytes;
mod header;
mod keys;
mod names;
mod shape;
mod splits;
mod tensors;
mod tokenizer_in;
mod tokenizer_out;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device, Tensor};

use crate::model::config::Config;
use crate::model::files;
use crate::model::network::build::{EachBlock, build};
use crate::model::network::linear::Linear;
use crate::model::network::transformer::Model;
use crate::model::text::tokenizer::Tokenizer;
use header::{ALIGNMENT, Header, Stored};
use value::Value;

/// The tensor of what a Llama 3 divides its rotary frequencies by, `[head_dim / 2]`.
const ROPE: &str = "rope_freqs.weight";

/// No head is as wide as twice this.
const ROPE_MAX: usize = 4096;

/// How the elements of matrices are written. Norms and biases are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As they are, 4 bytes each.
    F32,
    /// Half the bits, for numbers below 65,504.
    F16,
    /// Half the bits, with the range of f32.
    Bf16,
    /// 8 bits, and a scale for each 32: 34 bytes for 32.
    Q8_0,
}

impl Kind {
    /// candle's type, and what llama.cpp calls a file of it (its `llama_ftype`).
    fn parts(self) -> (GgmlDType, i128) {
        match self {
            Kind::F32 => (GgmlDType::F32, 0),
            Kind::F16 => (GgmlDType::F16, 1),
            Kind::Bf16 => (GgmlDType::BF16, 32),
            Kind::Q8_0 => (GgmlDType::Q8_0, 7),
        }
    }
}

/// Whether a path names a GGUF file, by its ending.
pub fn is_named(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"))
}

/// Reads a model of the Llama family; its matrices become `dtype`, whatever they were stored as.
pub(crate) fn load_blocks(
    path: &Path,
    dtype: DType,
    device: &Device,
    each: &mut EachBlock,
) -> Result<Model> {
    let header = Header::read(path)?;
    let mut file = files::open(path)?;
    let config = config(&header, &mut file, path)?;
    let mut unread: BTreeSet<&str> = header.tensors.keys().map(String::as_str).collect();
    unread.remove(ROPE);
    let mut read = |name: &str, shape: &[usize]| {
        let stored = names::gguf(name).and_then(|name| header.tensors.get_key_value(&name));
        let (gguf, stored) = stored.with_context(|| {
            let gguf = names::gguf(name).unwrap_or_else(|| name.to_string());
            format!("{}: tensor `{gguf}` is missing", path.display())
        })?;
        unread.remove(gguf.as_str());
        let found = &stored.shape;
        ensure!(
            found == shape,
            "{}: tensor `{gguf}` has shape {found:?}, expected {shape:?}",
            path.display()
        );
        let dtype = super::held(dtype, shape, device);
        let tensor = tensors::read(&mut file, stored, dtype, device);
        let tensor = tensor.with_context(|| format!("in {}: tensor `{gguf}`", path.display()))?;
        match names::reordered_heads(&config, name) {
            Some(heads) => names::to_halves(&tensor, heads),
            None => Ok(tensor),
        }
    };
    let model = build(&config, device, &mut read, each)?;
    // Tables that old converters wrote, and that are computed from the metadata.
    unread.retain(|name| !name.ends_with(".attn_rot_embd.weight"));
    if let Some(name) = unread.first() {
        anyhow::bail!("{}: the model has no place for tensor `{name}`", path.display());
    }
    Ok(model)
}

/// Reads what a file says of its model's shape.
pub fn load_config(path: &Path) -> Result<Config> {
    let header = Header::read(path)?;
    config(&header, &mut files::open(path)?, path)
}

/// Reads a file's tokenizer: byte-level BPE or SentencePiece's BPE.
pub fn load_tokenizer(path: &Path) -> Result<Tokenizer> {
    let header = Header::read(path)?;
    let read = || {
        let (whole, beside) = tokenizer_in::read(&header.metadata)?;
        Tokenizer::built(&serde_json::to_vec(&whole)?, beside)
    };
    read().with_context(|| format!("in {}", path.display()))
}

/// Where a config says what its model is called, as transformers writes it.
pub const NAME: &str = "_name_or_path";

/// Writes a model and its tokenizer, whole, or leaves the old file; adapters are folded into the
/// weights. `written` is called with the number of elements of each tensor, and may end the work by
/// an error.
pub fn save(
    model: &Model,
    tokenizer: &Tokenizer,
    path: &Path,
    kind: Kind,
    written: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    let (kind, file_type) = kind.parts();
    let (mut metadata, stretch) = shape::write(&model.config)?;
    metadata.extend(tokenizer_out::write(tokenizer, model.config.vocab_size)?);
    // Of the model, not of the file: the same model has the same bytes wherever it goes.
    let name = model.config.other.get(NAME).and_then(|name| name.as_str()).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    if !name.is_empty() {
        metadata.insert("general.name".into(), Value::Text(name.into()));
    }
    for (key, value) in [
        ("type", Value::Text("model".into())),
        ("file_type", Value::Whole(file_type)),
        // The one that there is (ggml's GGML_QNT_VERSION).
        ("quantization_version", Value::Whole(2)),
    ] {
        metadata.insert(format!("general.{key}"), value);
    }
    let stretch = stretch.map(|factors| Tensor::new(factors, &Device::Cpu)).transpose()?;
    let sources = sources(model, stretch.as_ref())?;
    let mut place = 0;
    let mut stored = BTreeMap::new();
    for (name, source) in &sources {
        let one = tensors::stored(source.value, kind, place);
        let bytes = one.bytes().context("a row ends within a block")?;
        place = (place + bytes).next_multiple_of(ALIGNMENT);
        stored.insert(name.clone(), one);
    }
    let header = Header { metadata, tensors: stored };
    files::replace(path, |file| {
        let mut file = BufWriter::new(file);
        header.write(&mut file)?;
        // Both maps are in the order of the names.
        for ((name, source), stored) in sources.iter().zip(header.tensors.values()) {
            let tensor = source.tensor()?;
            tensors::write(&mut file, &tensor, stored).with_context(|| format!("`{name}`"))?;
            written(tensor.elem_count())?;
        }
        Ok(file.flush()?)
    })
}

/// What becomes a tensor of the file.
struct Source<'a> {
    value: &'a Tensor,
    /// Where an adapter is to be folded in.
    linear: Option<&'a Linear>,
    /// The heads of rows that lie in another order in the file.
    heads: Option<usize>,
}

impl Source<'_> {
    /// As it will lie in the file.
    fn tensor(&self) -> Result<Tensor> {
        let value = match self.linear {
            Some(linear) => linear.merged_weight()?,
            None => self.value.clone(),
        };
        self.heads.map_or(Ok(value.clone()), |heads| names::to_neighbours(&value, heads))
    }
}

/// All that is written, by its name in the file.
fn sources<'a>(
    model: &'a Model,
    stretch: Option<&'a Tensor>,
) -> Result<BTreeMap<String, Source<'a>>> {
    let mut adapted: BTreeMap<&str, &Linear> = BTreeMap::new();
    for linear in model.linears() {
        let name = linear.weight.name();
        ensure!(linear.weight.parameter().is_some(), "`{name}` has four bits: write what it was");
        if linear.adapter.is_some() {
            adapted.insert(name, linear);
        }
    }
    let mut sources = BTreeMap::new();
    for parameter in model.weights() {
        let name = parameter.name.as_str();
        let gguf = names::gguf(name).with_context(|| format!("GGUF has no name for `{name}`"))?;
        let linear = adapted.get(name).copied();
        let heads = names::reordered_heads(&model.config, name);
        sources.insert(gguf, Source { value: &parameter.value, linear, heads });
    }
    let stretch = stretch.map(|value| Source { value, linear: None, heads: None });
    sources.extend(stretch.map(|source| (ROPE.to_string(), source)));
    Ok(sources)
}

fn config(header: &Header, file: &mut File, path: &Path) -> Result<Config> {
    let mut read = || {
        let stretch = header.tensors.get(ROPE).map(|stored: &Stored| -> Result<Vec<f32>> {
            let half = stored.shape.iter().product::<usize>();
            ensure!(half <= ROPE_MAX, "tensor `{ROPE}` has {half} elements");
            let factors = tensors::read(file, stored, DType::F32, &Device::Cpu)?;
            Ok(factors.flatten_all()?.to_vec1()?)
        });
        shape::read(&header.metadata, &header.tensors, stretch.transpose()?.as_deref())
    };
    read().with_context(|| format!("in {}", path.display()))
}
