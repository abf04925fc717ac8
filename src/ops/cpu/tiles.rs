//! Sums of products by instructions that multiply bf16 and accumulate in f32: with matrices rounded
//! to bf16 and packed once, and with matrices in f32, split into parts (Henry, Tang and Heinecke
//! 2019, arXiv:1904.06376).
//!
//! Three numbers in bf16 hold the 24 bits of one in f32: the first eight, the next and the last. Of
//! the nine products of two such triples, six count; what the others would add is about the last
//! bit of f32 times a term. Where such an instruction does sixteen times the work of f32's, this is
//! faster, and no less exact than another order of the sum. A matrix of numbers in bf16, as most
//! models are published, is exact in one part: rows in three make three products with it.
//!
//! Rows are packed once for all products that read them. A matrix that is not kept packed is packed
//! a block at a time, and the block is used for all rows while it lies in the second cache.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut, Range};

use rayon::prelude::*;

use super::packing::{Factor, Square, pack};
use super::square::{Band, Kernel, Line, Panel, Parts, SIDE, SQUARE, Sums, WORDS};
use super::view::{Before, View, ViewMut};
use crate::wide::wide;

/// Panels of columns that a piece of work takes at the most.
pub(super) const PANELS: usize = 9;
/// Lines of panels that are used at once, a mebibyte: what stays in the second cache beside a band.
const HELD: usize = 1 << 14;

/// A matrix `[rows, inner]` as bands of rows, each as its squares from left to right.
#[derive(Debug)]
pub(super) struct Bands {
    rows: usize,
    inner: usize,
    parts: Parts,
    lines: Lines,
}

/// A matrix `[inner, columns]`, rounded to bf16 or in parts, as panels of columns, each as its
/// squares from top to bottom.
#[derive(Debug)]
pub struct Panels {
    /// In how many parts rows are held that it is multiplied with.
    rows: Parts,
    /// In how many parts it is held itself.
    own: Parts,
    inner: usize,
    columns: usize,
    lines: Vec<Line>,
}

/// The second factor of a product `[inner, columns]`.
#[derive(Clone, Copy)]
pub(super) enum Second<'a> {
    Packed(Part<'a>),
    Plain(View<'a>),
}

/// Some columns of a packed matrix, from the first of a panel on.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    of: &'a Panels,
    panel: usize,
    columns: usize,
}

/// A product of a sum.
#[derive(Clone, Copy)]
pub(super) struct Term<'a> {
    pub(super) first: &'a Bands,
    pub(super) second: Second<'a>,
}

impl Bands {
    pub(super) fn pack(parts: Parts, matrix: View) -> Bands {
        let (rows, inner) = matrix.shape();
        let squares = squares(inner);
        let of_band = squares * parts.lines();
        let mut lines = Lines::of(rows.div_ceil(SIDE) * of_band);
        let pack = |(band, lines): (usize, &mut [Line])| {
            for (square, lines) in lines.chunks_exact_mut(parts.lines()).enumerate() {
                let (row, column) = (band * SIDE, square * SIDE);
                pack(Factor::Left, parts, Square { matrix: &matrix, row, column }, lines);
            }
        };
        match splits(rows * inner * SIDE) {
            true => lines.par_chunks_mut(of_band.max(1)).enumerate().for_each(pack),
            false => lines.chunks_mut(of_band.max(1)).enumerate().for_each(pack),
        }
        Bands { rows, inner, parts, lines }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Some squares of a band.
    fn lines(&self, band: usize, some: &Range<usize>) -> &[Line] {
        let (first, of_square) = (band * squares(self.inner), self.parts.lines());
        &self.lines[(first + some.start) * of_square..(first + some.end) * of_square]
    }
}

impl Panels {
    pub(super) fn pack(matrix: View, rows: Parts, own: Parts) -> Panels {
        let (inner, columns) = matrix.shape();
        let of_panel = squares(inner) * own.lines();
        let mut lines = vec![Line::default(); columns.div_ceil(SIDE) * of_panel];
        let pack = |(panel, lines): (usize, &mut [Line])| {
            pack_panel(own, &matrix, panel, 0..squares(inner), lines);
        };
        match splits(inner * columns * SIDE) {
            true => lines.par_chunks_mut(of_panel.max(1)).enumerate().for_each(pack),
            false => lines.chunks_mut(of_panel.max(1)).enumerate().for_each(pack),
        }
        Panels { rows, own, inner, columns, lines }
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.inner, self.columns)
    }

