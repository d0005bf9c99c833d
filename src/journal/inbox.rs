//! The durable inbox: updates are committed here before the platform is told they arrived,
//! and wiped when they are answered.
//!
//! Work is taken with leases (see [`lease`](super::lease)), so that several programs may share it:
//! the oldest open update of a lane that nobody works on. So a lane's updates are answered one
//! after the other and in order, whoever answers them.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::lease::{LEASE_MS, replica_name};
use super::{Database, JournalError, Keys, OfficeId};

/// In the column `done`: answered or given up, and wiped.
pub(super) const DONE: i64 = 1;
/// In the column `done`: it cannot be read, and is kept as it is until the program starts again.
const SET_ASIDE: i64 = 2;

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
    /// When it arrived.
    pub received: DateTime<Utc>,
    /// The update as it came.
    pub payload: Vec<u8>,
}

/// What waits in an inbox, of all programs together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Updates without an answer, those under way too.
    pub open: i64,
    /// Milliseconds since the oldest of them arrived; 0 when there is none.
    pub oldest_ms: i64,
}

impl Backlog {
    /// From a row with the number `n` and the time `oldest`.
    pub(super) fn of(row: &AnyRow) -> Result<Self, JournalError> {
        let oldest: Option<i64> = row.try_get("oldest")?;
        Ok(Self {
            open: row.try_get("n")?,
            oldest_ms: oldest.map_or(0, |ms| (Utc::now().timestamp_millis() - ms).max(0)),
        })
    }
}

/// The durable inbox. Cheap to clone; clones work under the same name.
#[derive(Clone)]
pub struct Inbox {
    database: Database,
    keys: Keys,
    replica: Arc<str>,
}

impl Inbox {
    /// An inbox in `database`, sealed under `keys`.
    pub fn new(database: Database, keys: Keys) -> Self {
        Self {
            database,
            keys,
            replica: replica_name().into(),
        }
    }

    /// The database beneath.
    pub fn database(&self) -> &Database {
        &self.database
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
                "INSERT INTO inbox (update_id, lane, received, payload, office) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (office, update_id) DO NOTHING",
            )
            .bind(update.update_id)
            .bind(&update.lane)
            .bind(now)
            .bind(sealed)
            .bind(self.database.office.as_str())
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

