//! Tensors on the CPU as runs of f32, and back.

use std::ops::Range;

use anyhow::{Context, Result};
use candle_core::{Device, Shape, Storage, StorageRef, Tensor};

/// A tensor on the CPU, open for reading as one run of f32.
pub(crate) struct Slice<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
    shape: &'a [usize],
}

impl<'a> Slice<'a> {
    /// Opens a contiguous tensor on the CPU.
    pub(crate) fn open(x: &'a Tensor) -> Result<Slice<'a>> {
        let (storage, layout) = x.storage_and_layout();
        let (start, end) = layout.contiguous_offsets().context("the tensor has gaps")?;
        Ok(Slice { storage, range: start..end, shape: x.dims() })
    }

    /// Its elements, row by row.
    pub(crate) fn get(&self) -> Result<&[f32]> {
        match &*self.storage {
            Storage::Cpu(storage) => Ok(&storage.as_slice::<f32>()?[self.range.clone()]),
            _ => anyhow::bail!("the tensor is not on the CPU"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// A tensor of the same shape that holds `data`.
    pub(crate) fn like(&self, data: Vec<f32>) -> Result<Tensor> {
        tensor(data, self.shape)
    }
}

/// A tensor on the CPU that holds `data`.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Ok(Tensor::from_vec(data, shape.into(), &Device::Cpu)?)
}
