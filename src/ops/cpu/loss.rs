//! Cross-entropy and its gradient, a row of logits at a time.

use anyhow::{Result, ensure};
use candle_core::Tensor;
use rayon::prelude::*;

use super::math::{exponentials, wide};
use super::slice::Slice;

/// See [`super::super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<(f64, Tensor)> {
    let vocab = logits.dims2()?.1;
    let unknown = labels.iter().find(|&&label| label as usize >= vocab);
    ensure!(unknown.is_none(), "token id {} is beyond {vocab} ids", unknown.unwrap_or(&0));
    let logits = Slice::open(logits)?;
    let mut gradient = logits.get()?.to_vec();
    // Collected in order before it is summed: the same sum on any number of threads.
    let rows = gradient.par_chunks_mut(vocab).zip(labels);
    let losses: Vec<f64> = rows.map(|(row, &label)| wide!(of_row(row, label as usize))).collect();
    Ok((losses.iter().sum(), logits.like(gradient)?))
}

/// Replaces a row of logits by the gradient of its loss, and returns the loss.
#[inline(always)]
fn of_row(row: &mut [f32], label: usize) -> f64 {
    let logit = row[label];
    let (sum, top) = exponentials(row, 1.0);
    let inverse = 1.0 / sum;
    row.iter_mut().for_each(|share| *share *= inverse);
    row[label] -= 1.0;
    f64::from(top + sum.ln() - logit)
}
