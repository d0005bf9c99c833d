//! How a database is, without changing anything in it: what the doctor looks at.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use super::database::{Engine, is_current};
use super::{Backlog, Database, JournalError, Keys};

/// A server that does not answer within this is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Whether it is a file of SQLite.
    pub is_file: bool,
    /// Whether all migrations of this program are applied; the rest is 0 and `None` when not.
    pub current: bool,
    /// Bytes it takes.
    pub bytes: Option<u64>,
    /// Rows of the question log.
    pub questions: u64,
    /// Time of the latest question.
    pub latest: Option<DateTime<Utc>>,
    /// Updates that wait for their answer.
    pub waiting: u64,
    /// Since when the longest waiting one does.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Hand-overs that nobody answered yet.
    pub handed_over: u64,
    /// Since when the longest waiting one does.
    pub handed_over_since: Option<DateTime<Utc>>,
    /// Accounts that may log in.
    pub accounts: u64,
    /// The fingerprint of the local key that it is written with; `None` when nobody left one.
    pub key: Option<String>,
}

impl Vitals {
    /// Whether it may have been written with these keys.
    pub fn is_of(&self, keys: &Keys) -> bool {
        self.key
            .as_ref()
            .is_none_or(|key| *key == keys.fingerprint())
    }

    /// Looks at the database that `url` names; `None` when there is none yet.
    ///
    /// # Errors
    /// When it cannot be reached or read, or a newer program wrote it.
    pub async fn of(url: &str) -> Result<Option<Self>, JournalError> {
        let engine = Engine::of(url)?;
        let read_only = match &engine {
            Engine::Sqlite(path) if !path.exists() => return Ok(None),
            Engine::Sqlite(path) => format!("sqlite:{}?mode=ro", path.display()),
            Engine::Postgres => url.to_owned(),
        };
        install_default_drivers();
        let connecting = tokio::time::timeout(PATIENCE, AnyConnection::connect(&read_only));
        let away = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let mut connection = connecting.await.map_err(away)??;
        let vitals = look(&mut connection, &engine).await;
        // Nothing was written: whether it is closed in order makes no difference.
        let _ = connection.close().await;
        vitals.map(Some)
    }
}

impl Database {
    /// What waits in the inboxes of all offices together.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn backlog(&self) -> Result<Backlog, JournalError> {
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(MIN(received) AS BIGINT) AS oldest \
                   FROM inbox WHERE done = 0";
        Backlog::of(&sqlx::query(sql).fetch_one(&self.readers).await?)
    }
}

async fn look(connection: &mut AnyConnection, engine: &Engine) -> Result<Vitals, JournalError> {
    let size = match engine {
        // What only the write-ahead log holds counts too.
        Engine::Sqlite(path) => {
            let length = |path: &std::path::Path| std::fs::metadata(path).map(|m| m.len());
            let mut wal = path.clone().into_os_string();
            wal.push("-wal");
            let wal = length(wal.as_ref()).unwrap_or(0);
            length(path).ok().map(|bytes| bytes + wal)
        }
        Engine::Postgres => {
            let sql = "SELECT CAST(pg_database_size(current_database()) AS BIGINT) AS n";
            Some(number(connection, sql).await?.unwrap_or(0))
        }
    };
    let mut vitals = Vitals {
        is_file: matches!(engine, Engine::Sqlite(_)),
        current: is_current(connection).await?,
        bytes: size,
        questions: 0,
        latest: None,
        waiting: 0,
        waiting_since: None,
        handed_over: 0,
        handed_over_since: None,
        accounts: 0,
        key: None,
    };
    if !vitals.current {
        return Ok(vitals);
    }
    let all = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM";
    let count = |what: &str| format!("{all} {what}");
    let open = "handover WHERE state = 'open'";
    vitals.questions = number(connection, &count("question")).await?.unwrap_or(0);
    vitals.waiting = number(connection, &count("inbox WHERE done = 0"))
        .await?
        .unwrap_or(0);
    vitals.handed_over = number(connection, &count(open)).await?.unwrap_or(0);
    vitals.accounts = number(connection, &count("staff WHERE disabled = 0"))
        .await?
        .unwrap_or(0);
    let key = sqlx::query("SELECT fingerprint FROM local_key WHERE one = 1")
        .fetch_optional(&mut *connection)
        .await?;
    vitals.key = key.map(|row| row.try_get("fingerprint")).transpose()?;
    for (when, sql) in [
        (&mut vitals.latest, "MAX(at) AS n FROM question"),
        (
            &mut vitals.waiting_since,
            "MIN(received) AS n FROM inbox WHERE done = 0",
        ),
        (
            &mut vitals.handed_over_since,
            "MIN(at) AS n FROM handover WHERE state = 'open'",
        ),
    ] {
        let millis = number(connection, &format!("SELECT {sql}")).await?;
        *when = millis
            .and_then(|n| i64::try_from(n).ok())
            .and_then(DateTime::from_timestamp_millis);
    }
    Ok(vitals)
}

/// The one number that a statement of this file gives; `None` for NULL.
async fn number(connection: &mut AnyConnection, sql: &str) -> Result<Option<u64>, JournalError> {
    let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_one(connection)
        .await?;
    let number: Option<i64> = row.try_get("n")?;
    Ok(number.and_then(|n| u64::try_from(n).ok()))
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use super::super::test_database::fresh_database;
    use super::*;

    #[tokio::test]
    async fn a_fresh_database_is_well_and_looking_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh_database(folder.path(), "v.sqlite");
        if url.starts_with("sqlite:") {
            assert_eq!(Vitals::of(&url).await.unwrap(), None);
            assert!(
                !folder.path().join("v.sqlite").exists(),
                "looking made no file"
            );
        }
        let key = |name: &str| Keys::open_or_create(&folder.path().join(name)).unwrap();
        let (ours, other) = (key("local.key"), key("other.key"));
        let database = Database::open(&url).await.unwrap();
        let nobody = Vitals::of(&url).await.unwrap().unwrap();
        assert!(nobody.is_of(&ours) && nobody.is_of(&other));
        database.keep_to(&ours).await.unwrap();
        database.close().await;
        let vitals = Vitals::of(&url).await.unwrap().unwrap();
        assert!(vitals.current && vitals.bytes > Some(0));
        assert!(vitals.is_of(&ours) && !vitals.is_of(&other));
        assert_eq!(
            (vitals.questions, vitals.waiting, vitals.accounts),
            (0, 0, 0)
        );
        assert_eq!((vitals.latest, vitals.handed_over_since), (None, None));
    }

    #[tokio::test]
    async fn what_cannot_be_reached_is_an_error_and_not_a_hang() {
        let away = Vitals::of("postgres://nobody@127.0.0.1:1/none").await;
        assert!(matches!(away, Err(JournalError::Database(_))), "{away:?}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.sqlite");
        std::fs::write(&file, "no database at all").unwrap();
        let broken = Vitals::of(&format!("sqlite:{}", file.display())).await;
        assert!(broken.is_err());
    }
}
