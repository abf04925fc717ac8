//! A named tensor of a model: a weight, or half of an adapter.

use candle_core::Tensor;

/// A tensor under the name that it has in the model's files.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Hugging Face's name, such as `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// Its value now; training puts a new one here.
    pub value: Tensor,
}

impl Parameter {
    /// A parameter of that name and value.
    pub fn new(name: impl Into<String>, value: Tensor) -> Parameter {
        Parameter { name: name.into(), value }
    }
}
