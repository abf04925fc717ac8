//! Rotary positions (RoPE; Su et al. 2021, arXiv:2104.09864): frequencies, angles, the rotation.
//!
//! The pair (i, i + half) of a head's numbers is rotated by its token's position × θ^(−2i/d), as
//! Hugging Face lays out a head. GPUs do the same in their kernels.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

/// The rotations of the tokens of a batch: `cos` and `sin` `[tokens, head_dim / 2]`, f32.
#[derive(Clone, Debug)]
pub struct Angles {
    /// Cosine of position × frequency.
    pub cos: Tensor,
    /// Sine of position × frequency.
    pub sin: Tensor,
}

impl Angles {
    /// Those of tokens at these positions, with a frequency for each pair of a head.
    ///
    /// # Errors
    /// If the device has no room for the tables.
    pub fn new(positions: &[usize], frequencies: &[f64], device: &Device) -> Result<Angles> {
        let first = positions.iter().copied().min().unwrap_or(0);
        let end = positions.iter().copied().max().map_or(first, |last| last + 1);
        let table: Vec<(f32, f32)> = (first..end)
            .flat_map(|position| frequencies.iter().map(move |speed| position as f64 * speed))
            .map(|angle| (angle.cos() as f32, angle.sin() as f32))
            .collect();
        let half = frequencies.len();
        let rows = positions.iter().map(|position| &table[(position - first) * half..][..half]);
        let (cos, sin): (Vec<f32>, Vec<f32>) = rows.flatten().copied().unzip();
        let shape = (positions.len(), half);
        let cos = Tensor::from_vec(cos, shape, device)?;
        Ok(Angles { cos, sin: Tensor::from_vec(sin, shape, device)? })
    }
}

/// Radians per position of each pair of a head of that width, the fastest first: θ^(−2i/d).
pub fn frequencies(head_dim: usize, theta: f64) -> Vec<f64> {
    let half = head_dim / 2;
    (0..half).map(|i| theta.powf(-(i as f64) / half as f64)).collect()
}

/// Rotates heads `[batch, heads, time, head_dim]` in candle's operations, or rotates them back.
pub(super) fn rotate(x: &Tensor, angles: &Angles, back: bool) -> Result<Tensor> {
    let (batch, _, time, width) = x.dims4()?;
    let half = width / 2;
    let shape = (batch, 1, time, half);
    let sin = if back { angles.sin.neg()? } else { angles.sin.clone() };
    let (cos, sin) = (angles.cos.reshape(shape)?, sin.reshape(shape)?);
    let first = x.narrow(3, 0, half)?.to_dtype(DType::F32)?;
    let second = x.narrow(3, half, half)?.to_dtype(DType::F32)?;
    let rotated = Tensor::cat(
        &[
            (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?,
            (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?,
        ],
        3,
    )?;
    Ok(rotated.to_dtype(x.dtype())?)
}

/// Rotates one head `x` into `y`; `sign` −1 rotates it back.
#[inline(always)]
pub(super) fn rotate_head(x: &[f32], y: &mut [f32], [cos, sin]: [&[f32]; 2], sign: f32) {
    let half = x.len() / 2;
    let (cos, sin) = (&cos[..half], &sin[..half]);
    let ((x1, x2), (y1, y2)) = (x.split_at(half), y.split_at_mut(half));
    let (x1, x2, y1, y2) = (&x1[..half], &x2[..half], &mut y1[..half], &mut y2[..half]);
    for i in 0..half {
        let s = sin[i] * sign;
        y1[i] = x1[i] * cos[i] - x2[i] * s;
        y2[i] = x2[i] * cos[i] + x1[i] * s;
    }
}
