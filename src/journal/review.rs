//! What staff say about a question: stored beside the automatic value, and used in all figures.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::redact::without_nul;
use super::{Journal, JournalError, Outcome, RowId, redact};

/// What staff found wrong with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// 答错: the reply does not answer the question, or wrongly.
    Wrong,
    /// 需补充: right, but something is missing.
    Incomplete,
    /// 不当: the tone, or something that should not have been said.
    Improper,
}

impl Mark {
    /// All marks.
    pub const ALL: [Self; 3] = [Self::Wrong, Self::Incomplete, Self::Improper];

    /// The word kept in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Incomplete => "incomplete",
            Self::Improper => "improper",
        }
    }

    /// The word staff read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "答错",
            Self::Incomplete => "需补充",
            Self::Improper => "不当",
        }
    }

    /// Reads [`Mark::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == word)
    }
}

/// A review of one question; `None` leaves the automatic value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// The right topic.
    pub topic: Option<String>,
    /// The right outcome.
    pub outcome: Option<Outcome>,
    /// What was wrong with the reply.
    pub mark: Option<Mark>,
    /// A note for colleagues; redacted before it is stored.
    pub note: Option<String>,
    /// Staff trying the bot out: left out of all figures.
    pub staff_test: bool,
    /// When it was reviewed.
    pub reviewed: DateTime<Utc>,
    /// Account that reviewed it.
    pub reviewer: String,
}

impl Journal {
    /// Stores a review in place of an earlier one; `false` when there is no such question.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn set_review(&self, question: RowId, review: &Review) -> Result<bool, JournalError> {
        let mut transaction = self.database().pool.begin().await?;
        let done = sqlx::query(
            "INSERT INTO review (question, topic, outcome, mark, note, staff_test, reviewed, reviewer, office) \
             SELECT q.id, $2, $3, $4, $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), $8, q.office \
             FROM question q WHERE q.id = $1 AND q.office = $9 \
             ON CONFLICT (question) DO UPDATE SET topic = excluded.topic, \
             outcome = excluded.outcome, mark = excluded.mark, note = excluded.note, \
             staff_test = excluded.staff_test, reviewed = excluded.reviewed, \
             reviewer = excluded.reviewer",
        )
        .bind(question)
        .bind(review.topic.clone())
        .bind(review.outcome.map(Outcome::as_str))
        .bind(review.mark.map(Mark::as_str))
        .bind(review.note.as_deref().map(|note| redact(&without_nul(note))))
        .bind(i64::from(review.staff_test))
        .bind(review.reviewed.timestamp_millis())
        .bind(&review.reviewer)
        .bind(self.database().office.as_str())
        .execute(&mut *transaction)
        .await?;
        self.changed(&mut transaction, question).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// The review of a question, if there is one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn review(&self, question: RowId) -> Result<Option<Review>, JournalError> {
        let row = sqlx::query(
            "SELECT topic, outcome, mark, note, staff_test, reviewed, reviewer FROM review \
             WHERE question = $1 AND office = $2",
        )
        .bind(question)
        .bind(self.database().office.as_str())
        .fetch_optional(&self.database().pool)
        .await?;
        row.as_ref().map(review_of).transpose()
    }
}

/// A review from the columns of its table.
pub(super) fn review_of(row: &AnyRow) -> Result<Review, JournalError> {
    let outcome: Option<String> = row.try_get("outcome")?;
    let mark: Option<String> = row.try_get("mark")?;
    Ok(Review {
        topic: row.try_get("topic")?,
        outcome: outcome.as_deref().and_then(Outcome::parse),
        mark: mark.as_deref().and_then(Mark::parse),
        note: row.try_get("note")?,
        staff_test: row.try_get::<i64, _>("staff_test")? != 0,
        reviewed: DateTime::from_timestamp_millis(row.try_get("reviewed")?).unwrap_or_default(),
        reviewer: row.try_get("reviewer")?,
    })
}
