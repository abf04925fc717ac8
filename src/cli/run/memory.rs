//! The memory of this process, where the system tells (Linux).

/// The most bytes that it held so far.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// The bytes that it holds now.
pub fn now() -> Option<u64> {
    status("VmRSS:")
}

fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
