//! Opening the database, SQLite or PostgreSQL by its URL, and bringing its tables up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::{JournalError, OfficeId};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/migrations");

/// FULL: what the inbox accepted survives a power cut too.
/// secure_delete: what is deleted is gone from the file.
const SQLITE_WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;";
/// A statement that hangs must not hold a connection, and what it locked, for ever.
const POSTGRES_WRITER: &str = "SET statement_timeout = '60s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s';";
const POSTGRES_READER: &str =
    "SET statement_timeout = '60s'; SET default_transaction_read_only = on;";
/// Connections that look at things; a slow page takes one of them.
const READERS: u32 = 4;
/// Connections that write to PostgreSQL: few, because a server allows about a hundred in all and
/// several programs may share it.
const POSTGRES_WRITERS: u32 = 6;
/// SQLite's one writer is a queue that moves: waiting pays.
const SQLITE_PATIENCE: Duration = Duration::from_secs(10);
/// A server that is away is tried for this long by everybody who wants something of it.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(3);

/// A server that hangs, or is gone without a word, says nothing for ever.
const SILENCE: Duration = Duration::from_secs(10);

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    /// For everything that writes, and for what must see its own writes in a transaction.
    pub(super) pool: AnyPool,
    /// For pages and exports: they read beside those that write, so that a slow page never holds
    /// up an answer. They see everything that was committed before they ask.
    pub(super) readers: AnyPool,
    /// The few words of SQL that the engines do not share are chosen by it (see `lease`).
    pub(super) is_postgres: bool,
    /// Whose rows: every statement about an office's data binds it (see `office`).
    pub(super) office: OfficeId,
}

/// Which database a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Engine {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres,
}

impl Engine {
    /// Reads it from a URL.
    pub fn of(url: &str) -> Result<Self, JournalError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split('?').next().unwrap_or(path);
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres);
        }
        Err(JournalError::Scheme)
    }
}

/// What [`Database::migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The newest version before; 0 for an empty database.
    pub from: i64,
    /// The newest version now.
    pub to: i64,
    /// What was applied, in order: version and name.
    pub applied: Vec<(i64, String)>,
}

impl Database {
    /// Opens `url` (`sqlite:data/qijin.sqlite` or `postgres://user:password@host/database`) and
    /// migrates it; SQLite's file and folder are made if need be. The handle is the default office's;
    /// [`Database::of`] makes another's.
    ///
    /// # Errors
    /// When it cannot be opened, its tables cannot be brought up to date, or a newer program wrote it.
    pub async fn open(url: &str) -> Result<Self, JournalError> {
        Self::migrate(url).await?;
        let with_mode = writable(url)?;
        let (pool, readers) = match Engine::of(url)? {
            // SQLite has one writer: others waiting inside it would sleep and try again, while
            // here they queue and are served in turn.
            Engine::Sqlite(_) => (
                pool_of(1, SQLITE_PATIENCE, SQLITE_WRITER).after_release(|connection, _| {
                    Box::pin(async move {
                        // Behind a rollback that is still to come.
                        connection.ping().await?;
                        // On a full disk SQLite rolls back by itself; sqlx then counts one transaction
                        // more than there is, and what is "committed" later is never written.
                        Ok(!connection.is_in_transaction())
                    })
                }),
                pool_of(READERS, SQLITE_PATIENCE, SQLITE_READER),
            ),
            Engine::Postgres => (
                pool_of(POSTGRES_WRITERS, POSTGRES_PATIENCE, POSTGRES_WRITER),
                pool_of(READERS, POSTGRES_PATIENCE, POSTGRES_READER),
            ),
        };
        Ok(Self {
            pool: pool.connect(&with_mode).await?,
            readers: readers.connect_lazy(&with_mode)?,
            is_postgres: Engine::of(url)? == Engine::Postgres,
            office: OfficeId::default(),
        })
    }

