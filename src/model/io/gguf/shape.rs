//! A model's config in the words of GGUF's metadata, and back.
//!
//! Both ways go by the text of a `config.json`, so that what cookc cannot compute is refused in
//! one place, with one wording.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value as Json, json};

use super::header::Stored;
use super::keys;
use super::value::{Lookup, Metadata, Value};
use crate::model::config::Config;
use crate::model::families::{FAMILIES, Window};
use crate::model::rope::{self, Scaling};

/// The architecture whose tensors say which linears have biases, and how positions are stretched.
const LLAMA: &str = "llama";
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

/// The config of a file; `stretch` is its tensor `rope_freqs.weight`, where it has one.
pub(super) fn read(
    metadata: &Metadata,
    tensors: &BTreeMap<String, Stored>,
    stretch: Option<&[f32]>,
) -> Result<Config> {
    let lookup = Lookup(metadata);
    let name = lookup.text("general.architecture");
    let name = name.context("`general.architecture` is missing")?;
    keys::check(metadata, name)?;
    let keys = Keys { name, lookup };
    let table =
        tensors.get("token_embd.weight").context("tensor `token_embd.weight` is missing")?;
    let (heads, head_dim) = heads(&keys)?;
    let eps = keys.real("attention.layer_norm_rms_epsilon")?;
    let theta = keys.real("rope.freq_base")?.unwrap_or(ROPE_BASE);
    let stretched =
        stretch.map(|factors| llama3(&keys, factors, head_dim, theta)).transpose()?.flatten();
    let rope = match stretched {
        Some(stretched) => {
            let both = factor(&keys)?.is_some();
            ensure!(!both, "both `rope_freqs.weight` and `{name}.rope.scaling` stretch positions");
            rope::parameters(theta, &stretched)?
        }
        None => scaling(&keys, theta)?,
    };
    let context = keys.needed("context_length")?;
    // A window that is as wide as the longest text is none.
    let window = keys.size("attention.sliding_window")?.filter(|window| *window < context);
    ensure!(
        family(name, true).is_some() || window.is_none_or(|window| window == 0),
        "`{name}.attention.sliding_window` is set, and llama.cpp gives a `{name}` no window"
    );
    let window = window.filter(|window| *window > 0);
    let mut config = json!({
        "model_type": family(name, window.is_some()),
        "hidden_size": keys.needed("embedding_length")?,
        "intermediate_size": keys.needed("feed_forward_length")?,
        "num_hidden_layers": keys.needed("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": keys.size("attention.head_count_kv")?.unwrap_or(heads),
        "head_dim": head_dim,
        "vocab_size": table.shape[0],
        "max_position_embeddings": context,
        "rms_norm_eps": eps.context("the epsilon of the norms is missing")?,
        "rope_parameters": rope,
        "tie_word_embeddings": !tensors.contains_key("output.weight"),
    });
    let parts = config.as_object_mut().context("it is an object")?;
    if let Some(window) = window {
        parts.insert("sliding_window".into(), json!(window));
    }
    if name == LLAMA {
        for (key, tensor) in [("attention_bias", "attn_q.bias"), ("mlp_bias", "ffn_gate.bias")] {
            parts.insert(key.into(), json!(tensors.contains_key(&format!("blk.0.{tensor}"))));
        }
    }
    Config::from_json(&config.to_string())
}

/// The metadata of a config, and the tensor of the rotary stretching where it has one.
pub(super) fn write(config: &Config) -> Result<(Metadata, Option<Vec<f32>>)> {
    let all: Map<String, Json> = serde_json::from_str(&config.to_json()?)?;
    let family = config.family();
    let known = family.gguf.filter(|_| family.model_type == config.model_type);
    let name = known.map(|gguf| gguf.architecture);
    let name =
        name.with_context(|| format!("model_type `{}` has no name in GGUF", config.model_type))?;
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
    if let Some(window) = window.filter(|_| family.window == Window::Always) {
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
        Scaling::LongRope { .. } => {
            Some(stretch(&config.rope_scaling, config.head_dim, config.rope_theta))
        }
    };
    metadata.insert("general.architecture".into(), Value::Text(name.into()));
    Ok((metadata, stretch))
}

/// The family of an architecture: those that share one differ in the window.
fn family(architecture: &str, has_window: bool) -> Option<&'static str> {
    let mut all = FAMILIES.iter().filter(|family| {
        family.gguf.is_some_and(|gguf| gguf.architecture == architecture)
            && (family.window == Window::Always) == has_window
    });
    all.next().map(|family| family.model_type)
}

