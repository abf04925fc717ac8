//! The row operations in one pass over f32 slices, rows in parallel.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Storage, StorageRef, Tensor};
use rayon::prelude::*;

use super::{Angles, Visible};

/// Elements below which a piece of work is not worth handing to another thread.
const PIECE: usize = 1 << 15;

/// See [`super::rms_norm`].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let width = x.dims2()?.1;
    let (x, weight) = (Slice::open(x)?, Slice::open(weight)?);
    let weight = weight.get()?;
    let mut y = vec![0f32; x.len()];
    rows(&mut y, width).zip(x.get()?.par_chunks(width)).for_each(|(y, x)| {
        let inverse = inverse_rms(x, eps);
        for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
            *y = x * inverse * w;
        }
    });
    x.like(y)
}

/// See [`super::rms_norm_backward`].
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let width = x.dims2()?.1;
    let (x, weight, dy) = (Slice::open(x)?, Slice::open(weight)?, Slice::open(dy)?);
    let w = weight.get()?;
    let mut dx = vec![0f32; x.len()];
    let pairs = x.get()?.par_chunks(width).zip(dy.get()?.par_chunks(width));
    rows(&mut dx, width).zip(pairs).for_each(|(dx, (x, dy))| {
        let inverse = inverse_rms(x, eps);
        for ((dx, dy), w) in dx.iter_mut().zip(dy).zip(w) {
            *dx = dy * w * inverse;
        }
        let along = dot(dx, x) * inverse * inverse / width as f32;
        for (dx, x) in dx.iter_mut().zip(x) {
            *dx -= x * along;
        }
    });
    let mut dweight = vec![0f32; width];
    for (x, dy) in x.get()?.chunks(width).zip(dy.get()?.chunks(width)) {
        let inverse = inverse_rms(x, eps);
        for ((sum, x), dy) in dweight.iter_mut().zip(x).zip(dy) {
            *sum += dy * x * inverse;
        }
    }
    Ok((x.like(dx)?, weight.like(dweight)?))
}

/// See [`super::split_heads`].
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    let (tokens, width) = x.dims2()?;
    let (time, head) = (tokens / batch, width / heads);
    let turn = Turn::new(angles, 1.0)?;
    let x = Slice::open(x)?;
    let x = x.get()?;
    let mut y = vec![0f32; x.len()];
    rows(&mut y, time * head).enumerate().try_for_each(|(plane, y)| -> Result<()> {
        let (b, h) = (plane / heads, plane % heads);
        for (t, y) in y.chunks_exact_mut(head).enumerate() {
            let token = b * time + t;
            turn.apply(token, &x[token * width + h * head..][..head], y)?;
        }
        Ok(())
    })?;
    Ok(Tensor::from_vec(y, (batch, heads, time, head), &Device::Cpu)?)
}

/// See [`super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, head) = x.dims4()?;
    let turn = Turn::new(angles, -1.0)?;
    let x = Slice::open(x)?;
    let x = x.get()?;
    let mut y = vec![0f32; x.len()];
    rows(&mut y, heads * head).enumerate().try_for_each(|(token, y)| -> Result<()> {
        let (b, t) = (token / time, token % time);
        for (h, y) in y.chunks_exact_mut(head).enumerate() {
            turn.apply(token, &x[((b * heads + h) * time + t) * head..][..head], y)?;
        }
        Ok(())
    })?;
    Ok(Tensor::from_vec(y, (batch * time, heads * head), &Device::Cpu)?)
}

/// See [`super::attention_weights`].
pub fn attention_weights(scores: &Tensor, visible: &Visible, scale: f64) -> Result<Tensor> {
    let scores = Slice::open(scores)?;
    let columns = visible.columns;
    let per_row = scores.len() / (visible.batch * columns);
    let scale = scale as f32;
    let mut p = vec![0f32; scores.len()];
    rows(&mut p, columns).zip(scores.get()?.par_chunks(columns)).enumerate().for_each(
        |(query, (p, scores))| {
            let range = visible.range(query / per_row, query % visible.time);
            softmax(&scores[range.clone()], scale, &mut p[range]);
        },
    );
    scores.like(p)
}

