//! One square of a product of packed bf16, in f32: by AMX, by AVX512-BF16, or as any machine can.

use std::sync::OnceLock;

use super::packing::Parts;

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
pub(super) type Kernel = fn(Parts, &[Line], &[Line], &mut [Sums]);

/// The kernel with which products in f32 are faster than by f32's own instructions, if there is.
pub(super) fn of_f32() -> Option<Kernel> {
    has_amx().then_some(amx)
}

/// The kernel with which products in bf16 are faster than in f32, if there is.
pub(super) fn of_bf16() -> Option<Kernel> {
    #[cfg(target_arch = "x86_64")]
    return of_f32().or_else(|| has_fast_pairs().then_some(pairs as Kernel));
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// Which of the parts of two triples are multiplied; the others are too small to count.
const COUNTED: [(usize, usize); 6] = [(2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)];

/// As any machine can.
pub(super) fn portable(parts: Parts, rows: &[Line], panel: &[Line], sums: &mut [Sums]) {
    by_parts(parts, rows, panel, sums, |rows, panel, sums| {
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
fn by_parts(
    parts: Parts,
    rows: &[Line],
    panel: &[Line],
    sums: &mut [Sums],
    dot: impl Fn(&[Line], &[Line], &mut Sums),
) {
    let counted = if parts == Parts::One { &COUNTED[5..] } else { &COUNTED };
    let of_square = parts.lines();
    for (rows, sums) in rows.chunks_exact(panel.len()).zip(sums) {
        *sums = Sums::ZERO;
        for (rows, panel) in rows.chunks_exact(of_square).zip(panel.chunks_exact(of_square)) {
            for (left, right) in counted {
                let part = |part: usize| part * SQUARE..(part + 1) * SQUARE;
                dot(&rows[part(*left)], &panel[part(*right)], sums);
            }
        }
    }
}

fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}

/// AVX512-BF16, and not in Intel's form, which takes twice as long as f32's own.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_fast_pairs() -> bool {
    has_pairs() && !is_intel()
}

#[cfg(target_arch = "x86_64")]
pub(super) fn has_pairs() -> bool {
    is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f")
}

#[cfg(target_arch = "x86_64")]
fn is_intel() -> bool {
    let vendor = std::arch::x86_64::__cpuid(0);
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).concat() == b"GenuineIntel"
}

#[cfg(target_arch = "x86_64")]
pub(super) fn pairs(parts: Parts, rows: &[Line], panel: &[Line], sums: &mut [Sums]) {
    assert!(has_pairs(), "the kernel of a machine that has AVX512-BF16");
    // SAFETY: the machine has what `pairs_avx512` is compiled for.
    by_parts(parts, rows, panel, sums, |rows, panel, sums| unsafe {
        pairs_avx512(rows, panel, sums)
    });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn pairs_avx512(rows: &[Line], panel: &[Line], sums: &mut Sums) {
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
        _mm512_set1_epi32, _mm512_storeu_ps,
    };
    /// Rows at once: with two registers a row, half of the machine's.
    const ROWS: usize = 8;
    // SAFETY: both are 512 bits of any kind.
    let bf16 = |words: __m512i| unsafe { std::mem::transmute::<__m512i, __m512bh>(words) };
    // SAFETY: a line has the 512 bits that a register holds.
    let load = |line: &Line| bf16(unsafe { _mm512_loadu_si512(line.0.as_ptr().cast()) });
    let (left, right) = panel.split_at(WORDS);
    for (sums, rows) in sums.0.chunks_exact_mut(ROWS).zip(rows.chunks_exact(ROWS)) {
        // SAFETY: a row has 32 numbers, 16 to a register.
        let held = |sums: &[f32; SIDE]| unsafe {
            [0, WORDS].map(|at| _mm512_loadu_ps(sums.as_ptr().add(at)))
        };
        let mut held: [_; ROWS] = std::array::from_fn(|row| held(&sums[row]));
        for (pair, (left, right)) in left.iter().zip(right).enumerate() {
            let (left, right) = (load(left), load(right));
            for (row, held) in rows.iter().zip(&mut held) {
                let row = bf16(_mm512_set1_epi32(row.0[pair].cast_signed()));
                held[0] = _mm512_dpbf16_ps(held[0], row, left);
                held[1] = _mm512_dpbf16_ps(held[1], row, right);
            }
        }
        for (sums, held) in sums.iter_mut().zip(&held) {
            for (half, held) in sums.chunks_exact_mut(WORDS).zip(held) {
                // SAFETY: half a row has 16 numbers, which is what a register holds.
                unsafe { _mm512_storeu_ps(half.as_mut_ptr(), *held) };
            }
        }
    }
}

/// Whether the machine has AMX for bf16, and the system lets this program use it.
pub(super) fn has_amx() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(amx_allowed)
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn amx_allowed() -> bool {
    const TILES: u32 = 1 << 24;
    const BF16: u32 = 1 << 22;
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    let features = std::arch::x86_64::__cpuid_count(7, 0).edx;
    // SAFETY: this request changes nothing but what the process may use.
    features & (TILES | BF16) == TILES | BF16
        && unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) }
            == 0
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn amx_allowed() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn amx(_: Parts, _: &[Line], _: &[Line], _: &mut [Sums]) {
    unreachable!("the kernel of a machine that has AMX")
}

