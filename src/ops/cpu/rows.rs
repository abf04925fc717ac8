//! What is done element by element, or row by row, in one pass over memory.

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use rayon::prelude::*;

use super::math::{dot, sigmoid};
use super::slice::Slice;
use crate::ops::kept;
use crate::wide::wide;

/// Elements below which a piece of work is not worth handing to another thread.
pub(super) const PIECE: usize = 1 << 15;

/// See [`super::super::rms_norm`].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let width = x.dims2()?.1;
    let (x, weight) = (Slice::open(x)?, Slice::open(weight)?);
    let weight = weight.get()?;
    let mut y = vec![0f32; x.len()];
    let pieces = pieces(width);
    y.par_chunks_mut(pieces).zip(x.get()?.par_chunks(pieces)).for_each(|(y, x)| {
        wide!({
            for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                let inverse = inverse_rms(x, eps);
                for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                    *y = x * inverse * w;
                }
            }
        });
    });
    x.like(y)
}

/// See [`super::super::rms_norm_backward`].
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
    onto: Option<&Tensor>,
) -> Result<Tensor> {
    let width = x.dims2()?.1;
    let (x, weight, dy) = (Slice::open(x)?, Slice::open(weight)?, Slice::open(dy)?);
    let onto = onto.map(Slice::open).transpose()?;
    let w = weight.get()?;
    let mut dx = match &onto {
        Some(onto) => onto.get()?.to_vec(),
        None => vec![0f32; x.len()],
    };
    let pieces = pieces(width);
    let pairs = x.get()?.par_chunks(pieces).zip(dy.get()?.par_chunks(pieces));
    dx.par_chunks_mut(pieces).zip(pairs).for_each_init(
        || vec![0f32; width],
        |dnormed, (dx, (x, dy))| {
            let pairs = x.chunks_exact(width).zip(dy.chunks_exact(width));
            wide!({
                for (dx, (x, dy)) in dx.chunks_exact_mut(width).zip(pairs) {
                    let inverse = inverse_rms(x, eps);
                    for ((dnormed, dy), w) in dnormed.iter_mut().zip(dy).zip(w) {
                        *dnormed = dy * w * inverse;
                    }
                    let along = dot(dnormed, x) * inverse * inverse / width as f32;
                    for ((dx, dnormed), x) in dx.iter_mut().zip(&*dnormed).zip(x) {
                        *dx += dnormed - x * along;
                    }
                }
            });
        },
    );
    x.like(dx)
}

/// See [`super::super::rms_norm_dweight`].
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let width = x.dims2()?.1;
    let (x, dy) = (Slice::open(x)?, Slice::open(dy)?);
    let mut dweight = vec![0f32; width];
    let pairs = x.get()?.chunks_exact(width).zip(dy.get()?.chunks_exact(width));
    wide!({
        for (x, dy) in pairs {
            let inverse = inverse_rms(x, eps);
            for ((sum, x), dy) in dweight.iter_mut().zip(x).zip(dy) {
                *sum += dy * x * inverse;
            }
        }
    });
    super::slice::tensor(dweight, width)
}

/// See [`super::super::sum`]. candle's own sum wakes threads that spin, which on a busy machine
/// takes longer than the sum itself.
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let (first, rest) = terms.split_first().context("a sum of nothing")?;
    let first = Slice::open(first)?;
    let mut y = first.get()?.to_vec();
    for term in rest {
        let term = Slice::open(term)?;
        let term = term.get()?;
        ensure!(term.len() == y.len(), "a sum of tensors of {} and {}", y.len(), term.len());
        y.par_chunks_mut(PIECE).zip(term.par_chunks(PIECE)).for_each(|(y, term)| {
            wide!(y.iter_mut().zip(term).for_each(|(y, term)| *y += term));
        });
    }
    first.like(y)
}

/// See [`super::super::sum_of_squares`].
pub fn sum_of_squares(terms: &[&Tensor]) -> Result<f64> {
    let one = |term: &&Tensor| -> Result<f64> {
        let term = Slice::open(term)?;
        let pieces = term.get()?.chunks(PIECE);
        Ok(wide!(pieces.map(|piece| f64::from(dot(piece, piece))).sum()))
    };
    terms.iter().map(one).sum()
}

/// See [`super::super::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let (gate, up) = (Slice::open(gate)?, Slice::open(up)?);
    let mut y = vec![0f32; gate.len()];
    let pairs = gate.get()?.par_chunks(PIECE).zip(up.get()?.par_chunks(PIECE));
    y.par_chunks_mut(PIECE).zip(pairs).for_each(|(y, (gate, up))| {
        wide!({
            for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
                *y = g * sigmoid(*g) * u;
            }
        });
    });
    gate.like(y)
}

/// See [`super::super::swiglu_backward`].
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let (gate, up, dy) = (Slice::open(gate)?, Slice::open(up)?, Slice::open(dy)?);
    let (mut dgate, mut dup) = (vec![0f32; gate.len()], vec![0f32; gate.len()]);
    let outputs = dgate.par_chunks_mut(PIECE).zip(dup.par_chunks_mut(PIECE));
    let inputs = gate.get()?.par_chunks(PIECE).zip(up.get()?.par_chunks(PIECE));
    let inputs = inputs.zip(dy.get()?.par_chunks(PIECE));
    outputs.zip(inputs).for_each(|((dgate, dup), ((gate, up), dy))| {
        let inputs = gate.iter().zip(up).zip(dy);
        wide!({
            for ((dgate, dup), ((g, u), d)) in dgate.iter_mut().zip(dup).zip(inputs) {
                let s = sigmoid(*g);
                *dup = d * g * s;
                *dgate = d * u * s * (1.0 + g * (1.0 - s));
            }
        });
    });
    Ok([gate.like(dgate)?, gate.like(dup)?])
}

/// See [`super::super::dropout`].
pub fn dropout(x: &Tensor, rate: f64, key: u64) -> Result<Tensor> {
    let x = Slice::open(x)?;
    let mut y = vec![0f32; x.len()];
    let pieces = y.par_chunks_mut(PIECE).zip(x.get()?.par_chunks(PIECE)).enumerate();
    pieces.for_each(|(piece, (y, x))| {
        wide!({
            kept(y, piece * PIECE, rate, key);
            y.iter_mut().zip(x).for_each(|(y, x)| *y *= x);
        });
    });
    x.like(y)
}

/// Elements of a piece of complete rows.
fn pieces(width: usize) -> usize {
    (PIECE / width).max(1) * width
}

#[inline(always)]
fn inverse_rms(x: &[f32], eps: f64) -> f32 {
    let mean = f64::from(dot(x, x)) / x.len() as f64;
    (1.0 / (mean + eps).sqrt()) as f32
}
