//! The model: a Llama-family transformer, its adapters, its tokenizer, and its files.
//!
//! Folders in the order of their layers: `families.rs`, `files`, `rope.rs` and `config`; `network`,
//! `walk.rs` and `lora`; `text`; `io`, which reads and writes all of these; `infer`.

pub mod config;
mod families;
pub(crate) mod files;
pub mod infer;
pub mod io;
pub mod lora;
pub mod network;
pub(crate) mod random;
pub mod rope;
pub mod text;
pub mod walk;

pub use config::{Config, Projection};
pub(crate) use files::digest;
pub use infer::decode::{NoNumbers, greedy, greedy_until};
pub use infer::ends::Ends;
pub use infer::sampling;
pub(crate) use io::stored;
pub use io::{HUB, gguf, hub, load, load_config, locate, pinned, plain_name, save};
pub use network::gradients::Gradients;
pub use network::parameter::Parameter;
pub use network::transformer::{Inputs, Model, Recompute, Training};
pub use network::{linear, nf4, packed, weights};
pub use text::chat;
pub use text::tokenizer::Tokenizer;

use anyhow::Result;
use candle_core::Device;
use rayon::prelude::*;

/// Multiplications below which gemm keeps a product on one thread, as it comes.
const PRODUCT_SPLIT_MIN: usize = 48 * 48 * 256;

/// The device called `name`: `cpu`, `cuda`, or `auto` for a GPU where there is one. Of several
/// GPUs, the one with this number.
///
/// # Errors
/// If there is no device of that name, or no GPU that CUDA can use.
pub fn device(name: &str, number: usize) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::Cpu),
        "cuda" => gpu(number).map_err(|error| {
            // candle prints a backtrace below the error where RUST_BACKTRACE is set.
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default().to_string();
            let advice = "write `device = \"cpu\"`, or `\"auto\"` for a GPU where there is one";
            anyhow::anyhow!("there is no GPU that CUDA can use ({why}): {advice}")
        }),
        "auto" if number > 0 && gpu(0).is_ok() => device("cuda", number),
        "auto" => Ok(gpu(number).unwrap_or(Device::Cpu)),
        other => anyhow::bail!("no device `{other}`; write `auto`, `cpu` or `cuda`"),
    }
}

/// One stream for all threads: candle's own choice, a stream a thread, would leave the order of
/// work that two threads begin open.
fn gpu(number: usize) -> candle_core::Result<Device> {
    Device::new_cuda_with_stream(number)
}

/// `run` on every part, results in order. On a CPU each core takes separate parts where there
/// are enough; a product is then not split between cores as well, which would only have them
/// wait for each other.
pub(crate) fn each_part<Part: Sync, Done: Send>(
    device: &Device,
    parts: &[Part],
    run: impl Fn(&Part) -> Done + Sync + Send,
) -> Vec<Done> {
    if !device.is_cpu() || parts.len() < rayon::current_num_threads().min(2) {
        return parts.iter().map(run).collect();
    }
    let whole = parts.len() >= rayon::current_num_threads();
    gemm::set_threading_threshold(if whole { usize::MAX } else { PRODUCT_SPLIT_MIN });
    let done = parts.par_iter().map(run).collect();
    gemm::set_threading_threshold(PRODUCT_SPLIT_MIN);
    done
}
