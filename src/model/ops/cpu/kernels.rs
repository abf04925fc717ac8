//! Products of packed squares of bf16, with sums in f32: which kernel a machine has, and the one
//! that any machine can run.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::amx;
use super::packing::Parts;
#[cfg(target_arch = "x86_64")]
use super::pairs;

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

/// From bands of rows and a panel of columns, all packed square by square: the product of each band
/// with the panel.
pub(super) type Kernel = fn(&[Line], &Panel, &mut [Sums]);

/// The squares of a panel of columns.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// In how many parts its numbers and those of the rows are held.
    pub(super) parts: Parts,
    /// How many of its parts are not 0: one where all of its numbers are bf16's already.
    pub(super) needed: usize,
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
pub(super) fn portable(rows: &[Line], panel: &Panel, sums: &mut [Sums]) {
    by_parts(rows, panel, sums, |rows, panel, sums| {
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

/// The sums of `dot` over all squares and all parts that count.
#[inline(always)]
pub(super) fn by_parts(
    rows: &[Line],
    panel: &Panel,
    sums: &mut [Sums],
    dot: impl Fn(&[Line], &[Line], &mut Sums),
) {
    let counted = if panel.parts == Parts::One { &COUNTED[5..] } else { &COUNTED };
    let (of_square, lines) = (panel.parts.lines(), panel.lines);
    for (rows, sums) in rows.chunks_exact(lines.len()).zip(sums) {
        *sums = Sums::ZERO;
        for (rows, lines) in rows.chunks_exact(of_square).zip(lines.chunks_exact(of_square)) {
            for (left, right) in counted.iter().filter(|(_, right)| *right < panel.needed) {
                let part = |part: usize| part * SQUARE..(part + 1) * SQUARE;
                dot(&rows[part(*left)], &lines[part(*right)], sums);
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
        for (parts, needed, squares) in [
            (Parts::One, 1, 1),
            (Parts::One, 1, 7),
            (Parts::Three, 3, 1),
            (Parts::Three, 3, 7),
            (Parts::Three, 2, 7),
            (Parts::Three, 1, 7),
        ] {
            let count = squares * parts.lines();
            let (rows, lines) = (noise(1, 3 * count), noise(2, count));
            let panel = Panel { parts, needed, lines: &lines };
            let mut expected = [Sums::ZERO; 3];
            portable(&rows, &panel, &mut expected);
            for (name, kernel) in &kernels {
                let mut found = [Sums::ZERO; 3];
                kernel(&rows, &panel, &mut found);
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
