//! Loops compiled for the widest vectors of the machine that runs them.

/// Runs an expression compiled for the widest vectors that this machine has. What it calls takes
/// part where it is inlined.
macro_rules! wide {
    ($work:expr) => {{
        // What is not inlined would be compiled for any machine. A closure that can run twice is
        // called through a separate function, which may stay one: so it takes something along.
        let once = String::new();
        pulp::Arch::new().dispatch(
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
        let widest = match pulp::Arch::new() {
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
