//! Adapters: attached fresh, read and written in PEFT's format, folded into the weights.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};
use serde_json::{Value, json};

use crate::model::adapter::{self, Adapter};
use crate::model::files::{self, Tensors};
use crate::model::linear::Linear;
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
    /// Share of an adapter's inputs that are left out at random in training. Adapters that read the
    /// same input, such as those of q, k and v, leave out the same.
    pub dropout: f64,
    /// Lengths of the weight's rows learn apart from their directions (DoRA).
    pub dora: bool,
}

impl Lora {
    /// Adapters of that size beside every linear of the blocks.
    pub fn all_linear(rank: usize, alpha: f64) -> Lora {
        let targets = vec!["all-linear".into()];
        Lora { rank, alpha, targets, rank_stabilised: false, dropout: 0.0, dora: false }
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
        let (output, input) = linear.weight.shape()?;
        let [a_name, b_name, magnitude_name] = names(&module);
        let limit = 1.0 / (input as f64).sqrt();
        let a = weights::uniform(seed, &a_name, rank * input, limit);
        let a = Parameter::new(a_name, Tensor::from_vec(a, (rank, input), &device)?);
        let b = Tensor::zeros((output, rank), DType::F32, &device)?;
        let b = Parameter::new(b_name, b);
        let magnitude = match lora.dora {
            true => Some(adapter::row_lengths(&linear.weight.matrix(DType::F32)?)?),
            false => None,
        };
        let magnitude = magnitude.map(|value| Parameter::new(magnitude_name, value));
        linear.adapter = Some(Adapter { a, b, scale, dropout: lora.dropout, magnitude });
    }
    Ok(())
}

/// Reads `adapter_config.json` and `adapter_model.safetensors` and puts them beside the weights.
pub fn load(model: &mut Model, folder: &Path) -> Result<Lora> {
    let path = folder.join("adapter_config.json");
    let text = files::text_of(&path, files::SETTINGS_MAX)?;
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
    let adapters = model.adapters().into_iter();
    let tensors: Tensors =
        adapters.map(|parameter| (parameter.name.clone(), parameter.value.clone())).collect();
    ensure!(!tensors.is_empty(), "the model has no adapter to write");
    let config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "target_modules": lora.target_names()?,
        "use_rslora": lora.rank_stabilised,
        "use_dora": lora.dora,
        "lora_dropout": lora.dropout,
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

/// PEFT's names of A, of B and of DoRA's lengths beside a module such as
/// `model.layers.0.self_attn.q_proj`.
fn names(module: &str) -> [String; 3] {
    ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"]
        .map(|part| format!("base_model.model.{module}.{part}"))
}

fn take_adapter(
    linear: &Linear,
    tensors: &mut Tensors,
    lora: &Lora,
    path: &Path,
) -> Result<Option<Adapter>> {
    let (output, input) = linear.weight.shape()?;
    let [a_name, b_name, magnitude_name] = names(linear.module());
    if !tensors.contains_key(&a_name) && !tensors.contains_key(&b_name) {
        return Ok(None);
    }
    let mut take = |name: String, shape: &[usize]| -> Result<Parameter> {
        let tensor = tensors.remove(&name);
        let tensor =
            tensor.with_context(|| format!("{}: tensor `{name}` is missing", path.display()))?;
        weights::expect_shape(&tensor, shape, &name, path)?;
        Ok(Parameter::new(name, tensor.to_dtype(DType::F32)?))
    };
    let a = take(a_name, &[lora.rank, input])?;
    let b = take(b_name, &[output, lora.rank])?;
    let magnitude = lora.dora.then(|| take(magnitude_name, &[output])).transpose()?;
    Ok(Some(Adapter { a, b, scale: lora.scale(), dropout: lora.dropout, magnitude }))
}

/// Reads PEFT's config, and refuses what would make the adapter mean something else.
fn parse(text: &str) -> Result<Lora> {
    let value: Value = serde_json::from_str(text).context("not JSON")?;
    let has = |key: &str| {
        !matches!(value.get(key), None | Some(Value::Null | Value::Bool(false)))
            && value.get(key) != Some(&json!({}))
    };
    for key in [
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
    let dropout = value.get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0);
    ensure!((0.0..1.0).contains(&dropout), "`lora_dropout` is {dropout}, and a share is below 1");
    Ok(Lora {
        rank: rank as usize,
        alpha,
        targets,
        rank_stabilised: has("use_rslora"),
        dropout,
        dora: has("use_dora"),
    })
}
