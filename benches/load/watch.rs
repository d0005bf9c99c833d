//! What programs use, as `/proc` tells it: memory, open files, threads, processor time.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

/// Ticks of a second in `/proc/*/stat`: the same on every Linux.
const TICKS: f64 = 100.0;

/// A look at some processes together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Use {
    /// Resident memory, MB (10^6 bytes).
    pub memory: f64,
    pub files: usize,
    pub threads: u64,
    /// Seconds since the start.
    pub cpu: f64,
}

/// Watches processes once a second until dropped.
pub struct Watch {
    samples: Arc<Mutex<Vec<(Instant, Use)>>>,
    task: JoinHandle<()>,
}

impl Watch {
    pub fn start(processes: Vec<u32>) -> Self {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let kept = samples.clone();
        let task = tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            loop {
                second.tick().await;
                let sample = (Instant::now(), of(&processes));
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(sample);
            }
        });
        Self { samples, task }
    }

    /// All samples since `from`.
    pub fn since(&self, from: Instant) -> Vec<(Instant, Use)> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().filter(|s| s.0 >= from).copied().collect()
    }

    /// The most since `from`, each for itself.
    pub fn peak(&self, from: Instant) -> Use {
        let most = |a: Use, (_, b): (Instant, Use)| Use {
            memory: a.memory.max(b.memory),
            files: a.files.max(b.files),
            threads: a.threads.max(b.threads),
            cpu: a.cpu.max(b.cpu),
        };
        self.since(from).into_iter().fold(Use::default(), most)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Of these processes together; those that have ended use nothing.
pub fn of(processes: &[u32]) -> Use {
    let mut all = Use::default();
    for id in processes {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_whitespace().nth(1));
            value.and_then(|v| v.parse::<u64>().ok()).unwrap_or(0)
        };
        all.memory += field("VmRSS:") as f64 * 1024.0 / 1e6;
        all.threads += field("Threads:");
        all.files += fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count);
        all.cpu += cpu(*id);
    }
    all
}

/// Processor time in seconds.
pub fn cpu(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |n: usize| -> u64 {
        let field = fields.split_whitespace().nth(n);
        field.and_then(|f| f.parse().ok()).unwrap_or(0)
    };
    (ticks(11) + ticks(12)) as f64 / TICKS
}

/// Processor time and memory of a process and its children, for a PostgreSQL: memory is shared out
/// among those who share it (PSS).
pub fn of_family(parent: u32) -> Use {
    let mut all = Use::default();
    let Ok(processes) = fs::read_dir("/proc") else {
        return all;
    };
    for process in processes.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let its_parent = fields
            .split_whitespace()
            .nth(1)
            .and_then(|p| p.parse().ok());
        if id != parent && its_parent != Some(parent) {
            continue;
        }
        all.cpu += cpu(id);
        all.threads += 1;
        let memory = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
        let line = memory.lines().find(|line| line.starts_with("Pss:"));
        let kilobytes = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
        all.memory += kilobytes.unwrap_or(0) as f64 * 1024.0 / 1e6;
    }
    all
}
