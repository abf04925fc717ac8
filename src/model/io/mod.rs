//! Models on disk and on the Hugging Face hub: folders of safetensors, and GGUF files.

pub(crate) mod folder;
pub mod gguf;
pub mod hub;
mod load;
pub(crate) mod stored;

use std::path::{Path, PathBuf};

use anyhow::Result;
use candle_core::{DType, Device};

pub use folder::save;
pub(crate) use load::load_blocks;
pub use load::{load, load_config};

/// What stands before the name of a model of the Hugging Face hub.
pub const HUB: &str = "hf:";

/// The folder of a model: `hf:ORG/NAME` or `hf:ORG/NAME@REVISION` from the hub, fetched if need
/// be, or a path.
pub fn locate(base: &str) -> Result<PathBuf> {
    match base.strip_prefix(HUB) {
        Some(name) => hub::Hub::from_env().locate(name),
        None => Ok(PathBuf::from(base)),
    }
}

/// The base with the commit that it was found at, where it is of the hub and names no revision: so
/// a resolved recipe means the same model ever after.
pub fn pinned(base: &str, found: &Path) -> String {
    let commit = found.file_name().unwrap_or_default().to_string_lossy();
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    match base.starts_with(HUB) && is_commit && !base.contains('@') {
        true => format!("{base}@{commit}"),
        false => base.to_string(),
    }
}

/// What other tools call a base: a model of the hub by its name alone.
pub fn plain_name(base: &str) -> &str {
    let name = base.strip_prefix(HUB).map(|name| name.split('@').next().unwrap_or(name));
    name.unwrap_or(base)
}

/// The type that a tensor of a model of that type is held in. A CPU computes in f32 whatever the
/// model's type, and widens matrices as it goes; norms and biases take no room.
fn held(dtype: DType, shape: &[usize], device: &Device) -> DType {
    if device.is_cpu() && shape.len() == 1 { DType::F32 } else { dtype }
}
