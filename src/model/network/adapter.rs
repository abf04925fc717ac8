//! What learns beside a frozen weight: a low-rank term (Hu et al. 2021, "LoRA"), and the length of
//! each row where direction and length learn apart (Liu et al. 2024, "DoRA").

use anyhow::Result;
use candle_core::{D, DType, Tensor};

use crate::model::network::parameter::Parameter;
use crate::ops;

/// The low-rank term of a linear, in f32 whatever the model computes in.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// `[rank, in]`.
    pub a: Parameter,
    /// `[out, rank]`.
    pub b: Parameter,
    /// alpha / rank.
    pub scale: f64,
    /// Share of the term's inputs that are left out at random in training.
    pub dropout: f64,
    /// DoRA's length of each row of the adapted weight, `[out]`.
    pub magnitude: Option<Parameter>,
}

impl Adapter {
    /// Inner width.
    pub fn rank(&self) -> usize {
        self.a.value.dim(0).expect("A has two dimensions")
    }

    /// What learns, in a fixed order.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        [&self.a, &self.b].into_iter().chain(&self.magnitude)
    }

    /// The same, to be changed.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Parameter> {
        [&mut self.a, &mut self.b].into_iter().chain(&mut self.magnitude)
    }

    /// `s·B` in that type.
    pub(crate) fn scaled_b(&self, dtype: DType) -> Result<Tensor> {
        Ok((&self.b.value * self.scale)?.to_dtype(dtype)?)
    }

    /// `W + s·B·A`, the rows of DoRA at their learnt lengths, in f32.
    pub fn merged(&self, weight: &Tensor) -> Result<Tensor> {
        let change = ops::product(self.scale, &self.b.value, &self.a.value)?;
        let whole = (weight.to_dtype(DType::F32)? + change)?;
        let Some(magnitude) = &self.magnitude else { return Ok(whole) };
        let gain = (&magnitude.value / row_lengths(&whole)?)?;
        Ok(whole.broadcast_mul(&gain.unsqueeze(1)?)?)
    }

    /// DoRA's factor of each output, `[out]`: the learnt length over the length that the adapted
    /// row has. That length is taken for a constant in the backward pass, as the paper has it.
    pub(crate) fn gain(&self, weight: &Tensor) -> Result<Option<Gain>> {
        let Some(magnitude) = &self.magnitude else { return Ok(None) };
        // |W + s·B·A|² row by row, without the matrix itself.
        let (a, b) = (&self.a.value, &self.b.value);
        let weight = weight.to_dtype(DType::F32)?;
        let across = (ops::product(2.0 * self.scale, &weight, &a.t()?)? * b)?.sum(D::Minus1)?;
        let inner = ops::product(self.scale * self.scale, b, &ops::product(1.0, a, &a.t()?)?)?;
        let squares = (weight.sqr()?.sum(D::Minus1)? + across + (inner * b)?.sum(D::Minus1)?)?;
        let length = squares.sqrt()?;
        Ok(Some(Gain { factor: (&magnitude.value / &length)?, length }))
    }
}

/// See [`Adapter::gain`].
pub(crate) struct Gain {
    /// `[out]`.
    pub(crate) factor: Tensor,
    /// `[out]`.
    pub(crate) length: Tensor,
}

/// The length of each row of a matrix, `[rows]`, f32.
pub(crate) fn row_lengths(matrix: &Tensor) -> Result<Tensor> {
    Ok(matrix.to_dtype(DType::F32)?.sqr()?.sum(D::Minus1)?.sqrt()?)
}
