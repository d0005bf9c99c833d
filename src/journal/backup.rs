//! A backup is one SQLite file, whatever the engine, and so is what it is restored from.
//!
//! Making one is consistent while the program runs, and does not hold it up: SQLite writes the file
//! itself (`VACUUM INTO`), PostgreSQL's rows are copied in one read transaction. The local key is
//! not in it: without the key sealed content and pseudonyms mean nothing, which is why the two are kept apart.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor, Row};

use super::database::{Engine, check_known, connect};
use super::tables::tables;
use super::{CopyProgress, Database, JournalError};

impl Database {
    /// Writes a backup of `url` to `file`, which must not be there; returns its rows. What is
    /// written while it is made may be missing from it, never half of it.
    ///
    /// # Errors
    /// When the file is there or cannot be written, the database refuses, or the file read back
    /// is not whole: nothing is left of it then.
    pub async fn backup(
        url: &str,
        file: &Path,
        tick: impl FnMut(CopyProgress),
    ) -> Result<u64, JournalError> {
        if file.exists() {
            return Err(JournalError::FileThere(file.to_owned()));
        }
        let partial = beside(file, "partial");
        let _ = fs::remove_file(&partial);
        let written = match Engine::of(url)? {
            Engine::Sqlite(path) => vacuum(url, &path, &partial).await,
            Engine::Postgres => Self::copy(url, &sqlite(&partial), false, tick)
                .await
                .map(|_| ()),
        };
        let finished = match written {
            Ok(()) => finish(&partial, file).await,
            Err(error) => Err(error),
        };
        if finished.is_err() {
            let _ = fs::remove_file(&partial);
        }
        finished
    }

    /// Makes `url` hold what the backup `file` holds, and migrates it. The backup is only read.
    /// With `replace` a database that holds something is kept aside (SQLite: renamed;
    /// PostgreSQL: backed up into `folder`), and where to is returned.
    ///
    /// # Errors
    /// When the file is no whole backup, the database holds something (without `replace`) or is
    /// in use: it is then as it was before.
    pub async fn restore(
        url: &str,
        file: &Path,
        replace: bool,
        folder: &Path,
        now: DateTime<Utc>,
        tick: impl FnMut(CopyProgress),
    ) -> Result<Option<PathBuf>, JournalError> {
        check_whole(file).await?;
        let name = format!("before-restore-{}", now.format("%Y%m%d-%H%M%S"));
        match Engine::of(url)? {
            Engine::Sqlite(path) => {
                let kept = path.exists().then(|| beside(&path, &name));
                if kept.is_some() && !replace {
                    return Err(JournalError::RestoreTargetFull);
                }
                if let Some(parent) = path.parent().filter(|p| *p != Path::new("")) {
                    fs::create_dir_all(parent)?;
                }
                let partial = beside(&path, "partial");
                copy_file(file, &partial)?;
                if let Some(kept) = &kept {
                    if let Err(error) = set_free(url).await {
                        let _ = fs::remove_file(&partial);
                        return Err(error);
                    }
                    fs::rename(&path, kept)?;
                }
                // What a crash of another database left would be taken for this one's.
                for left in ["wal", "shm"] {
                    let mut name = path.clone().into_os_string();
                    name.push(format!("-{left}"));
                    let _ = fs::remove_file(name);
                }
                fs::rename(&partial, &path)?;
                Self::migrate(url).await?;
                Ok(kept)
            }
            Engine::Postgres => {
                let kept = match is_empty(url).await? {
                    true => None,
                    false if !replace => return Err(JournalError::RestoreTargetFull),
                    false => {
                        fs::create_dir_all(folder)?;
                        let kept = folder.join(format!("{name}.sqlite"));
                        Self::backup(url, &kept, |_| {}).await?;
                        Some(kept)
                    }
                };
                // A copy of its own, because an older backup is migrated first.
                let partial = beside(file, "partial");
                copy_file(file, &partial)?;
                let copied = match Self::migrate(&sqlite(&partial)).await {
                    Ok(_) => Self::copy(&sqlite(&partial), url, kept.is_some(), tick).await,
                    Err(error) => Err(error),
                };
                let _ = fs::remove_file(&partial);
                copied.map(|_| kept)
            }
        }
    }
}

fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// `a/b.sqlite` → `a/b.sqlite.<suffix>`.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.to_owned().into_os_string();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn copy_file(from: &Path, to: &Path) -> Result<(), JournalError> {
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

async fn vacuum(url: &str, path: &Path, into: &Path) -> Result<(), JournalError> {
    if !path.is_file() {
        return Err(JournalError::NoDatabase(path.to_owned()));
    }
    let mut connection = connect(url).await?;
    sqlx::query("VACUUM INTO $1")
        .bind(into.display().to_string())
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// Reads the new backup through, then gives it its name.
async fn finish(partial: &Path, file: &Path) -> Result<u64, JournalError> {
    let rows = check_whole(partial).await?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(partial, fs::Permissions::from_mode(0o600))?;
    }
    fs::File::open(partial)?.sync_all()?;
    fs::rename(partial, file)?;
    Ok(rows)
}

/// Reads a backup through without changing a byte of it; returns its rows.
async fn check_whole(file: &Path) -> Result<u64, JournalError> {
    if !file.is_file() {
        return Err(JournalError::NoDatabase(file.to_owned()));
    }
    install_default_drivers();
    let damaged = |_| JournalError::BackupDamaged(file.to_owned());
    // Nobody writes it: SQLite need not look for others, and the medium may be read-only.
    let url = format!("{}?mode=ro&immutable=1", sqlite(file));
    let mut connection = AnyConnection::connect(&url).await.map_err(damaged)?;
    let verdict = sqlx::query("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .map_err(damaged)?;
    if verdict.try_get::<&str, _>(0).map_err(damaged)? != "ok" {
        return Err(JournalError::BackupDamaged(file.to_owned()));
    }
    let found = tables(&mut connection, &Engine::Sqlite(file.to_owned())).await?;
    if !found.iter().any(|table| table.name == "question") {
        return Err(JournalError::NotOurs);
    }
    let versions = sqlx::query("SELECT version FROM _sqlx_migrations")
        .fetch_all(&mut connection)
        .await?;
    let versions: Result<Vec<i64>, _> = versions.iter().map(|v| v.try_get("version")).collect();
    check_known(&versions?)?;
    let mut rows = 0;
    for table in &found {
        rows += table.count(&mut connection).await?;
    }
    connection.close().await?;
    Ok(rows)
}

/// Puts everything of a SQLite database into its one file. That needs it for oneself: it fails
/// while another program has it open.
async fn set_free(url: &str) -> Result<(), JournalError> {
    let mut connection = connect(url).await?;
    connection.execute("PRAGMA busy_timeout = 0").await?;
    let mode = sqlx::query("PRAGMA journal_mode = DELETE")
        .fetch_one(&mut connection)
        .await;
    let freed = mode.is_ok_and(|row| row.try_get::<&str, _>(0).is_ok_and(|mode| mode == "delete"));
    connection.close().await?;
    if freed {
        Ok(())
    } else {
        Err(JournalError::InUse)
    }
}

async fn is_empty(url: &str) -> Result<bool, JournalError> {
    let engine = Engine::of(url)?;
    let mut connection = connect(url).await?;
    for table in tables(&mut connection, &engine).await? {
        if table.count(&mut connection).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