    /// All of it.
    pub(super) fn whole(&self) -> Part<'_> {
        self.part(0..self.columns)
    }

    /// Those columns.
    ///
    /// # Panics
    /// If they begin within a panel, or end beyond the last.
    pub(super) fn part(&self, columns: Range<usize>) -> Part<'_> {
        let fits = columns.start.is_multiple_of(SIDE) && columns.end <= self.columns;
        assert!(fits, "columns of a panel");
        Part { of: self, panel: columns.start / SIDE, columns: columns.len() }
    }

    /// In how many parts rows are held that it is multiplied with.
    pub(crate) fn rows(&self) -> Parts {
        self.rows
    }

    /// An element.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        let square = column / SIDE * squares(self.inner) + row / SIDE;
        let (row, column) = (row % SIDE, column % SIDE);
        let line = square * self.own.lines() + column / WORDS * WORDS + row % WORDS;
        let part = |part: usize| {
            let word = self.lines[line + part * SQUARE].0[column % WORDS];
            f32::from_bits(if row < WORDS { word << 16 } else { word & 0xffff_0000 })
        };
        (0..self.own as usize).map(part).sum()
    }

    /// Some squares of a panel.
    fn lines(&self, panel: usize, some: &Range<usize>) -> &[Line] {
        let (first, of_square) = (panel * squares(self.inner), self.own.lines());
        &self.lines[(first + some.start) * of_square..(first + some.end) * of_square]
    }
}

impl Second<'_> {
    /// Rows and columns.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Second::Packed(part) => (part.of.inner, part.columns),
            Second::Plain(view) => view.shape(),
        }
    }
}

/// `out = scale × Σ first·second`, or `out += scale × Σ first·second`.
pub(super) fn sum(out: ViewMut, before: Before, scale: f32, terms: &[Term], kernel: Kernel) {
    let (rows, columns) = out.shape();
    let mut work = 0;
    for Term { first, second } in terms {
        let fits = first.rows == rows && second.shape() == (first.inner, columns);
        assert!(fits, "shapes that do not fit");
        work += rows * first.inner * columns;
    }
    let threads = if splits(work) { rayon::current_num_threads() } else { 1 };
    let (bands, panels) = (rows.div_ceil(SIDE), columns.div_ceil(SIDE));
    let wide = panels.div_ceil(threads).clamp(1, PANELS);
    // Where columns alone are too few for all threads, rows are distributed too.
    let tall = bands.div_ceil(threads.div_ceil(panels.div_ceil(wide).max(1))).max(1);
    let mut pieces = cut(out, tall, wide);
    let one = |piece: &mut Piece| piece.compute(before, scale, terms, kernel);
    match threads {
        1 => pieces.iter_mut().for_each(one),
        _ => pieces.par_iter_mut().for_each(one),
    }
}

/// Bands and panels of a result that are computed together.
struct Piece<'a> {
    band: usize,
    panel: usize,
    /// Its part of each row of the result.
    rows: Vec<&'a mut [f32]>,
}

