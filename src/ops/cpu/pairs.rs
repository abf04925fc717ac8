//! The kernel for AVX512-BF16, whose instruction multiplies sixteen pairs of bf16 and adds them up.

use std::arch::x86_64::{
    __cpuid, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_set1_epi32, _mm512_storeu_ps,
};

use super::kernels::{Band, Line, Panel, SIDE, Sums, WORDS, by_parts};
use super::product::Before;

/// Whether the machine has the instruction.
pub(super) fn are_there() -> bool {
    is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f")
}

/// Whether it has it in a form that is faster than f32's own: Intel's takes twice as long.
pub(super) fn are_fast() -> bool {
    let vendor = __cpuid(0);
    let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).concat();
    are_there() && name != b"GenuineIntel"
}

/// See [`super::kernels::Kernel`].
pub(super) fn kernel(band: &Band, panels: &[Panel], sums: &mut [Sums], before: Before) {
    assert!(are_there(), "the kernel of a machine that has AVX512-BF16");
    // SAFETY: the machine has what `dot` is compiled for.
    by_parts(band, panels, sums, before, |rows, panel, sums| unsafe { dot(rows, panel, sums) });
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn dot(rows: &[Line], panel: &[Line], sums: &mut Sums) {
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
