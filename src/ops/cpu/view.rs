//! Matrices as views of f32 slices, transposed or with gaps between their rows.

use candle_core::{CpuStorage, Layout};

/// `rows × columns` numbers in a slice, any distance apart.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
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
    pub(super) data: &'a mut [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
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

/// What becomes of the old numbers of the result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// They are written over.
    Replaced,
    /// The product is added to them.
    Kept,
}

/// The number of elements from the first to the last of such a view.
fn reach(rows: usize, columns: usize, row_stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row_stride + columns }
}
