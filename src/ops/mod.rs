//! The operations of a block, forward and backward, and of the optimizer: fused where possible.
//!
//! `plain` defines each operation in candle's tensor operations, for any device and type; `cpu`
//! computes the same in one pass over f32 slices, `cuda` by kernels. None keeps a graph: the
//! backward passes are written out, since candle's own would also compute a gradient of each frozen
//! weight.

// The paths are public for tests that hold one against another; callers let the device choose.
#[doc(hidden)]
pub mod cpu;
#[cfg(feature = "cuda")]
#[doc(hidden)]
pub mod cuda;
#[doc(hidden)]
pub mod plain;
#[cfg(not(feature = "cuda"))]
pub use plain as cuda;
#[cfg(feature = "nccl")]
pub mod nccl;
#[cfg(not(feature = "nccl"))]
pub use plain::nccl;
pub mod rope;
mod sums;

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
pub(crate) use cpu::factors::{Matrix, Rows};
pub use rope::Angles;
pub(crate) use sums::sum_of_products;

/// The attention mask: each token attends to the columns from its `start` to itself. It is causal,
/// and block-diagonal where a row holds several texts.
#[derive(Clone, Debug)]
pub struct Mask {
    /// Rows of the batch.
    pub batch: usize,
    /// Queries per row.
    pub time: usize,
    /// Keys per row: `time`, and before them those of a KV cache.
    pub columns: usize,
    /// First column that each query attends to, `[batch × time]`.
    pub start: Vec<u32>,
    /// Where texts branch.
    pub branches: Branches,
}

/// Texts of one row that begin alike and go on in several ways, one after the other. Each branch
/// attends to the beginning and to itself. The results of a text do not depend on the others.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    /// The columns of other branches, between the beginning and its own, that each query skips,
    /// `[time]`. Empty where no text branches.
    pub skip: Vec<Range<u32>>,
    /// The columns at which texts begin, in order.
    pub texts: Vec<usize>,
}

impl Mask {
    /// The columns that token `t` of row `b` attends to, but for those that it skips.
    pub fn range(&self, b: usize, t: usize) -> Range<usize> {
        self.start[b * self.time + t] as usize..self.columns - self.time + t + 1
    }

    /// The columns that it skips: none, or some of its range.
    pub fn skipped(&self, b: usize, t: usize) -> Range<usize> {
        self.branches
            .skip
            .get(b * self.time + t)
            .map_or(0..0, |skip| skip.start as usize..skip.end as usize)
    }

    /// The same mask within a sliding window: the last `window` tokens, the query included.
    pub fn within(&self, window: usize) -> Mask {
        let mut near = self.clone();
        for (place, start) in near.start.iter_mut().enumerate() {
            let end = self.columns - self.time + place % self.time + 1;
            let skipped = self.branches.skip.get(place).map_or(0, Range::len);
            let first = end.saturating_sub(window);
            // What is skipped has no positions: a window that reaches back over it is longer.
            let first = match self.branches.skip.get(place) {
                Some(skip) if first < skip.end as usize => first.saturating_sub(skipped),
                _ => first,
            };
            *start = (*start).max(first as u32);
        }
        near.branches.skip.iter_mut().zip(&near.start).for_each(|(skip, start)| {
            skip.start = skip.start.max(*start);
            skip.end = skip.end.max(skip.start);
        });
        near
    }
}

/// What attention reads.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// `[batch, heads, time, head_dim]`.
    pub query: &'a Tensor,
    /// `[batch, key heads, room, head_dim]`, of which the first columns are used; the query heads
    /// that share a key head are adjacent (grouped-query attention; Ainslie et al. 2023,
    /// arXiv:2305.13245).
    pub key: &'a Tensor,
    /// As the keys.
    pub value: &'a Tensor,
    /// The attention mask.
    pub mask: &'a Mask,
    /// Factor of the attention scores.
    pub scale: f32,
    /// Whether products may round their factors to bf16, on a CPU that is faster so.
    pub rounds: bool,
}

/// What attention returns.
#[derive(Clone, Debug)]
pub struct Attended {
    /// The mean of the values by their attention weights, `[batch × time, heads × head_dim]`.
    pub out: Tensor,
    /// The log-sum-exp of scale × score of each query, `[batch × time, heads]`, f32: all that the
    /// backward pass needs to recompute the attention weights.
    pub lse: Tensor,
}

