//! What is done element by element, or row by row, a kernel each.

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};

use super::driver::Argument::{Int, Long, Nothing, Of, Real};
use super::driver::{Grid, Kernel, room};
use crate::ops::{Angles, Quantised, Update};

/// Threads of a block where rows play no part.
const THREADS: usize = 256;
/// Elements that a thread takes at once.
const FOUR: usize = 4;
/// Threads that the GPU runs in step; a block has complete warps.
const WARP: usize = 32;
/// Rows whose gradients of a norm's weight one thread adds up.
const STRETCH: usize = 64;
/// Blocks, and so partial sums, of a term's sum of squares.
const SUMS_MAX: usize = 256;

/// See [`super::super::rms_norm`].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let [x, weight] = ready([x, weight])?;
    let y = room(x.shape(), x.dtype(), x.device())?;
    let arguments = [Of(&x), Of(&weight), Of(&y), Long(width as u64), Real(eps as f32)];
    Kernel::of("rms_norm", &x)?.launch(by_row(rows, width), &arguments)?;
    Ok(y)
}

/// See [`super::super::rms_norm_backward`].
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
    onto: Option<&Tensor>,
) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let [x, weight, dy, onto_or_x] = ready([x, weight, dy, onto.unwrap_or(x)])?;
    let onto = if onto.is_some() { Of(&onto_or_x) } else { Nothing };
    let dx = room(x.shape(), x.dtype(), x.device())?;
    let numbers = [Long(width as u64), Real(eps as f32)];
    let arguments = [&[Of(&x), Of(&weight), Of(&dy), onto, Of(&dx)][..], &numbers].concat();
    Kernel::of("rms_norm_backward", &x)?.launch(by_row(rows, width), &arguments)?;
    Ok(dx)
}

/// See [`super::super::rms_norm_dweight`].
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let [x, dy] = ready([x, dy])?;
    let inverse = room(rows, DType::F32, x.device())?;
    let arguments = [Of(&x), Of(&inverse), Long(width as u64), Real(eps as f32)];
    Kernel::of("inverse_rms", &x)?.launch(by_row(rows, width), &arguments)?;
    let stretches = rows.div_ceil(STRETCH);
    let sums = room((stretches, width), DType::F32, x.device())?;
    let grid = Grid { threads: THREADS, blocks: [width.div_ceil(THREADS), stretches] };
    let sizes = [rows, STRETCH, width].map(|size| Long(size as u64));
    let arguments = [&[Of(&x), Of(&dy), Of(&inverse), Of(&sums)][..], &sizes].concat();
    Kernel::of("rms_norm_dweight", &x)?.launch(grid, &arguments)?;
    Ok(sums.sum(0)?)
}

/// See [`super::super::split_heads`].
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let (time, width) = (rows / batch, width / heads);
    let x = x.contiguous()?;
    let y = room((batch, heads, time, width), x.dtype(), x.device())?;
    turn(&Kernel::of("split_heads", &x)?, &x, &y, angles, [time, heads, width])?;
    Ok(y)
}

/// See [`super::super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, width) = x.dims4()?;
    let x = x.contiguous()?;
    let y = room((batch * time, heads * width), x.dtype(), x.device())?;
    turn(&Kernel::of("merge_heads", &x)?, &x, &y, angles, [time, heads, width])?;
    Ok(y)
}

fn turn(
    kernel: &Kernel,
    x: &Tensor,
    y: &Tensor,
    angles: Option<&Angles>,
    sizes: [usize; 3],
) -> Result<()> {
    let (cos, sin) = match angles {
        Some(Angles { cos, sin }) => (Of(cos), Of(sin)),
        None => (Nothing, Nothing),
    };
    let [_, _, width] = sizes;
    ensure!(width.is_multiple_of(2), "a head of {width} elements has no halves");
    let count = x.elem_count() / width.max(1) * (width / 2).div_ceil(FOUR);
    let grid = Grid { threads: THREADS, blocks: [count.div_ceil(THREADS), 1] };
    let sizes = [&[count][..], &sizes].concat();
    let mut arguments = vec![Of(x), cos, sin, Of(y)];
    for size in sizes {
        arguments.push(Int(u32::try_from(size)?));
    }
    kernel.launch(grid, &arguments)
}

