//! The rotary positions: how fast each pair of a head turns, and what a config says of it.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::files::keys;

/// The base of the angles where a file is silent on it: what transformers takes for it, and what
/// the first Llamas have, whose files are older than the key.
const BASE: f64 = 10_000.0;
/// The key of the length before a text was stretched.
const LENGTH: &str = "original_max_position_embeddings";

/// How the turns were slowed down for texts longer than the model first saw, under the names of
/// `rope_parameters` in a `config.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub enum Scaling {
    /// Not at all.
    #[default]
    Default,
    /// All alike (Chen et al. 2023, "Position Interpolation").
    Linear {
        /// What each frequency is divided by.
        factor: f64,
    },
    /// The slow ones only, with a ramp between slow and fast (Llama 3.1).
    Llama3 {
        /// What a slow frequency is divided by.
        factor: f64,
        /// A pair that turns less often than this over the first length is slow.
        low_freq_factor: f64,
        /// A pair that turns more often than this is fast.
        high_freq_factor: f64,
        /// The first length, in tokens.
        original_max_position_embeddings: usize,
    },
    /// Each by a factor of its own, as a GGUF file may have them: a `longrope` (Ding et al. 2024)
    /// whose factors are the same for short and for long texts.
    LongRope {
        /// What each frequency is divided by, the fastest first.
        long_factor: Vec<f64>,
    },
}

impl Scaling {
    /// Radians a token of each pair of a head, `head_dim / 2` of them, the fastest first.
    pub fn frequencies(&self, head_dim: usize, theta: f64) -> Vec<f64> {
        let half = head_dim / 2;
        let plain = (0..half).map(|i| theta.powf(-(i as f64) / half as f64));
        match self {
            Scaling::LongRope { long_factor } => {
                plain.zip(long_factor).map(|(frequency, factor)| frequency / factor).collect()
            }
            _ => plain.map(|frequency| self.slowed(frequency)).collect(),
        }
    }

    fn slowed(&self, frequency: f64) -> f64 {
        match *self {
            Scaling::Default | Scaling::LongRope { .. } => frequency,
            Scaling::Linear { factor } => frequency / factor,
            Scaling::Llama3 {
                factor,
                low_freq_factor: low,
                high_freq_factor: high,
                original_max_position_embeddings: length,
            } => {
                let turns = length as f64 * frequency / std::f64::consts::TAU;
                let fast = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                frequency * (fast + (1.0 - fast) / factor)
            }
        }
    }

    /// Whether the numbers make sense, by themselves and for a head of that width.
    pub(crate) fn validate(&self, head_dim: usize) -> Result<()> {
        let positive = |name: &str, value: f64| {
            ensure!(value.is_finite() && value > 0.0, "{name} of the rotary positions is {value}");
            Ok(())
        };
        match *self {
            Scaling::Default => Ok(()),
            Scaling::Linear { factor } => positive("factor", factor),
            Scaling::LongRope { ref long_factor } => {
                let (count, half) = (long_factor.len(), head_dim / 2);
                ensure!(count == half, "{count} factors of rotary positions for {half} pairs");
                long_factor.iter().try_for_each(|factor| positive("a factor", *factor))
            }
            Scaling::Llama3 { factor, low_freq_factor: low, high_freq_factor: high, .. } => {
                positive("factor", factor)?;
                positive("low_freq_factor", low)?;
                ensure!(high > low, "high_freq_factor = {high} is not above {low}, the low one");
                Ok(())
            }
        }
    }
}

/// Takes the base of the angles and their scaling out of a config, wherever the file's version
/// of transformers puts them: version 5 has all in `rope_parameters`, older ones the scaling alone
/// in `rope_scaling`. Two places that differ are refused, since programs choose differently.
pub(crate) fn take(map: &mut Map<String, Value>) -> Result<(f64, Scaling)> {
    let length = map.get("max_position_embeddings").and_then(Value::as_u64);
    // A Phi's file has it outside, and transformers prefers that one for every family.
    let outer_length = map.get("original_max_position_embeddings").cloned();
    let outer = map.shift_remove("rope_theta").filter(|value| !value.is_null());
    let outer = outer.map(|theta| base(&theta, "rope_theta")).transpose()?;
    // The base by another name, in some of the first Qwens' files.
    let other_name = map.get("rotary_emb_base").filter(|value| !value.is_null()).cloned();
    let mut found: Option<(f64, Scaling)> = None;
    for place in ["rope_parameters", "rope_scaling"] {
        let Some(value) = map.shift_remove(place).filter(|value| !keys::is_off(value)) else {
            continue;
        };
        let here = parse(value, place, outer, length, outer_length.as_ref())?;
        ensure!(
            found.as_ref().is_none_or(|found| *found == here),
            "rope_parameters and rope_scaling say different things: delete one of them"
        );
        found = Some(here);
    }
    let (theta, scaling) = found.unwrap_or((outer.unwrap_or(BASE), Scaling::Default));
    if let Some(other) = other_name {
        let same = base(&other, "rotary_emb_base")? == theta;
        ensure!(same, "rotary_emb_base is {other} but rope_theta is {theta}");
    }
    Ok((theta, scaling))
}