/// See [`super::attention_weights_backward`].
pub fn attention_weights_backward(
    p: &Tensor,
    dp: &Tensor,
    visible: &Visible,
    scale: f64,
) -> Result<Tensor> {
    let (p, dp) = (Slice::open(p)?, Slice::open(dp)?);
    let columns = visible.columns;
    let per_row = p.len() / (visible.batch * columns);
    let scale = scale as f32;
    let mut ds = vec![0f32; p.len()];
    let pairs = p.get()?.par_chunks(columns).zip(dp.get()?.par_chunks(columns));
    rows(&mut ds, columns).zip(pairs).enumerate().for_each(|(query, (ds, (p, dp)))| {
        let range = visible.range(query / per_row, query % visible.time);
        let (p, dp) = (&p[range.clone()], &dp[range.clone()]);
        let along = dot(p, dp);
        for ((ds, p), dp) in ds[range].iter_mut().zip(p).zip(dp) {
            *ds = p * (dp - along) * scale;
        }
    });
    p.like(ds)
}

/// See [`super::sum`]. candle's own sum wakes threads that spin, which on a busy machine takes
/// longer than the sum itself.
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let (first, rest) = terms.split_first().context("a sum of nothing")?;
    let first = Slice::open(first)?;
    let rest = rest.iter().map(|term| Slice::open(term)).collect::<Result<Vec<_>>>()?;
    let mut y = first.get()?.to_vec();
    for term in &rest {
        let term = term.get()?;
        ensure!(term.len() == y.len(), "a sum of tensors of {} and {}", y.len(), term.len());
        y.par_chunks_mut(PIECE).zip(term.par_chunks(PIECE)).for_each(|(y, term)| {
            for (y, term) in y.iter_mut().zip(term) {
                *y += term;
            }
        });
    }
    first.like(y)
}

/// See [`super::sum_of_squares`].
pub fn sum_of_squares(x: &Tensor) -> Result<f64> {
    let x = Slice::open(x)?;
    Ok(x.get()?.chunks(PIECE).map(|piece| f64::from(dot(piece, piece))).sum())
}

/// See [`super::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let (gate, up) = (Slice::open(gate)?, Slice::open(up)?);
    let mut y = vec![0f32; gate.len()];
    let pairs = gate.get()?.par_chunks(PIECE).zip(up.get()?.par_chunks(PIECE));
    y.par_chunks_mut(PIECE).zip(pairs).for_each(|(y, (gate, up))| {
        for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
            *y = g * sigmoid(*g) * u;
        }
    });
    gate.like(y)
}

/// See [`super::swiglu_backward`].
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<(Tensor, Tensor)> {
    let (gate, up, dy) = (Slice::open(gate)?, Slice::open(up)?, Slice::open(dy)?);
    let (mut dgate, mut dup) = (vec![0f32; gate.len()], vec![0f32; gate.len()]);
    let outputs = dgate.par_chunks_mut(PIECE).zip(dup.par_chunks_mut(PIECE));
    let inputs = gate.get()?.par_chunks(PIECE).zip(up.get()?.par_chunks(PIECE));
    let inputs = inputs.zip(dy.get()?.par_chunks(PIECE));
    outputs.zip(inputs).for_each(|((dgate, dup), ((gate, up), dy))| {
        for i in 0..dgate.len() {
            let (g, u, d) = (gate[i], up[i], dy[i]);
            let s = sigmoid(g);
            dup[i] = d * g * s;
            dgate[i] = d * u * s * (1.0 + g * (1.0 - s));
        }
    });
    Ok((gate.like(dgate)?, gate.like(dup)?))
}

