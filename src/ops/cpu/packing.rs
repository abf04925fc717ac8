//! Matrices in f32 as the squares of bf16 that the kernels read, a line a register.

use super::kernels::{Line, SIDE, SQUARE, WORDS};
use super::product::View;

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

/// What a matrix is in a product. A word of a line has two elements, those of two terms of the sum
/// that half a square lies between; the first has the lower bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    /// The first. A line has a row of a square.
    Left,
    /// The second. A line has halves of two rows of a square.
    Right,
}

/// Packs the square of a matrix that begins at a row and a column; elements that are missing are 0.
pub(super) fn pack(
    factor: Factor,
    parts: Parts,
    matrix: &View,
    row: usize,
    column: usize,
    lines: &mut [Line],
) {
    #[cfg(target_arch = "x86_64")]
    if wide::can_pack() {
        // SAFETY: the machine has what `pack` is compiled for.
        return unsafe { wide::pack(factor, parts, matrix, row, column, lines) };
    }
    pack_portable(factor, parts, matrix, row, column, lines);
}

fn pack_portable(
    factor: Factor,
    parts: Parts,
    matrix: &View,
    row: usize,
    column: usize,
    lines: &mut [Line],
) {
    for line in 0..SQUARE {
        for word in 0..WORDS {
            let places = match factor {
                Factor::Left => [(line, word), (line, WORDS + word)],
                Factor::Right => {
                    let (down, right) = (line % WORDS, line / WORDS * WORDS + word);
                    [(down, right), (WORDS + down, right)]
                }
            };
            let mut pair = places.map(|(down, right)| matrix.at(row + down, column + right));
            for part in 0..parts as usize {
                let [low, high] = pair.each_mut().map(|x| take_part(parts, x));
                lines[part * SQUARE + line].0[word] = low >> 16 | high;
            }
        }
    }
}

/// The next part of a number, in the upper half of a word; what is left of it stays.
fn take_part(parts: Parts, x: &mut f32) -> u32 {
    let bits = x.to_bits();
    let taken = match parts {
        Parts::Three => bits,
        Parts::One if x.is_nan() => bits | QUIET,
        Parts::One => bits.wrapping_add(0x7fff + (bits >> 16 & 1)),
    } & UPPER;
    *x -= f32::from_bits(taken);
    taken
}

/// The bits of a word that bf16 has.
const UPPER: u32 = 0xffff_0000;
/// What makes a NaN one whose lower bits do not count.
const QUIET: u32 = 0x40_0000;

