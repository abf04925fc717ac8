//! A model's config in the words of GGUF's metadata, and back.
//!
//! Both ways go by the text of a `config.json`, so that what cookc cannot compute is refused in
//! one place, with one wording.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value as Json, json};

use super::header::Stored;
use super::value::{Lookup, Metadata, Value};
use crate::model::config::Config;
use crate::model::rope::{self, Scaling};

/// The architectures that are read, under GGUF's names. A Mistral is a `llama` there.
const ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];
/// The base of the rotary angles where the metadata is silent: llama.cpp's own default.
const ROPE_BASE: f64 = 10_000.0;
/// Tokens that Llama 3 was trained on before its rotary positions were stretched, and between
/// which numbers of turns over them the stretching sets in (Llama 3.1's config.json).
const LLAMA3_LENGTH: usize = 8192;
const LLAMA3_TURNS: [f64; 2] = [1.0, 4.0];
/// The stretching stands in a tensor of 32-bit numbers.
const ROPE_TOLERANCE: f32 = 1e-4;
/// The key of the length before the stretching.
const LENGTH: &str = "rope.scaling.original_context_length";

/// The architecture by GGUF's name.
pub(super) fn architecture(metadata: &Metadata) -> Result<&str> {
    let name = Lookup(metadata).text("general.architecture");
    let name = name.context("`general.architecture` is missing")?;
    let known = ARCHITECTURES.join(", ");
    ensure!(
        ARCHITECTURES.contains(&name),
        "architecture `{name}` is not supported; these are: {known}"
    );
    Ok(name)
}

/// The config of a file; `stretch` is its tensor `rope_freqs.weight`, where it has one.
pub(super) fn read(
    metadata: &Metadata,
    tensors: &BTreeMap<String, Stored>,
    stretch: Option<&[f32]>,
) -> Result<Config> {
    let keys = Keys { name: architecture(metadata)?, lookup: Lookup(metadata) };
    let name = keys.name;
    let experts = keys.size("expert_count")?.unwrap_or(0);
    ensure!(experts == 0, "a model of {experts} experts is not supported");
    let table =
        tensors.get("token_embd.weight").context("tensor `token_embd.weight` is missing")?;
    let (heads, head_dim) = heads(&keys)?;
    let eps = keys.real("attention.layer_norm_rms_epsilon")?;
    let theta = keys.real("rope.freq_base")?.unwrap_or(ROPE_BASE);
    let stretched =
        stretch.map(|factors| llama3(&keys, factors, head_dim, theta)).transpose()?.flatten();
    let rope = match stretched {
        Some(scaling) => rope::parameters(theta, &scaling)?,
        None => scaling(&keys, theta)?,
    };
    let window = keys.size("attention.sliding_window")?.filter(|_| name == "llama");
    let mut config = json!({
        // What the two differ in is the window.
        "model_type": if window.is_some() { "mistral" } else { name },
        "hidden_size": keys.needed("embedding_length")?,
        "intermediate_size": keys.needed("feed_forward_length")?,
        "num_hidden_layers": keys.needed("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": keys.size("attention.head_count_kv")?.unwrap_or(heads),
        "head_dim": head_dim,
        "vocab_size": table.shape[0],
        "max_position_embeddings": keys.needed("context_length")?,
        "rms_norm_eps": eps.context("the epsilon of the norms is missing")?,
        "rope_parameters": rope,
        "tie_word_embeddings": !tensors.contains_key("output.weight"),
    });
    let parts = config.as_object_mut().context("it is an object")?;
    if let Some(window) = window {
        parts.insert("sliding_window".into(), json!(window));
    }
    if name == "llama" {
        for (key, tensor) in [("attention_bias", "attn_q.bias"), ("mlp_bias", "ffn_gate.bias")] {
            parts.insert(key.into(), json!(tensors.contains_key(&format!("blk.0.{tensor}"))));
        }
    }
    Config::from_json(&config.to_string())
}

/// The metadata of a config, and the tensor of the rotary stretching where it has one.
pub(super) fn write(config: &Config) -> Result<(Metadata, Option<Vec<f32>>)> {
    let all: Map<String, Json> = serde_json::from_str(&config.to_json()?)?;
    let name = match config.model_type.as_str() {
        "mistral" => "llama",
        other => other,
    };
    ensure!(ARCHITECTURES.contains(&name), "model_type `{name}` has no name in GGUF");
    let slides = all.get("use_sliding_window").and_then(Json::as_bool) == Some(true);
    ensure!(!slides, "`use_sliding_window` is set, which GGUF cannot say of `{name}`");
    let mut metadata = Metadata::new();
    let mut set = |key: &str, value: Value| metadata.insert(format!("{name}.{key}"), value);
    for (key, size) in [
        ("context_length", config.max_position_embeddings),
        ("embedding_length", config.hidden_size),
        ("block_count", config.num_hidden_layers),
        ("feed_forward_length", config.intermediate_size),
        ("attention.head_count", config.num_attention_heads),
        ("attention.head_count_kv", config.num_key_value_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
        ("rope.dimension_count", config.head_dim),
        ("vocab_size", config.vocab_size),
    ] {
        set(key, Value::Whole(size as i128));
    }
    set("attention.layer_norm_rms_epsilon", Value::Real(config.rms_norm_eps));
    set("rope.freq_base", Value::Real(config.rope_theta));
    let window = all.get("sliding_window").and_then(Json::as_u64);
    if let Some(window) = window.filter(|_| config.model_type == "mistral") {
        set("attention.sliding_window", Value::Whole(window.into()));
    }
    let stretch = match config.rope_scaling {
        Scaling::Default => None,
        Scaling::Linear { factor } => {
            set("rope.scaling.type", Value::Text("linear".into()));
            set("rope.scaling.factor", Value::Real(factor));
            None
        }
        Scaling::Llama3 { original_max_position_embeddings: length, .. } => {
            set(LENGTH, Value::Whole(length as i128));
            Some(stretch(&config.rope_scaling, config.head_dim, config.rope_theta))
        }
    };
    metadata.insert("general.architecture".into(), Value::Text(name.into()));
    Ok((metadata, stretch))
}

/// The keys of an architecture, which begin with its name.
struct Keys<'a> {
    name: &'a str,
    lookup: Lookup<'a>,
}

impl Keys<'_> {
    fn size(&self, key: &str) -> Result<Option<usize>> {
        self.lookup.size(&format!("{}.{key}", self.name))
    }

    fn needed(&self, key: &str) -> Result<usize> {
        self.size(key)?.with_context(|| format!("`{}.{key}` is missing", self.name))
    }

    fn real(&self, key: &str) -> Result<Option<f64>> {
        self.lookup.real(&format!("{}.{key}", self.name))
    }
}

