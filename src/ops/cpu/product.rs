//! Matrix products on views of f32 slices, added to what is there or put in its place.
//!
//! candle's own product can only make a new tensor that it fills with zeros first; a residual, or
//! the term of an adapter, would then take another pass over memory.

use anyhow::{Result, ensure};
use candle_core::{CpuStorage, InplaceOp3, Layout, Storage, Tensor};

use super::slice::tensor;
use super::sums::LARGE_MIN;
use super::{kernels, tiles};

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

/// `rows × columns` numbers in a slice, any distance apart.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// Rows of `columns` numbers that begin `row_stride` apart.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(reach(rows, columns, row_stride) <= data.len(), "a view beyond its slice");
        View { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// A matrix of candle's, transposed or not.
    pub(super) fn open(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<Self> {
        let (rows, columns) = layout.shape().dims2()?;
        let data = &storage.as_slice::<f32>()?[layout.start_offset()..];
        match *layout.stride() {
            [row_stride, 1] => Ok(View::new(data, rows, columns, row_stride)),
            [1, stride] => Ok(View::new(data, columns, rows, stride).transposed()),
            _ => candle_core::bail!("a matrix with gaps within its rows"),
        }
    }

    /// Rows without a gap between them.
    pub(super) fn dense(data: &'a [f32], rows: usize, columns: usize) -> Self {
        View::new(data, rows, columns, columns)
    }

    /// Rows and columns.
    #[inline]
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// An element; 0 where none is.
    pub(super) fn at(&self, row: usize, column: usize) -> f32 {
        match row < self.rows && column < self.columns {
            true => self.data[row * self.row_stride + column * self.column_stride],
            false => 0.0,
        }
    }

    /// Whether the elements of a row lie side by side.
    #[inline]
    pub(super) fn lies_in_rows(&self) -> bool {
        self.column_stride == 1
    }

    /// From an element to the next of its row, or of its column.
    #[inline]
    pub(super) fn stride(&self, of_row: bool) -> usize {
        if of_row { self.column_stride } else { self.row_stride }
    }

    /// Elements of a row that lie side by side.
    #[inline]
    pub(super) fn row(&self, row: usize, column: usize, width: usize) -> &'a [f32] {
        let first = row * self.row_stride + column;
        &self.data[first..first + width]
    }

    /// Its rows as columns.
    #[inline]
    pub(super) fn transposed(self) -> Self {
        let View { data, rows, columns, row_stride, column_stride } = self;
        let (row_stride, column_stride) = (column_stride, row_stride);
        View { data, rows: columns, columns: rows, row_stride, column_stride }
    }
}

/// Rows of `columns` numbers that begin `row_stride` apart, to be written.
pub(super) struct ViewMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a> ViewMut<'a> {
    pub(super) fn new(data: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(reach(rows, columns, stride) <= data.len(), "a view beyond its slice");
        assert!(columns <= stride || rows <= 1, "rows that lie over each other");
        ViewMut { data, rows, columns, row_stride: stride }
    }

    pub(super) fn dense(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        ViewMut::new(data, rows, columns, columns)
    }

    /// A matrix of candle's without gaps, of that shape.
    pub(super) fn open(
        storage: &'a mut CpuStorage,
        layout: &Layout,
        (rows, columns): (usize, usize),
    ) -> candle_core::Result<Self> {
        let (start, end) = match layout.contiguous_offsets() {
            Some(offsets) if layout.shape().dims2()? == (rows, columns) => offsets,
            _ => candle_core::bail!("a product that does not fit: {rows} × {columns}"),
        };
        let CpuStorage::F32(data) = storage else { candle_core::bail!("the sum is not in f32") };
        Ok(ViewMut::dense(&mut data[start..end], rows, columns))
    }

    /// Rows and columns.
    #[inline]
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The numbers from its first to its last, and how far apart its rows begin.
    pub(super) fn into_rows(self) -> (&'a mut [f32], usize) {
        (&mut self.data[..reach(self.rows, self.columns, self.row_stride)], self.row_stride)
    }
}

/// What becomes of the numbers that the result's place holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// They are written over.
    Replaced,
    /// The product is added to them.
    Kept,
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
        return tiles::multiply(out, before, scale, a, b, kernel);
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

/// The number of elements from the first to the last of such a view.
fn reach(rows: usize, columns: usize, row_stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row_stride + columns }
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
