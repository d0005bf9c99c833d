//! What is remembered of conversations, where several programs answer the same people: sealed under
//! the local key, for a short time.

use sqlx::Row;

use super::{Asker, Database, Journal, JournalError, Keys};

/// The conversations of all programs on one database. Cheap to clone.
#[derive(Clone)]
pub struct Contexts {
    pub(super) database: Database,
    pub(super) keys: Keys,
}

impl Contexts {
    /// The conversations beside a journal that several programs may share; `None` for one that
    /// belongs to one program, which keeps them in memory, and where words are never to be stored.
    pub fn of(journal: &Journal) -> Option<Self> {
        let is_shared = journal.database().is_postgres && journal.retention_days() > 0;
        is_shared.then(|| Self {
            database: journal.database().clone(),
            keys: journal.keys().clone(),
        })
    }

    /// What was kept of an asker, unless its time is over or another key sealed it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn read(&self, asker: &Asker) -> Result<Option<Vec<u8>>, JournalError> {
        let sql = format!(
            "SELECT sealed FROM conversation WHERE asker = $1 AND office = $2 AND until > {}",
            self.database.now()
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&asker.0)
            .bind(self.database.office.as_str())
            .fetch_optional(&self.database.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let sealed: String = row.try_get("sealed")?;
        Ok(self.keys.unseal(&sealed, asker.0.as_bytes()).ok())
    }

    /// Keeps `plain` for so many seconds from now on instead of what was.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn keep(
        &self,
        asker: &Asker,
        plain: &[u8],
        seconds: u64,
    ) -> Result<(), JournalError> {
        let sql = format!(
            "INSERT INTO conversation (asker, sealed, office, until) \
             VALUES ($1, $2, $3, {} + {seconds}000) ON CONFLICT (office, asker) DO UPDATE SET sealed = excluded.sealed, until = excluded.until",
            self.database.now()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&asker.0)
            .bind(self.keys.seal(plain, asker.0.as_bytes())?)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// Deletes what was kept of an asker.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget(&self, asker: &Asker) -> Result<(), JournalError> {
        sqlx::query("DELETE FROM conversation WHERE asker = $1 AND office = $2")
            .bind(&asker.0)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// Deletes all whose time is over.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(&self) -> Result<(), JournalError> {
        let sql = format!(
            "DELETE FROM conversation WHERE office = $1 AND until <= {}",
            self.database.now()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }
}

impl Journal {
    /// Deletes the conversations whose time is over; all of them where none are kept (any more): they
    /// may have come with a copy of another database, or from before `retention_days = 0`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune_conversations(&self) -> Result<(), JournalError> {
        if let Some(contexts) = Contexts::of(self) {
            return contexts.prune().await;
        }
        sqlx::query("DELETE FROM conversation WHERE office = $1")
            .bind(self.database().office.as_str())
            .execute(&self.database().pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Contexts;
    use crate::journal::Journal;
    use crate::journal::record::tests::journal;
    use crate::journal::test_database::everything_stored;

    #[tokio::test]
    async fn conversations_are_sealed_forgotten_and_over_after_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let asker = journal.keys().asker("telegram", "1");
        let contexts = Contexts {
            database: journal.database().clone(),
            keys: journal.keys().clone(),
        };
        let is_shared = Contexts::of(&journal).is_some();
        assert_eq!(is_shared, journal.database().is_postgres);
        let words = "老板三个月没发工资";
        contexts.keep(&asker, b"old", 900).await.unwrap();
        contexts.keep(&asker, words.as_bytes(), 900).await.unwrap();
        let read = contexts.read(&asker).await.unwrap();
        assert_eq!(read.as_deref(), Some(words.as_bytes()));
        let other = journal.keys().asker("telegram", "2");
        assert_eq!(contexts.read(&other).await.unwrap(), None);
        let stored = everything_stored(folder.path());
        assert!(!stored.windows(words.len()).any(|w| w == words.as_bytes()));
        journal.forget(&asker).await.unwrap();
        assert_eq!(contexts.read(&asker).await.unwrap(), None);
        contexts.keep(&asker, b"x", 0).await.unwrap();
        assert_eq!(contexts.read(&asker).await.unwrap(), None);
        contexts.prune().await.unwrap();
        contexts.keep(&other, b"y", 900).await.unwrap();
        contexts.prune().await.unwrap();
        contexts.forget(&asker).await.unwrap();
        assert!(contexts.read(&other).await.unwrap().is_some());
        // With those that are kept, and without any.
        journal.prune_conversations().await.unwrap();
        let left = contexts.read(&other).await.unwrap();
        assert_eq!(left.is_some(), is_shared);
        let silent = Journal::new(journal.database().clone(), journal.keys().clone(), 0);
        silent.prune_conversations().await.unwrap();
        assert_eq!(contexts.read(&other).await.unwrap(), None);
    }
}