    /// Brings the tables up to date. Several programs may do so at once: they wait for each other.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn migrate(url: &str) -> Result<Migrated, JournalError> {
        if let Engine::Sqlite(path) = Engine::of(url)?
            && let Some(folder) = path.parent().filter(|p| *p != Path::new(""))
        {
            std::fs::create_dir_all(folder)?;
        }
        // A connection of its own: a new index on a large table takes longer than any answer may.
        let mut connection = connect(url).await?;
        let table = "_sqlx_migrations";
        connection.ensure_migrations_table(table).await?;
        let before = connection.list_applied_migrations(table).await?;
        let before: Vec<i64> = before.iter().map(|m| m.version).collect();
        check_known(&before)?;
        MIGRATIONS.run(&mut connection).await?;
        connection.close().await?;
        let applied = MIGRATIONS
            .iter()
            .filter(|m| !before.contains(&m.version))
            .map(|m| (m.version, m.description.to_string()))
            .collect();
        Ok(Migrated {
            from: before.iter().copied().max().unwrap_or(0),
            to: newest(),
            applied,
        })
    }

    /// `work`, unless a server does not answer: for what must go on or try again without it. Whether it
    /// was done is not known then. What a file's only writer does is never broken off in the middle.
    ///
    /// # Errors
    /// Those of `work`, and [`JournalError::Silent`].
    pub async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, JournalError>>,
    ) -> Result<T, JournalError> {
        if !self.is_postgres {
            return work.await;
        }
        let done = tokio::time::timeout(SILENCE, work).await;
        done.unwrap_or(Err(JournalError::Silent))
    }

    /// Finishes what is under way and closes all connections; does not wait for a server that says
    /// nothing any more.
    pub async fn close(&self) {
        let closed = async {
            // Readers first: the last to leave tidies the write-ahead log away.
            self.readers.close().await;
            self.pool.close().await;
            Ok(())
        };
        if self.in_time(closed).await.is_err() {
            tracing::warn!("the database does not answer: left as it is");
        }
    }
}

/// One connection that writes, without any migration.
pub(super) async fn connect(url: &str) -> Result<AnyConnection, JournalError> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(&writable(url)?).await?;
    if matches!(Engine::of(url)?, Engine::Sqlite(_)) {
        connection.execute(SQLITE_WRITER).await?;
    }
    Ok(connection)
}

/// The newest version of the tables that this program knows.
fn newest() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// A database of a newer program is left alone.
pub(super) fn check_known(versions: &[i64]) -> Result<(), JournalError> {
    match versions.iter().find(|v| !MIGRATIONS.version_exists(**v)) {
        Some(found) => Err(JournalError::Newer {
            found: *found,
            known: newest(),
        }),
        None => Ok(()),
    }
}

/// Whether all migrations are applied, through a connection that changes nothing.
///
/// # Errors
/// For a database of a newer program, or one that holds no tables of ours.
pub(super) async fn is_current(connection: &mut AnyConnection) -> Result<bool, JournalError> {
    let applied = connection
        .list_applied_migrations("_sqlx_migrations")
        .await?;
    let applied: Vec<i64> = applied.iter().map(|m| m.version).collect();
    check_known(&applied)?;
    Ok(MIGRATIONS.iter().all(|m| applied.contains(&m.version)))
}

fn writable(url: &str) -> Result<String, JournalError> {
    Ok(match Engine::of(url)? {
        Engine::Sqlite(_) if !url.contains('?') => format!("{url}?mode=rwc"),
        _ => url.to_owned(),
    })
}

fn pool_of(connections: u32, patience: Duration, first: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(first).await?;
                Ok(())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::{Database, Engine};
    use crate::journal::JournalError;
    use crate::journal::test_database::fresh_database;

    #[tokio::test]
    async fn readers_see_what_is_committed_beside_a_busy_writer_and_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh_database(folder.path(), "d.sqlite");
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

    #[tokio::test]
    async fn migrating_tells_from_where_to_where_and_a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh_database(folder.path(), "d.sqlite");
        let first = Database::migrate(&url).await.unwrap();
        assert_eq!((first.from, first.to), (0, super::newest()));
        assert_eq!(first.applied[0], (1, "journal".to_owned()));
        let again = Database::migrate(&url).await.unwrap();
        assert_eq!((again.from, again.applied.len()), (again.to, 0));
        let mut connection = super::connect(&url).await.unwrap();
        sqlx::query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1")
            .execute(&mut connection)
            .await
            .unwrap();
        let refused = Database::open(&url).await;
        assert!(matches!(
            refused.err(),
            Some(JournalError::Newer { found: 9999, .. })
        ));
    }

    #[test]
    fn only_two_engines_and_no_password_in_the_error() {
        let sqlite = |path: &str| Engine::Sqlite(path.into());
        assert_eq!(
            Engine::of("sqlite:a/b.db?mode=ro").unwrap(),
            sqlite("a/b.db")
        );
        assert_eq!(Engine::of("sqlite:///a/b.db").unwrap(), sqlite("/a/b.db"));
        assert_eq!(Engine::of("postgresql://h/d").unwrap(), Engine::Postgres);
        let error = Engine::of("mysql://root:secret@h/d").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}
