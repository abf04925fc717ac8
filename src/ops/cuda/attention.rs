//! Attention by cuBLAS's products and our softmax between them, a stretch of queries at a time: for
//! what the fused kernels beside do not take.
//!
//! The query heads that share a key head are multiplied one after another, each for all rows of the
//! batch and all key heads at once: so nothing is copied for a product.

use anyhow::Result;
use candle_core::{DType, Tensor};

use super::driver::Argument::{Int, Long, Of, Real};
use super::driver::{Argument, Grid, Kernel, Matrices, Product, address, multiply, room};
use super::heads::Heads;
use super::{flash, merge_heads, split_heads};
use crate::ops::{Attended, Attention};

/// Queries of a stretch: more would read masked columns, fewer would make small products.
const STRETCH: usize = 512;
/// Scores at once, 12 or fewer bytes each.
const SCORES_MAX: usize = 1 << 27;
/// Threads that share a row of scores.
const THREADS: usize = 128;
/// cuBLAS is fastest where rows start at multiples of 16 bytes.
const ALIGNMENT: usize = 8;

/// See [`super::super::attention`].
pub fn attention(inputs: &Attention) -> Result<Attended> {
    let heads = Heads::of(inputs)?;
    if flash::takes(&heads)? {
        return flash::attention(&heads);
    }
    let out = room((heads.batch, heads.count(), heads.time, heads.width), heads.dtype, &heads.on)?;
    let lse = room((heads.batch * heads.time, heads.count()), DType::F32, &heads.on)?;
    for stretch in heads.stretches(inputs) {
        let scores = stretch.scores(&heads)?;
        let weights = stretch.room(&heads, heads.dtype)?;
        let kernel = Kernel::of("attention_shares", &weights)?;
        let tensors = [Of(&scores), Of(&heads.starts), Of(&weights), Of(&lse)];
        kernel.launch(stretch.grid(&heads), &stretch.arguments(&heads, &tensors)?)?;
        let value = stretch.columns_of(&heads, &heads.value)?;
        for member in 0..heads.group {
            let weights = stretch.scores_of(&heads, &weights, member)?;
            let out = stretch.queries_of(&heads, &out, member)?;
            multiply(&heads.on, out, weights, value, heads.product(0.0))?;
        }
    }
    Ok(Attended { out: merge_heads(&out, None)?, lse })
}

/// See [`super::super::attention_backward`].
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    let heads = Heads::of(inputs)?;
    let (out, dout) = (attended.out.contiguous()?, dout.contiguous()?);
    let along = room((heads.batch * heads.time, heads.count()), DType::F32, &heads.on)?;
    let pieces = along.elem_count();
    let grid = Grid { threads: THREADS, blocks: [pieces.div_ceil(THREADS / 32), 1] };
    Kernel::of("piece_products", &out)?.launch(
        grid,
        &[Of(&out), Of(&dout), Of(&along), Long(pieces as u64), Long(heads.width as u64)],
    )?;
    if flash::takes(&heads)? {
        return flash::attention_backward(&heads, &attended.lse, &along, &dout);
    }
    let dout = split_heads(&dout, heads.batch, heads.count(), None)?;
    let dquery = room(inputs.query.shape(), heads.dtype, &heads.on)?;
    // The heads of a group and the stretches add to the same keys: in f32, rounded once.
    let [dkey, dvalue] =
        [&heads.key, &heads.value].map(|x| Tensor::zeros(x.shape(), DType::F32, &heads.on));
    let (dkey, dvalue) = (dkey?, dvalue?);
    for stretch in heads.stretches(inputs) {
        let scores = stretch.scores(&heads)?;
        let dweights = stretch.room(&heads, DType::F32)?;
        let value = stretch.columns_of(&heads, &heads.value)?;
        for member in 0..heads.group {
            let dout = stretch.queries_of(&heads, &dout, member)?;
            let dweights = stretch.scores_of(&heads, &dweights, member)?;
            multiply(&heads.on, dweights, dout, value.t(), heads.product(0.0))?;
        }
        let weights = stretch.room(&heads, heads.dtype)?;
        let dscores = stretch.room(&heads, heads.dtype)?;
        let kernel = Kernel::of("attention_shares_backward", &weights)?;
        let tensors = [
            Of(&scores),
            Of(&dweights),
            Of(&heads.starts),
            Of(&attended.lse),
            Of(&along),
            Of(&weights),
            Of(&dscores),
        ];
        kernel.launch(stretch.grid(&heads), &stretch.arguments(&heads, &tensors)?)?;
        drop((scores, dweights));
        let key = stretch.columns_of(&heads, &heads.key)?;
        let dkey = stretch.columns_of(&heads, &dkey)?;
        let dvalue = stretch.columns_of(&heads, &dvalue)?;
        for member in 0..heads.group {
            let weights = stretch.scores_of(&heads, &weights, member)?;
            let dscores = stretch.scores_of(&heads, &dscores, member)?;
            let query = stretch.queries_of(&heads, &heads.query, member)?;
            let dout = stretch.queries_of(&heads, &dout, member)?;
            let dquery = stretch.queries_of(&heads, &dquery, member)?;
            multiply(&heads.on, dquery, dscores, key, heads.product(0.0))?;
            multiply(&heads.on, dkey, dscores.t(), query, heads.product(1.0))?;
            multiply(&heads.on, dvalue, weights.t(), dout, heads.product(1.0))?;
        }
    }
    Ok([dquery, dkey.to_dtype(heads.dtype)?, dvalue.to_dtype(heads.dtype)?])
}

