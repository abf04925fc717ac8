//! The operations of a block, forwards and backwards, and of the optimizer: fused where we can.
//!
//! `plain` says what each one means in candle's tensor operations, for any device and type;
//! `cpu` computes the same in one pass over f32 slices, `cuda` by kernels. None keeps a graph: the
//! backward passes are written out, since candle's own would also make a gradient of each frozen
//! weight.

pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod plain;
#[cfg(not(feature = "cuda"))]
pub use plain as cuda;
#[cfg(feature = "nccl")]
pub mod nccl;
#[cfg(not(feature = "nccl"))]
pub use plain::nccl;
mod sums;

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
pub(crate) use sums::{Matrix, Rows, sum_of_products};

/// Turns of the rotary positions: `cos` and `sin` `[tokens, head_dim / 2]`, f32.
#[derive(Clone, Debug)]
pub struct Angles {
    /// Cosine of position × frequency.
    pub cos: Tensor,
    /// Sine of position × frequency.
    pub sin: Tensor,
}

/// Which columns each token may look at: from its `start` to itself.
#[derive(Clone, Debug)]
pub struct Visible {
    /// Rows of the batch.
    pub batch: usize,
    /// Tokens a row that ask.
    pub time: usize,
    /// Columns that are there: `time`, and before them what a cache holds.
    pub columns: usize,
    /// First visible column of each asking token, `[batch × time]`.
    pub start: Vec<u32>,
}

impl Visible {
    /// The visible columns of token `t` of row `b`.
    pub fn range(&self, b: usize, t: usize) -> std::ops::Range<usize> {
        self.start[b * self.time + t] as usize..self.columns - self.time + t + 1
    }

    /// The same, but each token sees at most the last `window` tokens, itself included.
    pub fn within(&self, window: usize) -> Visible {
        let mut near = self.clone();
        for (place, start) in near.start.iter_mut().enumerate() {
            let end = self.columns - self.time + place % self.time + 1;
            *start = (*start).max(end.saturating_sub(window) as u32);
        }
        near
    }
}

/// What attention reads.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// `[batch, heads, time, head_dim]`.
    pub query: &'a Tensor,
    /// `[batch, key heads, room, head_dim]`, whose first columns are there; the query heads that
    /// share a key head stand together.
    pub key: &'a Tensor,
    /// As the keys.
    pub value: &'a Tensor,
    /// Which columns each query sees.
    pub visible: &'a Visible,
    /// Times the scores.
    pub scale: f32,
}

/// What attention gives.
#[derive(Clone, Debug)]
pub struct Attended {
    /// The mean of the values by their shares, `[batch × time, heads × head_dim]`.
    pub out: Tensor,
    /// The logarithm of the sum of exp(scale × score) of each query, `[batch × time, heads]`, f32:
    /// all that the backward pass needs to compute the shares again.
    pub logs: Tensor,
}

/// Softmax attention: the shares of a query are softmax(scale × query·key) over the columns that it
/// sees.
pub fn attention(inputs: &Attention) -> Result<Attended> {
    choose(inputs.query, [cpu::attention, cuda::attention, plain::attention])(inputs)
}

/// Gradients of [`attention`] with respect to query, key and value, in their shapes, from that of
/// its result, `dout` `[batch × time, heads × head_dim]`.
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    let paths = [cpu::attention_backward, cuda::attention_backward, plain::attention_backward];
    choose(inputs.query, paths)(inputs, attended, dout)
}

/// `scale × a·b`; either may be a transposed view.
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    choose(a, [cpu::product, cuda::product, plain::product])(scale, a, b)
}

/// `onto + scale × a·b`. `onto` must be of the caller's own making, for its memory may be used; it
/// may be in f32 when the factors are not.
pub fn add_product(onto: Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    choose(a, [cpu::add_product, cuda::add_product, plain::add_product])(&onto, scale, a, b)
}

/// `x / rms(x) × weight`, row by row. `x` `[rows, width]`, `weight` `[width]`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    choose(x, [cpu::rms_norm, cuda::rms_norm, plain::rms_norm])(x, weight, eps)
}

/// Gradient of [`rms_norm`] with respect to `x`, added to `onto` if that is given.
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
    onto: Option<&Tensor>,
) -> Result<Tensor> {
    choose(x, [cpu::rms_norm_backward, cuda::rms_norm_backward, plain::rms_norm_backward])(
        x, weight, eps, dy, onto,
    )
}

/// Gradient of [`rms_norm`] with respect to `weight`, f32.
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    choose(x, [cpu::rms_norm_dweight, cuda::rms_norm_dweight, plain::rms_norm_dweight])(x, eps, dy)
}

/// `[batch × time, heads × head_dim]` to `[batch, heads, time, head_dim]`, turned by `angles`.
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    choose(x, [cpu::split_heads, cuda::split_heads, plain::split_heads])(x, batch, heads, angles)
}

