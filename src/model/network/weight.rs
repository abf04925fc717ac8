//! The matrix of a linear, in one of the forms that a model may hold it in.

use anyhow::Result;
use candle_core::{DType, Tensor};

use crate::model::network::nf4::Nf4;
use crate::model::network::packed::Packed;
use crate::model::network::parameter::Parameter;
use crate::ops::Matrix;

/// The matrix of a linear.
#[derive(Clone, Debug)]
pub enum Weight {
    /// As the model computes.
    Plain(Parameter),
    /// Frozen, in four bits, under its name.
    Nf4(String, Nf4),
    /// Frozen and ready for products, under its name.
    Packed(String, Packed),
}

impl Weight {
    /// `….weight`.
    pub fn name(&self) -> &str {
        match self {
            Weight::Plain(parameter) => &parameter.name,
            Weight::Nf4(name, _) | Weight::Packed(name, _) => name,
        }
    }

    /// Outputs and inputs.
    ///
    /// # Errors
    /// If the parameter is no matrix.
    pub fn shape(&self) -> Result<(usize, usize)> {
        match self {
            Weight::Plain(parameter) => Ok(parameter.value.dims2()?),
            Weight::Nf4(_, nf4) => Ok(nf4.shape()),
            Weight::Packed(_, packed) => Ok(packed.shape()),
        }
    }

    /// The matrix `[out, in]` in that type.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        match self {
            Weight::Plain(parameter) => Ok(parameter.value.to_dtype(dtype)?),
            Weight::Nf4(_, nf4) => nf4.matrix(dtype),
            Weight::Packed(_, packed) => packed.matrix(dtype),
        }
    }

    /// The matrix `[in, out]` for products with rows of that type.
    pub(super) fn forward(&self, dtype: DType) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) => Ok(packed.forward()),
            _ => Ok(Matrix::Plain(self.matrix(dtype)?.t()?)),
        }
    }

    /// Another matrix, as products with the same rows want it.
    pub(super) fn alike(&self, matrix: &Tensor) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) if packed.is_rounded() => Matrix::rounded(matrix),
            _ => Ok(Matrix::Plain(matrix.clone())),
        }
    }

    /// The matrix `[out, in]` for products with gradients of that type.
    pub(super) fn backward(&self, dtype: DType) -> Result<Matrix> {
        match self {
            Weight::Packed(_, packed) => packed.backward(),
            _ => Ok(Matrix::Plain(self.matrix(dtype)?)),
        }
    }

    /// The parameter, unless it is frozen for good.
    pub fn parameter(&self) -> Option<&Parameter> {
        match self {
            Weight::Plain(parameter) => Some(parameter),
            Weight::Nf4(..) | Weight::Packed(..) => None,
        }
    }

    /// The same, to be changed.
    pub fn parameter_mut(&mut self) -> Option<&mut Parameter> {
        match self {
            Weight::Plain(parameter) => Some(parameter),
            Weight::Nf4(..) | Weight::Packed(..) => None,
        }
    }
}
