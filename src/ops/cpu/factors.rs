//! The factors of products: rows that several products read, and matrices, plain or packed.

use std::cell::OnceCell;
use std::sync::Arc;

use anyhow::Result;
use candle_core::{Layout, Storage, StorageRef, Tensor};

use super::square::Parts;
use super::tiles::{Bands, Panels};
use super::view::View;

/// Rows `[rows, inner]` that several products read: what one makes of them is there for the next.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) tensor: Tensor,
    packed: Packed,
}

impl Rows {
    pub(crate) fn new(tensor: &Tensor) -> Rows {
        Rows { tensor: tensor.clone(), packed: Packed::default() }
    }

    /// The rows in bands, packed if they have not been yet.
    pub(super) fn bands(&self, parts: Parts) -> Result<&Bands> {
        let cell = &self.packed.0[usize::from(parts == Parts::Three)];
        if cell.get().is_none() {
            cell.set(Bands::pack(parts, Open::of(&self.tensor).view()?)).ok();
        }
        Ok(cell.get().expect("it was packed just now"))
    }
}

/// The second factor of a product `[inner, columns]`.
#[derive(Clone, Debug)]
pub(crate) enum Matrix {
    /// In the type of the rows; it may be a transposed view.
    Plain(Tensor),
    /// In bf16, or in parts that are, on a CPU.
    Packed(Arc<Panels>),
}

impl Matrix {
    /// A matrix in f32 on a CPU, rounded to bf16 for products with rows that are too.
    pub(crate) fn rounded(matrix: &Tensor) -> Result<Matrix> {
        Ok(Matrix::Packed(Arc::new(Panels::new(matrix, Parts::One, Parts::One)?)))
    }
}

/// What has been packed of rows so far, in one part and in three.
#[derive(Debug, Default)]
struct Packed([OnceCell<Bands>; 2]);

impl Panels {
    /// Packs a matrix `[inner, columns]` in f32 on a CPU, which may be a transposed view, in `own`
    /// parts, for products with rows that are split into `rows` parts.
    pub(crate) fn new(matrix: &Tensor, rows: Parts, own: Parts) -> Result<Panels> {
        Ok(Panels::pack(Open::of(matrix).view()?, rows, own))
    }
}

impl Matrix {
    pub(super) fn open(&self) -> Option<Open<'_>> {
        match self {
            Matrix::Plain(matrix) => Some(Open::of(matrix)),
            Matrix::Packed(_) => None,
        }
    }
}

/// A matrix, open for reading.
pub(super) struct Open<'a> {
    storage: StorageRef<'a>,
    layout: &'a Layout,
}

impl<'a> Open<'a> {
    fn of(matrix: &'a Tensor) -> Open<'a> {
        let (storage, layout) = matrix.storage_and_layout();
        Open { storage, layout }
    }

    pub(super) fn view(&self) -> Result<View<'_>> {
        match &*self.storage {
            Storage::Cpu(storage) => Ok(View::open(storage, self.layout)?),
            _ => anyhow::bail!("the matrix is not on the CPU"),
        }
    }
}
