//! The rotary positions: how fast each pair of a head turns, and what a config says of it.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
}

impl Scaling {
    /// Radians a token of each pair of a head, `head_dim / 2` of them, the fastest first.
    pub fn frequencies(&self, head_dim: usize, theta: f64) -> Vec<f64> {
        let half = head_dim / 2;
        let plain = (0..half).map(|i| theta.powf(-(i as f64) / half as f64));
        plain.map(|frequency| self.slowed(frequency)).collect()
    }

    fn slowed(&self, frequency: f64) -> f64 {
        match *self {
            Scaling::Default => frequency,
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

    fn validate(&self) -> Result<()> {
        let positive = |name: &str, value: f64| {
            ensure!(value.is_finite() && value > 0.0, "{name} of the rotary positions is {value}");
            Ok(())
        };
        match *self {
            Scaling::Default => Ok(()),
            Scaling::Linear { factor } => positive("factor", factor),
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
/// of transformers puts them. A missing base is refused, since the usual default of 10000 is
/// silently wrong for many models.
pub(crate) fn take(map: &mut Map<String, Value>) -> Result<(f64, Scaling)> {
    // Version 5 has all in `rope_parameters`, older ones the scaling alone in `rope_scaling`.
    let parameters = map.shift_remove("rope_parameters").filter(|value| !value.is_null());
    let scaling = map.shift_remove("rope_scaling").filter(|value| !value.is_null());
    let old = map.shift_remove("rope_theta").as_ref().and_then(Value::as_f64);
    let new = parameters.as_ref().and_then(|rope| rope.get("rope_theta")).and_then(Value::as_f64);
    let theta = match (old, new) {
        (Some(old), Some(new)) if old != new => {
            bail!("rope_theta is {old} but rope_parameters.rope_theta is {new}")
        }
        (Some(theta), _) | (None, Some(theta)) => theta,
        (None, None) => bail!("neither rope_theta nor rope_parameters.rope_theta is given"),
    };
    ensure!(theta.is_finite() && theta > 0.0, "rope_theta is {theta}");
    let parsed = [parameters, scaling].into_iter().flatten().map(parse);
    let parsed = parsed.collect::<Result<Vec<Scaling>>>()?;
    let scaling = parsed.first().cloned().unwrap_or_default();
    let differ = parsed.iter().any(|other| *other != scaling);
    ensure!(!differ, "rope_parameters and rope_scaling say different things");
    Ok((theta, scaling))
}

/// Base and scaling as the `rope_parameters` of a config.
pub(crate) fn parameters(theta: f64, scaling: &Scaling) -> Result<Value> {
    let mut value = serde_json::to_value(scaling)?;
    let map = value.as_object_mut().context("a scaling is an object")?;
    map.insert("rope_theta".into(), json!(theta));
    Ok(value)
}

fn parse(mut rope: Value) -> Result<Scaling> {
    let map = rope.as_object_mut().context("the rotary settings are no JSON object")?;
    // `type` is what the key was called at first.
    let kind = map.shift_remove("rope_type").or(map.shift_remove("type"));
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("default");
    if !matches!(kind, "default" | "linear" | "llama3") {
        bail!("rope_type `{kind}` is not supported; `default`, `linear` and `llama3` are");
    }
    let partial = map.get("partial_rotary_factor").and_then(Value::as_f64).unwrap_or(1.0);
    ensure!(partial == 1.0, "partial_rotary_factor {partial} is not supported; 1 is");
    map.insert("rope_type".into(), json!(kind));
    let wrong = format!("in the settings of rope_type `{kind}`");
    let scaling: Scaling = serde_json::from_value(rope).context(wrong)?;
    scaling.validate()?;
    Ok(scaling)
}
