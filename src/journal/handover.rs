//! Questions handed to a human being (找人问): where the answer goes to, sealed, and the answer.
//!
//! A row begins when a resident presses 找人问, which says that they agree. It goes
//! `open` → `sending` (an officer's answer is committed) → `answered` (the channel took it), or
//! ends `undelivered` (the resident blocked the bot), `closed` (without an answer) or `expired`.
//! The address is wiped in every state that needs it no more, and the answer's own words with it:
//! what stays is a redacted copy, as long as the words of questions stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Duration, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;
use tokio::sync::Notify;

use super::lease::{LEASE_MS, replica_name};
use super::record::next_id;
use super::{Asker, Database, Journal, JournalError, Keys, RowId, redact};

/// An open hand-over is given up after this many days.
pub const HANDOVER_DAYS: i64 = 30;
/// The longest answer, in characters: it fits one message with its heading.
pub const MAX_REPLY: usize = 3000;

/// Where an answer goes to. It is never written in clear.
pub struct Address {
    /// The channel that can deliver it, `telegram`.
    pub channel: &'static str,
    /// The platform's conversation.
    pub conversation: String,
}

/// How far a hand-over is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverState {
    /// Waits for an officer.
    Open,
    /// Answered here, on its way to the resident.
    Sending,
    /// The resident has the answer.
    Answered,
    /// The answer could not be delivered: the resident blocked the bot or left.
    Undelivered,
    /// Closed by an officer without an answer.
    Closed,
    /// Nobody answered in time.
    Expired,
}

impl HandoverState {
    const ALL: [Self; 6] = [
        Self::Open,
        Self::Sending,
        Self::Answered,
        Self::Undelivered,
        Self::Closed,
        Self::Expired,
    ];

    fn stored(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sending => "sending",
            Self::Answered => "answered",
            Self::Undelivered => "undelivered",
            Self::Closed => "closed",
            Self::Expired => "expired",
        }
    }

    /// As staff read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "等答复",
            Self::Sending => "正在送达",
            Self::Answered => "已答复",
            Self::Undelivered => "没送到",
            Self::Closed => "已关闭",
            Self::Expired => "已过期",
        }
    }
}

/// A hand-over as an officer sees it: nothing says who asked.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Stable id.
    pub id: i64,
    /// The question's row in the journal.
    pub question: RowId,
    /// When 找人问 was pressed.
    pub at: DateTime<Utc>,
    /// How far it is.
    pub state: HandoverState,
    /// The redacted words of the question, or of the one it was picked under; gone with the
    /// retention time.
    pub text: Option<String>,
    /// Topic of the reply that did not help enough.
    pub topic: Option<String>,
    /// Entry shown then.
    pub entry: Option<String>,
    /// Region of the resident.
    pub region: Option<String>,
    /// The answer, redacted.
    pub reply: Option<String>,
    /// When it was answered, closed or given up.
    pub decided: Option<DateTime<Utc>>,
}

/// An answer on its way.
pub struct Delivery {
    /// The hand-over.
    pub id: i64,
    /// The platform's conversation.
    pub conversation: String,
    /// The redacted words of the question, to remind the resident of it.
    pub question: Option<String>,
    /// What the officer wrote.
    pub text: String,
}

/// The hand-overs. Cheap to clone.
#[derive(Clone)]
pub struct Handovers {
    database: Database,
    keys: Keys,
    retention_days: u32,
    committed: Arc<Notify>,
    replica: Arc<str>,
    /// Whether it was said that something does not open.
    told: Arc<AtomicBool>,
}

/// The words may stand in the row of the question under which an entry was picked.
const COLUMNS: &str = "SELECT h.id, h.question, h.at, h.state, h.address, h.outgoing, h.reply, \
     h.decided, q.topic, q.entry, q.region, COALESCE(q.text, p.text) AS text FROM handover h \
     LEFT JOIN question q ON q.id = h.question AND q.office = h.office \
     LEFT JOIN question p ON p.id = q.parent AND p.office = h.office";

fn handover(row: &AnyRow) -> Result<Handover, JournalError> {
    let state: String = row.try_get("state")?;
    let time = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap_or_default();
    Ok(Handover {
        id: row.try_get("id")?,
        question: row.try_get("question")?,
        at: time(row.try_get("at")?),
        state: HandoverState::ALL
            .into_iter()
            .find(|s| s.stored() == state)
            // A state that a newer version wrote is nothing to act on.
            .unwrap_or(HandoverState::Closed),
        text: row.try_get("text")?,
        topic: row.try_get("topic")?,
        entry: row.try_get("entry")?,
        region: row.try_get("region")?,
        reply: row.try_get("reply")?,
        decided: row.try_get::<Option<i64>, _>("decided")?.map(time),
    })
}

