//! A model's weights: made fresh from a seed, read from a folder, and written to one.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Device, Tensor};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::model::config::Config;
use crate::model::files::{self, Tensors};
use crate::model::io::gguf;
use crate::model::io::stored::Stored;
use crate::model::network::block::{Block, HeadNorms};
use crate::model::network::linear::Linear;
use crate::model::network::parameter::{self, Parameter};
use crate::model::network::transformer::Model;

/// A new model in f32: normal weights of that standard deviation, norms of 1, biases of 0. The
/// same seed gives the same weights on every machine, and each tensor has its own stream.
pub fn fresh(config: &Config, seed: u64, deviation: f64, device: &Device) -> Result<Model> {
    config.validate()?;
    let mut make = |name: &str, shape: &[usize]| {
        if name.ends_with("norm.weight") {
            return Ok(Tensor::ones(shape, DType::F32, device)?);
        }
        if name.ends_with(".bias") {
            return Ok(Tensor::zeros(shape, DType::F32, device)?);
        }
        let values = normal(seed, name, shape.iter().product(), deviation);
        Ok(Tensor::from_vec(values, shape, device)?)
    };
    build(config, device, &mut make, &mut |_| Ok(()))
}

/// Reads a model, its matrices in that type, from a folder with `config.json` and
/// `model.safetensors`, or the shards that `model.safetensors.index.json` names; or from a
/// `.gguf` file.
pub fn load(folder: &Path, dtype: DType, device: &Device) -> Result<Model> {
    load_blocks(folder, dtype, device, &mut |_| Ok(()))
}

/// What is done with each block as soon as it is read.
pub(crate) type EachBlock<'a> = dyn FnMut(&mut Block) -> Result<()> + 'a;

/// The same, and each block is changed before the next is read: so no more than one lies in
/// memory as it was.
pub(crate) fn load_blocks(
    folder: &Path,
    dtype: DType,
    device: &Device,
    each: &mut EachBlock,
) -> Result<Model> {
    if gguf::is_named(folder) {
        return gguf::load_blocks(folder, dtype, device, each);
    }
    let mut config = load_config(folder)?;
    let stored = Stored::open(folder)?;
    stored.settle_head(&mut config)?;
    stored.expect(&shapes(&config)?, &config)?;
    let mut read = |name: &str, shape: &[usize]| {
        Ok(stored.read(name, device)?.to_dtype(held(dtype, shape, device))?)
    };
    build(&config, device, &mut read, each)
}

/// The type that a tensor of a model of that type is held in. A CPU computes in f32 whatever the
/// model's type, and widens matrices as it goes; norms and biases take no room.
pub(crate) fn held(dtype: DType, shape: &[usize], device: &Device) -> DType {
    if device.is_cpu() && shape.len() == 1 { DType::F32 } else { dtype }
}

/// Name and shape of every tensor of a model, in the order of the forward pass.
pub fn shapes(config: &Config) -> Result<Vec<(String, Vec<usize>)>> {
    config.validate()?;
    let mut shapes = Vec::new();
    let nothing = Tensor::zeros(1, DType::U8, &Device::Cpu)?;
    let mut note = |name: &str, shape: &[usize]| {
        shapes.push((name.to_string(), shape.to_vec()));
        Ok(nothing.clone())
    };
    build(config, &Device::Cpu, &mut note, &mut |_| Ok(()))?;
    Ok(shapes)
}

/// Reads `config.json` of a model's folder, or what a `.gguf` file says in its place.
pub fn load_config(folder: &Path) -> Result<Config> {
    if gguf::is_named(folder) {
        return gguf::load_config(folder);
    }
    let path = folder.join("config.json");
    let text = files::text_of(&path, files::SETTINGS_MAX)?;
    Config::from_json(&text).with_context(|| format!("in {}", path.display()))
}

/// Writes `config.json` and `model.safetensors`, adapters left out: see [`super::lora`] for those.
pub fn save(model: &Model, folder: &Path) -> Result<()> {
    let weights = model.weights().into_iter();
    let tensors: Tensors = weights.map(|p| (p.name.clone(), p.value.clone())).collect();
    files::write_tensors(&folder.join("model.safetensors"), &tensors, ("format", "pt"))?;
    files::write_text(&folder.join("config.json"), &model.config.to_json()?)
}

/// The same model, its weights in another type; an error if that cannot hold one of them.
pub fn converted(mut model: Model, dtype: DType) -> Result<Model> {
    for parameter in model.learning_mut() {
        let converted = parameter.value.to_dtype(dtype)?;
        if !parameter::all_finite(&converted)? {
            let largest = parameter.value.to_dtype(DType::F32)?.abs()?.max_all()?;
            bail!(
                "`{}` has an element of size {:e}, which {} cannot hold; f32 can, and bf16 most",
                parameter.name,
                largest.to_scalar::<f32>()?,
                dtype.as_str()
            );
        }
        parameter.value = converted;
    }
    let name = match dtype {
        DType::BF16 => "bfloat16",
        DType::F16 => "float16",
        _ => "float32",
    };
    // Old and new versions of transformers read one or the other.
    for key in ["dtype", "torch_dtype"] {
        model.config.other.insert(key.into(), name.into());
    }
    Ok(model)
}

