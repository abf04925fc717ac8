//! Matrix products by cuBLAS, added to the old values or replacing them.

use anyhow::Result;
use candle_core::Tensor;

use super::driver::{Matrices, Product, first, multiply, room};

/// See [`super::super::product`].
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let out = room((a.dims2()?.0, b.dims2()?.1), a.dtype(), a.device())?;
    if a.dims2()?.1 == 0 {
        return Ok(out.zeros_like()?);
    }
    put(&out, 0.0, scale, a, b)?;
    Ok(out)
}

/// See [`super::super::add_product`]; a sum in f32 takes factors of any type.
pub fn add_product(onto: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let onto = onto.contiguous()?;
    put(&onto, 1.0, scale, a, b)?;
    Ok(onto)
}

fn put(out: &Tensor, kept: f32, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
    let (a, b) = (dense(a)?, dense(b)?);
    let product = Product { kept, scale: scale as f32, count: 1 };
    multiply(out.device(), view(out)?, view(&a)?, view(&b)?, product)
}

/// The matrix as it lies where cuBLAS can take it so, else a copy.
fn dense(x: &Tensor) -> Result<Tensor> {
    Ok(if strides(x)?.is_some() { x.clone() } else { x.contiguous()? })
}

fn view(x: &Tensor) -> Result<Matrices> {
    let (rows, columns) = x.dims2()?;
    let (stride, transposed) = strides(x)?.unwrap_or((columns.max(1), false));
    Ok(Matrices {
        address: first(x)?,
        dtype: x.dtype(),
        rows,
        columns,
        stride,
        transposed,
        each: 0,
    })
}

/// Elements between rows that follow each other, or between columns (then true) that do.
fn strides(x: &Tensor) -> Result<Option<(usize, bool)>> {
    let (rows, columns) = x.dims2()?;
    let [down, across] = x.stride() else { return Ok(None) };
    // A step that is never taken may be of any size.
    let (down, across) =
        (if rows > 1 { *down } else { columns }, if columns > 1 { *across } else { 1 });
    if across == 1 && down >= columns {
        return Ok(Some((down.max(1), false)));
    }
    let across = if columns > 1 { across } else { rows };
    Ok(if (rows <= 1 || down == 1) && across >= rows { Some((across.max(1), true)) } else { None })
}