impl Heads {
    /// What goes through one call of cuBLAS, added to `kept` times the old values.
    fn product(&self, kept: f32) -> Product {
        Product { kept, scale: 1.0, count: self.batch * self.groups }
    }

    fn stretches(&self, inputs: &Attention) -> Vec<Stretch> {
        let mask = inputs.mask;
        let a_query = self.batch * self.count() * mask.columns;
        let queries = (SCORES_MAX / a_query.max(1)).clamp(1, STRETCH);
        let one = |first: usize| {
            let count = queries.min(self.time - first);
            let asking = (0..self.batch).flat_map(|b| (first..first + count).map(move |t| (b, t)));
            let left = asking.map(|(b, t)| mask.range(b, t).start).min().unwrap_or(0);
            let end = |t: usize| mask.range(0, t).end - left;
            Stretch { first, count, left, end: end(first), columns: end(first + count - 1) }
        };
        (0..self.time).step_by(queries).map(one).collect()
    }
}

/// A stretch of queries, and the columns that any of them attends to.
struct Stretch {
    first: usize,
    count: usize,
    /// The first of the columns.
    left: usize,
    /// Columns, counted from there, before the end of the first query's.
    end: usize,
    columns: usize,
}

impl Stretch {
    /// query·key, unscaled, in f32.
    fn scores(&self, heads: &Heads) -> Result<Tensor> {
        let scores = self.room(heads, DType::F32)?;
        let key = self.columns_of(heads, &heads.key)?;
        for member in 0..heads.group {
            let query = self.queries_of(heads, &heads.query, member)?;
            let scores = self.scores_of(heads, &scores, member)?;
            multiply(&heads.on, scores, query, key.t(), heads.product(0.0))?;
        }
        Ok(scores)
    }

    /// For something of each query and column: `[batch, heads, queries, row]`.
    fn room(&self, heads: &Heads, dtype: DType) -> Result<Tensor> {
        room((heads.batch, heads.count(), self.count, self.row()), dtype, &heads.on)
    }

    /// Elements of a row, padding included.
    fn row(&self) -> usize {
        self.columns.next_multiple_of(ALIGNMENT)
    }

    /// The stretch's rows `[count, width]` of one head of each group.
    fn queries_of(&self, heads: &Heads, x: &Tensor, member: usize) -> Result<Matrices> {
        let matrices = Matrices {
            address: address(x)?,
            dtype: x.dtype(),
            rows: self.count,
            columns: heads.width,
            stride: heads.width,
            transposed: false,
            each: heads.group * heads.time * heads.width,
        };
        Ok(matrices.after((member * heads.time + self.first) * heads.width))
    }

    /// The columns' keys or values `[columns, width]`.
    fn columns_of(&self, heads: &Heads, x: &Tensor) -> Result<Matrices> {
        let matrices = Matrices {
            address: address(x)?,
            dtype: x.dtype(),
            rows: self.columns,
            columns: heads.width,
            stride: heads.width,
            transposed: false,
            each: heads.room * heads.width,
        };
        Ok(matrices.after(self.left * heads.width))
    }

    /// The scores `[count, columns]`, or what has their shape, of one head of each group.
    fn scores_of(&self, heads: &Heads, x: &Tensor, member: usize) -> Result<Matrices> {
        let matrices = Matrices {
            address: address(x)?,
            dtype: x.dtype(),
            rows: self.count,
            columns: self.columns,
            stride: self.row(),
            transposed: false,
            each: heads.group * self.count * self.row(),
        };
        Ok(matrices.after(member * self.count * self.row()))
    }

    fn grid(&self, heads: &Heads) -> Grid {
        Grid { threads: THREADS, blocks: [heads.batch * heads.count() * self.count, 1] }
    }

    /// The tensors, then what both kernels of the softmax take after them.
    fn arguments<'a>(&self, heads: &Heads, tensors: &[Argument<'a>]) -> Result<Vec<Argument<'a>>> {
        let mut arguments = tensors.to_vec();
        let sizes = [heads.count(), heads.time, self.first, self.count, self.left, self.end];
        for size in sizes.into_iter().chain([self.columns, self.row()]) {
            arguments.push(Int(u32::try_from(size)?));
        }
        arguments.push(Real(heads.scale));
        Ok(arguments)
    }
}
