//! Sums of products, of which some share a factor.

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::cpu::factors::{Matrix, Rows};
use super::cpu::sums::Way;
use super::{add_product, product};

/// `onto`, whose memory may be used, and the products of all terms.
pub(crate) fn sum_of_products(
    mut onto: Option<Tensor>,
    terms: &[(&Rows, &Matrix)],
) -> Result<Tensor> {
    if let Some(way) = Way::of(terms) {
        return way.sum(onto, terms);
    }
    for (rows, matrix) in terms {
        let Matrix::Plain(matrix) = matrix else { unreachable!("packed ones go in tiles") };
        onto = Some(match onto.take() {
            Some(onto) => add_product(onto, 1.0, &rows.tensor, matrix)?,
            None => product(1.0, &rows.tensor, matrix)?,
        });
    }
    onto.context("a sum of nothing")
}