/// See [`super::super::select_rows`].
pub fn select_rows(x: &Tensor, places: &Tensor) -> Result<Tensor> {
    let ((_, width), rows) = (x.dims2()?, places.dims1()?);
    let (x, places) = (x.contiguous()?, places.contiguous()?);
    let y = room((rows, width), x.dtype(), x.device())?;
    let arguments = [Of(&x), Of(&places), Of(&y), Long(width as u64)];
    Kernel::of("select_rows", &x)?.launch(by_row(rows, width), &arguments)?;
    Ok(y)
}

/// See [`super::super::spread_rows`].
pub fn spread_rows(x: &Tensor, places: &Tensor, rows: usize) -> Result<Tensor> {
    let (count, width) = x.dims2()?;
    let (x, places) = (x.contiguous()?, places.contiguous()?);
    let y = Tensor::zeros((rows, width), x.dtype(), x.device())?;
    let arguments = [Of(&x), Of(&places), Of(&y), Long(width as u64)];
    Kernel::of("spread_rows", &x)?.launch(by_row(count, width), &arguments)?;
    Ok(y)
}

/// See [`super::super::sum_of_squares`]. All partial sums come to the CPU in one go: to wait for
/// each term's would cost more than to make it.
pub fn sum_of_squares(terms: &[&Tensor]) -> Result<f64> {
    let first = terms.first().context("a sum of nothing")?;
    let sums = Tensor::zeros((terms.len(), SUMS_MAX), DType::F64, first.device())?;
    for (at, term) in terms.iter().enumerate() {
        let term = term.contiguous()?;
        let mut grid = by_four(term.elem_count());
        grid.blocks[0] = grid.blocks[0].min(SUMS_MAX);
        let own = sums.narrow(0, at, 1)?;
        let arguments = [Of(&term), Of(&own), Long(term.elem_count() as u64)];
        Kernel::of("sum_of_squares", &term)?.launch(grid, &arguments)?;
    }
    Ok(sums.flatten_all()?.to_vec1::<f64>()?.iter().sum())
}

/// See [`super::super::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let [gate, up] = ready([gate, up])?;
    let (y, count) = (room(gate.shape(), gate.dtype(), gate.device())?, gate.elem_count());
    let arguments = [Of(&gate), Of(&up), Of(&y), Long(count as u64)];
    Kernel::of("swiglu", &gate)?.launch(by_four(count), &arguments)?;
    Ok(y)
}

/// See [`super::super::swiglu_backward`].
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let [gate, up, dy] = ready([gate, up, dy])?;
    let count = gate.elem_count();
    let (dgate, dup) = (
        room(gate.shape(), gate.dtype(), gate.device())?,
        room(gate.shape(), gate.dtype(), gate.device())?,
    );
    let arguments = [Of(&gate), Of(&up), Of(&dy), Of(&dgate), Of(&dup), Long(count as u64)];
    Kernel::of("swiglu_backward", &gate)?.launch(by_four(count), &arguments)?;
    Ok([dgate, dup])
}

/// See [`super::super::dropout`].
pub fn dropout(x: &Tensor, rate: f64, key: u64) -> Result<Tensor> {
    let x = x.contiguous()?;
    let (y, count) = (room(x.shape(), x.dtype(), x.device())?, x.elem_count());
    let (bar, factor) = ((rate * 65536.0) as u32, (1.0 / (1.0 - rate)) as f32);
    let arguments = [Of(&x), Of(&y), Long(count as u64), Long(key), Int(bar), Real(factor)];
    Kernel::of("dropout", &x)?.launch(by_four(count), &arguments)?;
    Ok(y)
}

