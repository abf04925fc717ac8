//! Adapters: attached fresh, read and written in PEFT's format, folded into the weights.

mod peft;
mod placement;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};
use serde_json::{Map, Value, json};

use crate::model::config::Projection;
use crate::model::files::{self, Tensors};
use crate::model::network::adapter::{self, Adapter};
use crate::model::network::linear::Linear;
use crate::model::network::parameter::Parameter;
use crate::model::network::transformer::Model;
use crate::model::random;
use placement::{Names, Placement};

/// Where PEFT has the weights of an adapter.
const TENSORS: &str = "adapter_model.safetensors";

/// The linears of a block that may have an adapter.
pub const TARGETS: [&str; 7] = Projection::NAMES;

/// What PEFT puts before the names of the model's modules.
const PREFIX: &str = "base_model.model.";

/// Which linears get an adapter, and of what size.
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// Inner width of an adapter.
    pub rank: usize,
    /// The adapter's term is scaled by alpha / rank.
    pub alpha: f64,
    /// Names out of [`TARGETS`], or `all-linear` for all of them.
    pub targets: Vec<String>,
    /// Scaled by alpha / √rank instead (rsLoRA; Kalajdzievski 2023, arXiv:2312.03732).
    pub rank_stabilised: bool,
    /// Dropout probability of an adapter's inputs in training. Adapters that read the
    /// same input, such as those of q, k and v, drop the same elements.
    pub dropout: f64,
    /// Train the magnitude of the weight's rows apart from their direction (DoRA).
    pub dora: bool,
}

impl Lora {
    /// Adapters of that size beside every linear of the blocks.
    pub fn all_linear(rank: usize, alpha: f64) -> Lora {
        let targets = vec!["all-linear".into()];
        Lora { rank, alpha, targets, rank_stabilised: false, dropout: 0.0, dora: false }
    }

    fn scale(&self) -> f64 {
        self.alpha / self.divisor(self.rank)
    }

    /// What alpha is divided by, at that rank.
    fn divisor(&self, rank: usize) -> f64 {
        let rank = rank as f64;
        if self.rank_stabilised { rank.sqrt() } else { rank }
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

/// Adds fresh adapters to the targets: A uniform within 1/√in as in PEFT, B zero, so that
/// the model's function is unchanged until the first step.
///
/// # Errors
/// If a target is not a linear of the blocks, or the rank is 0.
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
        let a = random::uniform(seed, &a_name, rank * input, limit);
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

/// Reads `adapter_config.json` and `adapter_model.safetensors` into adapters of the model.
///
/// # Errors
/// If a file cannot be read, a tensor is missing, is left over or has another shape, or PEFT would
/// compute something else from the settings.
pub fn load(model: &mut Model, folder: &Path) -> Result<Lora> {
    let (mut lora, placement) = settings(folder)?;
    let path = folder.join(TENSORS);
    let (tensors, _) = files::read_tensors(&path, &model.device)?;
    let mut tensors = plainly_named(tensors, &path)?;
    let mut adapted = Vec::new();
    for linear in model.linears_mut() {
        linear.adapter = take_adapter(linear, &mut tensors, &lora, &placement, &path)?;
        if linear.adapter.is_some() {
            adapted.push(linear.module().to_string());
        }
    }
    for (name, tensor) in &tensors {
        expect_own(model, name, tensor, &path)?;
    }
    ensure!(model.has_adapters(), "{}: no adapter in it", path.display());
    lora.targets = match placement.targets {
        Names::AllLinear => vec!["all-linear".into()],
        Names::Ends(ends) => ends,
        Names::Pattern(_) => adapted,
    };
    Ok(lora)
}

/// Looks at an adapter before its model is read, which takes longer.
///
/// # Errors
/// Those of [`load`], as far as they are seen without the model.
pub fn expect(folder: &Path) -> Result<()> {
    settings(folder)?;
    let path = folder.join(TENSORS);
    std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(())
}

fn settings(folder: &Path) -> Result<(Lora, Placement)> {
    let path = folder.join("adapter_config.json");
    let text = files::text_of(&path, files::SETTINGS_MAX)?;
    peft::parse(&text).with_context(|| format!("in {}", path.display()))
}

/// Writes the adapters in PEFT's format; `base` is the name or path of the model beneath.
///
/// # Errors
/// If the model has no adapter, or a file cannot be written.
pub fn save(model: &Model, lora: &Lora, base: &str, folder: &Path) -> Result<()> {
    let adapters = model.adapters().into_iter();
    let tensors: Tensors =
        adapters.map(|parameter| (parameter.name.clone(), parameter.value.clone())).collect();
    ensure!(!tensors.is_empty(), "the model has no adapter to write");
    let mut config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "target_modules": target_modules(model, lora),
        "use_rslora": lora.rank_stabilised,
        "use_dora": lora.dora,
        "lora_dropout": lora.dropout,
        "bias": "none",
        "fan_in_fan_out": false,
        "init_lora_weights": true,
        "inference_mode": true,
        "modules_to_save": null,
    });
    let (ranks, alphas) = exceptions(model, lora);
    for (key, value) in [("rank_pattern", ranks), ("alpha_pattern", alphas)] {
        if !value.is_empty() {
            config[key] = Value::Object(value);
        }
    }
    let text = serde_json::to_string_pretty(&config)? + "\n";
    files::write_tensors(&folder.join(TENSORS), &tensors, ("format", "pt"))?;
    files::write_text(&folder.join("adapter_config.json"), &text)
}