fn cut(out: ViewMut<'_>, bands: usize, panels: usize) -> Vec<Piece<'_>> {
    let columns = out.shape().1;
    let (numbers, stride) = out.into_rows();
    let mut pieces: Vec<Piece> = Vec::new();
    for (down, rows) in numbers.chunks_mut((bands * SIDE * stride).max(1)).enumerate() {
        let before = pieces.len();
        let across = 0..columns.div_ceil(panels * SIDE);
        let piece = |right| Piece { band: down * bands, panel: right * panels, rows: Vec::new() };
        pieces.extend(across.map(piece));
        for row in rows.chunks_mut(stride) {
            let parts = row[..columns].chunks_mut(panels * SIDE);
            pieces[before..].iter_mut().zip(parts).for_each(|(piece, part)| piece.rows.push(part));
        }
    }
    pieces
}

impl Piece<'_> {
    fn compute(&mut self, before: Before, scale: f32, terms: &[Term], kernel: Kernel) {
        let panels = self.rows[0].len().div_ceil(SIDE);
        let mut held = SUMS.take();
        let count = self.rows.len().div_ceil(SIDE) * panels;
        held.resize(count.max(held.len()), Sums::ZERO);
        let last = self.band + count / panels;
        let (sums, mut so_far) = (&mut held[..count], Before::Replaced);
        let own = self.panel..self.panel + panels;
        for Term { first, second } in terms {
            let (parts, all) = match second {
                Second::Packed(part) => (part.of.own, squares(first.inner)),
                Second::Plain(_) => (first.parts, squares(first.inner)),
            };
            let deep = (HELD / (panels * parts.lines())).max(1);
            for start in (0..all).step_by(deep) {
                let some = start..all.min(start + deep);
                let packed;
                let lines: Vec<&[Line]> = match second {
                    Second::Packed(part) => {
                        let lines = |panel| part.of.lines(part.panel + panel, &some);
                        own.clone().map(lines).collect()
                    }
                    Second::Plain(view) => {
                        packed = pack_block(parts, view, own.clone(), &some);
                        packed.chunks_exact(some.len() * parts.lines()).collect()
                    }
                };
                let block: Vec<Panel> =
                    lines.into_iter().map(|lines| Panel { parts, lines }).collect();
                for (band, sums) in sums.chunks_exact_mut(panels).enumerate() {
                    let lines = |band| first.lines(band, &some);
                    let band = self.band + band;
                    let next = if band + 1 < last { lines(band + 1) } else { &[] };
                    let band = Band { parts: first.parts, lines: lines(band), next };
                    kernel(&band, &block, sums, so_far);
                }
                so_far = Before::Kept;
            }
        }
        if so_far == Before::Replaced {
            sums.fill(Sums::ZERO);
        }
        self.put(sums, before, scale);
        SUMS.set(held);
    }

    fn put(&mut self, sums: &[Sums], before: Before, scale: f32) {
        let panels = self.rows[0].len().div_ceil(SIDE);
        wide!({
            for (row, out) in self.rows.iter_mut().enumerate() {
                for panel in 0..panels {
                    let columns = panel * SIDE..out.len().min((panel + 1) * SIDE);
                    let sums = &sums[row / SIDE * panels + panel].0[row % SIDE];
                    put(&mut out[columns], sums, before, scale);
                }
            }
        });
    }
}

#[inline(always)]
fn put(out: &mut [f32], sums: &[f32; SIDE], before: Before, scale: f32) {
    let one = |out: &mut f32, sum: f32| {
        *out = scale * sum + if before == Before::Kept { *out } else { 0.0 };
    };
    // An array and an index: without a known length the compiler makes few vectors.
    if let Some(out) = out.first_chunk_mut::<SIDE>() {
        for column in 0..SIDE {
            one(&mut out[column], sums[column]);
        }
        return;
    }
    for column in 0..out.len() {
        one(&mut out[column], sums[column]);
    }
}

/// Packs some squares of some panels.
fn pack_block(parts: Parts, matrix: &View, panels: Range<usize>, some: &Range<usize>) -> Lines {
    let of_panel = some.len() * parts.lines();
    let mut block = Lines::of(panels.len() * of_panel);
    for (panel, lines) in panels.zip(block.chunks_exact_mut(of_panel)) {
        pack_panel(parts, matrix, panel, some.clone(), lines);
    }
    block
}

/// Packs some squares of a panel.
fn pack_panel(parts: Parts, matrix: &View, panel: usize, some: Range<usize>, lines: &mut [Line]) {
    for (square, lines) in some.zip(lines.chunks_exact_mut(parts.lines())) {
        let (row, column) = (square * SIDE, panel * SIDE);
        pack(Factor::Right, parts, Square { matrix, row, column }, lines);
    }
}

