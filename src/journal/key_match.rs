//! Whose database it is: a fingerprint of the local key lies in it, so that a program with another key
//! stops before it takes what it cannot open and makes two askers of one person.

use sqlx::Row;

use super::inbox::DONE;
use super::{Database, JournalError, Keys};

impl Database {
    /// Makes sure that `keys` are those that this database was written with; the first to come leaves
    /// their fingerprint.
    ///
    /// # Errors
    /// [`JournalError::OtherKey`] for other keys: nothing was changed then. When the database refuses.
    pub async fn keep_to(&self, keys: &Keys) -> Result<(), JournalError> {
        let known = match self.fingerprint().await? {
            Some(known) => known,
            None => self.leave_fingerprint(keys).await?,
        };
        if known == keys.fingerprint() {
            Ok(())
        } else {
            Err(JournalError::OtherKey)
        }
    }

    /// Takes `keys` for this database's from now on; returns how many waiting updates they do not
    /// open. Those are kept: with the right key they are answered.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn change_key(&self, keys: &Keys) -> Result<usize, JournalError> {
        sqlx::query(
            "INSERT INTO local_key (one, fingerprint) VALUES (1, $1) \
             ON CONFLICT (one) DO UPDATE SET fingerprint = excluded.fingerprint",
        )
        .bind(keys.fingerprint())
        .execute(&self.pool)
        .await?;
        Ok(self.sealed_otherwise(keys).await?.0)
    }

    async fn fingerprint(&self) -> Result<Option<String>, JournalError> {
        let row = sqlx::query("SELECT fingerprint FROM local_key WHERE one = 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(match row {
            Some(row) => Some(row.try_get("fingerprint")?),
            None => None,
        })
    }

    /// Returns the fingerprint that stands there then: another program may have been first.
    async fn leave_fingerprint(&self, keys: &Keys) -> Result<String, JournalError> {
        // A database from before there were fingerprints: what waits in it says whose it is.
        let (shut, waiting) = self.sealed_otherwise(keys).await?;
        if waiting > 0 && shut == waiting {
            return Err(JournalError::OtherKey);
        }
        sqlx::query(
            "INSERT INTO local_key (one, fingerprint) VALUES (1, $1) ON CONFLICT (one) DO NOTHING",
        )
        .bind(keys.fingerprint())
        .execute(&self.pool)
        .await?;
        Ok(self.fingerprint().await?.unwrap_or_default())
    }

    /// How many waiting updates do not open under `keys`, and how many wait.
    async fn sealed_otherwise(&self, keys: &Keys) -> Result<(usize, usize), JournalError> {
        let sql = format!("SELECT update_id, payload FROM inbox WHERE done <> {DONE}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        let mut shut = 0;
        for row in &rows {
            let (id, sealed): (i64, String) = (row.try_get("update_id")?, row.try_get("payload")?);
            shut += usize::from(keys.unseal(&sealed, &id.to_le_bytes()).is_err());
        }
        Ok((shut, rows.len()))
    }
}

#[cfg(test)]
mod tests {
    use crate::journal::test_database::{everything_stored, fresh_database};
    use crate::journal::{Database, Inbox, Incoming, JournalError, Keys};

    #[tokio::test]
    async fn another_key_is_refused_and_what_it_does_not_open_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh_database(folder.path(), "k.sqlite");
        let database = Database::open(&url).await.unwrap();
        let keys = |name: &str| Keys::open_or_create(&folder.path().join(name)).unwrap();
        let (ours, other) = (keys("ours"), keys("other"));
        let is_other = |kept: Result<(), JournalError>| matches!(kept, Err(JournalError::OtherKey));
        let incoming = |id: i64| Incoming {
            update_id: id,
            lane: "lane".into(),
            payload: b"words".to_vec(),
        };
        let inbox = Inbox::new(database.clone(), ours.clone());
        inbox.accept(&[incoming(1), incoming(2)]).await.unwrap();
        // From before there were fingerprints: the other comes first, and is found out all the same.
        assert!(is_other(database.keep_to(&other).await));
        database.keep_to(&ours).await.unwrap();
        assert!(is_other(database.keep_to(&other).await));
        database.keep_to(&ours).await.unwrap();
        let key = std::fs::read_to_string(folder.path().join("ours")).unwrap();
        let fingerprint = ours.fingerprint();
        assert!(!key.contains(&fingerprint) && fingerprint != other.fingerprint());
        std::fs::remove_file(folder.path().join("ours")).unwrap();
        let stored = everything_stored(folder.path());
        let key = key.trim().as_bytes();
        assert!(!stored.windows(key.len()).any(|w| w == key));

        // Somebody insists: nothing that does not open is dropped, and with the right key all is there.
        assert_eq!(database.change_key(&other).await.unwrap(), 2);
        database.keep_to(&other).await.unwrap();
        let stranger = Inbox::new(database.clone(), other);
        for _ in 0..3 {
            assert!(stranger.turn(&[], 9).await.unwrap().is_empty());
        }
        assert!(stranger.renew().await.unwrap().is_empty());
        assert_eq!(database.change_key(&ours).await.unwrap(), 0);
        let again = Inbox::new(database, ours);
        again.begin().await.unwrap();
        for id in 1..3 {
            let taken = again.turn(&[id - 1], 9).await.unwrap();
            assert_eq!((taken.len(), taken[0].update_id), (1, id));
            assert_eq!(taken[0].payload, b"words");
        }
    }
}