/// The number of query heads and the width of one, all of which is turned.
fn heads(keys: &Keys) -> Result<(usize, usize)> {
    let heads = keys.needed("attention.head_count")?;
    ensure!(heads > 0, "`{}.attention.head_count` is 0", keys.name);
    let turned = keys.size("rope.dimension_count")?;
    let width = keys.needed("embedding_length")? / heads;
    let head_dim = keys.size("attention.key_length")?.unwrap_or(width);
    for (key, found) in [
        ("rope.dimension_count", turned),
        ("attention.value_length", keys.size("attention.value_length")?),
    ] {
        let (name, same) = (keys.name, found.is_none_or(|found| found == head_dim));
        ensure!(same, "`{name}.{key}` is not the width of a head, {head_dim}: not supported");
    }
    Ok((heads, head_dim))
}

/// The rotary positions as the metadata tells of them, in the words of a `config.json`.
fn scaling(keys: &Keys, theta: f64) -> Result<Json> {
    let factor = keys.real("rope.scaling.factor")?.filter(|factor| *factor != 1.0);
    let kind = keys.lookup.text(&format!("{}.rope.scaling.type", keys.name)).unwrap_or("linear");
    match factor.filter(|_| kind != "none") {
        Some(factor) => Ok(json!({ "rope_type": kind, "rope_theta": theta, "factor": factor })),
        None => rope::parameters(theta, &Scaling::Default),
    }
}

/// What the tensor of the rotary stretching says; None if it stretches nothing.
fn llama3(keys: &Keys, factors: &[f32], head_dim: usize, theta: f64) -> Result<Option<Scaling>> {
    if factors.iter().all(|&factor| factor == 1.0) {
        return Ok(None);
    }
    let [low_freq_factor, high_freq_factor] = LLAMA3_TURNS;
    let scaling = Scaling::Llama3 {
        factor: factors.iter().copied().fold(1.0, f32::max).into(),
        low_freq_factor,
        high_freq_factor,
        original_max_position_embeddings: keys.size(LENGTH)?.unwrap_or(LLAMA3_LENGTH),
    };
    let expected = stretch(&scaling, head_dim, theta);
    let near = |(found, expected): (&f32, &f32)| (found / expected - 1.0).abs() < ROPE_TOLERANCE;
    let same = factors.len() == expected.len() && factors.iter().zip(&expected).all(near);
    ensure!(same, "tensor `rope_freqs.weight` stretches the rotary positions in an unknown way");
    Ok(Some(scaling))
}

/// What each frequency of a head is divided by.
fn stretch(scaling: &Scaling, head_dim: usize, theta: f64) -> Vec<f32> {
    let plain = Scaling::Default.frequencies(head_dim, theta);
    let slowed = scaling.frequencies(head_dim, theta);
    plain.iter().zip(slowed).map(|(plain, slowed)| (plain / slowed) as f32).collect()
}
