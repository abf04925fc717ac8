//! The kernel for AMX: its registers are tiles of 16 lines, and its instruction adds the product of
//! two tiles of bf16 to one of f32.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use super::kernels::{Line, Panel, Sums};
use super::packing::Parts;

/// Whether the machine has AMX for bf16, and the system lets this program use it.
pub(super) fn is_allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(ask)
}

fn ask() -> bool {
    const TILES: u32 = 1 << 24;
    const BF16: u32 = 1 << 22;
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    let features = __cpuid_count(7, 0).edx;
    // SAFETY: this request changes nothing but what the process may use.
    features & (TILES | BF16) == TILES | BF16
        && unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) }
            == 0
}

/// Eight tiles of 16 rows of 64 bytes each.
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
macro_rules! squares {
    ($rows:ident, $panel:ident, $count:ident, $sums:ident, $size:literal, $step:expr) => {
        asm!(
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

/// See [`super::kernels::Kernel`].
pub(super) fn kernel(rows: &[Line], panel: &Panel, sums: &mut [Sums]) {
    assert!(is_allowed(), "the kernel of a machine that has AMX");
    // SAFETY: the machine has AMX, and the shapes are eight tiles of its size. What runs until
    // they are released are the squares below, which hold all that they need in tiles.
    unsafe { asm!("ldtilecfg [{}]", in(reg) SHAPES.as_ptr(), options(nostack, readonly)) };
    let lines = panel.lines;
    let count = lines.len() / panel.parts.lines();
    assert!(count > 0, "a panel without a square");
    for (rows, sums) in rows.chunks_exact(lines.len()).zip(sums) {
        macro_rules! each {
            ($size:literal: $($step:expr)*) => {
                squares!(rows, lines, count, sums, $size, concat!($($step),*))
            };
        }
        // SAFETY: of both runs of lines, `count` squares are read, which is what they hold; four
        // tiles of 16 rows of 64 bytes fill the sums.
        unsafe {
            // The parts that count, in an order in which most steps load two tiles only.
            match (panel.parts, panel.needed) {
                (Parts::One, _) => each!(2048: rows!(0, 1024) panel!(0, 1024) multiply!()),
                (Parts::Three, 1) => each!(6144:
                    rows!(4096, 5120) panel!(0, 1024) multiply!()
                    rows!(2048, 3072) multiply!()
                    rows!(0, 1024) multiply!()),
                (Parts::Three, 2) => each!(6144:
                    rows!(4096, 5120) panel!(0, 1024) multiply!()
                    rows!(2048, 3072) multiply!()
                    panel!(2048, 3072) multiply!()
                    rows!(0, 1024) multiply!()
                    panel!(0, 1024) multiply!()),
                (Parts::Three, _) => each!(6144:
                    rows!(4096, 5120) panel!(0, 1024) multiply!()
                    rows!(2048, 3072) multiply!()
                    panel!(2048, 3072) multiply!()
                    rows!(0, 1024) multiply!()
                    panel!(4096, 5120) multiply!()
                    panel!(0, 1024) multiply!()),
            }
        }
    }
    // SAFETY: nothing lies in the tiles any more.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}
