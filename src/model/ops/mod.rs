//! The row operations of a block, forwards and backwards: fused on the CPU, composed elsewhere.
//!
//! `plain` says what each one means in candle's tensor operations, for any device and type;
//! `cpu` computes the same in one pass over f32 slices. Neither keeps a graph: the backward
//! passes are written out, since candle's own would also make a gradient of each frozen weight.

pub mod cpu;
pub mod plain;

use anyhow::Result;
use candle_core::{DType, Tensor};

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
    if fused(inputs.query) { cpu::attention(inputs) } else { plain::attention(inputs) }
}

/// Gradients of [`attention`] with respect to query, key and value, in their shapes, from that of
/// its result, `dout` `[batch × time, heads × head_dim]`.
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    if fused(inputs.query) {
        cpu::attention_backward(inputs, attended, dout)
    } else {
        plain::attention_backward(inputs, attended, dout)
    }
}

/// `scale × a·b`; either may be a transposed view.
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if fused(a) { cpu::product(scale, a, b) } else { plain::product(scale, a, b) }
}

/// `onto + scale × a·b`. `onto` must be of the caller's own making, for its memory may be used.
pub fn add_product(onto: Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if fused(&onto) {
        cpu::add_product(&onto, scale, a, b)?;
        return Ok(onto);
    }
    plain::sum(&[&onto, &plain::product(scale, a, b)?])
}

/// `x / rms(x) × weight`, row by row. `x` `[rows, width]`, `weight` `[width]`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    if fused(x) { cpu::rms_norm(x, weight, eps) } else { plain::rms_norm(x, weight, eps) }
}

/// Gradient of [`rms_norm`] with respect to `x`, added to `onto` if that is given.
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
    onto: Option<&Tensor>,
) -> Result<Tensor> {
    if fused(x) {
        cpu::rms_norm_backward(x, weight, eps, dy, onto)
    } else {
        plain::rms_norm_backward(x, weight, eps, dy, onto)
    }
}

/// Gradient of [`rms_norm`] with respect to `weight`, f32.
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    if fused(x) { cpu::rms_norm_dweight(x, eps, dy) } else { plain::rms_norm_dweight(x, eps, dy) }
}

/// `[batch × time, heads × head_dim]` to `[batch, heads, time, head_dim]`, turned by `angles`.
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    if fused(x) {
        cpu::split_heads(x, batch, heads, angles)
    } else {
        plain::split_heads(x, batch, heads, angles)
    }
}

/// The inverse of [`split_heads`], which is its gradient too: a turn's transpose turns it back.
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    if fused(x) { cpu::merge_heads(x, angles) } else { plain::merge_heads(x, angles) }
}

/// The sum of tensors of one shape.
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    if terms.iter().all(|term| fused(term)) { cpu::sum(terms) } else { plain::sum(terms) }
}

/// The sum of the squares of all elements.
pub fn sum_of_squares(x: &Tensor) -> Result<f64> {
    if fused(x) { cpu::sum_of_squares(x) } else { plain::sum_of_squares(x) }
}

/// `silu(gate) × up`, element by element.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if fused(gate) { cpu::swiglu(gate, up) } else { plain::swiglu(gate, up) }
}

/// Gradients of [`swiglu`] with respect to `gate` and `up`.
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    if fused(gate) {
        cpu::swiglu_backward(gate, up, dy)
    } else {
        plain::swiglu_backward(gate, up, dy)
    }
}

/// `x` with a share `rate` of its elements 0 and the others greater by 1 / (1 − rate), chosen by
/// key and place alone: so the gradient of the result goes back through the same call.
pub fn dropout(x: &Tensor, rate: f64, key: u64) -> Result<Tensor> {
    if fused(x) { cpu::dropout(x, rate, key) } else { plain::dropout(x, rate, key) }
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
    if fused(logits) {
        cpu::cross_entropy(logits, labels)
    } else {
        plain::cross_entropy(logits, labels)
    }
}

fn fused(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}