impl Handovers {
    /// The hand-overs of a journal's questions; answers are kept, redacted, as long as its words.
    pub fn of(journal: &Journal) -> Self {
        Self {
            database: journal.database().clone(),
            keys: journal.keys().clone(),
            retention_days: journal.retention_days(),
            committed: Arc::new(Notify::new()),
            replica: replica_name().into(),
            told: Arc::default(),
        }
    }

    /// Whether there is an account that may answer.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn somebody_answers(&self) -> Result<bool, JournalError> {
        let row = sqlx::query(
            "SELECT id FROM staff WHERE disabled = 0 AND role IN ('reviewer', 'admin') \
             AND office = $1 LIMIT 1",
        )
        .bind(self.database.office.as_str())
        .fetch_optional(&self.database.readers)
        .await?;
        Ok(row.is_some())
    }

    /// Hands an asker's own question over; `false` when it was handed over before.
    ///
    /// # Errors
    /// When the database refuses: the resident must then not be told that somebody answers.
    pub async fn begin(
        &self,
        question: RowId,
        asker: &Asker,
        address: &Address,
        now: DateTime<Utc>,
    ) -> Result<bool, JournalError> {
        let id = next_id(now);
        let sealed = self
            .keys
            .seal(address.conversation.as_bytes(), &id.to_le_bytes())?;
        let done = sqlx::query(
            "INSERT INTO handover (id, question, asker, channel, address, at, state, office) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (question) DO NOTHING",
        )
        .bind(id)
        .bind(question)
        .bind(&asker.0)
        .bind(address.channel)
        .bind(sealed)
        .bind(now.timestamp_millis())
        .bind(HandoverState::Open.stored())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// How many wait for an officer.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn waiting(&self) -> Result<i64, JournalError> {
        let row = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM handover WHERE state = $1 AND office = $2",
        )
        .bind(HandoverState::Open.stored())
        .bind(self.database.office.as_str())
        .fetch_one(&self.database.readers)
        .await?;
        Ok(row.try_get("n")?)
    }

    /// Those that wait, the oldest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn open(&self, limit: i64) -> Result<Vec<Handover>, JournalError> {
        let sql = format!(
            "{COLUMNS} WHERE h.state = 'open' AND h.office = $2 ORDER BY h.at, h.id LIMIT $1"
        );
        self.listed(sql, limit).await
    }

    /// Those that are dealt with, the newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn settled(&self, limit: i64) -> Result<Vec<Handover>, JournalError> {
        let sql = format!(
            "{COLUMNS} WHERE h.state <> 'open' AND h.office = $2 ORDER BY h.decided DESC LIMIT $1"
        );
        self.listed(sql, limit).await
    }

    async fn listed(&self, sql: String, limit: i64) -> Result<Vec<Handover>, JournalError> {
        // Put together from literals above.
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(limit)
            .bind(self.database.office.as_str())
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter().map(handover).collect()
    }

    /// One of them; `None` when it was forgotten.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn find(&self, id: i64) -> Result<Option<Handover>, JournalError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE h.id = $1 AND h.office = $2"
        )))
        .bind(id)
        .bind(self.database.office.as_str())
        .fetch_optional(&self.database.readers)
        .await?;
        row.as_ref().map(handover).transpose()
    }

    /// Commits an officer's answer: from now on it reaches the resident, whatever happens.
    /// `false` when somebody else was first, or the resident had it deleted.
    ///
    /// # Errors
    /// When the database refuses; nothing is sent then.
    pub async fn answer(
        &self,
        id: i64,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, JournalError> {
        let kept = (self.retention_days > 0).then(|| redact(text));
        let done = sqlx::query(
            "UPDATE handover SET state = 'sending', outgoing = $1, reply = $2, decided = $3 \
             WHERE id = $4 AND state = 'open' AND office = $5",
        )
        .bind(self.keys.seal(text.as_bytes(), &id.to_le_bytes())?)
        .bind(kept)
        .bind(now.timestamp_millis())
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        self.committed.notify_one();
        Ok(done.rows_affected() > 0)
    }

    /// Closes one without an answer. `false` when it does not wait any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn close(&self, id: i64, now: DateTime<Utc>) -> Result<bool, JournalError> {
        let done = sqlx::query(
            "UPDATE handover SET state = 'closed', address = '', decided = $1 \
             WHERE id = $2 AND state = 'open' AND office = $3",
        )
        .bind(now.timestamp_millis())
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The database beneath.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Returns when an answer was committed since the last call, by this process.
    pub async fn answer_committed(&self) {
        self.committed.notified().await;
    }

    /// Takes answers that a channel has to deliver; returns all that are in hand, the oldest first.
    /// Several programs may take: each answer goes to one of them. What does not open (another key) is
    /// kept as it is.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take(&self, channel: &str) -> Result<Vec<Delivery>, JournalError> {
        let take = format!(
            "WITH free AS MATERIALIZED (SELECT t.id FROM handover t \
               WHERE t.state = 'sending' AND t.channel = $1 AND t.office = $3 AND {} LIMIT 100 {}) \
             UPDATE handover SET owner = $2, until = {} + {LEASE_MS} \
             WHERE office = $3 AND id IN (SELECT id FROM free)",
            self.database.is_free("t.until"),
            self.database.take_rows(),
            self.database.now(),
        );
        let ours = format!(
            "{COLUMNS} WHERE h.state = 'sending' AND h.channel = $1 AND h.owner = $2 AND h.until > 0 \
             AND h.office = $3 ORDER BY h.decided"
        );
        // Put together from literals and numbers.
        sqlx::query(sqlx::AssertSqlSafe(take))
            .bind(channel)
            .bind(&*self.replica)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(ours))
            .bind(channel)
            .bind(&*self.replica)
            .bind(self.database.office.as_str())
            .fetch_all(&self.database.pool)
            .await?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: i64 = row.try_get("id")?;
            let opened = |column: &str| -> Result<Option<String>, JournalError> {
                let sealed: String = row.try_get(column)?;
                let plain = self.keys.unseal(&sealed, &id.to_le_bytes()).ok();
                Ok(plain.and_then(|bytes| String::from_utf8(bytes).ok()))
            };
            match (opened("address")?, opened("outgoing")?) {
                (Some(conversation), Some(text)) => deliveries.push(Delivery {
                    id,
                    conversation,
                    question: row.try_get("text")?,
                    text,
                }),
                _ => {
                    if !self.told.swap(true, Ordering::Relaxed) {
                        tracing::error!(
                            "有工作人员的答复打不开（本机密钥换过？），送不出去：没有删，换回原来的密钥就能送"
                        );
                    }
                }
            }
        }
        Ok(deliveries)
    }

    /// Goes on holding what was taken and is not delivered yet.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn renew(&self) -> Result<(), JournalError> {
        self.hold_until(&format!("{} + {LEASE_MS}", self.database.now()))
            .await
    }

    /// Gives back what was taken.
    ///
    /// # Errors
    /// When the database refuses: the leases run out by themselves then.
    pub async fn release(&self) -> Result<(), JournalError> {
        self.hold_until("0").await
    }

    async fn hold_until(&self, until: &str) -> Result<(), JournalError> {
        let sql = format!(
            "UPDATE handover SET until = {until} \
             WHERE state = 'sending' AND owner = $1 AND until > 0 AND office = $2"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&*self.replica)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// With SQLite there is one program: what an earlier run had in hand is free at once.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn begin_deliveries(&self) -> Result<(), JournalError> {
        if !self.database.is_postgres {
            sqlx::query(
                "UPDATE handover SET until = 0 WHERE state = 'sending' AND until > 0 AND office = $1",
            )
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        }
        Ok(())
    }

    /// An answer reached the resident (or never will): its address and words are wiped.
    ///
    /// # Errors
    /// When the database refuses; it will be delivered again.
    pub async fn delivered(&self, id: i64, reached: bool) -> Result<(), JournalError> {
        let state = if reached {
            HandoverState::Answered
        } else {
            HandoverState::Undelivered
        };
        sqlx::query(
            "UPDATE handover SET state = $1, address = '', outgoing = '' \
             WHERE id = $2 AND state = 'sending' AND office = $3",
        )
        .bind(state.stored())
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }

    /// Gives up what nobody answered in time, and deletes answers past their retention.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(&self, now: DateTime<Utc>) -> Result<(), JournalError> {
        sqlx::query(
            "UPDATE handover SET state = 'expired', address = '', decided = $1 \
             WHERE state = 'open' AND at < $2 AND office = $3",
        )
        .bind(now.timestamp_millis())
        .bind((now - Duration::days(HANDOVER_DAYS)).timestamp_millis())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        let kept_from = now - Duration::days(i64::from(self.retention_days));
        sqlx::query(
            "UPDATE handover SET reply = NULL WHERE reply IS NOT NULL AND decided < $1 AND office = $2",
        )
        .bind(kept_from.timestamp_millis())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::tests::{journal, question};
    use crate::journal::test_database::everything_stored;

    const CHAT: &str = "5712340000";

    fn address() -> Address {
        Address {
            channel: "telegram",
            conversation: CHAT.into(),
        }
    }

    async fn begun(journal: &Journal, handovers: &Handovers) -> (Asker, i64) {
        let asker = journal.keys().asker("telegram", CHAT);
        let row = journal
            .record(question(&asker, "欠薪找谁，我电话13912345678"))
            .await
            .unwrap();
        let now = Utc::now();
        assert!(handovers.begin(row, &asker, &address(), now).await.unwrap());
        assert!(
            !handovers.begin(row, &asker, &address(), now).await.unwrap(),
            "once"
        );
        (asker, handovers.open(9).await.unwrap()[0].id)
    }

    #[tokio::test]
    async fn an_answer_is_delivered_once_and_everything_sealed_is_wiped() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let handovers = Handovers::of(&journal);
        let (_, id) = begun(&journal, &handovers).await;
        let words = "请带身份证到3号窗口，或打13800138000";
        assert!(handovers.answer(id, words, Utc::now()).await.unwrap());
        assert!(!handovers.answer(id, "晚了一步", Utc::now()).await.unwrap());
        let sent = handovers.take("telegram").await.unwrap();
        assert_eq!(
            (sent[0].conversation.as_str(), sent[0].text.as_str()),
            (CHAT, words)
        );
        assert!(handovers.take("web").await.unwrap().is_empty());
        let other = Handovers::of(&journal);
        assert!(other.take("telegram").await.unwrap().is_empty());
        handovers.renew().await.unwrap();
        assert_eq!(handovers.take("telegram").await.unwrap().len(), 1);
        handovers.release().await.unwrap();
        assert_eq!(other.take("telegram").await.unwrap().len(), 1);
        handovers.delivered(id, true).await.unwrap();
        assert!(handovers.take("telegram").await.unwrap().is_empty());
        let row = sqlx::query("SELECT address, outgoing FROM handover")
            .fetch_one(&journal.database().pool)
            .await
            .unwrap();
        assert_eq!(
            (row.get::<String, _>(0), row.get::<String, _>(1)),
            Default::default()
        );
        let settled = &handovers.settled(9).await.unwrap()[0];
        assert_eq!(settled.state, HandoverState::Answered);
        assert_eq!(
            settled.reply.as_deref(),
            Some("请带身份证到3号窗口，或打［手机号］")
        );
        handovers
            .prune(Utc::now() + Duration::days(31))
            .await
            .unwrap();
        assert_eq!(handovers.settled(9).await.unwrap()[0].reply, None);
        let bytes = everything_stored(folder.path());
        for secret in [CHAT, "13912345678", "13800138000"] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} stands in clear");
        }
    }

    #[tokio::test]
    async fn closed_expired_and_forgotten_ones_keep_no_address() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let handovers = Handovers::of(&journal);
        let (_, id) = begun(&journal, &handovers).await;
        assert!(handovers.close(id, Utc::now()).await.unwrap());
        let (_, _) = begun(&journal, &handovers).await;
        handovers
            .prune(Utc::now() + Duration::days(HANDOVER_DAYS + 1))
            .await
            .unwrap();
        let states: Vec<_> = handovers
            .settled(9)
            .await
            .unwrap()
            .iter()
            .map(|h| h.state)
            .collect();
        assert_eq!(states, [HandoverState::Expired, HandoverState::Closed]);
        let left = sqlx::query("SELECT id FROM handover WHERE address <> ''")
            .fetch_all(&journal.database().pool)
            .await
            .unwrap();
        assert!(left.is_empty());
        let (asker, id) = begun(&journal, &handovers).await;
        journal.forget(&asker).await.unwrap();
        assert!(handovers.find(id).await.unwrap().is_none());
        assert!(!handovers.answer(id, "太晚了", Utc::now()).await.unwrap());
    }
}