/// The inverse of [`split_heads`], which is its gradient too: a turn's transpose turns it back.
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    choose(x, [cpu::merge_heads, cuda::merge_heads, plain::merge_heads])(x, angles)
}

/// The sum of tensors of one shape.
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let first = terms.first().context("a sum of nothing")?;
    choose(first, [cpu::sum, cuda::sum, plain::sum])(terms)
}

/// The sum of the squares of all elements of all terms.
pub fn sum_of_squares(terms: &[&Tensor]) -> Result<f64> {
    let Some(first) = terms.first() else { return Ok(0.0) };
    choose(first, [cpu::sum_of_squares, cuda::sum_of_squares, plain::sum_of_squares])(terms)
}

/// `silu(gate) × up`, element by element.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    choose(gate, [cpu::swiglu, cuda::swiglu, plain::swiglu])(gate, up)
}

/// Gradients of [`swiglu`] with respect to `gate` and `up`.
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    choose(gate, [cpu::swiglu_backward, cuda::swiglu_backward, plain::swiglu_backward])(
        gate, up, dy,
    )
}

/// `x` with a share `rate` of its elements 0 and the others greater by 1 / (1 − rate), chosen by
/// key and place alone: so the gradient of the result goes back through the same call.
pub fn dropout(x: &Tensor, rate: f64, key: u64) -> Result<Tensor> {
    choose(x, [cpu::dropout, cuda::dropout, plain::dropout])(x, rate, key)
}

/// Factors of [`dropout`] for the elements from a multiple of four on: 0, or 1 / (1 − rate).
#[inline(always)]
fn kept(factors: &mut [f32], first: usize, rate: f64, key: u64) {
    let (bar, factor) = ((rate * 65536.0) as u64, (1.0 / (1.0 - rate)) as f32);
    for (at, four) in factors.chunks_mut(4).enumerate() {
        // Sixteen bits of one hash (splitmix64's) decide on each of four elements.
        let mut z = key.wrapping_add(((first / 4 + at) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        for (at, element) in four.iter_mut().enumerate() {
            let drawn = z >> (16 * at) & 0xffff;
            *element = if drawn < bar { 0.0 } else { factor };
        }
    }
}

/// The sum over rows of −log softmax(logits) at the label, in nats, and its gradient
/// `[rows, vocab]`.
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    choose(logits, [cpu::cross_entropy, cuda::cross_entropy, plain::cross_entropy])(logits, labels)
}

/// The numbers of one update by AdamW; `first` and `second` undo that the means started at 0.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Times the gradient.
    pub factor: f64,
    /// How long the two means remember.
    pub betas: [f64; 2],
    /// The learning rate.
    pub rate: f64,
    /// What is left of a value, 1 − learning rate × weight decay.
    pub decay: f64,
    /// 1 − the first beta to the power of the steps done, this one included.
    pub first: f64,
    /// The same of the second.
    pub second: f64,
    /// Added to the root of the second mean.
    pub epsilon: f64,
}

/// The value and its two means after an update, all f32 and of one shape. They are new tensors: a
/// clone of the model keeps what it had.
pub fn adamw(
    update: &Update,
    value: &Tensor,
    gradient: &Tensor,
    means: &[Tensor; 2],
) -> Result<(Tensor, [Tensor; 2])> {
    choose(value, [cpu::adamw, cuda::adamw, plain::adamw])(update, value, gradient, means)
}

/// A matrix in four bits a weight, as `model::nf4` keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Quantised<'a> {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Two weights a byte, the first in the low half, `[weights / 2]`.
    pub codes: &'a Tensor,
    /// Eight bits a block, filled up to whole groups, `[groups, 256]`.
    pub scales: &'a Tensor,
    /// Of each group, the step between two scales `[groups, 1]`, f32.
    pub steps: &'a Tensor,
    /// Of each group, the least scale `[groups, 1]`, f32.
    pub least: &'a Tensor,
    /// The pair of weights that each byte stands for, `[256, 2]`, f32.
    pub pairs: &'a Tensor,
}

impl Quantised<'_> {
    /// Weights that share a scale.
    pub const BLOCK: usize = 64;
    /// Scales that share a range.
    pub const GROUP: usize = 256;
}

/// The matrix that the codes stand for, in that type.
pub fn dequantise(quantised: &Quantised, dtype: DType) -> Result<Tensor> {
    let paths = [plain::dequantise, cuda::dequantise, plain::dequantise];
    choose(quantised.steps, paths)(quantised, dtype)
}

/// The path for a tensor's device and type, of those of the CPU, of CUDA, and of anything else.
fn choose<Path: Copy>(x: &Tensor, [cpu, cuda, plain]: [Path; 3]) -> Path {
    match (x.device(), x.dtype()) {
        (Device::Cpu, DType::F32) => cpu,
        (Device::Cuda(_), DType::F32 | DType::BF16) => cuda,
        _ => plain,
    }
}
