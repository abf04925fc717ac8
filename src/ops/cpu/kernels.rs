//! Products of packed squares of bf16, with sums in f32: which kernel a machine has, and the one
//! that any machine can run.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::amx;
use super::packing::Parts;
#[cfg(target_arch = "x86_64")]
use super::pairs;
use super::product::Before;

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
/// with each panel, added to its sums or put in their place.
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

/// Which of the parts of two triples are multiplied; the others are too small to count.
const COUNTED: [(usize, usize); 6] = [(2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)];

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

fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}

#[cfg(test)]
mod tests {
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
