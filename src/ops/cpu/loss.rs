//! Cross-entropy and its gradient, and log-probabilities, a row of logits at a time.

use anyhow::{Result, bail, ensure};
use candle_core::Tensor;
use rayon::prelude::*;

use super::math::{exponentials, greatest};
use super::slice::Slice;
use crate::wide::wide;

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

/// See [`super::super::argmax`].
pub fn argmax(logits: &Tensor) -> Result<Vec<u32>> {
    let vocab = logits.dims2()?.1;
    let logits = Slice::open(logits)?;
    Ok(logits.get()?.par_chunks(vocab).map(|row| wide!(best(row))).collect())
}

/// The index of the greatest, the first of equals.
#[inline(always)]
fn best(row: &[f32]) -> u32 {
    let top = greatest(row);
    row.iter().position(|logit| *logit == top).unwrap_or(0) as u32
}

/// See [`super::super::log_probabilities`].
pub fn log_probabilities(logits: &Tensor, wanted: &[(u32, u32)]) -> Result<(Vec<f32>, Vec<u32>)> {
    let (rows, vocab) = logits.dims2()?;
    expect_logits(wanted, rows, vocab)?;
    let logits = Slice::open(logits)?;
    let logits = logits.get()?;
    let of_row = |row: &[f32], memory: &mut Vec<f32>| {
        memory.clear();
        memory.extend_from_slice(row);
        wide!({
            let best = best(row);
            let (sum, top) = exponentials(memory, 1.0);
            (top + sum.ln(), best)
        })
    };
    let rows = logits.par_chunks(vocab).map_init(Vec::new, |memory, row| of_row(row, memory));
    let (lse, best): (Vec<f32>, Vec<u32>) = rows.unzip();
    let one =
        |&(row, id): &(u32, u32)| logits[row as usize * vocab + id as usize] - lse[row as usize];
    Ok((wanted.iter().map(one).collect(), best))
}

/// Fails if one of the logits is not there.
pub(super) fn expect_logits(wanted: &[(u32, u32)], rows: usize, vocab: usize) -> Result<()> {
    let unknown = wanted.iter().find(|(row, id)| *row as usize >= rows || *id as usize >= vocab);
    match unknown {
        Some(unknown) => bail!("no logit {unknown:?} in {rows} rows of {vocab}"),
        None => Ok(()),
    }
}
