//! The named tensors of a model: its weights, and the halves of its adapters.

use anyhow::Result;
use candle_core::{DType, Tensor};

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

/// Whether every element is a finite number.
pub(crate) fn all_finite(x: &Tensor) -> Result<bool> {
    // 0 for each that is; the sum of large ones could itself be infinite.
    let zeros = (x.to_dtype(DType::F32)? * 0.0)?.sum_all()?;
    Ok(zeros.to_scalar::<f32>()?.is_finite())
}
