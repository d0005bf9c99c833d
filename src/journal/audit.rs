//! Who changed or exported what in the dashboard.

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::record::next_id;
use super::{Database, JournalError};

/// A line of the audit log.
#[derive(Debug, Clone)]
pub struct AuditLine {
    /// When.
    pub at: DateTime<Utc>,
    /// The account's name, or 命令行.
    pub who: String,
    /// What was done, in Chinese.
    pub action: String,
    /// To what; never a resident's words.
    pub subject: String,
}

/// The audit log. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    database: Database,
}

impl Audit {
    /// The audit log in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn note(&self, who: &str, action: &str, subject: &str) -> Result<(), JournalError> {
        let now = Utc::now();
        sqlx::query("INSERT INTO audit (id, at, who, action, subject, office) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(next_id(now))
            .bind(now.timestamp_millis())
            .bind(who)
            .bind(action)
            .bind(subject)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// The newest lines.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn newest(&self, limit: i64) -> Result<Vec<AuditLine>, JournalError> {
        let rows =
            sqlx::query("SELECT at, who, action, subject FROM audit WHERE office = $2 ORDER BY id DESC LIMIT $1")
                .bind(limit)
                .bind(self.database.office.as_str())
                .fetch_all(&self.database.readers)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    at: DateTime::from_timestamp_millis(row.try_get("at")?).unwrap_or_default(),
                    who: row.try_get("who")?,
                    action: row.try_get("action")?,
                    subject: row.try_get("subject")?,
                })
            })
            .collect()
    }
}
