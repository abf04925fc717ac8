//! Adapters: attached fresh, read and written in PEFT's format, folded into the weights.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};
use serde_json::{Value, json};

use crate::model::files::{self, Tensors};
use crate::model::linear::{Adapter, Linear};
use crate::model::parameter::Parameter;
use crate::model::transformer::Model;
use crate::model::weights;

/// The linears of a block that an adapter may stand beside.
pub const TARGETS: [&str; 7] =
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Which linears get an adapter, and of what size.
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// Inner width of an adapter.
    pub rank: usize,
    /// The adapter's term is scaled by alpha / rank.
    pub alpha: f64,
    /// Names out of [`TARGETS`], or `all-linear` for all of them.
    pub targets: Vec<String>,
    /// Scaled by alpha / √rank instead (rsLoRA).
    pub rank_stabilised: bool,
}

impl Lora {
    /// Adapters of that size beside every linear of the blocks.
    pub fn all_linear(rank: usize, alpha: f64) -> Lora {
        Lora { rank, alpha, targets: vec!["all-linear".into()], rank_stabilised: false }
    }

    fn scale(&self) -> f64 {
        let rank = self.rank as f64;
        self.alpha / if self.rank_stabilised { rank.sqrt() } else { rank }
    }

    fn target_names(&self) -> Result<Vec<&str>> {
        let mut names = Vec::new();
        for target in &self.targets {
            match TARGETS.iter().find(|name| *name == target) {
                Some(name) => names.push(*name),
                None if target == "all-linear" => names.extend(TARGETS),
                None => bail!("no linear `{target}`; there are {}", TARGETS.join(", ")),
            }
        }
        ensure!(self.rank > 0 && !names.is_empty(), "an adapter needs a rank and a target");
        Ok(names)
    }
}

/// Puts fresh adapters beside the targets: A uniform within 1/√in as PEFT has it, B zero, so that
/// the model's function is unchanged until the first step.
pub fn attach(model: &mut Model, lora: &Lora, seed: u64) -> Result<()> {
    let targets = lora.target_names()?;
    let (device, rank, scale) = (model.device.clone(), lora.rank, lora.scale());
    for linear in model.linears_mut() {
        let module = linear.module().to_string();
        if !targets.iter().any(|target| module.ends_with(&format!(".{target}"))) {
            continue;
        }
        let (output, input) = linear.weight.value.dims2()?;
        let [a_name, b_name] = names(&module);
        let limit = 1.0 / (input as f64).sqrt();
        let a = weights::uniform(seed, &a_name, rank * input, limit);
        let a = Parameter::new(a_name, Tensor::from_vec(a, (rank, input), &device)?);
        let b = Tensor::zeros((output, rank), DType::F32, &device)?;
        linear.adapter = Some(Adapter { a, b: Parameter::new(b_name, b), scale });
    }
    Ok(())
}

/// Reads `adapter_config.json` and `adapter_model.safetensors` and puts them beside the weights.
pub fn load(model: &mut Model, folder: &Path) -> Result<Lora> {
    let path = folder.join("adapter_config.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lora = parse(&text).with_context(|| format!("in {}", path.display()))?;
    let path = folder.join("adapter_model.safetensors");
    let (mut tensors, _) = files::read_tensors(&path, &model.device)?;
    for linear in model.linears_mut() {
        linear.adapter = take_adapter(linear, &mut tensors, &lora, &path)?;
    }
    if let Some(name) = tensors.keys().next() {
        bail!("{}: the model has no linear for tensor `{name}`", path.display());
    }
    ensure!(model.has_adapters(), "{}: no adapter in it", path.display());
    Ok(lora)
}

/// Writes the adapters in PEFT's format; `base` is the name or path of the model beneath.
pub fn save(model: &Model, lora: &Lora, base: &str, folder: &Path) -> Result<()> {
    let adapters = model.linears().filter_map(|linear| linear.adapter.as_ref());
    let tensors: Tensors = adapters
        .flat_map(|adapter| [&adapter.a, &adapter.b])
        .map(|parameter| (parameter.name.clone(), parameter.value.clone()))
        .collect();
    ensure!(!tensors.is_empty(), "the model has no adapter to write");
    let config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "target_modules": lora.target_names()?,
        "use_rslora": lora.rank_stabilised,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "init_lora_weights": true,
        "inference_mode": true,
        "modules_to_save": null,
    });
    let text = serde_json::to_string_pretty(&config)? + "\n";
    files::write_tensors(&folder.join("adapter_model.safetensors"), &tensors, ("format", "pt"))?;
    files::write_text(&folder.join("adapter_config.json"), &text)
}

/// The same function as one model without adapters.
pub fn merged(model: &Model) -> Result<Model> {
    let mut merged = model.clone();
    for linear in merged.linears_mut() {
        *linear = linear.merged()?;
    }
    Ok(merged)
}

/// PEFT's names of A and B beside a module such as `model.layers.0.self_attn.q_proj`.
fn names(module: &str) -> [String; 2] {
    ["A", "B"].map(|half| format!("base_model.model.{module}.lora_{half}.weight"))
}

fn take_adapter(
    linear: &Linear,
    tensors: &mut Tensors,
    lora: &Lora,
    path: &Path,
) -> Result<Option<Adapter>> {
    let (output, input) = linear.weight.value.dims2()?;
    let [a_name, b_name] = names(linear.module());
    let (a, b) = match (tensors.remove(&a_name), tensors.remove(&b_name)) {
        (None, None) => return Ok(None),
        (Some(a), Some(b)) => (a.to_dtype(DType::F32)?, b.to_dtype(DType::F32)?),
        (a, _) => {
            let missing = if a.is_none() { a_name } else { b_name };
            bail!("{}: tensor `{missing}` is missing", path.display())
        }
    };
    weights::expect_shape(&a, &[lora.rank, input], &a_name, path)?;
    weights::expect_shape(&b, &[output, lora.rank], &b_name, path)?;
    let (a, b) = (Parameter::new(a_name, a), Parameter::new(b_name, b));
    Ok(Some(Adapter { a, b, scale: lora.scale() }))
}

/// Reads PEFT's config, and refuses what would make the adapter mean something else.
fn parse(text: &str) -> Result<Lora> {
    let value: Value = serde_json::from_str(text).context("not JSON")?;
    let has = |key: &str| {
        !matches!(value.get(key), None | Some(Value::Null | Value::Bool(false)))
            && value.get(key) != Some(&json!({}))
    };
    for key in [
        "use_dora",
        "fan_in_fan_out",
        "modules_to_save",
        "layers_to_transform",
        "rank_pattern",
        "alpha_pattern",
        "lora_bias",
    ] {
        ensure!(!has(key), "`{key}` is set, which is not supported");
    }
    let kind = value.get("peft_type").and_then(Value::as_str).unwrap_or("LORA");
    ensure!(kind == "LORA", "peft_type `{kind}` is not supported; `LORA` is");
    let bias = value.get("bias").and_then(Value::as_str).unwrap_or("none");
    ensure!(bias == "none", "bias `{bias}` is not supported; `none` is");
    let rank = value.get("r").and_then(Value::as_u64).context("`r` is missing")?;
    let alpha =
        value.get("lora_alpha").and_then(Value::as_f64).context("`lora_alpha` is missing")?;
    let targets = match value.get("target_modules") {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(String::from).collect()
        }
        _ => vec!["all-linear".to_string()],
    };
    Ok(Lora { rank: rank as usize, alpha, targets, rank_stabilised: has("use_rslora") })
}
