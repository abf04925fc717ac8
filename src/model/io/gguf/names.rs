//! What GGUF calls the tensors that Hugging Face calls otherwise, and whose rows it reorders.

use anyhow::Result;
use candle_core::Tensor;

use crate::model::config::{Config, Projection};

/// Outside of the blocks: GGUF's name, Hugging Face's.
const OUTSIDE: [(&str, &str); 3] =
    [("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head")];

/// The norms of a block.
const NORMS: [(&str, &str); 4] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("ffn_norm", "post_attention_layernorm"),
];

/// GGUF's name of a tensor, by Hugging Face's: `model.layers.0.self_attn.q_proj.weight` is
/// `blk.0.attn_q.weight`. None for what GGUF has no name for.
pub(super) fn gguf(name: &str) -> Option<String> {
    let (module, part) = name.rsplit_once('.')?;
    if let Some(inner) = module.strip_prefix("model.layers.") {
        let (layer, inner) = inner.split_once('.')?;
        let norm = NORMS.iter().find(|(_, face)| *face == inner).map(|(gguf, _)| *gguf);
        let gguf = norm.or_else(|| projection(module).map(linear))?;
        return Some(format!("blk.{layer}.{gguf}.{part}"));
    }
    let (gguf, _) = OUTSIDE.iter().find(|(_, face)| *face == module)?;
    Some(format!("{gguf}.{part}"))
}

/// Which linear of a block a module such as `model.layers.0.self_attn.q_proj` is.
fn projection(module: &str) -> Option<Projection> {
    let (rest, name) = module.rsplit_once('.')?;
    let mut all = Projection::ALL.into_iter();
    all.find(|one| one.name() == name && rest.ends_with(&format!(".{}", one.part())))
}

/// GGUF's name of a linear of a block.
fn linear(projection: Projection) -> &'static str {
    match projection {
        Projection::Query => "attn_q",
        Projection::Key => "attn_k",
        Projection::Value => "attn_v",
        Projection::Output => "attn_output",
        Projection::Gate => "ffn_gate",
        Projection::Up => "ffn_up",
        Projection::Down => "ffn_down",
    }
}

/// The number of heads that a tensor's rows form, where they are in another order in the file: a
/// Llama's queries and keys. GGUF rotates neighbours of a head, Hugging Face its two halves; what
/// llama.cpp calls NeoX, such as a Qwen, has halves in both.
pub(super) fn reordered_heads(config: &Config, name: &str) -> Option<usize> {
    config.family().gguf.filter(|gguf| gguf.rotates_neighbours)?;
    let (module, _) = name.rsplit_once('.')?;
    match projection(module)? {
        Projection::Query => Some(config.num_attention_heads),
        Projection::Key => Some(config.num_key_value_heads),
        _ => None,
    }
}

/// From halves to neighbours: row `i` of a head's first half, then row `i` of its second.
/// `x` is `[heads × head_dim, …]`.
pub(super) fn to_neighbours(x: &Tensor, heads: usize) -> Result<Tensor> {
    swap(x, heads, |half| [2, half])
}

/// Back from neighbours to halves.
pub(super) fn to_halves(x: &Tensor, heads: usize) -> Result<Tensor> {
    swap(x, heads, |half| [half, 2])
}

fn swap(x: &Tensor, heads: usize, order: impl Fn(usize) -> [usize; 2]) -> Result<Tensor> {
    let rows = x.dim(0)?;
    let width = x.elem_count() / rows;
    let [outer, inner] = order(rows / heads / 2);
    let swapped = x.reshape((heads, outer, inner, width))?.transpose(1, 2)?.contiguous()?;
    Ok(swapped.reshape(x.shape())?)
}
