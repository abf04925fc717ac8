//! The model: a Llama-family transformer, its adapters, its tokenizer, and its files.

pub mod config;
pub mod decode;
pub(crate) mod files;
pub mod gradients;
pub mod linear;
pub mod lora;
pub mod ops;
pub mod parameter;
pub mod tokenizer;
pub mod transformer;
pub mod weights;

pub use config::Config;
pub use decode::greedy;
pub use gradients::Gradients;
pub use parameter::Parameter;
pub use tokenizer::Tokenizer;
pub use transformer::{Inputs, Model};

use anyhow::Result;
use candle_core::Device;

/// The device called `name`: `cpu`, `cuda`, or `auto` for a GPU where there is one.
pub fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::Cpu),
        "cuda" => Ok(Device::new_cuda(0)?),
        "auto" => Ok(Device::new_cuda(0).unwrap_or(Device::Cpu)),
        other => anyhow::bail!("no device `{other}`; write `auto`, `cpu` or `cuda`"),
    }
}
