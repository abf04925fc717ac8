//! Squares of bf16, which the kernels multiply: how numbers lie in them, and what a kernel is.

use super::view::Before;

/// In how many parts a number is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Rounded to bf16.
    One = 1,
    /// Cut into three numbers in bf16, whose sum it is.
    Three = 3,
}

impl Parts {
    /// Lines of a square.
    pub(super) fn lines(self) -> usize {
        SQUARE * self as usize
    }
}

/// Rows, columns and terms of a square.
pub(super) const SIDE: usize = 32;
/// Lines that hold one part of a square.
pub(super) const SQUARE: usize = SIDE;
/// Words of a line.
pub(super) const WORDS: usize = SIDE / 2;

/// Pairs of bf16, of a row or of half of the columns: what a register holds, where no two lines of
/// the cache are needed to fill one.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; WORDS]);

/// The numbers of a square.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Sums(pub(super) [[f32; SIDE]; SIDE]);

impl Sums {
    pub(super) const ZERO: Sums = Sums([[0.0; SIDE]; SIDE]);
}

/// From a band of rows and panels of columns, all packed square by square: the product of the band
/// with each panel, added to its sums or replacing them.
pub(super) type Kernel = fn(&Band, &[Panel], &mut [Sums], Before);

/// Squares of a band of rows.
#[derive(Clone, Copy)]
pub(super) struct Band<'a> {
    /// In how many parts its numbers are held.
    pub(super) parts: Parts,
    /// Square by square, from left to right.
    pub(super) lines: &'a [Line],
    /// What is read after the product, and may be fetched during it.
    pub(super) next: &'a [Line],
}

/// Squares of a panel of columns.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// In how many parts its numbers are held: no more than those of the band.
    pub(super) parts: Parts,
    /// Square by square, from top to bottom.
    pub(super) lines: &'a [Line],
}

/// Which of the parts of two triples are multiplied; the others are too small to count.
const COUNTED: [(usize, usize); 6] = [(2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)];

/// What `dot` adds, for all squares and all parts that count.
#[inline(always)]
pub(super) fn by_parts(
    band: &Band,
    panels: &[Panel],
    sums: &mut [Sums],
    before: Before,
    dot: impl Fn(&[Line], &[Line], &mut Sums),
) {
    for (panel, sums) in panels.iter().zip(sums) {
        if before == Before::Replaced {
            *sums = Sums::ZERO;
        }
        let counted = COUNTED
            .iter()
            .filter(|(left, right)| *left < band.parts as usize && *right < panel.parts as usize);
        let rows = band.lines.chunks_exact(band.parts.lines());
        for (rows, lines) in rows.zip(panel.lines.chunks_exact(panel.parts.lines())) {
            for (left, right) in counted.clone() {
                let part = |part: &usize| part * SQUARE..(part + 1) * SQUARE;
                dot(&rows[part(left)], &lines[part(right)], sums);
            }
        }
    }
}
