//! Loops compiled for the widest vectors of the machine that runs them.

use std::sync::atomic::{AtomicU32, Ordering};

/// The bits of the widest vectors that are used, where a machine has them.
static WIDEST: AtomicU32 = AtomicU32::new(u32::MAX);

/// Uses no vectors of more bits than this from now on: a bench compares them so. Results stay the
/// same.
pub fn at_most(bits: u32) {
    WIDEST.store(bits, Ordering::Relaxed);
}

/// The vectors that loops use.
#[inline(always)]
pub(crate) fn vectors() -> pulp::Arch {
    let widest = pulp::Arch::new();
    match WIDEST.load(Ordering::Relaxed) {
        u32::MAX => widest,
        bits => narrower(widest, bits),
    }
}

#[cold]
fn narrower(widest: pulp::Arch, bits: u32) -> pulp::Arch {
    #[cfg(target_arch = "x86_64")]
    match (widest, bits) {
        (_, 0..256) => return pulp::Arch::Scalar,
        (pulp::Arch::V4(wide), 256..512) => return pulp::Arch::V3(*wide),
        _ => {}
    }
    // Other machines have one kind.
    let _ = bits;
    widest
}

/// Runs an expression compiled for the widest vectors that this machine has. What it calls takes
/// part where it is inlined.
macro_rules! wide {
    ($work:expr) => {{
        // What is not inlined would be compiled for any machine. A closure that can run twice is
        // called through a separate function, which may stay one: so it takes something along.
        let once = String::new();
        $crate::wide::vectors().dispatch(
            #[inline(always)]
            || {
                drop(once);
                $work
            },
        )
    }};
}
pub(crate) use wide;

#[cfg(test)]
mod tests {
    /// A feature of pulp that is off leaves out a kind of vectors without a word.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn wide_vectors_are_the_widest_of_the_machine() {
        let widest = match super::vectors() {
            pulp::Arch::V4(_) => 512,
            pulp::Arch::V3(_) => 256,
            _ => 128,
        };
        let known = |feature: bool, bits: usize| if feature { bits } else { 128 };
        let wide = known(is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2"), 256);
        let wider = known(is_x86_feature_detected!("avx512dq"), 512);
        assert_eq!(widest, wide.max(wider));
    }
}
