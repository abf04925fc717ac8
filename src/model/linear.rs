//! A matrix product with the model's weight, and the adapter beside it, forwards and backwards.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};

use crate::model::gradients::Gradients;
use crate::model::ops;
use crate::model::parameter::Parameter;

/// `y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ`, the second term where there is a bias, the third where there is
/// an adapter.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, named `….weight`.
    pub weight: Parameter,
    /// `[out]`, named `….bias`.
    pub bias: Option<Parameter>,
    /// What learns beside the frozen weight.
    pub adapter: Option<Adapter>,
}

/// The low-rank term of a linear (Hu et al. 2021, "LoRA"), in f32 whatever the model computes in.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// `[rank, in]`.
    pub a: Parameter,
    /// `[out, rank]`.
    pub b: Parameter,
    /// alpha / rank.
    pub scale: f64,
}

impl Linear {
    /// A linear without an adapter; `weight` is `[out, in]`, `bias` `[out]`.
    pub fn new(weight: Parameter, bias: Option<Parameter>) -> Linear {
        Linear { weight, bias, adapter: None }
    }

    /// The name of the module, without `.weight`.
    pub fn module(&self) -> &str {
        self.weight.name.trim_end_matches(".weight")
    }

    /// `x` `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = x
            .matmul(&self.weight.value.t()?)
            .with_context(|| format!("in `{}`", self.weight.name))?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(&bias.value)?,
            None => y,
        };
        let Some(adapter) = &self.adapter else {
            return Ok(y);
        };
        let low = x.matmul(&adapter.a.value.to_dtype(x.dtype())?.t()?)?;
        let high = (low * adapter.scale)?.matmul(&adapter.b.value.to_dtype(x.dtype())?.t()?)?;
        ops::sum(&[&y, &high])
    }

    /// From `dy` `[rows, out]` and the input `x` `[rows, in]`: the gradient of `x`. What learns
    /// gets its gradient too; a frozen weight costs none.
    pub fn backward(&self, x: &Tensor, dy: &Tensor, gradients: &mut Gradients) -> Result<Tensor> {
        let dx = dy.matmul(&self.weight.value)?;
        if gradients.of_weights {
            gradients.add(&self.weight.name, &dy.t()?.matmul(x)?)?;
            if let Some(bias) = &self.bias {
                gradients.add(&bias.name, &dy.to_dtype(DType::F32)?.sum(0)?)?;
            }
        }
        let Some(adapter) = &self.adapter else {
            return Ok(dx);
        };
        let a = adapter.a.value.to_dtype(x.dtype())?;
        let b = adapter.b.value.to_dtype(x.dtype())?;
        let dlow = (dy.matmul(&b)? * adapter.scale)?;
        let low = (x.matmul(&a.t()?)? * adapter.scale)?;
        gradients.add(&adapter.b.name, &dy.t()?.matmul(&low)?)?;
        gradients.add(&adapter.a.name, &dlow.t()?.matmul(x)?)?;
        ops::sum(&[&dx, &dlow.matmul(&a)?])
    }

    /// The adapter folded into the weight: the same function, without the adapter.
    pub fn merged(&self) -> Result<Linear> {
        let Some(adapter) = &self.adapter else {
            return Ok(self.clone());
        };
        let dtype = self.weight.value.dtype();
        let change = (adapter.b.value.matmul(&adapter.a.value)? * adapter.scale)?;
        let weight = (self.weight.value.to_dtype(DType::F32)? + change)?.to_dtype(dtype)?;
        Ok(Linear::new(Parameter::new(&self.weight.name, weight), self.bias.clone()))
    }
}