/// The same by AVX-512, sixteen numbers at once.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m512, __m512i, _CMP_UNORD_Q, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi32,
        _mm512_and_si512, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps_si512,
        _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_mask_blend_epi16, _mm512_mask_or_epi32,
        _mm512_maskz_loadu_ps, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_shuffle_f32x4,
        _mm512_srli_epi32, _mm512_storeu_si512, _mm512_sub_ps, _mm512_unpackhi_pd,
        _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
    };

    use super::{Factor, Line, Parts, QUIET, SIDE, SQUARE, UPPER, View, WORDS};

    /// Sixteen rows of sixteen numbers.
    type Quarter = [__m512; WORDS];

    pub(super) fn can_pack() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn pack(
        factor: Factor,
        parts: Parts,
        matrix: &View,
        row: usize,
        column: usize,
        lines: &mut [Line],
    ) {
        let lines = &mut lines[..parts.lines()];
        for half in [0, WORDS] {
            let [first, second] = match factor {
                Factor::Left => [(row + half, column), (row + half, column + WORDS)],
                Factor::Right => [(row, column + half), (row + WORDS, column + half)],
            };
            let first = quarter(factor, matrix, first.0, first.1);
            let second = quarter(factor, matrix, second.0, second.1);
            for at in 0..WORDS {
                let (mut a, mut b) = (first[at], second[at]);
                for part in 0..parts as usize {
                    let (low, high) = (take_part(parts, &mut a), take_part(parts, &mut b));
                    store(&mut lines[part * SQUARE + half + at], interleaved(low, high));
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(line: &mut Line, words: __m512i) {
        // SAFETY: a line has the 512 bits of a register.
        unsafe { _mm512_storeu_si512(line.0.as_mut_ptr().cast(), words) };
    }

    /// In each word the upper half of the one below that of the other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn interleaved(low: __m512i, high: __m512i) -> __m512i {
        _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_srli_epi32::<16>(low), high)
    }

    /// See [`super::take_part`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn take_part(parts: Parts, x: &mut __m512) -> __m512i {
        let bits = _mm512_castps_si512(*x);
        let upper = _mm512_set1_epi32(UPPER.cast_signed());
        if parts == Parts::One {
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let near = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(*x, *x);
            let quiet = _mm512_set1_epi32(QUIET.cast_signed());
            return _mm512_and_si512(_mm512_mask_or_epi32(near, nan, bits, quiet), upper);
        }
        let taken = _mm512_and_si512(bits, upper);
        *x = _mm512_sub_ps(*x, _mm512_castsi512_ps(taken));
        taken
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn quarter(factor: Factor, matrix: &View, row: usize, column: usize) -> Quarter {
        let ahead = SIDE * matrix.stride(factor == Factor::Left);
        match matrix.lies_in_rows() {
            true => load(matrix, row, column, ahead),
            false => transposed(&load(&matrix.transposed(), column, row, ahead)),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(matrix: &View, row: usize, column: usize, ahead: usize) -> Quarter {
        let mut quarter = [_mm512_setzero_ps(); WORDS];
        let (rows, columns) = matrix.shape();
        let width = columns.saturating_sub(column).min(WORDS);
        let rows = if width == 0 { 0 } else { rows.saturating_sub(row) };
        let mask = ((1u32 << width) - 1) as u16;
        for (down, line) in quarter.iter_mut().enumerate().take(rows) {
            let numbers = matrix.row(row + down, column, width);
            let next = numbers.as_ptr().wrapping_add(ahead);
            // SAFETY: the mask has as many numbers as there are; what is fetched ahead may lie
            // anywhere.
            *line = unsafe {
                _mm_prefetch::<_MM_HINT_T0>(next.cast());
                _mm512_maskz_loadu_ps(mask, numbers.as_ptr())
            };
        }
        quarter
    }

    /// Rows as columns: within the four lanes of four registers, and then lanes between registers.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transposed(x: &Quarter) -> Quarter {
        let (mut two, mut four, mut columns) = (*x, *x, *x);
        for (i, two) in two.iter_mut().enumerate() {
            let (a, b) = (x[i & !1], x[i | 1]);
            *two = match i & 1 {
                0 => _mm512_unpacklo_ps(a, b),
                _ => _mm512_unpackhi_ps(a, b),
            };
        }
        for (i, four) in four.iter_mut().enumerate() {
            let at = (i & !3) + i % 4 / 2;
            let (a, b) = (_mm512_castps_pd(two[at]), _mm512_castps_pd(two[at + 2]));
            *four = _mm512_castpd_ps(match i & 1 {
                0 => _mm512_unpacklo_pd(a, b),
                _ => _mm512_unpackhi_pd(a, b),
            });
        }
        // Lane `l` of `four[4 r + c]` has column `4 l + c` of the rows `4 r` to `4 r + 3`.
        for (i, column) in columns.iter_mut().enumerate() {
            let within = i % 4;
            let (a, b, c, d) =
                (four[within], four[4 + within], four[8 + within], four[12 + within]);
            let (upper, lower) = match i / 4 % 2 {
                0 => (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d)),
                _ => (_mm512_shuffle_f32x4::<0xdd>(a, b), _mm512_shuffle_f32x4::<0xdd>(c, d)),
            };
            *column = match i / 8 {
                0 => _mm512_shuffle_f32x4::<0x88>(upper, lower),
                _ => _mm512_shuffle_f32x4::<0xdd>(upper, lower),
            };
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_or_cut_into_all_of_their_bits() {
        for (x, expected) in [
            (1.0, 1.0),
            (1.003_906_3, 1.0),
            (1.003_906_4, 1.007_812_5),
            (1.011_718_8, 1.015_625),
            (-3.0e38, -3.004_055_3e38),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ] {
            let part = |parts, x: &mut f32| f32::from_bits(take_part(parts, x));
            assert_eq!(part(Parts::One, &mut x.clone()), expected, "{x}");
            if x.is_finite() {
                let mut rest = x;
                let parts = [(); 3].map(|()| part(Parts::Three, &mut rest));
                assert_eq!((parts[0] + (parts[1] + parts[2]), rest), (x, 0.0), "{parts:?}");
            }
        }
        for nan in [f32::NAN, f32::from_bits(0x7fff_ffff), f32::from_bits(0x7f80_0001)] {
            assert!(f32::from_bits(take_part(Parts::One, &mut nan.clone())).is_nan());
        }
    }

    #[test]
    fn wide_packing_is_the_portable_one_whatever_the_shape_and_the_strides() {
        let noise = |i: usize| ((i * 7919 % 1013) as f32 - 500.0) / 7.0;
        let numbers: Vec<f32> = (0..70 * 90).map(noise).collect();
        for (rows, columns) in [(70, 70), (1, 5), (16, 16), (33, 47), (40, 32)] {
            for matrix in [
                View::new(&numbers, rows, columns, 90),
                View::new(&numbers, columns, rows, 90).transposed(),
            ] {
                for (factor, parts) in [Factor::Left, Factor::Right]
                    .into_iter()
                    .flat_map(|factor| [Parts::One, Parts::Three].map(|parts| (factor, parts)))
                {
                    for (row, column) in [(0, 0), (32, 32), (0, 64)] {
                        let mut found = vec![Line([7; WORDS]); parts.lines()];
                        let mut expected = found.clone();
                        pack(factor, parts, &matrix, row, column, &mut found);
                        pack_portable(factor, parts, &matrix, row, column, &mut expected);
                        let words = |lines: &[Line]| lines.iter().flat_map(|line| line.0).collect();
                        let (found, expected): (Vec<u32>, Vec<u32>) =
                            (words(&found), words(&expected));
                        assert_eq!(found, expected);
                    }
                }
            }
        }
    }
}
