//! The journal itself: one row a question, and what happens to it afterwards.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};
use sqlx::Row;

use super::inbox::TOMBSTONE_DAYS;
use super::redact::without_nul;
use super::{Asker, Database, JournalError, Keys, canonical, redact};

/// A journal row: milliseconds since 1970, followed by a counter, so ids sort by time.
pub type RowId = i64;

/// The channel of questions that staff ask to try the bot: no resident asked them, so they are
/// left out of every figure.
pub const STAFF_CHANNEL: &str = "web-staff";

/// How long the board or region somebody came from is remembered.
const ORIGIN_DAYS: i64 = 180;

/// One question as it is journaled.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// `telegram`, `cli`, `web`, or [`STAFF_CHANNEL`].
    pub channel: String,
    /// Who asked; `None` when nobody is to be remembered.
    pub asker: Option<Asker>,
    /// Village or community, from a deep link.
    pub region: Option<String>,
    /// Notice board, from a deep link.
    pub board: Option<String>,
    /// Place id of the answer.
    pub place: Option<String>,
    /// Topic id of the answer, or the nearest.
    pub topic: Option<String>,
    /// Calibrated probability that the topic is right, 0 to 1.
    pub topic_confidence: f64,
    /// Reply kind.
    pub kind: String,
    /// Entry shown.
    pub entry: Option<String>,
    /// Rule of the guard that answered.
    pub rule: Option<String>,
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Time to answer in microseconds.
    pub latency_us: i64,
    /// The words as sent: redacted here, before SQL sees them; empty for a tap.
    pub text: String,
    /// The reply as sent; redacted too, because a look-up may repeat what was typed.
    pub reply: String,
    /// The row whose choice or related question was tapped.
    pub parent: Option<RowId>,
    /// What the platform calls this request: the same one is journaled once.
    pub request: Option<String>,
}

/// Where an asker came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskerOrigin {
    /// Board code.
    pub board: Option<String>,
    /// Region code: the one they chose, or else the board's.
    pub region: Option<String>,
    /// Place id of the board.
    pub place: Option<String>,
}

/// What [`Journal::forget`] deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Questions deleted.
    pub questions: u64,
}

/// What [`Journal::purge`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// Rows whose words were deleted.
    pub texts: u64,
    /// Origins forgotten.
    pub origins: u64,
}

/// The question log. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    database: Database,
    keys: Keys,
    retention_days: u32,
}

/// Ids from the program, so that one SQL text serves every database.
pub(super) fn next_id(at: DateTime<Utc>) -> RowId {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let wanted = at.timestamp_millis() << 12;
    let after = |last: i64| Some(wanted.max(last + 1));
    let previous = LAST
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
        .unwrap_or(wanted);
    wanted.max(previous + 1)
}

impl Journal {
    /// A journal in `database`; words are kept for `retention_days` (0 = never stored).
    pub fn new(database: Database, keys: Keys, retention_days: u32) -> Self {
        Self {
            database,
            keys,
            retention_days,
        }
    }

