//! A run on disk: what learns, the optimizer's means, and the step, in one safetensors file.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use serde_json::{Value, json};

use crate::model::files::{self, Tensors};
use crate::model::{Model, Parameter, weights};
use crate::train::Settings;
use crate::train::optimizer::AdamW;

/// The key of the file's metadata under which [`about`] stands.
const ABOUT: &str = "cookc";

/// The prefixes of a parameter's three tensors.
const PARTS: [&str; 3] = ["value/", "first_mean/", "second_mean/"];

/// Room for the names, shapes and settings of a checkpoint, and for each of its tensors.
const HEADER_BYTES: u64 = 16 * 1024;
const NAME_BYTES: u64 = 256;

/// About how many bytes a checkpoint of the model has, and not less.
pub fn bytes(model: &Model) -> u64 {
    let of_one = |parameter: &&Parameter| parameter.value.elem_count() as u64 * 4 + NAME_BYTES;
    HEADER_BYTES + PARTS.len() as u64 * model.learning().iter().map(of_one).sum::<u64>()
}

/// Writes a checkpoint, whole or not at all.
pub fn save(model: &Model, optimizer: &AdamW, settings: &Settings, path: &Path) -> Result<()> {
    let mut tensors = Tensors::new();
    for (parameter, [first, second]) in model.learning().iter().zip(&optimizer.means) {
        for (part, tensor) in PARTS.iter().zip([&parameter.value, first, second]) {
            tensors.insert(format!("{part}{}", parameter.name), tensor.clone());
        }
    }
    let about = json!({ "format": 1, "steps": optimizer.steps, "settings": settings });
    files::write_tensors(path, &tensors, (ABOUT, &about.to_string()))
}

/// Reads a checkpoint into the model, and gives back the optimizer as it was. One that was made
/// with other settings is refused: it would go on differently from how it began.
pub fn load(model: &mut Model, settings: &Settings, path: &Path) -> Result<AdamW> {
    let (mut tensors, metadata) = files::read_tensors(path, &model.device)?;
    let wrong = || format!("{} is no checkpoint of a run", path.display());
    let about: Value = serde_json::from_str(metadata.get(ABOUT).with_context(wrong)?)?;
    ensure!(about["format"] == 1, "{} has a newer format", path.display());
    expect_same_settings(&about["settings"], settings, path)?;
    let steps = about["steps"].as_u64().with_context(wrong)?;
    let mut take = |name: String, shape: &[usize]| -> Result<Tensor> {
        let tensor = tensors.remove(&name);
        let tensor =
            tensor.with_context(|| format!("{}: tensor `{name}` is missing", path.display()))?;
        weights::expect_shape(&tensor, shape, &name, path)?;
        Ok(tensor)
    };
    let (mut values, mut means) = (Vec::new(), Vec::new());
    for parameter in model.learning() {
        let shape = parameter.value.dims();
        let [value, first, second] =
            PARTS.map(|part| take(format!("{part}{}", parameter.name), shape));
        values.push(value?);
        means.push([first?, second?]);
    }
    for (parameter, value) in model.learning_mut().into_iter().zip(values) {
        parameter.value = value;
    }
    Ok(AdamW { steps, means })
}

fn expect_same_settings(saved: &Value, settings: &Settings, path: &Path) -> Result<()> {
    let now = serde_json::to_value(settings)?;
    for (key, value) in now.as_object().into_iter().flatten() {
        if saved.get(key) != Some(value) {
            let was = saved.get(key).unwrap_or(&Value::Null);
            bail!("{} was made with {key} = {was}, not {value}", path.display());
        }
    }
    Ok(())
}
