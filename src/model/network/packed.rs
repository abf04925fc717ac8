//! Frozen weights of numbers in bf16, packed once for a CPU that multiplies bf16 faster than f32.
//!
//! A model that computes in bf16 has such weights, and one in f32 too where they were made in bf16,
//! as those of most models are. The pass forwards and the one backwards read a weight along
//! different sides, so each has its own copy: together they take what the weight takes in f32.

use std::sync::Arc;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use crate::ops::Matrix;
use crate::ops::cpu::Parts;
use crate::ops::cpu::tiles::Panels;

/// A matrix `[out, in]` of numbers in bf16, for products from both sides.
#[derive(Clone, Debug)]
pub struct Packed {
    /// `[in, out]`.
    forward: Arc<Panels>,
    /// `[out, in]`.
    backward: Arc<Panels>,
}

impl Packed {
    /// Packs a matrix of numbers in bf16 for products in its type: in bf16, or in f32. None if it
    /// has other numbers.
    pub fn pack(matrix: &Tensor) -> Result<Option<Packed>> {
        let rows = match matrix.dtype() {
            DType::BF16 => Parts::One,
            DType::F32 if is_whole(matrix)? => Parts::Three,
            _ => return Ok(None),
        };
        let matrix = matrix.to_dtype(DType::F32)?;
        let (forward, backward) = (Panels::new(&matrix.t()?, rows)?, Panels::new(&matrix, rows)?);
        Ok(Some(Packed { forward: Arc::new(forward), backward: Arc::new(backward) }))
    }

    /// Whether what is multiplied with it is rounded to bf16.
    pub(crate) fn is_rounded(&self) -> bool {
        self.backward.rows() == Parts::One
    }

    /// Outputs and inputs.
    pub fn shape(&self) -> (usize, usize) {
        self.backward.shape()
    }

    /// The matrix `[out, in]`.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        let (outputs, inputs) = self.shape();
        let places = (0..outputs).flat_map(|row| (0..inputs).map(move |column| (row, column)));
        let values: Vec<f32> = places.map(|(row, column)| self.backward.at(row, column)).collect();
        Ok(Tensor::from_vec(values, (outputs, inputs), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// The matrix `[in, out]` for products forwards.
    pub(crate) fn forward(&self) -> Matrix {
        Matrix::Packed(self.forward.clone())
    }

    /// The matrix `[out, in]` for products backwards.
    pub(crate) fn backward(&self) -> Matrix {
        Matrix::Packed(self.backward.clone())
    }
}

/// Whether all numbers of a matrix in f32 are bf16's.
fn is_whole(matrix: &Tensor) -> Result<bool> {
    let numbers = matrix.flatten_all()?.to_vec1::<f32>()?;
    Ok(numbers.iter().all(|number| number.to_bits() & 0xffff == 0))
}