    /// Tries again what could not be read. With SQLite there is one program: what an earlier run had in
    /// hand is free at once.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn begin(&self) -> Result<(), JournalError> {
        sqlx::query("UPDATE inbox SET done = 0, until = 0 WHERE done = $1 AND office = $2")
            .bind(SET_ASIDE)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        if !self.database.is_postgres {
            sqlx::query("UPDATE inbox SET until = 0 WHERE done = 0 AND until > 0 AND office = $1")
                .bind(self.database.office.as_str())
                .execute(&self.database.pool)
                .await?;
        }
        Ok(())
    }

    /// In one transaction: what was answered (or given up) is wiped, its id remembered, and up to
    /// `room` updates are taken, at most one of a lane, the oldest first. What does not open (another
    /// key) is set aside, never wiped.
    ///
    /// # Errors
    /// When the database refuses: nothing is wiped and nothing taken then.
    pub async fn turn(&self, dealt: &[i64], room: usize) -> Result<Vec<Pending>, JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        for update_id in dealt {
            sqlx::query("UPDATE inbox SET done = 1, payload = '', until = 0 WHERE update_id = $1 AND office = $2")
                .bind(update_id)
                .bind(self.database.office.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        let (now, free) = (self.database.now(), self.database.is_free("t.until"));
        let sql = format!(
            "WITH heads AS MATERIALIZED ( \
               SELECT t.update_id FROM inbox t WHERE t.office = $3 AND t.done = 0 AND {free} \
               AND NOT EXISTS (SELECT 1 FROM inbox e WHERE e.office = $3 AND e.lane = t.lane AND e.done = 0 \
                 AND e.update_id <> t.update_id AND (e.update_id < t.update_id OR NOT {taken})) \
               ORDER BY t.update_id LIMIT $1 {take}) \
             UPDATE inbox SET owner = $2, until = {now} + {LEASE_MS} \
             WHERE office = $3 AND update_id IN (SELECT update_id FROM heads) \
             RETURNING update_id, lane, attempts, received, payload",
            taken = self.database.is_free("e.until"),
            take = self.database.take_rows(),
        );
        let rows = if room == 0 {
            Vec::new()
        } else {
            // Put together from literals and numbers.
            sqlx::query(AssertSqlSafe(sql))
                .bind(i64::try_from(room).unwrap_or(i64::MAX))
                .bind(&*self.replica)
                .bind(self.database.office.as_str())
                .fetch_all(&mut *transaction)
                .await?
        };
        let mut taken: Vec<Pending> = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.pending(row) {
                Err(JournalError::Sealed) => {
                    set_aside(
                        &self.database.office,
                        row.try_get("update_id")?,
                        &mut transaction,
                    )
                    .await?;
                }
                pending => taken.push(pending?),
            }
        }
        transaction.commit().await?;
        taken.sort_by_key(|pending| pending.update_id);
        Ok(taken)
    }

    fn pending(&self, row: &AnyRow) -> Result<Pending, JournalError> {
        let update_id: i64 = row.try_get("update_id")?;
        let sealed: String = row.try_get("payload")?;
        let received = DateTime::from_timestamp_millis(row.try_get("received")?);
        Ok(Pending {
            update_id,
            lane: row.try_get("lane")?,
            attempts: row.try_get("attempts")?,
            received: received.unwrap_or_default(),
            payload: self.keys.unseal(&sealed, &update_id.to_le_bytes())?,
        })
    }

    /// Goes on holding what was taken; returns what still is ours. What is missing was dealt with, or
    /// somebody else has taken it because we were silent for too long.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn renew(&self) -> Result<HashSet<i64>, JournalError> {
        let sql = format!(
            "UPDATE inbox SET until = {} + {LEASE_MS} WHERE done = 0 AND owner = $1 AND until > 0 \
             AND office = $2 RETURNING update_id",
            self.database.now()
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(&*self.replica)
            .bind(self.database.office.as_str())
            .fetch_all(&self.database.pool)
            .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("update_id")?))
            .collect()
    }

    /// Keeps what was taken and cannot be read, and has nobody take it again before the next start.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn set_aside(&self, update_id: i64) -> Result<(), JournalError> {
        let mut connection = self.database.pool.acquire().await?;
        set_aside(&self.database.office, update_id, &mut connection).await
    }

    /// Gives back some of what was taken: nobody works on it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn give_back(&self, update_ids: &[i64]) -> Result<(), JournalError> {
        for update_id in update_ids {
            sqlx::query(
                "UPDATE inbox SET until = 0 WHERE done = 0 AND owner = $1 AND update_id = $2 \
                 AND office = $3",
            )
            .bind(&*self.replica)
            .bind(update_id)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        }
        Ok(())
    }

    /// Gives back what was taken, so that somebody else answers it at once.
    ///
    /// # Errors
    /// When the database refuses: the leases run out by themselves then.
    pub async fn release(&self) -> Result<(), JournalError> {
        sqlx::query(
            "UPDATE inbox SET until = 0 WHERE done = 0 AND owner = $1 AND until > 0 AND office = $2",
        )
        .bind(&*self.replica)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }

    /// What waits.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn backlog(&self) -> Result<Backlog, JournalError> {
        let row = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(MIN(received) AS BIGINT) AS oldest \
             FROM inbox WHERE done = 0 AND office = $1",
        )
        .bind(self.database.office.as_str())
        .fetch_one(&self.database.readers)
        .await?;
        Backlog::of(&row)
    }

    /// Counts a failed attempt; returns how many there were.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn failed(&self, update_id: i64) -> Result<i64, JournalError> {
        let row = sqlx::query(
            "UPDATE inbox SET attempts = attempts + 1 WHERE update_id = $1 AND office = $2 \
             RETURNING attempts",
        )
        .bind(update_id)
        .bind(self.database.office.as_str())
        .fetch_one(&self.database.pool)
        .await?;
        Ok(row.try_get("attempts")?)
    }

    /// Forgets ids that no platform repeats any more; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(&self, now: DateTime<Utc>) -> Result<u64, JournalError> {
        let done =
            sqlx::query("DELETE FROM inbox WHERE done = 1 AND received < $1 AND office = $2")
                .bind((now - Duration::days(TOMBSTONE_DAYS)).timestamp_millis())
                .bind(self.database.office.as_str())
                .execute(&self.database.pool)
                .await?;
        Ok(done.rows_affected())
    }
}

