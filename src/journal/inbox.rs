//! The durable inbox: updates are committed here before the platform is told they arrived,
//! and wiped when they are answered.

use chrono::{DateTime, Duration, Utc};
use sqlx::Row;

use super::{Database, JournalError, Keys};

/// Platforms repeat updates for a day; remember what was done for longer than that.
pub(super) const TOMBSTONE_DAYS: i64 = 3;

/// An update that just arrived.
pub struct Incoming {
    /// The platform's id of the update; the same id is never taken twice.
    pub update_id: i64,
    /// Who it belongs to, as a pseudonym: order is kept within a lane.
    pub lane: String,
    /// The update as it came.
    pub payload: Vec<u8>,
}

/// An update that waits for its answer.
pub struct Pending {
    /// The platform's id of the update.
    pub update_id: i64,
    /// Who it belongs to.
    pub lane: String,
    /// How often answering it failed so far.
    pub attempts: i64,
    /// The update as it came; `None` when it no longer opens (another key).
    pub payload: Option<Vec<u8>>,
}

/// The durable inbox. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    database: Database,
    keys: Keys,
}

impl Inbox {
    /// An inbox in `database`, sealed under `keys`.
    pub fn new(database: Database, keys: Keys) -> Self {
        Self { database, keys }
    }

    /// The pseudonymous lane of a platform's conversation.
    pub fn lane(&self, channel: &str, conversation: &str) -> String {
        self.keys.asker(channel, conversation).0
    }

    /// Commits updates, all or none; returns the ids that are new.
    ///
    /// # Errors
    /// When the database refuses: the platform must then not be told that they arrived.
    pub async fn accept(&self, incoming: &[Incoming]) -> Result<Vec<i64>, JournalError> {
        if incoming.is_empty() {
            return Ok(Vec::new());
        }
        let now = Utc::now().timestamp_millis();
        let mut new = Vec::new();
        let mut transaction = self.database.pool.begin().await?;
        for update in incoming {
            let sealed = self
                .keys
                .seal(&update.payload, &update.update_id.to_le_bytes())?;
            let inserted = sqlx::query(
                "INSERT INTO inbox (update_id, lane, received, payload) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (update_id) DO NOTHING",
            )
            .bind(update.update_id)
            .bind(&update.lane)
            .bind(now)
            .bind(sealed)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if inserted > 0 {
                new.push(update.update_id);
            }
        }
        transaction.commit().await?;
        Ok(new)
    }