/// See [`super::super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    let (rows, vocab) = logits.dims2()?;
    ensure!(labels.len() == rows, "{} labels came with {rows} rows", labels.len());
    let unknown = labels.iter().find(|&&label| label as usize >= vocab);
    ensure!(unknown.is_none(), "token id {} is beyond {vocab} ids", unknown.unwrap_or(&0));
    let logits = logits.contiguous()?;
    let labels = Tensor::from_slice(labels, rows, logits.device())?;
    let gradient = room(logits.shape(), logits.dtype(), logits.device())?;
    let losses = room(rows, DType::F32, logits.device())?;
    let arguments = [Of(&logits), Of(&labels), Of(&gradient), Of(&losses), Long(vocab as u64)];
    Kernel::of("cross_entropy", &logits)?.launch(by_row(rows, vocab), &arguments)?;
    Ok((losses.to_vec1::<f32>()?.into_iter().map(f64::from).sum(), gradient))
}

/// See [`super::super::adamw`].
pub fn adamw(
    update: &Update,
    value: &Tensor,
    gradient: &Tensor,
    [m, v]: &[Tensor; 2],
) -> Result<(Tensor, [Tensor; 2])> {
    let [value, gradient, m, v] = ready([value, gradient, m, v])?;
    ensure!(value.dtype() == DType::F32, "only parameters in f32 are trained");
    let new = || room(value.shape(), DType::F32, value.device());
    let (new_value, new_m, new_v) = (new()?, new()?, new()?);
    let count = value.elem_count();
    let [b1, b2] = update.betas;
    let numbers = [
        update.factor,
        b1,
        b2,
        update.rate / update.first,
        update.decay,
        update.second.sqrt(),
        update.epsilon,
    ];
    let numbers = numbers.map(|number| Real(number as f32));
    let tensors = [&value, &gradient, &m, &v, &new_value, &new_m, &new_v].map(Of);
    let arguments = [&tensors[..], &[Long(count as u64)], &numbers].concat();
    let grid = Grid { threads: THREADS, blocks: [count.div_ceil(THREADS), 1] };
    Kernel::only("adamw", value.device())?.launch(grid, &arguments)?;
    Ok((new_value, [new_m, new_v]))
}

/// See [`super::super::dequantise`].
pub fn dequantise(quantised: &Quantised, dtype: DType) -> Result<Tensor> {
    let Quantised { shape, codes, scales, steps, least, pairs } = quantised;
    let y = room(*shape, dtype, codes.device())?;
    let count = y.elem_count();
    let (block, group) = (Int(Quantised::BLOCK as u32), Int(Quantised::GROUP as u32));
    let tensors = [codes, scales, steps, least, pairs].map(|x| Of(x));
    let arguments = [&tensors[..], &[Of(&y), Long(count as u64), block, group]].concat();
    Kernel::of("dequantise", &y)?.launch(by_four(count), &arguments)?;
    Ok(y)
}

/// The tensors without gaps, once it is sure that all are of one type.
fn ready<const COUNT: usize>(tensors: [&Tensor; COUNT]) -> Result<[Tensor; COUNT]> {
    let first = tensors.first().context("some tensor")?.dtype();
    for other in tensors.iter().map(|x| x.dtype()) {
        ensure!(other == first, "one kernel was given {first:?} and {other:?}");
    }
    let tensors =
        tensors.iter().map(|x| x.contiguous()).collect::<candle_core::Result<Vec<_>>>()?;
    tensors.try_into().ok().context("as many as were given")
}

/// A block per row: as many warps as have work, up to those that share memory.
fn by_row(rows: usize, width: usize) -> Grid {
    let threads = width.div_ceil(FOUR).next_multiple_of(WARP).min(WARP * WARP);
    Grid { threads, blocks: [rows, 1] }
}

/// A thread for each four elements.
fn by_four(count: usize) -> Grid {
    Grid { threads: THREADS, blocks: [count.div_ceil(FOUR * THREADS), 1] }
}
