//! Products by instructions that multiply bf16 and add up in f32: of rows with a matrix rounded to
//! bf16 and packed once, and of matrices in f32, as sums of products of their parts.
//!
//! Three numbers in bf16 hold the 24 bits of one in f32: the first eight, the next and the last. Of
//! the nine products of two such triples, six count; what the others would add is about the last
//! bit of f32 times a term. Where such an instruction does sixteen times the work of f32's, this is
//! faster, and no less exact than another order of the sum. Of a matrix that is whole in fewer
//! parts, as weights are that were made in bf16, fewer products are made.

use std::cell::Cell;

use anyhow::Result;
use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor};
use rayon::prelude::*;

use super::kernels::{self, Kernel, Line, Panel, SIDE, SQUARE, Sums, WORDS};
use super::math::wide;
use super::packing::{Factor, Parts, pack};
use super::product::{Before, View, ViewMut};
use super::slice::tensor;

/// Lines of packed rows that a piece of work takes, a mebibyte: what stays in the second cache
/// beside a panel.
const PIECE: usize = 1 << 14;

/// A matrix `[inner, columns]` as panels of columns, each as its squares from top to bottom.
#[derive(Debug)]
pub struct Panels {
    inner: usize,
    columns: usize,
    parts: Parts,
    /// Of each panel, how many of its parts are not 0.
    needed: Vec<usize>,
    lines: Vec<Line>,
}

/// Whether this machine multiplies rows faster with a matrix that is packed in bf16.
pub fn has_bf16() -> bool {
    kernels::of_bf16().is_some()
}

impl Panels {
    /// Packs `values`, which are the matrix row by row, or column by column, rounded to bf16.
    pub fn new(inner: usize, columns: usize, values: &[f32], by_columns: bool) -> Panels {
        let matrix = match by_columns {
            true => View::dense(values, columns, inner).transposed(),
            false => View::dense(values, inner, columns),
        };
        Panels::pack(Parts::One, matrix, Vec::new())
    }

    /// `x` `[rows, inner]` times the matrix, added to `onto`, whose memory is used.
    pub fn product(&self, x: &Tensor, onto: Option<Tensor>) -> Result<Tensor> {
        let shape = (x.dims2()?.0, self.columns);
        let onto = onto.map_or_else(|| tensor(vec![0.0; shape.0 * shape.1], shape), Ok)?;
        onto.inplace_op2(x, self)?;
        Ok(onto)
    }

    /// Packs a matrix into `lines`, which may hold anything.
    fn pack(parts: Parts, matrix: View, mut lines: Vec<Line>) -> Panels {
        let (inner, columns) = matrix.shape();
        let of_panel = inner.div_ceil(SIDE) * parts.lines();
        let count = columns.div_ceil(SIDE) * of_panel;
        lines.resize(count.max(lines.len()), Line::default());
        let pack = |(panel, lines): (usize, &mut [Line])| {
            let squares = lines.chunks_exact_mut(parts.lines()).enumerate();
            let pack = |(step, lines): (usize, &mut [Line])| {
                pack(Factor::Right, parts, &matrix, step * SIDE, panel * SIDE, lines)
            };
            squares.map(pack).max().unwrap_or(1)
        };
        let needed = match splits(inner * columns * SIDE) {
            true => lines[..count].par_chunks_mut(of_panel.max(1)).enumerate().map(pack).collect(),
            false => lines[..count].chunks_mut(of_panel.max(1)).enumerate().map(pack).collect(),
        };
        Panels { inner, columns, parts, needed, lines }
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.inner, self.columns)
    }

    /// An element of a matrix that was rounded.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        let square = column / SIDE * self.inner.div_ceil(SIDE) + row / SIDE;
        let (row, column) = (row % SIDE, column % SIDE);
        let line = square * SQUARE + column / WORDS * WORDS + row / 2;
        let word = self.lines[line].0[column % WORDS];
        f32::from_bits(if row % 2 == 0 { word << 16 } else { word & 0xffff_0000 })
    }

    /// `out = scale × a·self`, or `out += scale × a·self`.
    fn multiply(&self, out: ViewMut, before: Before, scale: f32, a: View, kernel: Kernel) {
        let (rows, inner) = a.shape();
        assert!(inner == self.inner && out.shape() == (rows, self.columns), "shapes do not fit");
        let of_band = inner.div_ceil(SIDE) * self.parts.lines();
        let bands = (PIECE / of_band.max(1)).clamp(1, rows.div_ceil(SIDE).max(1));
        let (data, stride) = out.into_rows();
        let piece = |(piece, out): (usize, &mut [f32])| {
            let first = piece * bands * SIDE;
            let a = a.rows(first..rows.min(first + bands * SIDE));
            let mut packed = ROWS.take();
            let bands = pack_rows(self.parts, a, &mut packed);
            self.piece(out, stride, before, scale, bands, kernel);
            ROWS.set(packed);
        };
        match splits(rows * inner * self.columns) {
            true => data.par_chunks_mut(bands * SIDE * stride).enumerate().for_each(piece),
            false => data.chunks_mut(bands * SIDE * stride).enumerate().for_each(piece),
        }
    }

    fn piece(
        &self,
        out: &mut [f32],
        stride: usize,
        before: Before,
        scale: f32,
        packed: &[Line],
        kernel: Kernel,
    ) {
        let of_band = self.inner.div_ceil(SIDE) * self.parts.lines();
        let mut sums = vec![Sums::ZERO; packed.len() / of_band];
        let panels = self.lines.chunks_exact(of_band).zip(&self.needed);
        for (at, (lines, needed)) in panels.enumerate() {
            let first = at * SIDE;
            let width = SIDE.min(self.columns - first);
            let panel = Panel { parts: self.parts, needed: *needed, lines };
            kernel(packed, &panel, &mut sums);
            wide!({
                for (band, sums) in sums.iter().enumerate() {
                    let out = &mut out[band * SIDE * stride..];
                    for row in 0..SIDE.min(out.len().div_ceil(stride)) {
                        let first = row * stride + first;
                        put(&mut out[first..first + width], &sums.0[row], before, scale);
                    }
                }
            });
        }
    }
}