/// See [`super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    let vocab = logits.dims2()?.1;
    let unknown = labels.iter().find(|&&label| label as usize >= vocab);
    ensure!(unknown.is_none(), "token id {} is beyond {vocab} ids", unknown.unwrap_or(&0));
    let logits = Slice::open(logits)?;
    let mut gradient = vec![0f32; logits.len()];
    let inputs = logits.get()?.par_chunks(vocab).zip(labels);
    // Collected in order before it is summed: the same sum on any number of threads.
    let losses: Vec<f64> = rows(&mut gradient, vocab)
        .zip(inputs)
        .map(|(gradient, (logits, &label))| {
            let label = label as usize;
            let log_sum = softmax(logits, 1.0, gradient);
            gradient[label] -= 1.0;
            f64::from(log_sum - logits[label])
        })
        .collect();
    Ok((losses.iter().sum(), logits.like(gradient)?))
}

/// The rows of a buffer, in parallel where there are enough of them.
fn rows(buffer: &mut [f32], width: usize) -> rayon::iter::MinLen<rayon::slice::ChunksMut<'_, f32>> {
    buffer.par_chunks_mut(width).with_min_len((PIECE / width).max(1))
}

fn inverse_rms(x: &[f32], eps: f64) -> f32 {
    let mean = f64::from(dot(x, x)) / x.len() as f64;
    (1.0 / (mean + eps).sqrt()) as f32
}

/// Eight sums side by side, so that the compiler may use its widest vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0f32; 8];
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// softmax(scale × x) into `p`; returns the log of the sum of exp(scale × x).
fn softmax(x: &[f32], scale: f32, p: &mut [f32]) -> f32 {
    let top = scale * x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0f32; 8];
    let (mut p8, mut x8) = (p.chunks_exact_mut(8), x.chunks_exact(8));
    for (p, x) in (&mut p8).zip(&mut x8) {
        for lane in 0..8 {
            p[lane] = exp(scale * x[lane] - top);
            sums[lane] += p[lane];
        }
    }
    let mut sum: f32 = sums.iter().sum();
    for (p, x) in p8.into_remainder().iter_mut().zip(x8.remainder()) {
        *p = exp(scale * x - top);
        sum += *p;
    }
    p.iter_mut().for_each(|p| *p /= sum);
    top + sum.ln()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to about 2 units in the last place, without a branch, so that loops become vectors:
/// 2^n × e^r with |r| ≤ ln 2 / 2 (Cephes' expf). Below -87 it gives e^-87, not 0; NaN stays so.
fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 × 2²³ rounds to the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    // ln 2 in two parts, the first with few bits, so that n × it is exact.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    // The low bits of `rounded` are n; moved up, they are the exponent of 2^n.
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

/// The turn of each token's heads, or none.
struct Turn<'a> {
    angles: Option<(Slice<'a>, Slice<'a>)>,
    sign: f32,
}

impl<'a> Turn<'a> {
    fn new(angles: Option<&'a Angles>, sign: f32) -> Result<Turn<'a>> {
        let open =
            |a: &'a Angles| -> Result<_> { Ok((Slice::open(&a.cos)?, Slice::open(&a.sin)?)) };
        Ok(Turn { angles: angles.map(open).transpose()?, sign })
    }

    fn apply(&self, token: usize, x: &[f32], y: &mut [f32]) -> Result<()> {
        let Some((cos, sin)) = &self.angles else {
            y.copy_from_slice(x);
            return Ok(());
        };
        let half = x.len() / 2;
        let (cos, sin) = (&cos.get()?[token * half..][..half], &sin.get()?[token * half..][..half]);
        let ((x1, x2), (y1, y2)) = (x.split_at(half), y.split_at_mut(half));
        for i in 0..half {
            let s = sin[i] * self.sign;
            y1[i] = x1[i] * cos[i] - x2[i] * s;
            y2[i] = x2[i] * cos[i] + x1[i] * s;
        }
        Ok(())
    }
}

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

    fn len(&self) -> usize {
        self.range.len()
    }

    /// A tensor of the same shape that holds `data`.
    pub(crate) fn like(&self, data: Vec<f32>) -> Result<Tensor> {
        Ok(Tensor::from_vec(data, self.shape, &Device::Cpu)?)
    }
}
