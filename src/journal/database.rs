//! Opening the database and bringing its tables up to date.

use std::path::Path;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Executor, migrate::Migrator};

use super::JournalError;

static MIGRATIONS: Migrator = sqlx::migrate!("src/migrations");

/// FULL: what the inbox accepted survives a power cut too.
/// secure_delete: what is deleted is gone from the file.
const SQLITE_WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;";
/// Connections that look at things; a slow page takes one of them.
const READERS: u32 = 4;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    /// For everything that writes, and for what must see its own writes in a transaction.
    pub(super) pool: AnyPool,
    /// For pages and exports: with SQLite they read beside the one writer, so that a slow page
    /// never holds up an answer. They see everything that was committed before they ask.
    pub(super) readers: AnyPool,
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
        // SQLite has one writer: others waiting inside it would sleep and try again, while here
        // they queue and are served in turn.
        let pool = pool_of(
            if sqlite { 1 } else { READERS },
            sqlite.then_some(SQLITE_WRITER),
        )
        .connect(&url)
        .await?;
        MIGRATIONS.run(&pool).await?;
        let readers = if sqlite {
            pool_of(READERS, Some(SQLITE_READER)).connect_lazy(&url)?
        } else {
            pool.clone()
        };
        Ok(Self { pool, readers })
    }

    /// Finishes what is under way and closes all connections.
    pub async fn close(&self) {
        // Readers first: the last to leave tidies the write-ahead log away.
        self.readers.close().await;
        self.pool.close().await;
    }
}

fn pool_of(connections: u32, pragmas: Option<&'static str>) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if let Some(pragmas) = pragmas {
                    connection.execute(pragmas).await?;
                }
                Ok(())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::Database;

    #[tokio::test]
    async fn readers_see_what_is_committed_beside_a_busy_writer_and_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("d.sqlite").display());
        let database = Database::open(&url).await.unwrap();
        let insert = "INSERT INTO session (token, staff, created, seen) VALUES ('a', 1, 1, 1)";
        sqlx::query(insert).execute(&database.pool).await.unwrap();
        let mut busy = database.pool.begin().await.unwrap();
        sqlx::query("DELETE FROM session")
            .execute(&mut *busy)
            .await
            .unwrap();
        let seen = sqlx::query("SELECT token FROM session")
            .fetch_all(&database.readers)
            .await
            .unwrap();
        assert_eq!(seen.len(), 1);
        busy.rollback().await.unwrap();
        let refused = sqlx::query("DELETE FROM session")
            .execute(&database.readers)
            .await;
        assert!(refused.is_err());
    }
}