/// The keys of an architecture, which begin with its name.
struct Keys<'a> {
    name: &'a str,
    lookup: Lookup<'a>,
}

impl Keys<'_> {
    /// A number, or a list of a number for each layer which are all the same.
    fn size(&self, key: &str) -> Result<Option<usize>> {
        let key = format!("{}.{key}", self.name);
        match self.lookup.wholes(&key) {
            Some([first, rest @ ..]) if rest.iter().all(|other| other == first) => {
                let size = usize::try_from(*first).ok();
                Ok(Some(size.with_context(|| format!("`{key}` is {first}"))?))
            }
            Some(_) => bail!("`{key}` differs from layer to layer, which is not supported"),
            None => self.lookup.size(&key),
        }
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
    match factor(keys)? {
        Some(factor) => Ok(json!({ "rope_type": "linear", "rope_theta": theta, "factor": factor })),
        None => rope::parameters(theta, &Scaling::Default),
    }
}

/// What all frequencies are divided by, where it is not 1. llama.cpp takes a kind that is left out
/// for `linear`, and 0 for 1.
fn factor(keys: &Keys) -> Result<Option<f64>> {
    let key = format!("{}.rope.scaling.type", keys.name);
    let kind = keys.lookup.text(&key);
    ensure!(kind.is_some() || !keys.lookup.0.contains_key(&key), "`{key}` is no text");
    let kind = kind.unwrap_or("linear");
    ensure!(
        matches!(kind, "none" | "linear"),
        "`{key}`: rope_type `{kind}` is not supported; `none` and `linear` are"
    );
    let old = || keys.real("rope.scale_linear");
    let factor = keys.real("rope.scaling.factor")?.map_or_else(old, |factor| Ok(Some(factor)))?;
    Ok(factor.filter(|factor| kind != "none" && *factor != 0.0 && *factor != 1.0))
}

/// What the tensor of the rotary stretching says; None if it stretches nothing.
fn llama3(keys: &Keys, factors: &[f32], head_dim: usize, theta: f64) -> Result<Option<Scaling>> {
    if factors.iter().all(|&factor| factor == 1.0) {
        return Ok(None);
    }
    ensure!(keys.name == LLAMA, "llama.cpp gives a `{}` no `rope_freqs.weight`", keys.name);
    let half = head_dim / 2;
    ensure!(
        factors.len() == half && factors.iter().all(|factor| factor.is_finite() && *factor > 0.0),
        "tensor `rope_freqs.weight` stretches the rotary positions, but not by a factor above 0 \
         for each of {half} pairs"
    );
    let [low_freq_factor, high_freq_factor] = LLAMA3_TURNS;
    let published = Scaling::Llama3 {
        factor: factors.iter().copied().fold(1.0, f32::max).into(),
        low_freq_factor,
        high_freq_factor,
        original_max_position_embeddings: keys.size(LENGTH)?.unwrap_or(LLAMA3_LENGTH),
    };
    let expected = stretch(&published, head_dim, theta);
    let near = |(found, expected): (&f32, &f32)| (found / expected - 1.0).abs() < ROPE_TOLERANCE;
    if factors.iter().zip(&expected).all(near) {
        return Ok(Some(published));
    }
    // Any other factors count as they are, as in llama.cpp.
    let long_factor = factors.iter().copied().map(f64::from).collect();
    Ok(Some(Scaling::LongRope { long_factor }))
}

/// What each frequency of a head is divided by.
fn stretch(scaling: &Scaling, head_dim: usize, theta: f64) -> Vec<f32> {
    let plain = Scaling::Default.frequencies(head_dim, theta);
    let slowed = scaling.frequencies(head_dim, theta);
    plain.iter().zip(slowed).map(|(plain, slowed)| (plain / slowed) as f32).collect()
}
