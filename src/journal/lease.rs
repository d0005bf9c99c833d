//! Leases: which of several programs on one database works on what.
//!
//! A lease says who and until when, by the database's own clock, so that the programs' clocks do not
//! matter. Who works on renews it; a program that dies does not, and another takes the work. The
//! engines differ in two words of SQL only: how they tell the time, and that PostgreSQL, where several
//! write at once, passes over rows that another is just taking.

use super::{Database, Journal, JournalError};

/// How long a lease lasts. What a dead program had in hand waits for so long.
pub(super) const LEASE_MS: i64 = 15_000;

/// A program's name in leases: by chance, new at every start.
pub(super) fn replica_name() -> String {
    format!("{:08x}-{:016x}", std::process::id(), fastrand::u64(..))
}

impl Database {
    /// Writes something small: whether it can be written to now.
    ///
    /// # Errors
    /// When it cannot: it is away, its disk is full, or it may only be read.
    pub async fn probe(&self) -> Result<(), JournalError> {
        let sql = format!(
            "INSERT INTO lease (office, name, owner, until) VALUES ($1, 'probe', '', {now}) \
             ON CONFLICT (office, name) DO UPDATE SET until = excluded.until",
            now = self.now()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.office.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// SQL for the time in milliseconds.
    pub(super) fn now(&self) -> &'static str {
        if self.is_postgres {
            "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        } else {
            "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)"
        }
    }

    /// SQL behind a SELECT whose rows (of the table called `t` there) are about to be taken.
    pub(super) fn take_rows(&self) -> &'static str {
        if self.is_postgres {
            "FOR UPDATE OF t SKIP LOCKED"
        } else {
            // One program, one writer: nobody else is taking anything.
            ""
        }
    }

    /// SQL for "nobody holds the lease that ends at `until`". One that ends later than any lease can
    /// was made before the clock was set back.
    pub(super) fn is_free(&self, until: &str) -> String {
        let now = self.now();
        format!("({until} <= {now} OR {until} > {now} + {})", 2 * LEASE_MS)
    }
}

impl Journal {
    /// Whether this program is to do the office's work called `name` now: of several on one database one gets
    /// `true`, and nobody again for `minutes`. With SQLite there is only one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn takes_turn(&self, name: &str, minutes: i64) -> Result<bool, JournalError> {
        let database = self.database();
        if !database.is_postgres {
            return Ok(true);
        }
        let (now, lasts) = (database.now(), minutes * 60_000);
        let sql = format!(
            "INSERT INTO lease (name, owner, office, until) VALUES ($1, $2, $3, {now} + {lasts}) \
             ON CONFLICT (office, name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE lease.until <= {now} OR lease.until > {now} + {lasts}"
        );
        // Put together from literals and numbers.
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(name)
            .bind(replica_name())
            .bind(database.office.as_str())
            .execute(&database.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use crate::journal::record::tests::journal;
    use sqlx::Row;

    #[tokio::test]
    async fn the_database_tells_the_time_and_one_program_takes_a_turn() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), 30).await;
        let database = journal.database();
        let sql = format!("SELECT {} AS now", database.now());
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_one(&database.pool)
            .await
            .unwrap();
        let off = row.get::<i64, _>("now") - Utc::now().timestamp_millis();
        assert!(off.abs() < 60_000, "{off}");
        assert!(journal.takes_turn("house", 50).await.unwrap());
        let again = journal.takes_turn("house", 50).await.unwrap();
        assert_eq!(again, !database.is_postgres, "SQLite has one program");
        assert!(journal.takes_turn("other", 50).await.unwrap());
        if database.is_postgres {
            // Left behind by a clock that was set back by a day.
            sqlx::query("UPDATE lease SET until = until + 86400000")
                .execute(&database.pool)
                .await
                .unwrap();
            assert!(journal.takes_turn("house", 50).await.unwrap());
        }
    }
}