async fn set_aside(
    office: &OfficeId,
    update_id: i64,
    connection: &mut AnyConnection,
) -> Result<(), JournalError> {
    tracing::error!(
        "收件箱里有一条消息读不了（密钥不对，或内容坏了）：没有删，先放在一边，下次启动再试"
    );
    sqlx::query("UPDATE inbox SET done = $1, until = 0 WHERE update_id = $2 AND office = $3")
        .bind(SET_ASIDE)
        .bind(update_id)
        .bind(office.as_str())
        .execute(connection)
        .await?;
    Ok(())
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

    fn ids(taken: &[Pending]) -> Vec<i64> {
        taken.iter().map(|p| p.update_id).collect()
    }

    async fn inbox(folder: &std::path::Path) -> Inbox {
        let url = fresh_database(folder, "i.sqlite");
        let keys = Keys::open_or_create(&folder.join("k")).unwrap();
        Inbox::new(Database::open(&url).await.unwrap(), keys)
    }

    #[tokio::test]
    async fn what_nobody_works_on_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = inbox(folder.path()).await;
        let mut other = update(2, "二");
        other.lane = "other".into();
        inbox.accept(&[update(1, "一"), other]).await.unwrap();
        // Taken, but the answer of the database was lost on the way.
        drop(inbox.turn(&[], 9).await.unwrap());
        let ours = inbox.renew().await.unwrap();
        assert_eq!(ours, HashSet::from([1, 2]));
        inbox.give_back(&[1]).await.unwrap();
        assert_eq!(ids(&inbox.turn(&[], 9).await.unwrap()), [1]);
    }

    #[tokio::test]
    async fn an_update_is_taken_once_and_wiped_when_done() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = inbox(folder.path()).await;
        let batch = [update(2, "二"), update(1, "一")];
        assert_eq!(inbox.accept(&batch).await.unwrap(), [2, 1]);
        assert!(inbox.accept(&batch).await.unwrap().is_empty());
        assert_eq!(inbox.backlog().await.unwrap().open, 2);
        let first = inbox.turn(&[], 9).await.unwrap();
        assert_eq!(ids(&first), [1], "one of a lane at a time, in order");
        assert_eq!(first[0].payload, "一".as_bytes());
        assert!(inbox.turn(&[], 9).await.unwrap().is_empty());
        assert_eq!(inbox.failed(1).await.unwrap(), 1);
        assert_eq!(ids(&inbox.turn(&[1], 9).await.unwrap()), [2]);
        assert!(
            inbox.accept(&batch[1..]).await.unwrap().is_empty(),
            "done ids stay known"
        );
        assert!(inbox.turn(&[2], 9).await.unwrap().is_empty());
        assert_eq!(inbox.backlog().await.unwrap(), Backlog::default());
        assert_eq!(
            inbox.prune(Utc::now() + Duration::days(4)).await.unwrap(),
            2
        );
    }

    #[tokio::test]
    async fn what_one_took_the_other_leaves_until_it_is_given_back_or_runs_out() {
        let folder = tempfile::tempdir().unwrap();
        let one = inbox(folder.path()).await;
        let other = Inbox::new(one.database.clone(), one.keys.clone());
        let in_lane = |id: i64, lane: &str| Incoming {
            lane: lane.into(),
            ..update(id, "字")
        };
        let batch = [
            in_lane(1, "a"),
            in_lane(2, "a"),
            in_lane(3, "b"),
            in_lane(4, "c"),
        ];
        one.accept(&batch).await.unwrap();
        assert_eq!(ids(&one.turn(&[], 2).await.unwrap()), [1, 3]);
        assert_eq!(ids(&other.turn(&[], 9).await.unwrap()), [4]);
        assert_eq!(one.renew().await.unwrap(), HashSet::from([1, 3]));
        other.accept(&[in_lane(0, "a")]).await.unwrap();
        assert!(
            other.turn(&[], 9).await.unwrap().is_empty(),
            "what came late waits for what is under way in its lane"
        );
        one.release().await.unwrap();
        assert!(one.renew().await.unwrap().is_empty());
        assert_eq!(ids(&other.turn(&[4], 9).await.unwrap()), [0, 3]);
        // Silent for longer than a lease lasts; and a clock that was set back by a day.
        for changed in ["until - 60000", "until + 86400000"] {
            let sql = format!("UPDATE inbox SET until = {changed} WHERE update_id = 3");
            sqlx::query(AssertSqlSafe(sql))
                .execute(&one.database.pool)
                .await
                .unwrap();
            assert_eq!(ids(&one.turn(&[], 9).await.unwrap()), [3]);
            assert_eq!(other.renew().await.unwrap(), HashSet::from([0]));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_takers_take_everything_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let first = inbox(folder.path()).await;
        let batch: Vec<Incoming> = (0..200)
            .map(|id| Incoming {
                lane: format!("lane {}", id % 7),
                ..update(id, "字")
            })
            .collect();
        first.accept(&batch).await.unwrap();
        let takers = (0..6).map(|_| {
            let inbox = Inbox::new(first.database.clone(), first.keys.clone());
            tokio::spawn(async move {
                let mut taken: Vec<(i64, String)> = Vec::new();
                let mut hand: Vec<i64> = Vec::new();
                while inbox.backlog().await.unwrap().open > 0 {
                    let got = inbox.turn(&hand, 3).await.unwrap();
                    hand = ids(&got);
                    taken.extend(got.into_iter().map(|p| (p.update_id, p.lane)));
                }
                taken
            })
        });
        let mut all: Vec<i64> = Vec::new();
        for taken in futures::future::join_all(takers).await {
            let taken = taken.unwrap();
            let mut last = std::collections::HashMap::new();
            for (id, lane) in taken {
                assert!(last.insert(lane, id).is_none_or(|before| before < id));
                all.push(id);
            }
        }
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<i64>>());
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
            // There is one connection that writes: it is told what the disk would say, again and again,
            // because one that was left in a transaction is replaced.
            let spoil = async || {
                sqlx::query(spoil).execute(&database.pool).await.unwrap();
            };
            let large = "字".repeat(100_000);
            let question = super::super::record::tests::question(&asker, &large);
            for _ in 0..3 {
                spoil().await;
                let error = inbox.accept(&[update(2, "二"), update(3, &large)]).await;
                let error = format!("{:?}", error.unwrap_err());
                assert!(error.contains(reason), "{error}");
                spoil().await;
                assert!(journal.record(question.clone()).await.is_err());
            }
            assert_eq!(inbox.backlog().await.unwrap().open, 1, "reading goes on");
            sqlx::query(mend).execute(&database.pool).await.unwrap();
            let again = inbox.accept(&[update(2, "二"), update(3, &large)]).await;
            assert_eq!(again.unwrap(), [2, 3], "nothing of the batch was kept");
            journal.record(question).await.unwrap();
            // As others see it: what only this connection sees is not written.
            let other = Database::open(&url).await.unwrap();
            let seen = Inbox::new(other.clone(), journal.keys().clone());
            assert_eq!(seen.backlog().await.unwrap().open, 3);
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
