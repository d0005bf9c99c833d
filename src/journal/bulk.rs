//! Many past questions at once: for the demonstration and for measuring.

use std::fmt::Write as _;

use super::record::next_id;
use super::{Journal, JournalError, Record, redact};

/// A question with what happened to it afterwards.
#[derive(Debug, Clone)]
pub struct PastQuestion {
    /// The question.
    pub record: Record,
    /// 👍 or 👎.
    pub helpful: Option<bool>,
    /// Entry tapped.
    pub picked: Option<String>,
    /// Whether a human being was asked for.
    pub handed_over: bool,
}

/// Rows written at a time; SQLite takes 32,766 values in one statement.
const BATCH: usize = 100;
const COLUMNS: usize = 20;

fn insert(rows: usize) -> String {
    let mut sql = "INSERT INTO question (id, at, channel, asker, region, board, place, topic, \
                   topic_confidence, kind, entry, confidence, latency_us, text, rule, helpful, \
                   picked, handed_over, reply, office) VALUES "
        .to_owned();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=COLUMNS {
            let comma = if column == 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(sql, "{comma}${}", row * COLUMNS + column);
        }
        sql.push(')');
    }
    sql
}

impl Journal {
    /// Writes past questions, all or none. They must be older than the last day rolled up, or nothing
    /// may have been rolled up yet.
    ///
    /// # Errors
    /// When the database refuses; nothing is kept then.
    pub async fn fill(&self, questions: &[PastQuestion]) -> Result<(), JournalError> {
        let mut transaction = self.database().pool.begin().await?;
        for batch in questions.chunks(BATCH) {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert(batch.len())));
            for past in batch {
                let record = &past.record;
                let kept = |words: &str| {
                    (self.retention_days() > 0 && !words.is_empty()).then(|| redact(words))
                };
                query = query
                    .bind(next_id(record.at))
                    .bind(record.at.timestamp_millis())
                    .bind(record.channel.as_str())
                    .bind(record.asker.as_ref().map(|a| a.as_str().to_owned()))
                    .bind(record.region.clone())
                    .bind(record.board.clone())
                    .bind(record.place.clone())
                    .bind(record.topic.clone())
                    .bind(record.topic_confidence)
                    .bind(record.kind.as_str())
                    .bind(record.entry.clone())
                    .bind(record.confidence)
                    .bind(record.latency_us)
                    .bind(kept(&record.text))
                    .bind(record.rule.clone())
                    .bind(past.helpful.map(i64::from))
                    .bind(past.picked.clone())
                    .bind(i64::from(past.handed_over))
                    .bind(kept(&record.reply))
                    .bind(self.database().office.as_str());
            }
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
