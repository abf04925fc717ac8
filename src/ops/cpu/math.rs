//! Arithmetic on rows of f32, written so that the compiler makes vectors of it.
//!
//! `wide!` runs it with the widest vectors of the machine. Sums run in lanes that
//! are written out, so that they are the same bits on every machine, whatever its vectors.

/// Numbers side by side: as many as the widest register of any machine holds.
pub(super) const LANES: usize = 16;

/// Σ a·b.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (sums, rest) = products_in_lanes(a, b);
    sums.iter().sum::<f32>() + rest
}

/// Σ a·b for each b of a matrix into `out`; the lanes of each are added in pairs, for short runs,
/// of which there are many. `lanes` is memory for them.
#[inline(always)]
pub(super) fn dots(a: &[f32], all: &[f32], lanes: &mut Vec<[f32; LANES]>, out: &mut [f32]) {
    // Products first, then their sums: with a sum beside each product the compiler takes vectors
    // of two numbers.
    lanes.resize(out.len(), [0.0; LANES]);
    for ((lanes, rest), b) in lanes.iter_mut().zip(&mut *out).zip(all.chunks_exact(a.len())) {
        (*lanes, *rest) = products_in_lanes(a, b);
    }
    for (lanes, out) in lanes.iter().zip(out) {
        let mut eight = [0f32; LANES / 2];
        for lane in 0..LANES / 2 {
            eight[lane] = lanes[lane] + lanes[lane + LANES / 2];
        }
        let mut four = [0f32; LANES / 4];
        for lane in 0..LANES / 4 {
            four[lane] = eight[lane] + eight[lane + LANES / 4];
        }
        *out += (four[0] + four[2]) + (four[1] + four[3]);
    }
}

/// Σ a·b of each lane, and of what fills no lanes.
#[inline(always)]
fn products_in_lanes(a: &[f32], b: &[f32]) -> ([f32; LANES], f32) {
    // Arrays, not slices: a length that the compiler does not know costs it the vectors.
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums, rest)
}

/// The greatest element; −∞ of none.
#[inline(always)]
pub(super) fn greatest(x: &[f32]) -> f32 {
    let (lanes, rest) = x.as_chunks::<LANES>();
    let rest = rest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut tops = [f32::NEG_INFINITY; LANES];
    for x in lanes {
        for lane in 0..LANES {
            tops[lane] = if x[lane] > tops[lane] { x[lane] } else { tops[lane] };
        }
    }
    tops.iter().copied().fold(rest, f32::max)
}

/// exp(scale × x − top) written to x, with top the greatest of scale × x; returns their sum and
/// top.
#[inline(always)]
pub(super) fn exponentials(x: &mut [f32], scale: f32) -> (f32, f32) {
    let top = scale * greatest(x);
    let mut sums = [0f32; LANES];
    let mut add = |x: &mut [f32; LANES]| {
        for lane in 0..LANES {
            x[lane] = exp(scale * x[lane] - top);
            sums[lane] += x[lane];
        }
    };
    let (lanes, rest) = x.as_chunks_mut::<LANES>();
    lanes.iter_mut().for_each(&mut add);
    if !rest.is_empty() {
        // What fills the lanes up adds e^-87 to a sum that is at least 1.
        let mut filled = [f32::NEG_INFINITY; LANES];
        filled[..rest.len()].copy_from_slice(rest);
        add(&mut filled);
        rest.copy_from_slice(&filled[..rest.len()]);
    }
    (sums.iter().sum(), top)
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to about 2 units in the last place, without a branch, so that loops become vectors:
/// 2^n × e^r with |r| ≤ ln 2 / 2 (Cephes' expf). Below -87 it returns e^-87, not 0; NaN stays so.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 × 2²³ rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    // ln 2 in two parts, the first with few bits, so that n × it is exact.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    // The low bits of `rounded` are n; moved up, they are the exponent of 2^n.
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::wide;

    #[test]
    fn exp_is_that_of_the_library_to_two_units_in_the_last_place() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let (found, wanted) = (exp(x), f64::from(x).exp());
            assert!((f64::from(found) / wanted - 1.0).abs() < 2.4e-7, "{x}: {found}");
        }
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn wide_vectors_give_the_bits_of_narrow_ones() {
        let x: Vec<f32> = (0..1001).map(|i| ((i * 7919) % 613) as f32 / 100.0 - 3.0).collect();
        let run = |x: &[f32]| {
            let mut y = x.to_vec();
            let (sum, top) = exponentials(&mut y, 0.3);
            (dot(x, &y).to_bits(), sum.to_bits(), top.to_bits(), y)
        };
        assert_eq!(run(&x), wide!(run(&x)));
    }
}