/// Fails unless the tensor has the shape that the model's config gives it.
pub(crate) fn expect_shape(
    tensor: &Tensor,
    shape: &[usize],
    name: &str,
    path: &Path,
) -> Result<()> {
    ensure!(
        tensor.dims() == shape,
        "{}: tensor `{name}` has shape {:?}, expected {shape:?}",
        path.display(),
        tensor.dims()
    );
    Ok(())
}

/// `count` normal values from a stream of their own for each seed and name (Box and Muller).
pub(crate) fn normal(seed: u64, name: &str, count: usize, deviation: f64) -> Vec<f32> {
    let mut random = stream(seed, name);
    let pairs = (0..count.div_ceil(2)).flat_map(|_| {
        // 1 − u is never 0, so its logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(&mut random)).ln()).sqrt() * deviation;
        let angle = std::f64::consts::TAU * unit(&mut random);
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    });
    pairs.take(count).collect()
}

/// `count` values uniform in −`limit`..`limit`, from a stream of their own.
pub(crate) fn uniform(seed: u64, name: &str, count: usize, limit: f64) -> Vec<f32> {
    let mut random = stream(seed, name);
    (0..count).map(|_| ((unit(&mut random) * 2.0 - 1.0) * limit) as f32).collect()
}

pub(crate) fn stream(seed: u64, name: &str) -> Xoshiro256PlusPlus {
    let mut hash = blake3::Hasher::new();
    hash.update(b"cookc weights 1").update(&seed.to_le_bytes()).update(name.as_bytes());
    Xoshiro256PlusPlus::from_seed(*hash.finalize().as_bytes())
}

/// Uniform in 0..1, 1 left out.
pub(crate) fn unit(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Every tensor of the model by name and shape, once, in the order of the forward pass.
pub(crate) fn build(
    config: &Config,
    device: &Device,
    tensor: &mut dyn FnMut(&str, &[usize]) -> Result<Tensor>,
    each: &mut EachBlock,
) -> Result<Model> {
    let mut take = |name: String, shape: &[usize]| -> Result<Parameter> {
        let value = tensor(&name, shape)?;
        Ok(Parameter::new(name, value))
    };
    let (vocab, hidden) = (config.vocab_size, config.hidden_size);
    let embedding = take("model.embed_tokens.weight".into(), &[vocab, hidden])?;
    let mut block = |layer: usize| {
        let mut block = build_block(config, layer, &mut take)?;
        each(&mut block)?;
        Ok(block)
    };
    let blocks = (0..config.num_hidden_layers).map(&mut block).collect::<Result<Vec<_>>>()?;
    let norm = take("model.norm.weight".into(), &[hidden])?;
    let head = match config.tie_word_embeddings {
        true => None,
        false => Some(Linear::new(take("lm_head.weight".into(), &[vocab, hidden])?, None)),
    };
    let (config, device) = (config.clone(), device.clone());
    Ok(Model { config, device, embedding, blocks, norm, head, packed_table: None })
}

fn build_block(
    config: &Config,
    layer: usize,
    take: &mut dyn FnMut(String, &[usize]) -> Result<Parameter>,
) -> Result<Block> {
    let (hidden, feed) = (config.hidden_size, config.intermediate_size);
    let queries = config.num_attention_heads * config.head_dim;
    let keys = config.num_key_value_heads * config.head_dim;
    let mut norm =
        |name: &str, width: usize| take(format!("model.layers.{layer}.{name}.weight"), &[width]);
    let attention_norm = norm("input_layernorm", hidden)?;
    let feed_norm = norm("post_attention_layernorm", hidden)?;
    let head_norms = match config.norms_heads() {
        true => Some(HeadNorms {
            query: norm("self_attn.q_norm", config.head_dim)?,
            key: norm("self_attn.k_norm", config.head_dim)?,
        }),
        false => None,
    };
    let mut linear = |part: &str, name: &str, output: usize, input: usize| -> Result<Linear> {
        let module = format!("model.layers.{layer}.{part}.{name}");
        let weight = take(format!("{module}.weight"), &[output, input])?;
        let bias = config.has_bias(name).then(|| take(format!("{module}.bias"), &[output]));
        Ok(Linear::new(weight, bias.transpose()?))
    };
    Ok(Block {
        attention_norm,
        query: linear("self_attn", "q_proj", queries, hidden)?,
        key: linear("self_attn", "k_proj", keys, hidden)?,
        value: linear("self_attn", "v_proj", keys, hidden)?,
        head_norms,
        output: linear("self_attn", "o_proj", hidden, queries)?,
        feed_norm,
        gate: linear("mlp", "gate_proj", feed, hidden)?,
        up: linear("mlp", "up_proj", feed, hidden)?,
        down: linear("mlp", "down_proj", hidden, feed)?,
        window: config.window(layer),
    })
}
