//! Sums of products, of which some share a factor.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::cpu::Parts;
use super::cpu::sums::{Packed, Way};
use super::cpu::tiles::Panels;
use super::{add_product, product};

/// Rows `[rows, inner]` that several products read: what one makes of them is there for the next.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) tensor: Tensor,
    pub(super) packed: Packed,
}

impl Rows {
    pub(crate) fn new(tensor: &Tensor) -> Rows {
        Rows { tensor: tensor.clone(), packed: Packed::default() }
    }
}

/// The second factor of a product `[inner, columns]`.
#[derive(Clone, Debug)]
pub(crate) enum Matrix {
    /// In the type of the rows; it may be a transposed view.
    Plain(Tensor),
    /// In bf16, on a CPU.
    Packed(Arc<Panels>),
}

impl Matrix {
    /// A matrix in f32 on a CPU, rounded to bf16 for products with rows that are too.
    pub(crate) fn rounded(matrix: &Tensor) -> Result<Matrix> {
        Ok(Matrix::Packed(Arc::new(Panels::new(matrix, Parts::One)?)))
    }
}

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
