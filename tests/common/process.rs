//! A running process as the system sees it.

/// Memory of a process in MB, where the system tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// Now.
    pub resident: f64,
    /// The most so far.
    pub peak: f64,
}

/// What `/proc` says of a process's memory; nothing where there is no `/proc`.
pub fn memory(process: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name));
        let kilobytes = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1024.0
    };
    Memory {
        resident: megabytes("VmRSS:"),
        peak: megabytes("VmHWM:"),
    }
}
