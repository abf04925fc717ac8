//! The operations of a block in candle's tensor operations: their meaning, and the path of
//! whatever has none of its own.

mod attention;
pub mod nccl;

use anyhow::{Context, Result};
use candle_core::{D, DType, Tensor};

use super::{Angles, Quantised, Update, rope};
pub use attention::{attention, attention_backward};

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
    onto: Option<&Tensor>,
) -> Result<Tensor> {
    let (normed, inverse) = normalise(x, eps)?;
    let dnormed = dy.to_dtype(DType::F32)?.broadcast_mul(&weight.to_dtype(DType::F32)?)?;
    let along = (&dnormed * &normed)?.mean_keepdim(D::Minus1)?;
    let dx = (dnormed - normed.broadcast_mul(&along)?)?.broadcast_mul(&inverse)?;
    let dx = dx.to_dtype(x.dtype())?;
    onto.map_or(Ok(dx.clone()), |onto| Ok((onto + dx)?))
}

/// See [`super::rms_norm_dweight`].
pub fn rms_norm_dweight(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let normed = normalise(x, eps)?.0;
    Ok((dy.to_dtype(DType::F32)? * normed)?.sum(0)?)
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
    angles.map_or(Ok(split.clone()), |angles| rope::rotate(&split, angles, false))
}

/// See [`super::merge_heads`].
pub fn merge_heads(x: &Tensor, angles: Option<&Angles>) -> Result<Tensor> {
    let (batch, heads, time, width) = x.dims4()?;
    let x = angles.map_or(Ok(x.clone()), |angles| rope::rotate(x, angles, true))?;
    Ok(x.transpose(1, 2)?.reshape((batch * time, heads * width))?)
}

/// See [`super::select_rows`].
pub fn select_rows(x: &Tensor, places: &Tensor) -> Result<Tensor> {
    Ok(x.index_select(places, 0)?)
}

/// See [`super::spread_rows`].
pub fn spread_rows(x: &Tensor, places: &Tensor, rows: usize) -> Result<Tensor> {
    let zeros = Tensor::zeros((rows, x.dim(1)?), x.dtype(), x.device())?;
    Ok(zeros.index_add(places, x, 0)?)
}

/// See [`super::product`].
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let product = matrix(a)?.matmul(&matrix(b)?)?;
    Ok(if scale == 1.0 { product } else { (product * scale)? })
}

/// See [`super::add_product`].
pub fn add_product(onto: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    sum(&[onto, &product(scale, a, b)?.to_dtype(onto.dtype())?])
}

/// candle multiplies matrices whose rows, or whose columns, lie without gaps.
fn matrix(x: &Tensor) -> Result<Tensor> {
    let (rows, columns) = x.dims2()?;
    let dense = [[columns, 1], [1, rows]].iter().any(|stride| x.stride() == stride);
    Ok(if dense { x.clone() } else { x.contiguous()? })
}

/// See [`super::sum`].
pub fn sum(terms: &[&Tensor]) -> Result<Tensor> {
    let (first, rest) = terms.split_first().context("a sum of nothing")?;
    rest.iter().try_fold((*first).clone(), |sum, term| Ok((sum + *term)?))
}

/// See [`super::sum_of_squares`].
pub fn sum_of_squares(terms: &[&Tensor]) -> Result<f64> {
    let one = |term: &&Tensor| -> Result<f64> {
        let sum = term.to_dtype(DType::F32)?.sqr()?.sum_all()?.to_scalar::<f32>()?;
        Ok(f64::from(sum))
    };
    terms.iter().map(one).sum()
}

/// See [`super::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    Ok((gate.silu()? * up)?)
}

/// See [`super::swiglu_backward`]; silu′(g) = σ(g)·(1 + g·(1 − σ(g))).
pub fn swiglu_backward(gate: &Tensor, up: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let dtype = gate.dtype();
    let [gate, up, dy] = [gate, up, dy].map(|x| x.to_dtype(DType::F32));
    let (gate, up, dy) = (gate?, up?, dy?);
    let sigmoid = (gate.neg()?.exp()? + 1.0)?.recip()?;
    let silu = (&gate * &sigmoid)?;
    let slope = (&sigmoid + (&silu * (1.0 - &sigmoid)?)?)?;
    let dgate = ((&dy * up)? * slope)?;
    Ok([dgate.to_dtype(dtype)?, (dy * silu)?.to_dtype(dtype)?])
}

/// See [`super::dropout`].
pub fn dropout(x: &Tensor, rate: f64, key: u64) -> Result<Tensor> {
    let mut factors = vec![0f32; x.elem_count()];
    super::kept(&mut factors, 0, rate, key);
    let factors = Tensor::from_vec(factors, x.shape(), x.device())?;
    Ok((x * factors.to_dtype(x.dtype())?)?)
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

/// See [`super::argmax`].
pub fn argmax(logits: &Tensor) -> Result<Vec<u32>> {
    Ok(logits.argmax(1)?.to_vec1()?)
}

/// See [`super::log_probabilities`].
pub fn log_probabilities(logits: &Tensor, wanted: &[(u32, u32)]) -> Result<(Vec<f32>, Vec<u32>)> {
    let logits = logits.to_dtype(DType::F32)?;
    let vocab = logits.dims2()?.1 as u32;
    let best = argmax(&logits)?;
    let lse = logits.log_sum_exp(1)?.to_vec1::<f32>()?;
    let places: Vec<u32> = wanted.iter().map(|(row, id)| row * vocab + id).collect();
    let places = Tensor::new(places, logits.device())?;
    let found = logits.flatten_all()?.index_select(&places, 0)?.to_vec1::<f32>()?;
    let one = |((row, _), logit): (&(u32, u32), f32)| logit - lse[*row as usize];
    Ok((wanted.iter().zip(found).map(one).collect(), best))
}

/// See [`super::adamw`].
pub fn adamw(
    update: &Update,
    value: &Tensor,
    gradient: &Tensor,
    [m, v]: &[Tensor; 2],
) -> Result<(Tensor, [Tensor; 2])> {
    let [b1, b2] = update.betas;
    let g = (gradient * update.factor)?;
    let m = ((m * b1)? + (&g * (1.0 - b1))?)?;
    let v = ((v * b2)? + (g.sqr()? * (1.0 - b2))?)?;
    let root = ((v.sqrt()? / update.second.sqrt())? + update.epsilon)?;
    let change = ((&m / root)? * (update.rate / update.first))?;
    Ok((((value * update.decay)? - change)?, [m, v]))
}

/// See [`super::dequantise`].
pub fn dequantise(quantised: &Quantised, dtype: DType) -> Result<Tensor> {
    let Quantised { shape, codes, scales, steps, least, pairs } = quantised;
    let blocks = shape.0 * shape.1 / Quantised::BLOCK;
    let scales = scales.to_dtype(DType::F32)?.broadcast_mul(steps)?;
    let scales = scales.broadcast_add(least)?.flatten_all()?.narrow(0, 0, blocks)?;
    // To candle the greatest number of a type is the index of nothing: 255 must be none of u8.
    let values =
        pairs.index_select(&codes.to_dtype(DType::U32)?, 0)?.reshape((blocks, Quantised::BLOCK))?;
    let values = values.broadcast_mul(&scales.reshape((blocks, 1))?)?;
    Ok(values.reshape(*shape)?.to_dtype(dtype)?)
}
