//! Products of f32 rows with a matrix in bf16 that is packed once, for machines that multiply and
//! add two pairs of bf16 at once (AVX512-BF16). Sums are in f32.

use anyhow::Result;
use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor};
use rayon::prelude::*;

use super::slice::{Slice, tensor};

/// Rows of a tile: with two registers a row, what the 32 registers of AVX-512 hold beside the
/// columns of the matrix.
const ROWS: usize = 12;
/// Columns of a panel: two registers.
const COLUMNS: usize = 32;
/// Rows of a block, whose packed form stays in the second cache for all panels.
const BLOCK: usize = 16 * ROWS;

/// The sums of a tile.
type Tile = [[f32; COLUMNS]; ROWS];
/// The tile's rows `[pairs][ROWS]` times a panel `[pairs][COLUMNS]`.
type Dot = fn(&[u32], &[u32]) -> Tile;

/// A matrix `[inner, columns]` as panels of columns; in each, pair by pair of rows, a word a column
/// with the upper row's element in its low half.
#[derive(Debug)]
pub struct Panels {
    inner: usize,
    columns: usize,
    words: Vec<u32>,
}

impl Panels {
    /// Packs the matrix whose elements `at` gives by row and column, rounded to bf16.
    pub fn new(inner: usize, columns: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Panels {
        let pairs = inner.div_ceil(2);
        let mut words = vec![0; columns.div_ceil(COLUMNS) * pairs * COLUMNS];
        let element = |row: usize, column: usize| match row < inner && column < columns {
            true => at(row, column),
            false => 0.0,
        };
        let panels = words.par_chunks_mut((pairs * COLUMNS).max(1)).enumerate();
        panels.for_each(|(panel, words)| {
            for (place, word) in words.iter_mut().enumerate() {
                let (row, column) = (place / COLUMNS * 2, panel * COLUMNS + place % COLUMNS);
                *word = pair(element(row, column), element(row + 1, column));
            }
        });
        Panels { inner, columns, words }
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.inner, self.columns)
    }

    /// An element.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        let panel = column / COLUMNS * self.pairs() * COLUMNS;
        let word = self.words[panel + row / 2 * COLUMNS + column % COLUMNS];
        halves(word)[row % 2]
    }

    /// `x` `[rows, inner]` times the matrix, added to `onto`, whose memory is used.
    pub fn product(&self, x: &Tensor, onto: Option<Tensor>) -> Result<Tensor> {
        let x = x.contiguous()?;
        if let Some(onto) = onto {
            onto.inplace_op2(&x, self)?;
            return Ok(onto);
        }
        let rows = x.dims2()?.0;
        let mut out = vec![0.0; rows * self.columns];
        self.add(&mut out, Slice::open(&x)?.get()?, dot());
        tensor(out, (rows, self.columns))
    }

    fn pairs(&self) -> usize {
        self.inner.div_ceil(2)
    }

    /// Adds the product with the rows `x` to `out`.
    fn add(&self, out: &mut [f32], x: &[f32], dot: Dot) {
        let rows = x.len() / self.inner;
        let share = rows.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS);
        let block = share.clamp(ROWS, BLOCK);
        let blocks = out.par_chunks_mut(block * self.columns).zip(x.par_chunks(block * self.inner));
        blocks.for_each_init(Vec::new, |packed, (out, x)| self.add_block(out, x, packed, dot));
    }

    fn add_block(&self, out: &mut [f32], x: &[f32], packed: &mut Vec<u32>, dot: Dot) {
        let of_tile = self.pairs() * ROWS;
        pack_rows(x, self.inner, packed);
        for (panel, words) in self.words.chunks_exact(self.pairs() * COLUMNS).enumerate() {
            let first = panel * COLUMNS;
            let width = COLUMNS.min(self.columns - first);
            let tiles = out.chunks_mut(ROWS * self.columns).zip(packed.chunks_exact(of_tile));
            for (out, rows) in tiles {
                let sums = dot(rows, words);
                for (out, sums) in out.chunks_exact_mut(self.columns).zip(&sums) {
                    let out = &mut out[first..first + width];
                    out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                }
            }
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
        let (rows, inner) = x_layout.shape().dims2()?;
        let fits = inner == self.inner && layout.shape().dims2()? == (rows, self.columns);
        let (CpuStorage::F32(onto), CpuStorage::F32(x), true) = (onto, x, fits) else {
            candle_core::bail!("a packed product of other shapes, or not in f32")
        };
        let (Some(to), Some(from)) = (layout.contiguous_offsets(), x_layout.contiguous_offsets())
        else {
            candle_core::bail!("a packed product of rows with gaps")
        };
        self.add(&mut onto[to.0..to.1], &x[from.0..from.1], dot());
        Ok(())
    }
}

/// Whether this machine has the instruction.
pub fn has_pairs() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The fastest of this machine.
fn dot() -> Dot {
    #[cfg(target_arch = "x86_64")]
    if has_pairs() {
        // SAFETY: the machine has what `dot_avx512` is compiled for.
        return |rows, panel| unsafe { dot_avx512(rows, panel) };
    }
    dot_portable
}

