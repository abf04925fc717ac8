//! Attention in candle's tensor operations, a stretch of queries at a time: its memory grows with
//! the length of a text, not with its square.

use anyhow::Result;
use candle_core::{D, DType, Tensor};

use crate::ops::{Attended, Attention, Mask};

/// Queries of a stretch.
const STRETCH: usize = 1024;

/// See [`super::super::attention`].
pub fn attention(inputs: &Attention) -> Result<Attended> {
    let (mut outs, mut lse) = (Vec::new(), Vec::new());
    for stretch in Stretch::all(inputs)? {
        let scores = stretch.scores()?;
        let top = scores.max_keepdim(D::Minus1)?;
        let weights = scores.broadcast_sub(&top)?.exp()?;
        let sum = weights.sum_keepdim(D::Minus1)?;
        let dtype = inputs.query.dtype();
        let weights = weights.broadcast_div(&sum)?.to_dtype(dtype)?;
        outs.push(stretch.ungrouped(&weights.matmul(&stretch.value)?)?);
        lse.push(stretch.ungrouped(&(top + sum.log()?)?)?);
    }
    let (batch, heads, time, width) = inputs.query.dims4()?;
    let tokens = |parts: Vec<Tensor>, width: usize| -> Result<Tensor> {
        let whole = Tensor::cat(&parts, 2)?;
        Ok(whole.transpose(1, 2)?.reshape((batch * time, heads * width))?)
    };
    Ok(Attended { out: tokens(outs, width)?, lse: tokens(lse, 1)? })
}

/// See [`super::super::attention_backward`].
pub fn attention_backward(
    inputs: &Attention,
    attended: &Attended,
    dout: &Tensor,
) -> Result<[Tensor; 3]> {
    let (batch, heads, time, width) = inputs.query.dims4()?;
    let planes = |x: &Tensor, width: usize| -> Result<Tensor> {
        Ok(x.reshape((batch, time, heads, width))?.transpose(1, 2)?.contiguous()?)
    };
    let (out, lse, dout) =
        (planes(&attended.out, width)?, planes(&attended.lse, 1)?, planes(dout, width)?);
    let along = (out.to_dtype(DType::F32)? * dout.to_dtype(DType::F32)?)?.sum_keepdim(D::Minus1)?;
    let dtype = inputs.query.dtype();
    let mut dqueries = Vec::new();
    let (mut dkey, mut dvalue) = (inputs.key.zeros_like()?, inputs.value.zeros_like()?);
    for stretch in Stretch::all(inputs)? {
        let (log, along, dout) =
            (stretch.grouped(&lse)?, stretch.grouped(&along)?, stretch.grouped(&dout)?);
        let weights = stretch.scores()?.broadcast_sub(&log)?.exp()?;
        let dweights = dout.matmul(&stretch.value.t()?)?.to_dtype(DType::F32)?;
        let dscores = (&weights * dweights.broadcast_sub(&along)?)?;
        let dscores = (dscores * f64::from(inputs.scale))?.to_dtype(dtype)?;
        dqueries.push(stretch.ungrouped(&dscores.matmul(&stretch.key)?)?);
        dkey = (dkey + stretch.all_columns(&dscores.t()?.matmul(&stretch.query)?)?)?;
        dvalue = (dvalue + stretch.all_columns(&weights.to_dtype(dtype)?.t()?.matmul(&dout)?)?)?;
    }
    Ok([Tensor::cat(&dqueries, 2)?, dkey, dvalue])
}

/// A stretch of queries, and the columns that any of them attends to.
struct Stretch<'a> {
    inputs: &'a Attention<'a>,
    first: usize,
    time: usize,
    columns: usize,
    /// `[batch, key heads, group × time, head_dim]`.
    query: Tensor,
    /// `[batch, key heads, columns, head_dim]`.
    key: Tensor,
    value: Tensor,
}

impl<'a> Stretch<'a> {
    fn all(inputs: &'a Attention<'a>) -> Result<Vec<Stretch<'a>>> {
        let time = inputs.query.dims4()?.2;
        let one = |first: usize| -> Result<Stretch<'a>> {
            let count = STRETCH.min(time - first);
            let columns = inputs.mask.range(0, first + count - 1).end;
            let narrow =
                |x: &Tensor| -> Result<Tensor> { Ok(x.narrow(2, 0, columns)?.contiguous()?) };
            let (key, value) = (narrow(inputs.key)?, narrow(inputs.value)?);
            let query = inputs.query.clone();
            let mut one = Stretch { inputs, first, time: count, columns, query, key, value };
            one.query = one.grouped(inputs.query)?;
            Ok(one)
        };
        (0..time).step_by(STRETCH).map(one).collect()
    }

    /// scale × query·key in f32, −∞ where a query is masked.
    fn scores(&self) -> Result<Tensor> {
        let scores = self.query.matmul(&self.key.t()?)?.to_dtype(DType::F32)?;
        let (batch, groups, rows, columns) = scores.dims4()?;
        let bias = bias(self.inputs.mask, self.first, self.time, columns);
        let bias = Tensor::from_vec(bias, (batch, 1, 1, self.time, columns), scores.device())?;
        let wide = (batch, groups, rows / self.time, self.time, columns);
        let scores = (scores * f64::from(self.inputs.scale))?.reshape(wide)?;
        Ok(scores.broadcast_add(&bias)?.reshape((batch, groups, rows, columns))?)
    }

    /// The stretch of `[batch, heads, time, …]` with the heads that share a key head one below the
    /// other: then one product serves them.
    fn grouped(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, heads, _, width) = x.dims4()?;
        let groups = self.inputs.key.dims4()?.1;
        let part = x.narrow(2, self.first, self.time)?.contiguous()?;
        Ok(part.reshape((batch, groups, heads / groups * self.time, width))?)
    }

    /// The inverse: `[batch, heads, time of the stretch, …]`.
    fn ungrouped(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, _, _, width) = x.dims4()?;
        let heads = self.inputs.query.dims4()?.1;
        Ok(x.reshape((batch, heads, self.time, width))?)
    }

    /// Columns of the stretch, and zeros for those after them.
    fn all_columns(&self, x: &Tensor) -> Result<Tensor> {
        let room = self.inputs.key.dims4()?.2;
        Ok(x.pad_with_zeros(2, 0, room - self.columns)?)
    }
}

/// The mask as a bias of the scores: 0, or −∞ where it masks, `[batch × time × columns]`.
fn bias(mask: &Mask, first: usize, time: usize, columns: usize) -> Vec<f32> {
    let mut bias = vec![f32::NEG_INFINITY; mask.batch * time * columns];
    for b in 0..mask.batch {
        for t in 0..time {
            let row = (b * time + t) * columns;
            let range = mask.range(b, first + t);
            bias[row + range.start..row + range.end].fill(0.0);
            let skipped = mask.skipped(b, first + t);
            bias[row + skipped.start..row + skipped.end].fill(f32::NEG_INFINITY);
        }
    }
    bias
}
