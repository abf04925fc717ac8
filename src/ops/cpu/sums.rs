//! Sums of products of candle's tensors, in tiles.

use anyhow::{Result, ensure};
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Tensor};

use super::factors::{Matrix, Open, Rows};
use super::kernels::{self, LARGE_MIN};
use super::slice::tensor;
use super::square::{Kernel, Parts};
use super::tiles::{self, Second, Term};
use super::view::{Before, ViewMut};

/// How a sum of products is made in tiles.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    parts: Parts,
    kernel: Kernel,
}

impl Way {
    /// That of terms of which one has a matrix packed in bf16, or that are faster so.
    pub(crate) fn of(terms: &[(&Rows, &Matrix)]) -> Option<Way> {
        let packed = terms.iter().find_map(|(_, matrix)| match matrix {
            Matrix::Packed(panels) => Some(panels.rows()),
            Matrix::Plain(_) => None,
        });
        if let Some(parts) = packed {
            let kernel = kernels::of_bf16().unwrap_or(kernels::portable);
            return Some(Way { parts, kernel });
        }
        let rows = &terms.first()?.0.tensor;
        let is_large = rows.dims().iter().all(|size| *size >= LARGE_MIN);
        if is_large && rows.device().is_cpu() && rows.dtype() == DType::F32 {
            return Some(Way { parts: Parts::Three, kernel: kernels::of_f32()? });
        }
        None
    }

    /// `onto`, whose memory is used, and the products of all terms.
    pub(crate) fn sum(self, onto: Option<Tensor>, terms: &[(&Rows, &Matrix)]) -> Result<Tensor> {
        let open: Vec<Option<Open>> = terms.iter().map(|(_, matrix)| matrix.open()).collect();
        let mut sum = Sum { terms: Vec::new(), kernel: self.kernel };
        for ((rows, matrix), open) in terms.iter().zip(&open) {
            let second = match (matrix, open) {
                (Matrix::Packed(panels), _) => Second::Packed(panels.whole()),
                (_, open) => Second::Plain(open.as_ref().expect("it was opened").view()?),
            };
            let (inner, down) = (rows.tensor.dims2()?.1, second.shape().0);
            ensure!(inner == down, "a product of {inner} columns and {down} rows");
            sum.terms.push(Term { first: rows.bands(self.parts)?, second });
        }
        if let Some(onto) = onto {
            onto.inplace_op1(&sum)?;
            return Ok(onto);
        }
        let shape = sum.shape();
        let mut out = vec![0.0; shape.0 * shape.1];
        sum.put(ViewMut::dense(&mut out, shape.0, shape.1), Before::Replaced);
        tensor(out, shape)
    }
}

struct Sum<'a> {
    terms: Vec<Term<'a>>,
    kernel: Kernel,
}

impl Sum<'_> {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize) {
        self.terms.first().map_or((0, 0), |term| (term.first.rows(), term.second.shape().1))
    }

    fn put(&self, out: ViewMut, before: Before) {
        tiles::sum(out, before, 1.0, &self.terms, self.kernel);
    }
}

impl InplaceOp1 for Sum<'_> {
    fn name(&self) -> &'static str {
        "sum-of-products"
    }

    fn cpu_fwd(&self, onto: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        self.put(ViewMut::open(onto, layout, self.shape())?, Before::Kept);
        Ok(())
    }
}
