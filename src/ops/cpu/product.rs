//! Matrix products on views of f32 slices, added to the old values or replacing them.
//!
//! candle's own product can only make a new tensor that it fills with zeros first; a residual, or
//! the term of an adapter, would then take another pass over memory.

use anyhow::{Result, ensure};
use candle_core::{CpuStorage, InplaceOp3, Layout, Storage, Tensor};

use super::kernels::{self, LARGE_MIN};
use super::slice::tensor;
use super::square::Parts;
use super::tiles::{self, Bands, Second, Term};
use super::view::{Before, View, ViewMut};

/// See [`super::super::product`].
pub fn product(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (rows, columns) = (a.dims2()?.0, b.dims2()?.1);
    let mut out = vec![0f32; rows * columns];
    let ((a_storage, a_layout), (b_storage, b_layout)) =
        (a.storage_and_layout(), b.storage_and_layout());
    let (Storage::Cpu(a), Storage::Cpu(b)) = (&*a_storage, &*b_storage) else {
        anyhow::bail!("the tensors are not on the CPU")
    };
    let (a, b) = (View::open(a, a_layout)?, View::open(b, b_layout)?);
    ensure!(a.columns == b.rows, "a product of {} columns and {} rows", a.columns, b.rows);
    multiply(ViewMut::dense(&mut out, rows, columns), Before::Replaced, scale as f32, a, b);
    tensor(out, (rows, columns))
}

/// See [`super::super::add_product`].
pub fn add_product(onto: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    onto.inplace_op3(a, b, &AddProduct { scale: scale as f32 })?;
    Ok(onto.clone())
}

/// `onto += scale × a·b` in the memory of `onto`.
struct AddProduct {
    scale: f32,
}

impl InplaceOp3 for AddProduct {
    fn name(&self) -> &'static str {
        "add-product"
    }

    fn cpu_fwd(
        &self,
        onto: &mut CpuStorage,
        layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (a, b) = (View::open(a, a_layout)?, View::open(b, b_layout)?);
        let out = ViewMut::open(onto, layout, (a.rows, b.columns))?;
        if a.columns != b.rows {
            candle_core::bail!("a product of {} columns and {} rows", a.columns, b.rows);
        }
        multiply(out, Before::Kept, self.scale, a, b);
        Ok(())
    }
}

/// Columns of a result up to which its transpose is made first.
const NARROW_MAX: usize = 32;

/// `out = scale × a·b`, or `out += scale × a·b`.
pub(super) fn multiply(out: ViewMut, before: Before, scale: f32, a: View, b: View) {
    let (rows, columns, inner) = (out.rows, out.columns, a.columns);
    assert!(a.rows == rows && b.columns == columns && b.rows == inner, "shapes that do not fit");
    if rows.min(columns).min(inner) >= LARGE_MIN
        && let Some(kernel) = kernels::of_f32()
    {
        let first = Bands::pack(Parts::Three, a);
        let term = Term { first: &first, second: Second::Plain(b) };
        return tiles::sum(out, before, scale, &[term], kernel);
    }
    if (1..=NARROW_MAX).contains(&columns) && rows > NARROW_MAX {
        // gemm makes vectors of a row's numbers, which here are few.
        let mut turned = vec![0f32; rows * columns];
        let out_turned = ViewMut::dense(&mut turned, columns, rows);
        multiply(out_turned, Before::Replaced, scale, b.transposed(), a.transposed());
        let (data, stride) = out.into_rows();
        for (row, out) in data.chunks_mut(stride).enumerate() {
            for (column, out) in out[..columns].iter_mut().enumerate() {
                let product = turned[column * rows + row];
                *out = product + if before == Before::Kept { *out } else { 0.0 };
            }
        }
        return;
    }
    // SAFETY: the constructors of the views saw that all elements of `rows × columns` lie in their
    // slices, and `transposed` keeps the set of elements; the assertion above ties the sizes that
    // gemm is given to those of the views; `out` is borrowed for writing, so it overlaps no input.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.data.as_mut_ptr(),
            1,
            out.row_stride as isize,
            before == Before::Kept,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0f32,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_views_are_those_of_the_numbers_in_them() {
        let a: Vec<f32> = (0..20).map(|x| x as f32).collect();
        let b: Vec<f32> = (0..12).map(|x| (x * x) as f32).collect();
        let mut out = vec![1.0; 10];
        // 2 × 3 out of rows of 5; 3 × 4 out of the transpose of 4 × 3; into rows of 5.
        let left = View::new(&a, 2, 3, 5);
        let right = View::dense(&b, 4, 3).transposed();
        multiply(ViewMut::new(&mut out, 2, 4, 5), Before::Kept, 2.0, left, right);
        for row in 0..2 {
            for column in 0..4 {
                let sum: f32 = (0..3).map(|i| a[row * 5 + i] * b[column * 3 + i]).sum();
                assert_eq!(out[row * 5 + column], 1.0 + 2.0 * sum);
            }
        }
        assert_eq!(out[4], 1.0, "the gap between rows stays");
    }
}
