//! What is asked of the logits of a large vocabulary, without keeping them: they are made some
//! columns at a time, which stay in the second cache until they have been looked at.

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::factors::Rows;
use super::kernels;
use super::math::{exp, exponentials, greatest};
use super::square::SIDE;
use super::tiles::{self, PANELS, Panels, Second, Term};
use super::view::{Before, ViewMut};
use crate::wide::wide;

/// Logits of a row at once. They depend on nothing else, and neither do a row's results.
const COLUMNS: usize = 2 * PANELS * SIDE;

/// The logits of a row so far.
#[derive(Clone, Copy)]
struct Seen {
    top: f32,
    /// The index of the greatest, the first of equals.
    best: u32,
    /// Σ exp(logit − top), of many parts: in f32 each of them would round all before it.
    sum: f64,
}

/// See [`super::super::log_probabilities_of`].
pub(crate) fn log_probabilities(
    rows: &Rows,
    table: &Panels,
    wanted: &[(u32, u32)],
) -> Result<(Vec<f32>, Vec<u32>)> {
    let (count, inner) = rows.tensor.dims2()?;
    let (down, vocab) = table.shape();
    ensure!(inner == down, "a product of {inner} columns and {down} rows");
    super::loss::expect_logits(wanted, count, vocab)?;
    let first = rows.bands(table.rows())?;
    let kernel = kernels::of_bf16().unwrap_or(kernels::portable);
    let mut seen = vec![Seen { top: f32::NEG_INFINITY, best: 0, sum: 0.0 }; count];
    let mut found = vec![f32::NAN; wanted.len()];
    let mut memory = vec![0f32; count * COLUMNS.min(vocab)];
    for start in (0..vocab).step_by(COLUMNS) {
        let columns = start..vocab.min(start + COLUMNS);
        let width = columns.len();
        let logits = &mut memory[..count * width];
        let second = Second::Packed(table.part(columns.clone()));
        let out = ViewMut::dense(logits, count, width);
        tiles::sum(out, Before::Replaced, 1.0, &[Term { first, second }], kernel);
        for (found, &(row, id)) in found.iter_mut().zip(wanted) {
            if columns.contains(&(id as usize)) {
                *found = logits[row as usize * width + id as usize - start];
            }
        }
        let all = seen.par_iter_mut().zip(logits.par_chunks_mut(width)).with_min_len(32);
        all.for_each(|(seen, logits)| {
            wide!(seen.add(start as u32, logits, !wanted.is_empty()));
        });
    }
    for (found, (row, _)) in found.iter_mut().zip(wanted) {
        let Seen { top, sum, .. } = seen[*row as usize];
        *found = (f64::from(*found) - f64::from(top) - sum.ln()) as f32;
    }
    Ok((found, seen.into_iter().map(|seen| seen.best).collect()))
}

impl Seen {
    /// Adds the next logits, which begin at this index; with their sum, if that is asked for.
    #[inline(always)]
    fn add(&mut self, start: u32, logits: &mut [f32], with_sum: bool) {
        let here = greatest(logits);
        let top = if here > self.top { here } else { self.top };
        if here > self.top {
            let place = logits.iter().position(|logit| *logit == here);
            self.best = start + place.unwrap_or(0) as u32;
        }
        if with_sum {
            let (sum, here) = exponentials(logits, 1.0);
            let share = |of: f32| f64::from(if of == top { 1.0 } else { exp(of - top) });
            self.sum = self.sum * share(self.top) + f64::from(sum) * share(here);
        }
        self.top = top;
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::super::square::Parts;
    use super::*;
    use crate::ops;

    #[test]
    fn logits_that_are_not_kept_have_the_results_of_those_that_are() -> Result<()> {
        let noise = |count: usize, seed: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * 7919 + seed) % 2003) as f32 / 500.0 - 2.0).collect()
        };
        for vocab in [7, COLUMNS, 3 * COLUMNS + 50] {
            let rows = Tensor::from_vec(noise(130 * 40, 1), (130, 40), &Device::Cpu)?;
            let table = Tensor::from_vec(noise(40 * vocab, 2), (40, vocab), &Device::Cpu)?;
            let panels = Panels::new(&table, Parts::Three, Parts::Three)?;
            let wanted: Vec<(u32, u32)> =
                (0..200).map(|at| (at * 13 % 130, at * 7919 % vocab as u32)).collect();
            let (found, best) = log_probabilities(&Rows::new(&rows), &panels, &wanted)?;
            let logits = rows.matmul(&table)?;
            let (expected, expected_best) = ops::plain::log_probabilities(&logits, &wanted)?;
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{vocab}");
            }
            assert_eq!(best, expected_best);
            let (none, same) = log_probabilities(&Rows::new(&rows), &panels, &[])?;
            assert_eq!((none, same), (Vec::new(), best));
        }
        // A logit that is no number is none of the row's, and of no other's.
        let mut numbers = noise(130 * 40, 1);
        numbers[45] = f32::NAN;
        let rows = Tensor::from_vec(numbers, (130, 40), &Device::Cpu)?;
        let table = Tensor::from_vec(noise(40 * 900, 2), (40, 900), &Device::Cpu)?;
        let panels = Panels::new(&table, Parts::One, Parts::One)?;
        let (found, _) = log_probabilities(&Rows::new(&rows), &panels, &[(0, 3), (1, 3)])?;
        assert!(found[0].is_finite() && found[1].is_nan(), "{found:?}");
        Ok(())
    }

    #[test]
    fn the_many_small_terms_of_a_large_vocabulary_count() -> Result<()> {
        // One logit of 0, and 49,151 whose shares are each too small to change a sum of 1 in f32.
        let (vocab, small) = (49_152, -17.5f32);
        let mut logits = vec![small; vocab];
        logits[100] = 0.0;
        let rows = Tensor::ones((1, 1), candle_core::DType::F32, &Device::Cpu)?;
        let table = Tensor::from_vec(logits, (1, vocab), &Device::Cpu)?;
        let panels = Panels::new(&table, Parts::Three, Parts::Three)?;
        let (found, best) = log_probabilities(&Rows::new(&rows), &panels, &[(0, 100)])?;
        let exact = -(1.0 + (vocab - 1) as f64 * f64::from(small).exp()).ln();
        assert!((f64::from(found[0]) - exact).abs() < 1e-6, "{found:?}, not {exact}");
        assert_eq!(best, [100]);
        Ok(())
    }
}
