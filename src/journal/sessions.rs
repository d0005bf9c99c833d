//! Who is logged in: opaque random tokens, of which only the hash is stored.

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::keys::{generate_secret, hex};
use super::staff::member;
use super::{Database, JournalError, Member};

/// A session ends after this long without a page, in hours.
pub const IDLE_HOURS: i64 = 2;
/// A session ends this long after the log-in, in hours.
pub const SESSION_HOURS: i64 = 12;
/// "Seen" is written down at most this often, so that looking at pages writes little.
const SEEN_EVERY_SECONDS: i64 = 60;

/// The sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    database: Database,
}

fn hashed(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

impl Sessions {
    /// The sessions of an office's staff in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Begins a session; returns its token, which is never stored.
    ///
    /// # Errors
    /// When the system has no randomness or the database refuses.
    pub async fn open(&self, staff: i64, now: DateTime<Utc>) -> Result<String, JournalError> {
        let token = generate_secret()?;
        sqlx::query(
            "INSERT INTO session (token, staff, created, seen, office) VALUES ($1, $2, $3, $3, $4)",
        )
        .bind(hashed(&token))
        .bind(staff)
        .bind(now.timestamp_millis())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(token)
    }

    /// Whose session this is; `None` when it ended or never was.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn member(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>, JournalError> {
        let token = hashed(token);
        let row = sqlx::query(
            "SELECT s.id, s.name, s.office, s.role, s.created, s.disabled, session.seen FROM session \
             JOIN staff s ON s.id = session.staff AND s.office = session.office \
             WHERE session.token = $1 AND session.office = $4 AND session.created > $2 AND session.seen > $3 \
             AND s.disabled = 0",
        )
        .bind(&token)
        .bind((now - Duration::hours(SESSION_HOURS)).timestamp_millis())
        .bind((now - Duration::hours(IDLE_HOURS)).timestamp_millis())
        .bind(self.database.office.as_str())
        .fetch_optional(&self.database.readers)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let seen: i64 = row.try_get("seen")?;
        if now.timestamp_millis() - seen > SEEN_EVERY_SECONDS * 1000 {
            sqlx::query("UPDATE session SET seen = $1 WHERE token = $2 AND office = $3")
                .bind(now.timestamp_millis())
                .bind(&token)
                .bind(self.database.office.as_str())
                .execute(&self.database.pool)
                .await?;
        }
        member(&row).map(Some)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn close(&self, token: &str) -> Result<(), JournalError> {
        sqlx::query("DELETE FROM session WHERE token = $1 AND office = $2")
            .bind(hashed(token))
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// Deletes sessions that ended by themselves.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(&self, now: DateTime<Utc>) -> Result<(), JournalError> {
        sqlx::query("DELETE FROM session WHERE office = $3 AND (created < $1 OR seen < $2)")
            .bind((now - Duration::hours(SESSION_HOURS)).timestamp_millis())
            .bind((now - Duration::hours(IDLE_HOURS)).timestamp_millis())
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::staff::tests::database;
    use crate::journal::test_database::everything_stored;
    use crate::journal::{Role, Staff};

    #[tokio::test]
    async fn a_session_ends_when_idle_when_old_and_when_the_account_changes() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path()).await;
        let (staff, sessions) = (Staff::new(database.clone()), Sessions::new(database));
        let start = Utc::now();
        staff.add("李主任", Role::Admin, "h", start).await.unwrap();
        let id = staff
            .add("王芳", Role::Viewer, "h", start)
            .await
            .unwrap()
            .id;
        let token = sessions.open(id, start).await.unwrap();
        let find = async |at| sessions.member(&token, at).await.unwrap().is_some();
        assert!(find(start + Duration::minutes(119)).await);
        assert!(find(start + Duration::minutes(237)).await, "seen meanwhile");
        assert!(!find(start + Duration::minutes(237 + 121)).await, "idle");
        for minutes in (297..=900).step_by(60) {
            let still = find(start + Duration::minutes(minutes)).await;
            assert_eq!(still, minutes < 12 * 60, "{minutes}");
        }
        assert!(sessions.member("", start).await.unwrap().is_none());

        let token = sessions.open(id, start).await.unwrap();
        staff.change(id, Role::Reviewer, false).await.unwrap();
        assert!(sessions.member(&token, start).await.unwrap().is_none());
        let token = sessions.open(id, start).await.unwrap();
        sessions.close(&token).await.unwrap();
        assert!(sessions.member(&token, start).await.unwrap().is_none());
        let stored = everything_stored(folder.path());
        let clear = stored.windows(token.len()).any(|w| w == token.as_bytes());
        assert!(!clear, "the token itself is never stored");
    }
}
