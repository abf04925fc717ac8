//! What GGUF calls the tensors that Hugging Face calls otherwise, and whose rows it reorders.

use anyhow::Result;
use candle_core::Tensor;

use crate::model::config::Config;

/// Outside of the blocks: GGUF's name, Hugging Face's.
const OUTSIDE: [(&str, &str); 3] =
    [("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head")];

/// Within a block.
const INSIDE: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// GGUF's name of a tensor, by Hugging Face's: `model.layers.0.self_attn.q_proj.weight` is
/// `blk.0.attn_q.weight`. None for what GGUF has no name for.
pub(super) fn gguf(name: &str) -> Option<String> {
    let (module, part) = name.rsplit_once('.')?;
    if let Some(inner) = module.strip_prefix("model.layers.") {
        let (layer, inner) = inner.split_once('.')?;
        let (gguf, _) = INSIDE.iter().find(|(_, face)| *face == inner)?;
        return Some(format!("blk.{layer}.{gguf}.{part}"));
    }
    let (gguf, _) = OUTSIDE.iter().find(|(_, face)| *face == module)?;
    Some(format!("{gguf}.{part}"))
}

/// How many heads a tensor's rows are, where they lie in another order in the file: a Llama's
/// queries and keys. GGUF turns neighbours of a head together, Hugging Face its two halves; what
/// llama.cpp calls NeoX, such as a Qwen, has halves in both.
pub(super) fn reordered_heads(config: &Config, name: &str) -> Option<usize> {
    if !matches!(config.model_type.as_str(), "llama" | "mistral") {
        return None;
    }
    let (module, _) = name.rsplit_once('.')?;
    match module.rsplit_once('.')?.1 {
        "q_proj" => Some(config.num_attention_heads),
        "k_proj" => Some(config.num_key_value_heads),
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
