//! The row operations in candle's tensor operations: their meaning, and the path on a GPU.

use anyhow::{Context, Result};
use candle_core::{D, DType, Tensor};

use super::{Angles, Visible};

/// See [`super::rms_norm`]; the mean square is taken in f32.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let normed = normalise(x, eps)?.0;
    Ok(normed.broadcast_mul(&weight.to_dtype(DType::F32)?)?.to_dtype(x.dtype())?)
}

/// See [`super::rms_norm_backward`].
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    dy: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let (normed, inverse) = normalise(x, eps)?;
    let dy = dy.to_dtype(DType::F32)?;
    let dweight = (&dy * &normed)?.sum(0)?;
    let dnormed = dy.broadcast_mul(&weight.to_dtype(DType::F32)?)?;
    let along = (&dnormed * &normed)?.mean_keepdim(D::Minus1)?;
    let dx = (dnormed - normed.broadcast_mul(&along)?)?.broadcast_mul(&inverse)?;
    Ok((dx.to_dtype(x.dtype())?, dweight))
}

fn normalise(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let x = x.to_dtype(DType::F32)?;
    let inverse = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?.recip()?;
    Ok((x.broadcast_mul(&inverse)?, inverse))
}

/// See [`super::split_heads`].
pub fn split_heads(
    x: &Tensor,
    batch: usize,
    heads: usize,
    angles: Option<&Angles>,
) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let split = x.reshape((batch, rows / batch, heads, width / heads))?;
    let split = split.transpose(1, 2)?.contiguous()?;
    angles.map_or(Ok(split.clone()), |angles| turn(&split, &angles.cos, &angles.sin))
}

/// See [`super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, width) = x.dims4()?;
    let x = angles.map_or(Ok(x.clone()), |angles| turn(x, &angles.cos, &angles.sin.neg()?))?;
    Ok(x.transpose(1, 2)?.reshape((batch * time, heads * width))?)
}

/// Turns the pair (i, i + half) of each head by the token's angle i.
fn turn(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (batch, _, time, width) = x.dims4()?;
    let half = width / 2;
    let shape = (batch, 1, time, half);
    let (cos, sin) = (cos.reshape(shape)?, sin.reshape(shape)?);
    let first = x.narrow(3, 0, half)?.to_dtype(DType::F32)?;
    let second = x.narrow(3, half, half)?.to_dtype(DType::F32)?;
    let turned = Tensor::cat(
        &[
            (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?,
            (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?,
        ],
        3,
    )?;
    Ok(turned.to_dtype(x.dtype())?)
}

/// See [`super::attention_weights`].
pub fn attention_weights(scores: &Tensor, visible: &Visible, scale: f64) -> Result<Tensor> {
    let (batch, heads, queries, columns) = scores.dims4()?;
    let dtype = scores.dtype();
    let group = queries / visible.time;
    let mask =
        Tensor::from_vec(mask(visible), (batch, 1, 1, visible.time, columns), scores.device())?;
    let wide = (batch, heads, group, visible.time, columns);
    let scores = (scores.to_dtype(DType::F32)? * scale)?.reshape(wide)?.broadcast_add(&mask)?;
    let top = scores.max_keepdim(D::Minus1)?;
    let weights = scores.broadcast_sub(&top)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    Ok(weights.reshape((batch, heads, queries, columns))?.to_dtype(dtype)?)
}

/// 0 where a token may look and −∞ where it may not, `[batch × time × columns]`.
fn mask(visible: &Visible) -> Vec<f32> {
    let mut mask = vec![f32::NEG_INFINITY; visible.batch * visible.time * visible.columns];
    for b in 0..visible.batch {
        for t in 0..visible.time {
            let row = (b * visible.time + t) * visible.columns;
            let range = visible.range(b, t);
            mask[row + range.start..row + range.end].fill(0.0);
        }
    }
    mask
}

/// See [`super::attention_weights_backward`]; hidden columns have p = 0, and so no gradient.
pub fn attention_weights_backward(p: &Tensor, dp: &Tensor, scale: f64) -> Result<Tensor> {
    let dtype = p.dtype();
    let (p, dp) = (p.to_dtype(DType::F32)?, dp.to_dtype(DType::F32)?);
    let along = (&p * &dp)?.sum_keepdim(D::Minus1)?;
    Ok(((p * dp.broadcast_sub(&along)?)? * scale)?.to_dtype(dtype)?)
}

/// See [`super::sum`].
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let (first, rest) = terms.split_first().context("a sum of nothing")?;
    rest.iter().try_fold((*first).clone(), |sum, term| Ok((sum + *term)?))
}

/// See [`super::sum_of_squares`].
pub fn sum_of_squares(x: &Tensor) -> Result<f64> {
    let sum = x.to_dtype(DType::F32)?.sqr()?.sum_all()?.to_scalar::<f32>()?;
    Ok(f64::from(sum))
}

/// See [`super::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    Ok((gate.silu()? * up)?)
}

/// See [`super::swiglu_backward`]; silu′(g) = σ(g)·(1 + g·(1 − σ(g))).
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<(Tensor, Tensor)> {
    let dtype = gate.dtype();
    let [gate, up, dy] = [gate, up, dy].map(|x| x.to_dtype(DType::F32));
    let (gate, up, dy) = (gate?, up?, dy?);
    let sigmoid = (gate.neg()?.exp()? + 1.0)?.recip()?;
    let silu = (&gate * &sigmoid)?;
    let slope = (&sigmoid + (&silu * (1.0 - &sigmoid)?)?)?;
    let dgate = ((&dy * up)? * slope)?;
    Ok((dgate.to_dtype(dtype)?, (dy * silu)?.to_dtype(dtype)?))
}

/// See [`super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    let dtype = logits.dtype();
    let logits = logits.to_dtype(DType::F32)?;
    let (rows, vocab) = logits.dims2()?;
    let labels = Tensor::from_slice(labels, (rows, 1), logits.device())?;
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?)?;
    let exp = shifted.exp()?;
    let sum = exp.sum_keepdim(1)?;
    let losses = (sum.log()? - shifted.gather(&labels, 1)?)?;
    let one = Tensor::ones((rows, 1), DType::F32, logits.device())?;
    let hot = Tensor::zeros((rows, vocab), DType::F32, logits.device())?;
    let hot = hot.scatter_add(&labels, &one, 1)?;
    let gradient = (exp.broadcast_div(&sum)? - hot)?;
    let loss = losses.sum_all()?.to_scalar::<f32>()?;
    Ok((f64::from(loss), gradient.to_dtype(dtype)?))
}
