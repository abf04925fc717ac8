//! The memory of this process, where the system reports it (Linux).

/// A number of bytes for a person: `1.50 GiB`.
pub fn text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (bytes.max(1).ilog2() as usize / 10).min(UNITS.len() - 1);
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{:.2} {}", bytes as f64 / f64::from(1 << (10 * unit)), UNITS[unit]),
    }
}

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