/// Base and scaling as the `rope_parameters` of a config.
pub(crate) fn parameters(theta: f64, scaling: &Scaling) -> Result<Value> {
    let mut value = serde_json::to_value(scaling)?;
    let map = value.as_object_mut().context("a scaling is an object")?;
    if let Scaling::LongRope { long_factor } = scaling {
        // Both factors are for the size of scores, which stays as it is.
        for (key, value) in [
            ("short_factor", json!(long_factor)),
            ("factor", json!(1.0)),
            ("attention_factor", json!(1.0)),
        ] {
            map.insert(key.into(), value);
        }
    }
    map.insert("rope_theta".into(), json!(theta));
    Ok(value)
}

/// The settings of one place; `outer` is the base that the config has beside them.
fn parse(
    rope: Value,
    place: &str,
    outer: Option<f64>,
    length: Option<u64>,
    outer_length: Option<&Value>,
) -> Result<(f64, Scaling)> {
    let Value::Object(mut map) = rope else { bail!("`{place}` is no JSON object") };
    let kind = kind(&map, place)?;
    let inner = map.shift_remove("rope_theta").filter(|value| !value.is_null());
    let inner = inner.map(|theta| base(&theta, &format!("{place}.rope_theta"))).transpose()?;
    if let (Some(outer), Some(inner)) = (outer, inner) {
        ensure!(outer == inner, "rope_theta is {outer} but {place}.rope_theta is {inner}");
    }
    let known: &[&str] = match kind {
        "linear" => &["factor"],
        "llama3" => &["factor", "low_freq_factor", "high_freq_factor", LENGTH],
        "longrope" => &["factor", "short_factor", "long_factor"],
        _ => &[],
    };
    for (key, value) in &map {
        let neutral = match key.as_str() {
            "rope_type" | "type" => true,
            "partial_rotary_factor" | "attention_factor" | "factor" => value.as_f64() == Some(1.0),
            // It has a part in `llama3` alone.
            LENGTH => true,
            _ => false,
        };
        ensure!(
            neutral || keys::is_off(value) || known.contains(&key.as_str()),
            "`{place}.{key}` is {}, which is not supported with rope_type `{kind}`; that has \
             rope_theta{}{}",
            keys::shown(value),
            if known.is_empty() { "" } else { ", " },
            known.join(", ")
        );
    }
    for (key, value) in map.iter().filter(|(key, _)| known.contains(&key.as_str())) {
        // The word of Python's `json` for a number that is none, and others.
        ensure!(!value.is_string(), "`{place}.{key}` is {}; write a number", keys::shown(value));
    }
    if kind == "llama3" {
        let inner_length = map.get(LENGTH).filter(|value| !value.is_null()).cloned();
        let outer_length = outer_length.filter(|value| !value.is_null()).cloned();
        ensure!(
            inner_length.is_none() || outer_length.is_none() || inner_length == outer_length,
            "`{LENGTH}` and `{place}.{LENGTH}` differ: delete one of them"
        );
        let length = inner_length.or(outer_length).or(length.map(Value::from));
        map.insert(LENGTH.into(), length.unwrap_or_default());
    }
    if kind == "longrope" {
        let one = map.get("short_factor") == map.get("long_factor");
        let plain = map.get("attention_factor").and_then(Value::as_f64) == Some(1.0);
        ensure!(
            one && plain,
            "rope_type `longrope` is supported only if short_factor and long_factor are the same \
             and attention_factor is 1"
        );
    }
    map.insert("rope_type".into(), json!(kind));
    let wrong = format!("in the settings of rope_type `{kind}`");
    let scaling: Scaling = serde_json::from_value(Value::Object(map)).context(wrong)?;
    Ok((inner.or(outer).unwrap_or(BASE), scaling))
}

/// The name of the scaling; `type` is what its key was called at first.
fn kind(map: &Map<String, Value>, place: &str) -> Result<&'static str> {
    let named = ["rope_type", "type"].map(|key| map.get(key).filter(|kind| !kind.is_null()));
    if let [Some(new), Some(old)] = named {
        ensure!(new == old, "{place}.rope_type is {new} but {place}.type is {old}");
    }
    let Some(kind) = named[0].or(named[1]) else {
        let nested = map.iter().find(|(_, value)| value.is_object());
        if let Some((key, _)) = nested {
            bail!("`{place}.{key}`: settings for each kind of layer are not supported");
        }
        return Ok("default");
    };
    let known = ["default", "linear", "llama3", "longrope"].into_iter().find(|known| kind == known);
    let kind = kind.as_str().map_or_else(|| keys::shown(kind), str::to_string);
    known.with_context(|| {
        format!("rope_type `{kind}` is not supported; `default`, `linear` and `llama3` are")
    })
}

fn base(theta: &Value, place: &str) -> Result<f64> {
    let number = theta.as_f64().filter(|theta| theta.is_finite() && *theta > 0.0);
    number.with_context(|| format!("{place} is {}; write a number above 0", keys::shown(theta)))
}
