//! The tensors of a GGUF file, read and written some rows at a time.
//!
//! candle knows how the elements lie in their blocks. It is given parts of a few megabytes, so
//! that a tensor is never held twice.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use anyhow::{Context, Result, ensure};
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{DType, Device, Tensor};

use super::header::{ALIGNMENT, Stored};
use crate::model::network::parameter::all_finite;

/// Elements of a part: 16 MB in f32.
const PART: usize = 4 << 20;

/// The largest number of 16 bits, and of 16 bits with the range of f32.
const F16_MAX: f32 = 65504.0;
const BF16_MAX: f32 = 3.389_531_4e38;
/// A block's scale is in 16 bits, and its numbers are that times 127 at the most.
const Q8_0_MAX: f32 = 127.0 * F16_MAX;

/// Reads a tensor that the head has found within the file.
pub(super) fn read(
    file: &mut File,
    stored: &Stored,
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let (shape, row) = (&stored.shape, stored.row());
    let rows = shape.iter().product::<usize>() / row;
    let row_bytes = row / stored.kind.block_size() * stored.kind.type_size();
    file.seek(SeekFrom::Start(stored.start))?;
    let at_once = (PART / row).clamp(1, rows);
    if at_once == rows {
        let part = read_rows(file, stored.kind, rows, row, row_bytes)?;
        return Ok(part.to_dtype(dtype)?.to_device(device)?.reshape(&shape[..])?);
    }
    let whole = Tensor::zeros((rows, row), dtype, device)?;
    for first in (0..rows).step_by(at_once) {
        let count = at_once.min(rows - first);
        let part = read_rows(file, stored.kind, count, row, row_bytes)?;
        whole.slice_set(&part.to_dtype(dtype)?.to_device(device)?, 0, first)?;
    }
    Ok(whole.reshape(&shape[..])?)
}

/// The next rows of the file, in f32.
fn read_rows(
    file: &mut File,
    kind: GgmlDType,
    rows: usize,
    row: usize,
    row_bytes: usize,
) -> Result<Tensor> {
    let count = rows * row_bytes;
    // Whole words, since candle wants its blocks aligned.
    let mut words = vec![0u32; count.div_ceil(4)];
    let bytes = &mut bytemuck::cast_slice_mut(&mut words)[..count];
    file.read_exact(bytes).context("the file ends early")?;
    let storage = QStorage::from_data((&*bytes).into(), &Device::Cpu, kind)?;
    let part = QTensor::new(storage, (rows, row))?.dequantize(&Device::Cpu)?;
    ensure!(all_finite(&part)?, "it has values that are no numbers");
    Ok(part)
}

/// How a tensor will lie in a file: what is no matrix stays exact, and rows that no block fits
/// have half the bits instead.
pub(super) fn stored(tensor: &Tensor, kind: GgmlDType, start: u64) -> Stored {
    let shape = tensor.dims().to_vec();
    let fits = shape.last().is_some_and(|row| row.is_multiple_of(kind.block_size()));
    let kind = match shape.len() {
        1 => GgmlDType::F32,
        _ if fits => kind,
        _ => GgmlDType::F16,
    };
    Stored { kind, shape, start }
}

/// Writes the elements of a tensor, filled up to where the next one may begin.
pub(super) fn write(to: &mut impl Write, tensor: &Tensor, stored: &Stored) -> Result<()> {
    let row = stored.row();
    let tensor = tensor.reshape(((), row))?;
    let rows = tensor.dim(0)?;
    let at_once = (PART / row).clamp(1, rows);
    let mut written = 0;
    for first in (0..rows).step_by(at_once) {
        let part = tensor.narrow(0, first, at_once.min(rows - first))?;
        // Copied, since candle quantises all that lies beneath a part of a tensor.
        let part = part.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.force_contiguous()?;
        let limit = match stored.kind {
            GgmlDType::F16 => Some((F16_MAX, "f16 cannot hold; bf16 can")),
            GgmlDType::BF16 => Some((BF16_MAX, "bf16 cannot hold; f32 can")),
            GgmlDType::Q8_0 => Some((Q8_0_MAX, "q8_0 cannot hold; bf16 can")),
            _ => None,
        };
        if let Some((limit, advice)) = limit {
            let most = part.abs()?.max_all()?.to_scalar::<f32>()?;
            ensure!(most <= limit, "it has {most}, which {advice}");
        }
        let part = QTensor::quantize(&part, stored.kind)?;
        let bytes = part.data()?;
        to.write_all(&bytes)?;
        written += bytes.len() as u64;
    }
    let padding = written.next_multiple_of(ALIGNMENT) - written;
    Ok(to.write_all(&vec![0; padding as usize])?)
}