/// Rows as tiles `[pairs][ROWS]`, rounded to bf16; rows and elements that are missing are 0.
fn pack_rows(x: &[f32], inner: usize, packed: &mut Vec<u32>) {
    let of_tile = inner.div_ceil(2) * ROWS;
    packed.clear();
    packed.resize((x.len() / inner).div_ceil(ROWS) * of_tile, 0);
    for (row, x) in x.chunks_exact(inner).enumerate() {
        let words = packed[row / ROWS * of_tile..].iter_mut().skip(row % ROWS).step_by(ROWS);
        let pairs = x.chunks(2).map(|two| pair(two[0], two.get(1).copied().unwrap_or(0.0)));
        words.zip(pairs).for_each(|(word, pair)| *word = pair);
    }
}

fn dot_portable(rows: &[u32], panel: &[u32]) -> Tile {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (rows, panel) in rows.chunks_exact(ROWS).zip(panel.chunks_exact(COLUMNS)) {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let [low, high] = halves(*row);
            for (sum, word) in sums.iter_mut().zip(panel) {
                let [upper, lower] = halves(*word);
                *sum += low * upper;
                *sum += high * lower;
            }
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn dot_avx512(rows: &[u32], panel: &[u32]) -> Tile {
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_set1_epi32,
        _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: both are 512 bits of any kind.
    let bf16 = |words: __m512i| unsafe { std::mem::transmute::<__m512i, __m512bh>(words) };
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    for (rows, panel) in rows.chunks_exact(ROWS).zip(panel.chunks_exact(COLUMNS)) {
        // SAFETY: a chunk of the panel has 32 words, 16 to a register.
        let [left, right] =
            [0, 16].map(|at| bf16(unsafe { _mm512_loadu_si512(panel.as_ptr().add(at).cast()) }));
        for (sums, row) in sums.iter_mut().zip(rows) {
            let row = bf16(_mm512_set1_epi32(row.cast_signed()));
            sums[0] = _mm512_dpbf16_ps(sums[0], row, left);
            sums[1] = _mm512_dpbf16_ps(sums[1], row, right);
        }
    }
    let mut tile = [[0.0; COLUMNS]; ROWS];
    for (row, sums) in tile.iter_mut().zip(&sums) {
        for (half, sum) in row.chunks_exact_mut(COLUMNS / 2).zip(sums) {
            // SAFETY: half a row has 16 numbers, which is what a register holds.
            unsafe { _mm512_storeu_ps(half.as_mut_ptr(), *sum) };
        }
    }
    tile
}

/// Two numbers rounded to bf16, the first in the low half.
fn pair(first: f32, second: f32) -> u32 {
    rounded(first) | rounded(second) << 16
}

/// The upper half of a number's bits, rounded to the nearest, halves to even; NaN stays NaN.
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    match x.is_nan() {
        true => bits >> 16 | 0x40,
        false => (bits + 0x7fff + (bits >> 16 & 1)) >> 16,
    }
}

fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that bf16 has exactly.
    fn noise(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 201) as f32 / 64.0 - 1.5).map(narrow).collect()
    }

    fn narrow(x: f32) -> f32 {
        halves(rounded(x))[0]
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest() {
        for (x, expected) in [
            (1.0, 1.0),
            (1.003_906_3, 1.0),
            (1.003_906_4, 1.007_812_5),
            (1.011_718_8, 1.015_625),
            (-3.0e38, -3.004_055_3e38),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ] {
            assert_eq!(narrow(x), expected, "{x}");
        }
        assert!(narrow(f32::NAN).is_nan() && narrow(f32::from_bits(0x7fff_ffff)).is_nan());
    }

    #[test]
    fn products_are_those_of_the_rounded_numbers_whatever_the_shapes() {
        let mut dots: Vec<Dot> = vec![dot_portable];
        match has_pairs() {
            true => dots.push(dot()),
            false => eprintln!("NOT RUN here: AVX512-BF16"),
        }
        for (rows, inner, columns) in
            [(1, 1, 1), (12, 2, 32), (13, 7, 33), (5, 64, 31), (200, 48, 100), (400, 5, 3)]
        {
            let (a, b) = (noise(rows * inner), noise(inner * columns));
            let panels = Panels::new(inner, columns, |row, column| b[row * columns + column]);
            for dot in &dots {
                let mut out = vec![1.0; rows * columns];
                panels.add(&mut out, &a, *dot);
                for (at, found) in out.iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let terms = (0..inner).map(|i| {
                        f64::from(a[row * inner + i]) * f64::from(b[i * columns + column])
                    });
                    let expected = 1.0 + terms.sum::<f64>();
                    let off = (f64::from(*found) - expected).abs() / (1.0 + expected.abs());
                    assert!(off < 1e-5, "{row}, {column}: {found}, not {expected}");
                }
            }
            for (at, expected) in b.iter().enumerate() {
                assert_eq!(panels.at(at / columns, at % columns), *expected);
            }
        }
    }
}
