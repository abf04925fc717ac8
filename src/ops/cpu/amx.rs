//! The kernel for AMX: its registers are tiles of 16 lines, and its instruction adds the product of
//! two tiles of bf16 to one of f32.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use super::square::{Band, Panel, Parts, Sums};
use super::view::Before;

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

/// What sums begin with that are not added to others.
static ZERO: Sums = Sums::ZERO;

/// Loads a tile from that many bytes after the address in a register.
macro_rules! load {
    ($tile:literal, $from:literal, $at:literal) => {
        concat!("tileloadd tmm", $tile, ", [{", $from, "} + {line}*1 + ", $at, "]\n")
    };
}

/// Adds the product of half of the rows, in tile 4 or 5, and half of the columns, in tile 6 or 7,
/// to a quarter of the sums, in tiles 0 to 3.
macro_rules! add {
    ($sums:literal, $rows:literal, $columns:literal) => {
        concat!("tdpbf16ps tmm", $sums, ", tmm", $rows, ", tmm", $columns, "\n")
    };
}

/// The products of a part of the rows with one of the columns, whose halves begin at those bytes. A
/// tile is loaded just before it is needed: then one is multiplied while the next comes.
macro_rules! both {
    ($upper:literal, $lower:literal, $left:literal, $right:literal) => {
        concat!(
            load!(4, "rows", $upper),
            load!(6, "panel", $left),
            add!(0, 4, 6),
            load!(7, "panel", $right),
            add!(1, 4, 7),
            load!(5, "rows", $lower),
            add!(2, 5, 6),
            add!(3, 5, 7),
        )
    };
}

/// Those of another part of the rows with the same of the columns.
macro_rules! rows {
    ($upper:literal, $lower:literal) => {
        concat!(
            load!(4, "rows", $upper),
            add!(0, 4, 6),
            add!(1, 4, 7),
            load!(5, "rows", $lower),
            add!(2, 5, 6),
            add!(3, 5, 7),
        )
    };
}

/// Those of the same part of the rows with another of the columns.
macro_rules! columns {
    ($left:literal, $right:literal) => {
        concat!(
            load!(6, "panel", $left),
            add!(0, 4, 6),
            add!(2, 5, 6),
            load!(7, "panel", $right),
            add!(1, 4, 7),
            add!(3, 5, 7),
        )
    };
}

/// Has the second cache fetch the next four lines of those that are read later.
macro_rules! fetch {
    () => {
        concat!(
            "prefetcht1 [{next}]\n",
            "prefetcht1 [{next} + 64]\n",
            "prefetcht1 [{next} + 128]\n",
            "prefetcht1 [{next} + 192]\n",
            "add {next}, 256\n",
        )
    };
}

/// All squares of a band and a panel: `$step` is done for each; the bytes of one in either.
macro_rules! squares {
    (
        $rows:expr, $of_rows:literal, $panel:expr, $of_panel:literal, $next:ident, $count:ident,
        $start:ident, $sums:ident, $step:expr
    ) => {
        asm!(
            "tileloadd tmm0, [{start} + {of_sums}*1]",
            "tileloadd tmm1, [{start} + {of_sums}*1 + 64]",
            "tileloadd tmm2, [{start} + {of_sums}*1 + 2048]",
            "tileloadd tmm3, [{start} + {of_sums}*1 + 2112]",
            "2:",
            $step,
            concat!("add {rows}, ", $of_rows),
            concat!("add {panel}, ", $of_panel),
            "dec {count}",
            "jnz 2b",
            "tilestored [{sums} + {of_sums}*1], tmm0",
            "tilestored [{sums} + {of_sums}*1 + 64], tmm1",
            "tilestored [{sums} + {of_sums}*1 + 2048], tmm2",
            "tilestored [{sums} + {of_sums}*1 + 2112], tmm3",
            rows = inout(reg) $rows.as_ptr() => _,
            panel = inout(reg) $panel.as_ptr() => _,
            count = inout(reg) $count => _,
            line = in(reg) 64u64,
            next = inout(reg) $next => _,
            start = in(reg) $start,
            sums = in(reg) std::ptr::from_mut($sums),
            of_sums = in(reg) 128u64,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// See [`super::square::Kernel`].
pub(super) fn kernel(band: &Band, panels: &[Panel], sums: &mut [Sums], before: Before) {
    assert!(is_allowed(), "the kernel of a machine that has AMX");
    // SAFETY: the machine has AMX, and the shapes are eight tiles of its size. What runs until
    // they are released are the squares below, which hold all that they need in tiles.
    unsafe { asm!("ldtilecfg [{}]", in(reg) SHAPES.as_ptr(), options(nostack, readonly)) };
    let count = band.lines.len() / band.parts.lines();
    for (at, (panel, sums)) in panels.iter().zip(sums).enumerate() {
        let fits = count > 0 && panel.lines.len() == count * panel.parts.lines();
        assert!(fits, "a band and a panel of other squares");
        let next = band.next.as_ptr().wrapping_add(at * band.next.len() / panels.len());
        let start = match before {
            Before::Kept => std::ptr::from_ref(sums),
            Before::Replaced => &raw const ZERO,
        };
        macro_rules! each {
            ($of_rows:literal, $of_panel:literal: $($step:expr)*) => {
                squares!(
                    band.lines, $of_rows, panel.lines, $of_panel, next, count, start, sums,
                    concat!($($step),*)
                )
            };
        }
        // SAFETY: of both runs of lines, `count` squares are read, which is what they hold; four
        // tiles of 16 rows of 64 bytes fill the sums. What is fetched ahead may lie anywhere.
        unsafe {
            // The parts that count, in an order in which most steps load two tiles only.
            match (band.parts, panel.parts) {
                (Parts::One, Parts::One) => each!(2048, 2048:
                    both!(0, 1024, 0, 1024) fetch!()),
                (Parts::Three, Parts::One) => each!(6144, 2048:
                    both!(4096, 5120, 0, 1024) fetch!()
                    rows!(2048, 3072) fetch!()
                    rows!(0, 1024) fetch!()),
                (Parts::Three, Parts::Three) => each!(6144, 6144:
                    both!(4096, 5120, 0, 1024) fetch!()
                    rows!(2048, 3072) fetch!()
                    columns!(2048, 3072)
                    rows!(0, 1024) fetch!()
                    columns!(4096, 5120)
                    columns!(0, 1024)),
                (Parts::One, Parts::Three) => unreachable!("a panel in more parts than the band"),
            }
        }
    }
    // SAFETY: nothing lies in the tiles any more.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}