/// Softmax attention: the attention weights of a query are softmax(scale × query·key) over the
/// columns that the mask leaves. It is tiled and keeps no weights: the backward pass recomputes
/// them from the log-sum-exp (FlashAttention; Dao et al. 2022, arXiv:2205.14135). Each softmax
/// subtracts the largest score first; kernels find it and the sum in one pass (online softmax;
/// Milakov and Gimelshein 2018, arXiv:1805.02867).
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn attention(inputs: &Attention) -> Result<Attended> {
    let on_cuda =
        if inputs.mask.branches.skip.is_empty() { cuda::attention } else { plain::attention };
    choose(inputs.query, [cpu::attention, on_cuda, plain::attention])(inputs)
}

/// Gradients of [`attention`] with respect to query, key and value, in their shapes, from that of
/// its result, `dout` `[batch × time, heads × head_dim]`.
///
/// # Errors
/// If the shapes do not fit each other, texts branch, or the device fails.
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    ensure!(inputs.mask.branches.skip.is_empty(), "texts that branch have no backward pass");
    let paths = [cpu::attention_backward, cuda::attention_backward, plain::attention_backward];
    choose(inputs.query, paths)(inputs, attended, dout)
}

/// `scale × a·b`; either may be a transposed view.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    choose(a, [cpu::product, cuda::product, plain::product])(scale, a, b)
}

/// `onto + scale × a·b`. The caller must have made `onto`, since its memory may be reused;
/// it may be in f32 where the factors are not.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn add_product(onto: Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    choose(a, [cpu::add_product, cuda::add_product, plain::add_product])(&onto, scale, a, b)
}

/// `x / rms(x) × weight`, row by row (RMSNorm; Zhang and Sennrich 2019, arXiv:1910.07467). `x`
/// `[rows, width]`, `weight` `[width]`.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    choose(x, [cpu::rms_norm, cuda::rms_norm, plain::rms_norm])(x, weight, eps)
}

/// Gradient of [`rms_norm`] with respect to `x`, added to `onto` if there is one.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
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
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    choose(x, [cpu::rms_norm_dweight, cuda::rms_norm_dweight, plain::rms_norm_dweight])(x, eps, dy)
}

/// `[batch × time, heads × head_dim]` to `[batch, heads, time, head_dim]`, rotated by `angles`: see
/// [`rope`].
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    choose(x, [cpu::split_heads, cuda::split_heads, plain::split_heads])(x, batch, heads, angles)
}

/// The inverse of [`split_heads`], and its gradient: a rotation's transpose is its inverse.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    choose(x, [cpu::merge_heads, cuda::merge_heads, plain::merge_heads])(x, angles)
}

/// The rows of `x` `[rows, width]` at `places`, `[count, width]`. On a GPU nothing checks that the
/// places are rows.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn select_rows(x: &Tensor, places: &Tensor) -> Result<Tensor> {
    choose(x, [plain::select_rows, cuda::select_rows, plain::select_rows])(x, places)
}

/// `x` `[count, width]` back at `places`, which are all different, among `rows` rows, the others
/// zero: the gradient of [`select_rows`].
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn spread_rows(x: &Tensor, places: &Tensor, rows: usize) -> Result<Tensor> {
    choose(x, [plain::spread_rows, cuda::spread_rows, plain::spread_rows])(x, places, rows)
}

/// The sum of tensors of one shape.
///
/// # Errors
/// If there are no terms, the shapes differ, or the device fails.
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let first = terms.first().context("a sum of nothing")?;
    choose(first, [cpu::sum, cuda::sum, plain::sum])(terms)
}

/// The sum of the squares of all elements of all terms.
///
/// # Errors
/// If the device fails.
pub fn sum_of_squares(terms: &[&Tensor]) -> Result<f64> {
    let Some(first) = terms.first() else { return Ok(0.0) };
    choose(first, [cpu::sum_of_squares, cuda::sum_of_squares, plain::sum_of_squares])(terms)
}

/// `silu(gate) × up`, element by element (SwiGLU; Shazeer 2020, arXiv:2002.05202).
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    choose(gate, [cpu::swiglu, cuda::swiglu, plain::swiglu])(gate, up)
}