/// The same function as one model without adapters.
///
/// # Errors
/// If a weight is quantised, or a merged one is not finite.
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
        .map(|part| format!("{PREFIX}{module}.{part}"))
}

/// The same tensors under the names that PEFT saves them by. A raw state of PEFT's module has the
/// adapter's name in them, and transformers reads names without PEFT's prefix too.
fn plainly_named(tensors: Tensors, path: &Path) -> Result<Tensors> {
    let mut plain = Tensors::new();
    for (name, tensor) in tensors {
        let inner = name.strip_prefix(PREFIX).unwrap_or(&name);
        let renamed = [
            (".lora_A.default.weight", ".lora_A.weight"),
            (".lora_B.default.weight", ".lora_B.weight"),
            (".lora_magnitude_vector.default.weight", ".lora_magnitude_vector"),
            (".lora_magnitude_vector.weight", ".lora_magnitude_vector"),
            (".base_layer.weight", ".weight"),
            (".base_layer.bias", ".bias"),
        ];
        let mut renamed = renamed.into_iter().filter_map(|(raw, saved)| {
            inner.strip_suffix(raw).map(|module| format!("{module}{saved}"))
        });
        let inner = renamed.next().unwrap_or_else(|| inner.to_string());
        let twice = plain.insert(format!("{PREFIX}{inner}"), tensor).is_some();
        ensure!(!twice, "{}: `{inner}` comes twice, the second time as `{name}`", path.display());
    }
    Ok(plain)
}

/// Fails unless a tensor that belongs to no adapter is the model's own, which PEFT saves beside
/// adapters of its table and its head.
fn expect_own(model: &Model, name: &str, tensor: &Tensor, path: &Path) -> Result<()> {
    let inner = name.strip_prefix(PREFIX).unwrap_or(name);
    let tied = model.config.tie_word_embeddings && inner == "lm_head.weight";
    let looked_for = if tied { &model.embedding.name } else { inner };
    let weights = model.weights();
    let Some(own) = weights.into_iter().find(|own| own.name == looked_for) else {
        let module = inner.split(".lora_").next().unwrap_or_default();
        let is_linear = model.linears().any(|linear| linear.module() == module);
        let path = path.display();
        match is_linear {
            true => bail!(
                "{path}: adapter_config.json leaves tensor `{name}` without a part: its module is \
                 none of the targets, or PEFT has no such name"
            ),
            false => bail!("{path}: the model has no linear for tensor `{name}`"),
        }
    };
    let same = files::are_equal(&own.value, tensor)?;
    ensure!(
        same,
        "{}: `{inner}` is another one than the model's own, and cookc reads low-rank terms alone; \
         merge the adapter with PEFT",
        path.display()
    );
    Ok(())
}

/// Names of modules for the config: those of the targets, if all modules of those names have an
/// adapter, else the names in full.
fn target_modules(model: &Model, lora: &Lora) -> Vec<String> {
    let names = lora.target_names().unwrap_or_default();
    let is_named = |linear: &Linear| {
        let module = linear.module();
        names.iter().any(|name| module.ends_with(&format!(".{name}")))
    };
    if model.linears().all(|linear| is_named(linear) == linear.adapter.is_some()) {
        return names.into_iter().map(String::from).collect();
    }
    let adapted = model.linears().filter(|linear| linear.adapter.is_some());
    adapted.map(|linear| linear.module().to_string()).collect()
}

/// Ranks and alphas of the modules that differ from the others, by their names.
fn exceptions(model: &Model, lora: &Lora) -> (Map<String, Value>, Map<String, Value>) {
    let (mut ranks, mut alphas) = (Map::new(), Map::new());
    for linear in model.linears() {
        let Some(adapter) = &linear.adapter else { continue };
        let (module, rank) = (linear.module().to_string(), adapter.rank());
        let divisor = lora.divisor(rank);
        if adapter.scale != lora.alpha / divisor {
            alphas.insert(module.clone(), json!(adapter.scale * divisor));
        }
        if rank != lora.rank {
            ranks.insert(module, json!(rank));
        }
    }
    (ranks, alphas)
}

fn take_adapter(
    linear: &Linear,
    tensors: &mut Tensors,
    lora: &Lora,
    placement: &Placement,
    path: &Path,
) -> Result<Option<Adapter>> {
    let module = linear.module();
    if !placement.covers(module)? {
        return Ok(None);
    }
    let (output, input) = linear.weight.shape()?;
    let [a_name, b_name, magnitude_name] = names(module);
    if !tensors.contains_key(&a_name) && !tensors.contains_key(&b_name) {
        return Ok(None);
    }
    let mut take = |name: String, shape: &[usize]| -> Result<Parameter> {
        let tensor = tensors.remove(&name);
        let tensor =
            tensor.with_context(|| format!("{}: tensor `{name}` is missing", path.display()))?;
        files::expect_shape(&tensor, shape, &name, path)?;
        Ok(Parameter::new(name, tensor.to_dtype(DType::F32)?))
    };
    let rank = placement.rank(module)?.unwrap_or(lora.rank);
    let alpha = placement.alpha(module)?.unwrap_or(lora.alpha);
    let a = take(a_name, &[rank, input])?;
    let b = take(b_name, &[output, rank])?;
    let magnitude = lora.dora.then(|| take(magnitude_name, &[output])).transpose()?;
    let scale = alpha / lora.divisor(rank);
    Ok(Some(Adapter { a, b, scale, dropout: lora.dropout, magnitude }))
}