    /// The local keys, for pseudonyms.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The database beneath, for exports.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// How long words are kept, in days.
    pub fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// Writes one question; for a request that was journaled before, returns that row.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn record(&self, record: Record) -> Result<RowId, JournalError> {
        let kept =
            |words: &str| (self.retention_days > 0 && !words.is_empty()).then(|| redact(words));
        let text = kept(&record.text);
        let reply = kept(&record.reply);
        let mut id = next_id(record.at);
        // Two processes on one database may pick the same id: take the next free one.
        for attempt in 0.. {
            let result = sqlx::query(
                "INSERT INTO question (id, at, channel, asker, region, board, place, topic, kind, \
                 entry, confidence, latency_us, parent, text, request, rule, topic_confidence, \
                 reply, office) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
                 $15, $16, $17, $18, $19) ON CONFLICT (office, request) DO NOTHING",
            )
            .bind(id)
            .bind(record.at.timestamp_millis())
            .bind(&record.channel)
            .bind(record.asker.as_ref().map(|a| a.0.clone()))
            .bind(record.region.clone())
            .bind(record.board.clone())
            .bind(record.place.clone())
            .bind(record.topic.clone())
            .bind(&record.kind)
            .bind(record.entry.clone())
            .bind(record.confidence)
            .bind(record.latency_us)
            .bind(record.parent)
            .bind(text.clone())
            .bind(record.request.clone())
            .bind(record.rule.clone())
            .bind(record.topic_confidence)
            .bind(reply.clone())
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await;
            match result {
                Ok(done) if done.rows_affected() == 0 => {
                    return self.row_of(record.request.as_deref()).await;
                }
                Ok(_) => break,
                Err(sqlx::Error::Database(e)) if e.is_unique_violation() && attempt < 20 => id += 1,
                Err(e) => return Err(e.into()),
            }
        }
        if record.at < Utc::now() - Duration::hours(1) {
            // Its day may be rolled up already.
            let mut transaction = self.database.pool.begin().await?;
            self.changed(&mut transaction, id).await?;
            transaction.commit().await?;
        }
        Ok(id)
    }

    async fn row_of(&self, request: Option<&str>) -> Result<RowId, JournalError> {
        let row = sqlx::query("SELECT id FROM question WHERE request = $1 AND office = $2")
            .bind(request)
            .bind(self.database.office.as_str())
            .fetch_one(&self.database.pool)
            .await?;
        Ok(row.try_get("id")?)
    }

    /// Notes 👍 or 👎 on an asker's own row; `false` when there is no such row.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn feedback(
        &self,
        row: RowId,
        asker: &Asker,
        helpful: bool,
    ) -> Result<bool, JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE question SET helpful = $1 WHERE id = $2 AND asker = $3 AND office = $4",
        )
        .bind(i64::from(helpful))
        .bind(row)
        .bind(&asker.0)
        .bind(self.database.office.as_str())
        .execute(&mut *transaction)
        .await?;
        self.changed(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes which entry was tapped under an asker's own row.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn picked(
        &self,
        row: RowId,
        asker: &Asker,
        entry: &str,
    ) -> Result<bool, JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE question SET picked = $1 WHERE id = $2 AND asker = $3 AND office = $4",
        )
        .bind(entry)
        .bind(row)
        .bind(&asker.0)
        .bind(self.database.office.as_str())
        .execute(&mut *transaction)
        .await?;
        self.changed(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that an asker wanted a human being after their own row.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn handed_over(&self, row: RowId, asker: &Asker) -> Result<bool, JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE question SET handed_over = 1 WHERE id = $1 AND asker = $2 AND office = $3",
        )
        .bind(row)
        .bind(&asker.0)
        .bind(self.database.office.as_str())
        .execute(&mut *transaction)
        .await?;
        self.changed(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Where an asker came from.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn origin(&self, asker: &Asker) -> Result<AskerOrigin, JournalError> {
        let row = sqlx::query(
            "SELECT o.board, COALESCE(o.region, b.region) AS region, b.place \
             FROM asker_origin o LEFT JOIN board b ON b.code = o.board AND b.office = o.office \
             WHERE o.asker = $1 AND o.office = $2",
        )
        .bind(&asker.0)
        .bind(self.database.office.as_str())
        .fetch_optional(&self.database.pool)
        .await?;
        let Some(row) = row else {
            return Ok(AskerOrigin::default());
        };
        Ok(AskerOrigin {
            board: row.try_get("board")?,
            region: row.try_get("region")?,
            place: row.try_get("place")?,
        })
    }

    /// Remembers the board an asker came from, for half a year; returns whether there is one with
    /// that code. Anybody can write anything into a link: what names no board is not kept.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remember_board(
        &self,
        asker: &Asker,
        board: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, JournalError> {
        let done = sqlx::query(
            "INSERT INTO asker_origin (office, asker, board, seen) \
             SELECT office, $1, code, $2 FROM board WHERE code = $3 AND office = $4 \
             ON CONFLICT (office, asker) DO UPDATE SET board = excluded.board, seen = excluded.seen",
        )
        .bind(&asker.0)
        .bind(now.timestamp_millis())
        .bind(without_nul(&canonical(board)))
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Remembers the region an asker chose, for half a year.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remember_region(
        &self,
        asker: &Asker,
        region: &str,
        now: DateTime<Utc>,
    ) -> Result<(), JournalError> {
        sqlx::query(
            "INSERT INTO asker_origin (asker, region, seen, office) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (office, asker) DO UPDATE SET region = excluded.region, seen = excluded.seen",
        )
        .bind(&asker.0)
        .bind(without_nul(region))
        .bind(now.timestamp_millis())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }

    /// Deletes everything of an asker at this office, all or nothing.
    ///
    /// # Errors
    /// When the database refuses; nothing is deleted then.
    pub async fn forget(&self, asker: &Asker) -> Result<Forgotten, JournalError> {
        let office = self.database.office.as_str();
        let mut transaction = self.database.pool.begin().await?;
        self.changed_by(&mut transaction, asker).await?;
        sqlx::query(
            "DELETE FROM review WHERE office = $2 \
             AND question IN (SELECT id FROM question WHERE asker = $1 AND office = $2)",
        )
        .bind(&asker.0)
        .bind(office)
        .execute(&mut *transaction)
        .await?;
        let questions = sqlx::query("DELETE FROM question WHERE asker = $1 AND office = $2")
            .bind(&asker.0)
            .bind(office)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        for also in [
            "DELETE FROM asker_origin WHERE asker = $1 AND office = $2",
            "DELETE FROM handover WHERE asker = $1 AND office = $2",
            "DELETE FROM conversation WHERE asker = $1 AND office = $2",
        ] {
            sqlx::query(also)
                .bind(&asker.0)
                .bind(office)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Forgotten { questions })
    }

    /// Deletes words and replies older than the retention time, origins not seen for half a year and the
    /// names of requests that nobody repeats any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<Purged, JournalError> {
        let office = self.database.office.as_str();
        let words_before = now - Duration::days(i64::from(self.retention_days));
        let texts = sqlx::query(
            "UPDATE question SET text = NULL WHERE at < $1 AND text IS NOT NULL AND office = $2",
        )
        .bind(words_before.timestamp_millis())
        .bind(office)
        .execute(&self.database.pool)
        .await?
        .rows_affected();
        sqlx::query(
            "UPDATE question SET reply = NULL WHERE at < $1 AND reply IS NOT NULL AND office = $2",
        )
        .bind(words_before.timestamp_millis())
        .bind(office)
        .execute(&self.database.pool)
        .await?;
        sqlx::query("UPDATE question SET request = NULL WHERE at < $1 AND request IS NOT NULL AND office = $2")
            .bind((now - Duration::days(TOMBSTONE_DAYS)).timestamp_millis())
            .bind(office)
            .execute(&self.database.pool)
            .await?;
        let origins = sqlx::query("DELETE FROM asker_origin WHERE seen < $1 AND office = $2")
            .bind((now - Duration::days(ORIGIN_DAYS)).timestamp_millis())
            .bind(office)
            .execute(&self.database.pool)
            .await?
            .rows_affected();
        Ok(Purged { texts, origins })
    }

    /// Deletes all rows asked before `day`, statistics included; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn delete_before(&self, day: DateTime<Utc>) -> Result<u64, JournalError> {
        let office = self.database.office.as_str();
        let mut transaction = self.database.pool.begin().await?;
        sqlx::query(
            "DELETE FROM review WHERE office = $2 \
             AND question IN (SELECT id FROM question WHERE at < $1 AND office = $2)",
        )
        .bind(day.timestamp_millis())
        .bind(office)
        .execute(&mut *transaction)
        .await?;
        let done = sqlx::query("DELETE FROM question WHERE at < $1 AND office = $2")
            .bind(day.timestamp_millis())
            .bind(office)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM handover WHERE office = $1 AND NOT EXISTS \
             (SELECT 1 FROM question q WHERE q.id = handover.question AND q.office = $1)",
        )
        .bind(office)
        .execute(&mut *transaction)
        .await?;
        self.forget_days_before(&mut transaction, day).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// How many questions are journaled.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self) -> Result<i64, JournalError> {
        let row =
            sqlx::query("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM question WHERE office = $1")
                .bind(self.database.office.as_str())
                .fetch_one(&self.database.pool)
                .await?;
        Ok(row.try_get("n")?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Boards, NewBoard, QuestionLog};
    use super::*;
    use crate::journal::test_database::fresh_database;

    pub(crate) async fn journal(folder: &std::path::Path, days: u32) -> Journal {
        let url = fresh_database(folder, "j.sqlite");
        let keys = Keys::open_or_create(&folder.join("k")).unwrap();
        Journal::new(Database::open(&url).await.unwrap(), keys, days)
    }

    pub(crate) fn question(asker: &Asker, text: &str) -> Record {
        Record {
            at: Utc::now(),
            channel: "telegram".into(),
            asker: Some(asker.clone()),
            region: None,
            board: None,
            place: Some("village".into()),
            topic: Some("labor.wage_arrears".into()),
            topic_confidence: 0.9,
            kind: "answer".into(),
            entry: Some("labor.wage_arrears-000000".into()),
            rule: None,
            confidence: 0.9,
            latency_us: 1500,
            text: text.into(),
            reply: String::new(),
            parent: None,
            request: None,
        }
    }

    async fn texts(journal: &Journal) -> Vec<Option<String>> {
        sqlx::query("SELECT text FROM question ORDER BY id")
            .fetch_all(&journal.database.pool)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get("text"))
            .collect()
    }

    #[tokio::test]
    async fn words_are_redacted_kept_and_purged() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let asker = journal.keys().asker("telegram", "42");
        let mut new = question(&asker, "打13800138000找我");
        new.reply = "《13800138000法》没有这一条。".into();
        let new = journal.record(new).await.unwrap();
        let mut old = question(&asker, "旧的");
        old.at = Utc::now() - Duration::days(31);
        old.reply = "旧的答复".into();
        let old = journal.record(old).await.unwrap();
        let log = QuestionLog::new(journal.database().clone());
        assert_eq!(log.reply(old).await.unwrap().unwrap(), "旧的答复");
        assert_eq!(journal.purge(Utc::now()).await.unwrap().texts, 1);
        let left: Vec<_> = texts(&journal).await.into_iter().flatten().collect();
        assert_eq!(left, ["打［手机号］找我"]);
        let kept = log.reply(new).await.unwrap().unwrap();
        assert_eq!(kept, "《［手机号］法》没有这一条。");
        assert_eq!(log.reply(old).await.unwrap(), None);
        assert_eq!(
            journal.count().await.unwrap(),
            2,
            "the row stays for the statistics"
        );
    }

    #[tokio::test]
    async fn a_repeated_request_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let asker = journal.keys().asker("telegram", "42");
        let mut asked = question(&asker, "欠薪");
        asked.request = Some("telegram:7".into());
        let row = journal.record(asked.clone()).await.unwrap();
        assert_eq!(journal.record(asked.clone()).await.unwrap(), row);
        journal.record(question(&asker, "欠薪")).await.unwrap();
        journal.record(question(&asker, "欠薪")).await.unwrap();
        assert_eq!(journal.count().await.unwrap(), 3);
        // A platform may start counting anew.
        journal.purge(Utc::now() + Duration::days(4)).await.unwrap();
        assert_ne!(journal.record(asked).await.unwrap(), row);
    }

    #[tokio::test]
    async fn what_no_database_stores_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let asker = journal.keys().asker("telegram", "42");
        journal.record(question(&asker, "欠\0薪")).await.unwrap();
        assert_eq!(texts(&journal).await, [Some("欠薪".to_owned())]);
        let now = Utc::now();
        let boards = Boards::new(journal.database().clone());
        let code = boards.add(NewBoard::default(), now).await.unwrap().code;
        let spoilt = format!("{code}\0");
        assert!(journal.remember_board(&asker, &spoilt, now).await.unwrap());
        journal.remember_region(&asker, "r\0", now).await.unwrap();
        let origin = journal.origin(&asker).await.unwrap();
        assert_eq!(
            (origin.board, origin.region.as_deref()),
            (Some(code), Some("r"))
        );
    }

    #[tokio::test]
    async fn zero_days_store_no_words() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 0).await;
        let asker = journal.keys().asker("telegram", "42");
        journal.record(question(&asker, "欠薪")).await.unwrap();
        assert_eq!(texts(&journal).await, [None]);
    }

    #[tokio::test]
    async fn only_the_asker_can_mark_and_everything_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let (one, two) = (
            journal.keys().asker("telegram", "1"),
            journal.keys().asker("telegram", "2"),
        );
        let row = journal.record(question(&one, "甲")).await.unwrap();
        journal.record(question(&two, "乙")).await.unwrap();
        assert!(!journal.feedback(row, &two, true).await.unwrap());
        assert!(journal.feedback(row, &one, true).await.unwrap());
        assert!(journal.picked(row, &one, "x").await.unwrap());
        assert!(journal.handed_over(row, &one).await.unwrap());
        journal
            .remember_region(&one, "r1", Utc::now())
            .await
            .unwrap();
        let origin = journal.origin(&one).await.unwrap();
        assert_eq!(origin.region.as_deref(), Some("r1"));
        assert_eq!(journal.forget(&one).await.unwrap().questions, 1);
        assert_eq!(journal.origin(&one).await.unwrap(), AskerOrigin::default());
        assert_eq!(journal.count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_board_tells_region_and_place_unless_the_asker_chose() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let about = NewBoard {
            name: "文化广场".into(),
            place: Some("village".into()),
            region: Some("r01".into()),
            activity: None,
        };
        let boards = Boards::new(journal.database().clone());
        let code = boards.add(about, Utc::now()).await.unwrap().code;
        let asker = journal.keys().asker("telegram", "1");
        let now = Utc::now();
        assert!(!journal.remember_board(&asker, "x9x9x", now).await.unwrap());
        assert_eq!(
            journal.origin(&asker).await.unwrap(),
            AskerOrigin::default(),
            "a code that somebody made up is not kept"
        );
        assert!(journal.remember_board(&asker, &code, now).await.unwrap());
        let origin = |region: &str| AskerOrigin {
            board: Some(code.clone()),
            region: Some(region.into()),
            place: Some("village".into()),
        };
        assert_eq!(journal.origin(&asker).await.unwrap(), origin("r01"));
        journal.remember_region(&asker, "r02", now).await.unwrap();
        assert_eq!(journal.origin(&asker).await.unwrap(), origin("r02"));
    }

    #[tokio::test]
    async fn ids_are_distinct_within_a_millisecond() {
        let at = Utc::now();
        let ids: std::collections::HashSet<_> = (0..5000).map(|_| next_id(at)).collect();
        assert_eq!(ids.len(), 5000);
    }
}
