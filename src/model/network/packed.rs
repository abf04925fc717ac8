//! Frozen weights of numbers in bf16, packed once for a CPU that multiplies bf16 faster than f32.
//!
//! A model that computes in bf16 has such weights, and one in f32 too where they were made in bf16,
//! as those of most models are. The pass forwards and the one backwards read a weight along
//! different sides, so each has its own copy: together they take what the weight takes in f32.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};

use crate::ops::Matrix;
use crate::ops::cpu::Parts;
use crate::ops::cpu::tiles::Panels;

/// A matrix `[out, in]`, ready for products.
#[derive(Clone, Debug)]
pub struct Packed {
    /// `[in, out]`.
    forward: Arc<Panels>,
    /// `[out, in]`; none where nothing is trained.
    backward: Option<Arc<Panels>>,
}

impl Packed {
    /// Packs a matrix of numbers in bf16 for products from both sides in its type: in bf16, or in
    /// f32. None if it has other numbers.
    ///
    /// # Errors
    /// If it is no matrix on a CPU.
    pub fn pack(matrix: &Tensor) -> Result<Option<Packed>> {
        match matrix.dtype() {
            DType::F32 if !is_whole(matrix)? => Ok(None),
            DType::BF16 | DType::F32 => {
                let mut packed = Packed::to_infer(matrix)?;
                let rows = packed.forward.rows();
                let matrix = matrix.to_dtype(DType::F32)?;
                packed.backward = Some(Arc::new(Panels::new(&matrix, rows, Parts::One)?));
                Ok(Some(packed))
            }
            _ => Ok(None),
        }
    }

    /// Packs a matrix for products forwards, in bf16 if it is, else in f32: then a matrix of other
    /// numbers than bf16's is held in parts, which take half as much again as the matrix does.
    ///
    /// # Errors
    /// If it is no matrix on a CPU.
    pub fn to_infer(matrix: &Tensor) -> Result<Packed> {
        let (rows, own) = match matrix.dtype() {
            DType::BF16 => (Parts::One, Parts::One),
            _ if is_whole(matrix)? => (Parts::Three, Parts::One),
            _ => (Parts::Three, Parts::Three),
        };
        let matrix = matrix.to_dtype(DType::F32)?;
        let forward = Arc::new(Panels::new(&matrix.t()?, rows, own)?);
        Ok(Packed { forward, backward: None })
    }

    /// Whether what is multiplied with it is rounded to bf16.
    pub(crate) fn is_rounded(&self) -> bool {
        self.forward.rows() == Parts::One
    }

    /// Outputs and inputs.
    pub fn shape(&self) -> (usize, usize) {
        let (inputs, outputs) = self.forward.shape();
        (outputs, inputs)
    }

    /// The matrix `[out, in]`.
    ///
    /// # Errors
    /// If the type cannot be converted to.
    pub fn matrix(&self, dtype: DType) -> Result<Tensor> {
        let (outputs, inputs) = self.shape();
        let places = (0..outputs).flat_map(|row| (0..inputs).map(move |column| (row, column)));
        let values: Vec<f32> = places.map(|(row, column)| self.forward.at(column, row)).collect();
        Ok(Tensor::from_vec(values, (outputs, inputs), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// The matrix `[in, out]` for products forwards.
    pub(crate) fn forward(&self) -> Matrix {
        Matrix::Packed(self.forward.clone())
    }

    /// The matrix `[out, in]` for products backwards.
    ///
    /// # Errors
    /// If it was packed for inference.
    pub(crate) fn backward(&self) -> Result<Matrix> {
        let backward =
            self.backward.clone().context("a model packed for inference is not trained")?;
        Ok(Matrix::Packed(backward))
    }
}

/// Whether all numbers of a matrix in f32 are bf16's.
fn is_whole(matrix: &Tensor) -> Result<bool> {
    ensure!(matrix.dtype() == DType::F32, "a matrix in {:?} is not packed", matrix.dtype());
    let numbers = matrix.flatten_all()?.to_vec1::<f32>()?;
    Ok(numbers.iter().all(|number| number.to_bits() & 0xffff == 0))
}
