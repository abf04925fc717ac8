//! Products of packed squares of bf16, with sums in f32: which kernel a machine has, and the one
//! that any machine can run.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::amx;
#[cfg(target_arch = "x86_64")]
use super::pairs;
use super::square::{Band, Kernel, Panel, Sums, WORDS, by_parts};
use super::view::Before;

/// Rows and terms from which on packing a product in f32 pays.
pub(super) const LARGE_MIN: usize = 128;

/// The kernel with which products in f32 are faster than by f32's own instructions, if there is.
pub(super) fn of_f32() -> Option<Kernel> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if amx::is_allowed() {
        return Some(amx::kernel);
    }
    None
}

/// Whether this machine makes products in f32 faster from those of numbers in bf16.
pub(crate) fn has_f32() -> bool {
    of_f32().is_some()
}

/// Whether this machine multiplies rows in bf16 faster, with a matrix that is packed.
pub(crate) fn has_bf16() -> bool {
    of_bf16().is_some()
}

/// The kernel with which products in bf16 are faster than in f32, if there is.
pub(super) fn of_bf16() -> Option<Kernel> {
    #[cfg(target_arch = "x86_64")]
    if of_f32().is_none() && pairs::are_fast() {
        return Some(pairs::kernel);
    }
    of_f32()
}

/// As any machine can.
pub(super) fn portable(band: &Band, panels: &[Panel], sums: &mut [Sums], before: Before) {
    by_parts(band, panels, sums, before, |rows, panel, sums| {
        let (left, right) = panel.split_at(WORDS);
        for (sums, row) in sums.0.iter_mut().zip(rows) {
            for ((left, right), word) in left.iter().zip(right).zip(row.0) {
                let [low, high] = halves(word);
                for (sum, word) in sums.iter_mut().zip(left.0.iter().chain(&right.0)) {
                    let [upper, lower] = halves(*word);
                    *sum += low * upper;
                    *sum += high * lower;
                }
            }
        }
    });
}

fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}

#[cfg(test)]
mod tests {
    use super::super::square::{Line, Parts, SIDE};
    use super::*;

    #[test]
    fn kernels_agree() {
        let mut kernels: Vec<(&str, Kernel)> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if pairs::are_there() {
            kernels.push(("AVX512-BF16", pairs::kernel));
        }
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if amx::is_allowed() {
            kernels.push(("AMX", amx::kernel));
        }
        if kernels.len() < 2 {
            eprintln!("NOT RUN here: {} of the kernels", 2 - kernels.len());
        }
        let noise = |seed: usize, count: usize| -> Vec<Line> {
            // Numbers from 1/2 to 2 of either sign.
            let half = |i: usize| {
                ((0x3f00 + (i * 7919 + seed) % 256) | ((i * 31 + seed) % 2) << 15) as u32
            };
            let word = |i: usize| half(2 * i) | half(2 * i + 1) << 16;
            let line = |line| Line(std::array::from_fn(|at| word(line * WORDS + at)));
            (0..count).map(line).collect()
        };
        for (of_band, of_panel, squares) in [
            (Parts::One, Parts::One, 1),
            (Parts::One, Parts::One, 7),
            (Parts::Three, Parts::One, 1),
            (Parts::Three, Parts::One, 7),
            (Parts::Three, Parts::Three, 1),
            (Parts::Three, Parts::Three, 7),
        ] {
            let count = squares * of_panel.lines();
            let (rows, lines) = (noise(1, squares * of_band.lines()), noise(2, 3 * count));
            let band = Band { parts: of_band, lines: &rows, next: &rows };
            let panel = |lines| Panel { parts: of_panel, lines };
            let panels: Vec<Panel> = lines.chunks_exact(count).map(panel).collect();
            for before in [Before::Replaced, Before::Kept] {
                let mut expected = [Sums([[1.0; SIDE]; SIDE]); 3];
                portable(&band, &panels, &mut expected, before);
                for (name, kernel) in &kernels {
                    let mut found = [Sums([[1.0; SIDE]; SIDE]); 3];
                    kernel(&band, &panels, &mut found, before);
                    let numbers = |of: &[Sums; 3]| of.map(|sums| sums.0).concat().concat();
                    for (found, expected) in numbers(&found).iter().zip(&numbers(&expected)) {
                        assert!(
                            (found - expected).abs() < 1e-5 * 2048.0,
                            "{name}: {found}, not {expected}"
                        );
                    }
                }
            }
        }
    }
}
