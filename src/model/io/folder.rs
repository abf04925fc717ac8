//! A model in a folder, as Hugging Face lays it out: `config.json` and safetensors.

use std::path::Path;

use anyhow::{Context, Result};
use candle_core::{DType, Device};

use super::stored::Stored;
use crate::model::config::Config;
use crate::model::files::{self, Tensors};
use crate::model::network::build::{EachBlock, build};
use crate::model::network::transformer::Model;
use crate::model::network::weights;

/// Reads a model, its matrices in that type, block by block.
pub(super) fn load_blocks(
    folder: &Path,
    dtype: DType,
    device: &Device,
    each: &mut EachBlock,
) -> Result<Model> {
    let mut config = load_config(folder)?;
    let stored = Stored::open(folder)?;
    stored.settle_head(&mut config)?;
    stored.expect(&weights::shapes(&config)?, &config)?;
    let mut read = |name: &str, shape: &[usize]| {
        Ok(stored.read(name, device)?.to_dtype(super::held(dtype, shape, device))?)
    };
    build(&config, device, &mut read, each)
}

/// Reads `config.json`.
pub(super) fn load_config(folder: &Path) -> Result<Config> {
    let path = folder.join("config.json");
    let text = files::text_of(&path, files::SETTINGS_MAX)?;
    Config::from_json(&text).with_context(|| format!("in {}", path.display()))
}

/// Writes `config.json` and `model.safetensors`, adapters left out: see
/// [`lora::save`](crate::model::lora::save) for those.
pub fn save(model: &Model, folder: &Path) -> Result<()> {
    let weights = model.weights().into_iter();
    let tensors: Tensors = weights.map(|p| (p.name.clone(), p.value.clone())).collect();
    files::write_tensors(&folder.join("model.safetensors"), &tensors, ("format", "pt"))?;
    files::write_text(&folder.join("config.json"), &model.config.to_json()?)
}
