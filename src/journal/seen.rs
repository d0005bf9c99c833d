//! When the library first held an entry: what closes a gap is measured from then on.

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{Journal, JournalError};

impl Journal {
    /// Notes the entries that the library holds now. What is there the first time counts as having
    /// been there from the start.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn note_entries<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a str> + Send,
        now: DateTime<Utc>,
    ) -> Result<(), JournalError> {
        let mut transaction = self.database().pool.begin().await?;
        let rows = sqlx::query("SELECT entry FROM entry_seen WHERE office = $1")
            .bind(self.database().office.as_str())
            .fetch_all(&mut *transaction)
            .await?;
        let mut known = std::collections::HashSet::new();
        for row in rows {
            known.insert(row.try_get::<String, _>("entry")?);
        }
        let seen = if known.is_empty() {
            0
        } else {
            now.timestamp_millis()
        };
        let new: Vec<&str> = entries
            .into_iter()
            .filter(|e| !known.contains(*e))
            .collect();
        for entry in new {
            sqlx::query(
                "INSERT INTO entry_seen (entry, seen, office) VALUES ($1, $2, $3) \
                 ON CONFLICT (office, entry) DO NOTHING",
            )
            .bind(entry)
            .bind(seen)
            .bind(self.database().office.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Entries that were added since the program runs, with the moment they were first seen, newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn new_entries(&self) -> Result<Vec<(String, DateTime<Utc>)>, JournalError> {
        let rows = sqlx::query(
            "SELECT entry, seen FROM entry_seen WHERE seen > 0 AND office = $1 \
             ORDER BY seen DESC, entry",
        )
        .bind(self.database().office.as_str())
        .fetch_all(&self.database().pool)
        .await?;
        rows.iter()
            .map(|row| {
                let seen = DateTime::from_timestamp_millis(row.try_get("seen")?);
                Ok((row.try_get("entry")?, seen.unwrap_or_default()))
            })
            .collect()
    }
}