/// Squares of that number of terms.
fn squares(inner: usize) -> usize {
    inner.div_ceil(SIDE)
}

/// Whether that much work is distributed between cores: as in gemm, which knows if each core has a
/// product of its own.
fn splits(work: usize) -> bool {
    work >= gemm::get_threading_threshold()
}

thread_local! {
    /// Memory of a piece's sums.
    static SUMS: Cell<Vec<Sums>> = const { Cell::new(Vec::new()) };
    /// Memory of lines that are no more needed.
    static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Lines that hold anything at first, and whose memory is used again.
#[derive(Debug)]
struct Lines {
    memory: Vec<Line>,
    count: usize,
}

impl Lines {
    fn of(count: usize) -> Lines {
        let mut memory = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
        memory.resize(count.max(memory.len()), Line::default());
        Lines { memory, count }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        FREE.with_borrow_mut(|free| free.push(memory));
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.memory[..self.count]
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [Line] {
        &mut self.memory[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernels;
    use super::*;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn products_are_as_exact_as_their_parts_are() {
        for (rows, inner, columns) in
            [(1, 1, 1), (32, 64, 32), (13, 7, 33), (200, 300, 100), (90, 2000, 700)]
        {
            let (a, b) = (noise(rows * inner, 1), noise(inner * columns, 2));
            let b_columns: Vec<f32> =
                (0..inner * columns).map(|i| b[i % inner * columns + i / inner]).collect();
            let rounded = Panels::pack(View::dense(&b, inner, columns), Parts::One, Parts::One);
            for (at, x) in b.iter().enumerate() {
                assert!((rounded.at(at / columns, at % columns) - x).abs() <= x.abs() / 256.0);
            }
            let by_columns = View::dense(&b_columns, columns, inner);
            let by_columns = Panels::pack(by_columns.transposed(), Parts::One, Parts::One);
            let in_parts =
                Panels::pack(View::dense(&b, inner, columns), Parts::Three, Parts::Three);
            for (at, x) in b.iter().enumerate() {
                assert_eq!(in_parts.at(at / columns, at % columns), *x);
            }
            // One and twice the product, and the same of what its terms measure.
            let exact: Vec<(f64, f64)> = (0..rows * columns)
                .map(|at| {
                    let row = &a[at / columns * inner..][..inner];
                    let column = b[at % columns..].iter().step_by(columns);
                    row.iter().zip(column).fold((1.0, 1.0), |(sum, size), (x, y)| {
                        let term = 2.0 * f64::from(*x) * f64::from(*y);
                        (sum + term, size + term.abs())
                    })
                })
                .collect();
            let seconds = [
                (Second::Packed(rounded.whole()), Parts::One, 5e-3),
                (Second::Packed(by_columns.whole()), Parts::One, 5e-3),
                (Second::Packed(in_parts.whole()), Parts::Three, 3e-7),
                (Second::Plain(View::dense(&b, inner, columns)), Parts::Three, 3e-7),
            ];
            let fast = [kernels::of_bf16(), Some(kernels::portable as Kernel)];
            for (kernel, (second, parts, bound)) in
                fast.into_iter().flatten().flat_map(|kernel| seconds.map(|second| (kernel, second)))
            {
                // Rows with gaps, and numbers behind the last, that stay as they were.
                let stride = columns + 3;
                let mut out = vec![1.0; (rows + 40) * stride];
                let to = ViewMut::new(&mut out, rows, columns, stride);
                let first = Bands::pack(parts, View::dense(&a, rows, inner));
                // Once with all of its weight, and once more.
                let terms = [Term { first: &first, second }; 2];
                sum(to, Before::Kept, 1.0, &terms, kernel);
                for (at, found) in out.iter().enumerate() {
                    let (row, column) = (at / stride, at % stride);
                    if row >= rows || column >= columns {
                        assert_eq!(*found, 1.0, "{row}, {column}");
                        continue;
                    }
                    let (sum, size) = exact[row * columns + column];
                    let off = (f64::from(*found) - sum).abs() / size;
                    assert!(off < bound, "{rows} {inner} {columns}: {found}, not {sum}");
                }
            }
        }
    }
}
