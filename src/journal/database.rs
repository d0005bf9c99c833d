//! Opening the database and bringing its tables up to date.

use std::path::Path;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Executor, migrate::Migrator};

use super::JournalError;

static MIGRATIONS: Migrator = sqlx::migrate!("src/migrations");

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(super) pool: AnyPool,
}

impl Database {
    /// Opens `url` (`sqlite:data/qijin.sqlite`), creating file and folder, and migrates it.
    ///
    /// # Errors
    /// When it cannot be opened or its tables cannot be brought up to date.
    pub async fn open(url: &str) -> Result<Self, JournalError> {
        install_default_drivers();
        let mut url = url.to_owned();
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//");
            let path = path.split('?').next().unwrap_or(path);
            if let Some(folder) = Path::new(path)
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
            {
                std::fs::create_dir_all(folder)?;
            }
            if !url.contains('?') {
                url.push_str("?mode=rwc");
            }
        }
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            // SQLite has one writer: others waiting inside it would sleep and try again, while here
            // they queue and are served in turn.
            .max_connections(if sqlite { 1 } else { 4 })
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        // FULL: what the inbox accepted survives a power cut too.
                        // secure_delete: what is deleted is gone from the file.
                        connection
                            .execute(
                                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
                                 PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                                 PRAGMA foreign_keys = ON;",
                            )
                            .await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool })
    }

    /// Finishes what is under way and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
