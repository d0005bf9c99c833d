//! A private PostgreSQL that writes to the disk as a real one does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::programs::root;

/// A server of its own, thrown away when dropped.
pub struct Postgres {
    folder: tempfile::TempDir,
    pub url: String,
    /// The process that the others are children of.
    pub process: u32,
}

fn script(arguments: &[&str], folder: &Path) -> anyhow::Result<String> {
    let output = Command::new("bash")
        .arg(root().join("tests/postgres.sh"))
        .args(arguments)
        .arg(folder)
        .env("POSTGRES_FSYNC", "on")
        .output()
        .context("bash")?;
    ensure!(
        output.status.success(),
        "PostgreSQL: {} (tests/postgres.sh install)",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Postgres {
    pub fn start() -> anyhow::Result<Self> {
        // Not in the target folder: the server runs as somebody else, who may not get there.
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let mut postgres = Self {
            folder,
            url: String::new(),
            process: 0,
        };
        postgres.url = script(&["start"], postgres.folder.path())?;
        let file = postgres.folder.path().join("data/postmaster.pid");
        let pid = fs::read_to_string(file)?;
        let first = pid.lines().next().context("an empty postmaster.pid")?;
        postgres.process = first.trim().parse()?;
        Ok(postgres)
    }

    /// Bytes of the tables and of the log that protects them.
    pub fn bytes(&self) -> (u64, u64) {
        let data = self.folder.path().join("data");
        (
            folder_bytes(&data.join("base")),
            folder_bytes(&data.join("pg_wal")),
        )
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = script(&["stop"], self.folder.path()) {
            eprintln!("{error:#}");
        }
    }
}

/// All files below a folder.
pub fn folder_bytes(folder: &Path) -> u64 {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    items
        .map(|item| match item.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&item.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