/// Gradients of [`swiglu`] with respect to `gate` and `up`.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    choose(gate, [cpu::swiglu_backward, cuda::swiglu_backward, plain::swiglu_backward])(
        gate, up, dy,
    )
}

/// Dropout: `x` with each element 0 with probability `rate`, and else scaled by 1 / (1 − rate). Key
/// and index alone choose the elements: so the gradient goes back through the same call.
///
/// # Errors
/// If the device fails.
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
///
/// # Errors
/// If a label is beyond the columns, there are more or fewer labels than rows, or the device fails.
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    choose(logits, [cpu::cross_entropy, cuda::cross_entropy, plain::cross_entropy])(logits, labels)
}

/// The id of the greatest logit of each row, the first of equals. `logits` `[rows, vocab]`.
///
/// # Errors
/// If the device fails.
pub fn argmax(logits: &Tensor) -> Result<Vec<u32>> {
    choose(logits, [cpu::argmax, cuda::argmax, plain::argmax])(logits)
}

/// log softmax(logits) in nats at pairs of a row and an id, and the id of the greatest logit of
/// each row, the first of equals. `logits` `[rows, vocab]`.
///
/// # Errors
/// If a row or an id is beyond the logits, or the device fails.
pub fn log_probabilities(logits: &Tensor, wanted: &[(u32, u32)]) -> Result<(Vec<f32>, Vec<u32>)> {
    let paths = [cpu::log_probabilities, cuda::log_probabilities, plain::log_probabilities];
    choose(logits, paths)(logits, wanted)
}

/// The same of logits `rows·matrix`, which are not kept where the matrix is packed.
///
/// # Errors
/// As [`log_probabilities`], and if the shapes do not fit each other.
pub(crate) fn log_probabilities_of(
    rows: &Tensor,
    matrix: &Matrix,
    wanted: &[(u32, u32)],
) -> Result<(Vec<f32>, Vec<u32>)> {
    match matrix {
        Matrix::Packed(panels) => cpu::head::log_probabilities(&Rows::new(rows), panels, wanted),
        Matrix::Plain(matrix) => log_probabilities(&product(1.0, rows, matrix)?, wanted),
    }
}

/// The numbers of one update by AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101); `first` and
/// `second` correct the bias of moments that started at 0.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Factor of the gradient.
    pub factor: f64,
    /// The decay rates of the two moments.
    pub betas: [f64; 2],
    /// The learning rate.
    pub rate: f64,
    /// What is left of a value, 1 − learning rate × weight decay.
    pub decay: f64,
    /// 1 − the first decay rate to the power of the steps done, this one included.
    pub first: f64,
    /// The same of the second.
    pub second: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

/// The value and its two moments after an update, all f32 and of one shape. They are new tensors: a
/// clone of the model keeps the old ones.
///
/// # Errors
/// If the shapes do not fit each other, or the device fails.
pub fn adamw(
    update: &Update,
    value: &Tensor,
    gradient: &Tensor,
    moments: &[Tensor; 2],
) -> Result<(Tensor, [Tensor; 2])> {
    choose(value, [cpu::adamw, cuda::adamw, plain::adamw])(update, value, gradient, moments)
}

/// A matrix with four bits per weight, as `model::nf4` holds it (NF4; Dettmers et al. 2023,
/// arXiv:2305.14314).
#[derive(Clone, Copy, Debug)]
pub struct Quantised<'a> {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Two weights per byte, the first in the lower half, `[weights / 2]`.
    pub codes: &'a Tensor,
    /// Eight bits per block, padded to complete groups, `[groups, 256]`.
    pub scales: &'a Tensor,
    /// The step between two scales of each group `[groups, 1]`, f32.
    pub steps: &'a Tensor,
    /// The smallest scale of each group `[groups, 1]`, f32.
    pub least: &'a Tensor,
    /// The pair of weights that each byte encodes, `[256, 2]`, f32.
    pub pairs: &'a Tensor,
}

impl Quantised<'_> {
    /// Weights that share a scale.
    pub const BLOCK: usize = 64;
    /// Scales that share a range.
    pub const GROUP: usize = 256;
}

/// The matrix that the codes encode, in that type.
///
/// # Errors
/// If the parts do not fit the shape, or the device fails.
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