/// Eight tiles of 16 rows of 64 bytes each.
#[cfg(target_arch = "x86_64")]
static SHAPES: [u8; 64] = {
    let mut shapes = [0; 64];
    shapes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        shapes[16 + 2 * tile] = 64;
        shapes[48 + tile] = 16;
        tile += 1;
    }
    shapes
};

/// The rows of a part, whose halves begin at these bytes, into tiles 4 and 5.
#[cfg(target_arch = "x86_64")]
macro_rules! rows {
    ($upper:literal, $lower:literal) => {
        concat!(
            "tileloadd tmm4, [{rows} + {line}*1 + ",
            $upper,
            "]\n",
            "tileloadd tmm5, [{rows} + {line}*1 + ",
            $lower,
            "]\n",
        )
    };
}

/// The columns of a part into tiles 6 and 7.
#[cfg(target_arch = "x86_64")]
macro_rules! panel {
    ($left:literal, $right:literal) => {
        concat!(
            "tileloadd tmm6, [{panel} + {line}*1 + ",
            $left,
            "]\n",
            "tileloadd tmm7, [{panel} + {line}*1 + ",
            $right,
            "]\n",
        )
    };
}

/// Adds their products to the sums, in tiles 0 to 3.
#[cfg(target_arch = "x86_64")]
macro_rules! multiply {
    () => {
        concat!(
            "tdpbf16ps tmm0, tmm4, tmm6\n",
            "tdpbf16ps tmm1, tmm4, tmm7\n",
            "tdpbf16ps tmm2, tmm5, tmm6\n",
            "tdpbf16ps tmm3, tmm5, tmm7\n",
        )
    };
}

/// All squares of a band and a panel: `$step` is done for each, `$size` its bytes.
#[cfg(target_arch = "x86_64")]
macro_rules! squares {
    ($rows:ident, $panel:ident, $count:ident, $sums:ident, $size:literal, $step:expr) => {
        std::arch::asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            $step,
            concat!("add {rows}, ", $size),
            concat!("add {panel}, ", $size),
            "dec {count}",
            "jnz 2b",
            "shl {line}, 1",
            "tilestored [{sums} + {line}*1], tmm0",
            "tilestored [{sums} + {line}*1 + 64], tmm1",
            "tilestored [{sums} + {line}*1 + 2048], tmm2",
            "tilestored [{sums} + {line}*1 + 2112], tmm3",
            rows = inout(reg) $rows.as_ptr() => _,
            panel = inout(reg) $panel.as_ptr() => _,
            count = inout(reg) $count => _,
            line = inout(reg) 64u64 => _,
            sums = in(reg) std::ptr::from_mut($sums),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

#[cfg(target_arch = "x86_64")]
fn amx(parts: Parts, rows: &[Line], panel: &[Line], sums: &mut [Sums]) {
    use std::arch::asm;
    assert!(has_amx(), "the kernel of a machine that has AMX");
    // SAFETY: the machine has AMX, and the shapes are eight tiles of its size. What runs until
    // they are released are the squares below, which hold all that they need in tiles.
    unsafe { asm!("ldtilecfg [{}]", in(reg) SHAPES.as_ptr(), options(nostack, readonly)) };
    let count = panel.len() / parts.lines();
    assert!(count > 0, "a panel without a square");
    for (rows, sums) in rows.chunks_exact(panel.len()).zip(sums) {
        // SAFETY: of both runs of lines, `count` squares are read, which is what they hold; four
        // tiles of 16 rows of 64 bytes fill the sums.
        unsafe {
            match parts {
                Parts::One => squares!(
                    rows,
                    panel,
                    count,
                    sums,
                    2048,
                    concat!(rows!(0, 1024), panel!(0, 1024), multiply!())
                ),
                // The parts that count, in an order in which most steps load two tiles only.
                Parts::Three => squares!(
                    rows,
                    panel,
                    count,
                    sums,
                    6144,
                    concat!(
                        rows!(4096, 5120),
                        panel!(0, 1024),
                        multiply!(),
                        rows!(2048, 3072),
                        multiply!(),
                        panel!(2048, 3072),
                        multiply!(),
                        rows!(0, 1024),
                        multiply!(),
                        panel!(4096, 5120),
                        multiply!(),
                        panel!(0, 1024),
                        multiply!(),
                    )
                ),
            }
        }
    }
    // SAFETY: nothing lies in the tiles any more.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_agree() {
        let mut kernels: Vec<(&str, Kernel)> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if has_pairs() {
            kernels.push(("AVX512-BF16", pairs));
        }
        if has_amx() {
            kernels.push(("AMX", amx));
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
        for (parts, squares) in
            [(Parts::One, 1), (Parts::One, 7), (Parts::Three, 1), (Parts::Three, 7)]
        {
            let count = squares * parts.lines();
            let (rows, panel) = (noise(1, 3 * count), noise(2, count));
            let mut expected = [Sums::ZERO; 3];
            portable(parts, &rows, &panel, &mut expected);
            for (name, kernel) in &kernels {
                let mut found = [Sums::ZERO; 3];
                kernel(parts, &rows, &panel, &mut found);
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
