//! The one door to a model on disk: it picks the format, which knows of no other.

use std::path::Path;

use anyhow::{Result, ensure};
use candle_core::{DType, Device};

use super::{folder, gguf};
use crate::model::config::Config;
use crate::model::network::build::EachBlock;
use crate::model::network::transformer::Model;
use crate::model::text::tokenizer::Tokenizer;

/// Reads a model, its matrices in that type, from a folder with `config.json` and
/// `model.safetensors`, or the shards that `model.safetensors.index.json` names; or from a
/// `.gguf` file.
///
/// # Errors
/// If a file cannot be read, a tensor is missing, left over or not finite, or the model has a part
/// that this transformer does not compute.
pub fn load(path: &Path, dtype: DType, device: &Device) -> Result<Model> {
    load_blocks(path, dtype, device, &mut |_| Ok(()))
}

/// The same, and each block is changed before the next is read: so no more than one lies in
/// memory as it was.
pub(crate) fn load_blocks(
    path: &Path,
    dtype: DType,
    device: &Device,
    each: &mut EachBlock,
) -> Result<Model> {
    match gguf::is_named(path) {
        true => gguf::load_blocks(path, dtype, device, each),
        false => folder::load_blocks(path, dtype, device, each),
    }
}

/// Reads `config.json` of a model's folder, or what a `.gguf` file says instead.
///
/// # Errors
/// If the file cannot be read, or asks for what this transformer does not compute.
pub fn load_config(path: &Path) -> Result<Config> {
    if gguf::is_named(path) {
        return gguf::load_config(path);
    }
    let name = path.display();
    ensure!(
        !path.is_file(),
        "{name} is no model: expected a folder with config.json, or a file that ends with .gguf"
    );
    let inner = path.join("model");
    ensure!(
        path.join("config.json").is_file() || !inner.join("config.json").is_file(),
        "{name} has no config.json, and the model beneath it has: write {}",
        inner.display()
    );
    folder::load_config(path)
}

impl Tokenizer {
    /// Reads `tokenizer.json`, and the names of the special tokens from the files beside it; or
    /// the tokenizer of a `.gguf` file.
    ///
    /// # Errors
    /// If a file cannot be read, or the library rejects it.
    pub fn load(path: &Path) -> Result<Tokenizer> {
        if gguf::is_named(path) { gguf::load_tokenizer(path) } else { Tokenizer::of_folder(path) }
    }
}
