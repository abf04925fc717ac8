//! Memory that stays with the process, so that a training step takes what the last gave back.

/// Has the allocator keep all that is freed, for all threads together. By itself glibc returns the
/// memory of threads at once, and each step would have the system clear it anew. What is asked for
/// before threads have allocated holds for them too; elsewhere this does nothing.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// The most that glibc allows: larger pieces are mapped one by one.
        const MAPPED_MIN: i32 = 32 << 20;
        const NEVER: i32 = -1;
        let choices = [
            (libc::M_ARENA_MAX, 1),
            (libc::M_TRIM_THRESHOLD, NEVER),
            (libc::M_MMAP_THRESHOLD, MAPPED_MIN),
            (libc::M_TOP_PAD, MAPPED_MIN),
        ];
        for (choice, value) in choices {
            // SAFETY: this sets a number that the allocator reads under its own lock.
            unsafe { libc::mallopt(choice, value) };
        }
    }
}