    /// Everything that waits for an answer, oldest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn pending(&self) -> Result<Vec<Pending>, JournalError> {
        let rows = sqlx::query(
            "SELECT update_id, lane, attempts, payload FROM inbox WHERE done = 0 ORDER BY update_id",
        )
        .fetch_all(&self.database.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let update_id: i64 = row.try_get("update_id")?;
                let sealed: String = row.try_get("payload")?;
                Ok(Pending {
                    update_id,
                    lane: row.try_get("lane")?,
                    attempts: row.try_get("attempts")?,
                    payload: self.keys.unseal(&sealed, &update_id.to_le_bytes()).ok(),
                })
            })
            .collect()
    }

    /// The update is answered (or given up): its content is wiped, its id remembered.
    ///
    /// # Errors
    /// When the database refuses; the update will be answered again after a restart.
    pub async fn done(&self, update_id: i64) -> Result<(), JournalError> {
        self.all_done(&[update_id]).await
    }

    /// The same for many at the price of one.
    ///
    /// # Errors
    /// When the database refuses; the updates will be answered again after a restart.
    pub async fn all_done(&self, update_ids: &[i64]) -> Result<(), JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        for update_id in update_ids {
            sqlx::query("UPDATE inbox SET done = 1, payload = '' WHERE update_id = $1")
                .bind(update_id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Counts a failed attempt; returns how many there were.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn failed(&self, update_id: i64) -> Result<i64, JournalError> {
        let row = sqlx::query(
            "UPDATE inbox SET attempts = attempts + 1 WHERE update_id = $1 RETURNING attempts",
        )
        .bind(update_id)
        .fetch_one(&self.database.pool)
        .await?;
        Ok(row.try_get("attempts")?)
    }

    /// Forgets ids that no platform repeats any more; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(&self, now: DateTime<Utc>) -> Result<u64, JournalError> {
        let done = sqlx::query("DELETE FROM inbox WHERE done = 1 AND received < $1")
            .bind((now - Duration::days(TOMBSTONE_DAYS)).timestamp_millis())
            .execute(&self.database.pool)
            .await?;
        Ok(done.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_database::{everything_stored, fresh_database};

    fn update(id: i64, text: &str) -> Incoming {
        Incoming {
            update_id: id,
            lane: "lane".into(),
            payload: text.as_bytes().to_vec(),
        }
    }

    async fn inbox(folder: &std::path::Path) -> Inbox {
        let url = fresh_database(folder, "i.sqlite");
        let keys = Keys::open_or_create(&folder.join("k")).unwrap();
        Inbox::new(Database::open(&url).await.unwrap(), keys)
    }

    #[tokio::test]
    async fn an_update_is_taken_once_and_wiped_when_done() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = inbox(folder.path()).await;
        let batch = [update(2, "二"), update(1, "一")];
        assert_eq!(inbox.accept(&batch).await.unwrap(), [2, 1]);
        assert!(inbox.accept(&batch).await.unwrap().is_empty());
        let pending = inbox.pending().await.unwrap();
        let ids: Vec<i64> = pending.iter().map(|p| p.update_id).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(pending[0].payload.as_deref(), Some("一".as_bytes()));
        inbox.done(1).await.unwrap();
        assert!(
            inbox.accept(&batch[1..]).await.unwrap().is_empty(),
            "done ids stay known"
        );
        assert_eq!(inbox.failed(2).await.unwrap(), 1);
        assert_eq!(inbox.pending().await.unwrap().len(), 1);
        assert_eq!(
            inbox.prune(Utc::now() + Duration::days(4)).await.unwrap(),
            1
        );
    }

    /// What SQLite says when the disk is full, and when it was mounted read-only.
    #[tokio::test]
    async fn a_disk_that_takes_nothing_refuses_whole_batches_and_recovers() {
        for (spoil, mend, reason) in [
            (
                "PRAGMA max_page_count = 1",
                "PRAGMA max_page_count = 1000000",
                "full",
            ),
            (
                "PRAGMA query_only = ON",
                "PRAGMA query_only = OFF",
                "readonly",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("i.sqlite").display());
            let keys = Keys::open_or_create(&folder.path().join("k")).unwrap();
            let database = Database::open(&url).await.unwrap();
            let inbox = Inbox::new(database.clone(), keys.clone());
            let journal = super::super::Journal::new(database.clone(), keys, 30);
            let asker = journal.keys().asker("telegram", "1");
            inbox.accept(&[update(1, "一")]).await.unwrap();
            // There is one connection that writes: it is told what the disk would say.
            sqlx::query(spoil).execute(&database.pool).await.unwrap();
            let large = "字".repeat(100_000);
            let error = inbox.accept(&[update(2, "二"), update(3, &large)]).await;
            let error = format!("{:?}", error.unwrap_err());
            assert!(error.contains(reason), "{error}");
            let question = super::super::record::tests::question(&asker, &large);
            assert!(journal.record(question.clone()).await.is_err());
            assert_eq!(inbox.pending().await.unwrap().len(), 1, "reading goes on");
            sqlx::query(mend).execute(&database.pool).await.unwrap();
            let again = inbox.accept(&[update(2, "二"), update(3, &large)]).await;
            assert_eq!(again.unwrap(), [2, 3], "nothing of the batch was kept");
            journal.record(question).await.unwrap();
            assert_eq!(journal.count().await.unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn nothing_stands_in_clear_in_any_file() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = inbox(folder.path()).await;
        let journal = super::super::record::tests::journal(folder.path(), 30).await;
        let secrets = ["13912345678", "11010519491231002X", "4111111111111111"];
        for (n, secret) in secrets.iter().enumerate() {
            let n = i64::try_from(n).unwrap();
            inbox.accept(&[update(n, secret)]).await.unwrap();
            let asker = journal.keys().asker("telegram", secret);
            let record = super::super::record::tests::question(&asker, secret);
            journal.record(record).await.unwrap();
        }
        let bytes = everything_stored(folder.path());
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} stands in clear");
        }
    }
}