impl InplaceOp2 for Panels {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(
        &self,
        onto: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> candle_core::Result<()> {
        let x = View::open(x, x_layout)?;
        let out = ViewMut::open(onto, layout, (x.shape().0, self.columns))?;
        if x.shape().1 != self.inner {
            candle_core::bail!("a product of {} columns and {} rows", x.shape().1, self.inner);
        }
        let kernel = kernels::of_bf16().unwrap_or(kernels::portable);
        self.multiply(out, Before::Kept, 1.0, x, kernel);
        Ok(())
    }
}

#[inline(always)]
fn put(out: &mut [f32], sums: &[f32; SIDE], before: Before, scale: f32) {
    // The width is known where it is that of a panel, so that few instructions do.
    match (out.first_chunk_mut::<SIDE>(), before) {
        (Some(out), Before::Replaced) => {
            for column in 0..SIDE {
                out[column] = scale * sums[column];
            }
        }
        (Some(out), Before::Kept) => {
            for column in 0..SIDE {
                out[column] += scale * sums[column];
            }
        }
        (None, _) => {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = scale * sum + if before == Before::Kept { *out } else { 0.0 };
            }
        }
    }
}

thread_local! {
    /// Packed rows, whose memory is used again.
    static ROWS: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
    /// Packed panels of matrices that are not kept.
    static PANELS: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// `out = scale × a·b`, or `out += scale × a·b`, of matrices in f32.
pub(super) fn multiply(out: ViewMut, before: Before, scale: f32, a: View, b: View, kernel: Kernel) {
    let panels = Panels::pack(Parts::Three, b, PANELS.take());
    panels.multiply(out, before, scale, a, kernel);
    PANELS.set(panels.lines);
}

/// Whether so much work is shared out between cores: as in gemm, which knows if each core has a
/// product of its own.
fn splits(work: usize) -> bool {
    work >= gemm::get_threading_threshold()
}

/// Rows as bands, each as the squares that it is made of from left to right.
fn pack_rows<'p>(parts: Parts, rows: View, packed: &'p mut Vec<Line>) -> &'p [Line] {
    let (count, inner) = rows.shape();
    let steps = inner.div_ceil(SIDE);
    let size = count.div_ceil(SIDE) * steps * parts.lines();
    packed.resize(size.max(packed.len()), Line::default());
    for (at, lines) in packed[..size].chunks_exact_mut(parts.lines()).enumerate() {
        pack(Factor::Left, parts, &rows, at / steps * SIDE, at % steps * SIDE, lines);
    }
    &packed[..size]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn products_are_as_exact_as_their_parts_are() {
        for (rows, inner, columns) in [(1, 1, 1), (32, 64, 32), (13, 7, 33), (200, 300, 100)] {
            let (a, b) = (noise(rows * inner, 1), noise(inner * columns, 2));
            let b_columns: Vec<f32> =
                (0..inner * columns).map(|i| b[i % inner * columns + i / inner]).collect();
            let rounded = Panels::new(inner, columns, &b, false);
            for (at, x) in b.iter().enumerate() {
                assert!((rounded.at(at / columns, at % columns) - x).abs() <= x.abs() / 256.0);
            }
            let panels = [
                (rounded, 5e-3),
                (Panels::new(inner, columns, &b_columns, true), 5e-3),
                (Panels::pack(Parts::Three, View::dense(&b, inner, columns), Vec::new()), 3e-7),
            ];
            let fast = [kernels::of_bf16(), Some(kernels::portable as Kernel)];
            for (kernel, (panels, bound)) in fast
                .into_iter()
                .flatten()
                .flat_map(|kernel| panels.iter().map(move |p| (kernel, p)))
            {
                // Rows with gaps, and numbers behind the last, that stay as they were.
                let stride = columns + 3;
                let mut out = vec![1.0; (rows + 40) * stride];
                let to = ViewMut::new(&mut out, rows, columns, stride);
                panels.multiply(to, Before::Kept, 2.0, View::dense(&a, rows, inner), kernel);
                for (at, found) in out.iter().enumerate() {
                    let (row, column) = (at / stride, at % stride);
                    if row >= rows || column >= columns {
                        assert_eq!(*found, 1.0, "{row}, {column}");
                        continue;
                    }
                    let term =
                        |i| f64::from(a[row * inner + i]) * f64::from(b[i * columns + column]);
                    let sum: f64 = 1.0 + 2.0 * (0..inner).map(term).sum::<f64>();
                    let size: f64 = 1.0 + 2.0 * (0..inner).map(|i| term(i).abs()).sum::<f64>();
                    let off = (f64::from(*found) - sum).abs() / size;
                    assert!(off < *bound, "{rows} {inner} {columns}: {found}, not {sum}");
                }
            }
        }
    }
}
