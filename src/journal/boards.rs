//! Boards (宣传点): notice boards, posters and banners, each with a code of its own in its QR code.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::ledger::ActivityId;
use super::record::STAFF_CHANNEL;
use super::{Database, JournalError};

/// Letters and digits that nobody takes for one another, in any print.
const LETTERS: &[u8; 30] = b"23456789abcdefghjkmnpqrstvwxyz";
/// With 24 million codes nobody guesses a board, and it can still be read out on the telephone.
const LENGTH: usize = 5;

/// What is known of a board when it is put up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewBoard {
    /// What staff call it, `青石村文化广场宣传栏`.
    pub name: String,
    /// Place id.
    pub place: Option<String>,
    /// Region code.
    pub region: Option<String>,
    /// The activity it was put up for.
    pub activity: Option<ActivityId>,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Short and unambiguous; never given away again.
    pub code: String,
    /// What is known of it.
    pub about: NewBoard,
    /// When it was put up.
    pub created: DateTime<Utc>,
    /// When it was taken down. Whoever comes through it later still counts as coming through it.
    pub retired: Option<DateTime<Utc>>,
}

/// What came through a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Questions.
    pub questions: u64,
    /// Distinct people who asked them.
    pub askers: u64,
}

/// The boards. Cheap to clone.
#[derive(Clone)]
pub struct Boards {
    database: Database,
}

impl Boards {
    /// The boards in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Puts up a board under a new code.
    ///
    /// # Errors
    /// When its activity is not in the ledger, the system gives no random numbers, or the database
    /// refuses.
    pub async fn add(&self, about: NewBoard, now: DateTime<Utc>) -> Result<Board, JournalError> {
        self.has_activity(&about).await?;
        let mut code = new_code()?;
        for attempt in 0.. {
            let result = sqlx::query(
                "INSERT INTO board (code, name, place, region, activity, created, office) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(&code)
            .bind(&about.name)
            .bind(about.place.clone())
            .bind(about.region.clone())
            .bind(about.activity)
            .bind(now.timestamp_millis())
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await;
            match result {
                Ok(_) => break,
                Err(sqlx::Error::Database(e)) if e.is_unique_violation() && attempt < 20 => {
                    code = new_code()?;
                }
                Err(e) => return Err(e.into()),
            }
        }
        Ok(Board {
            code,
            about,
            created: DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now),
            retired: None,
        })
    }

    async fn has_activity(&self, about: &NewBoard) -> Result<(), JournalError> {
        let Some(activity) = about.activity else {
            return Ok(());
        };
        let held = sqlx::query("SELECT id FROM activity WHERE id = $1 AND office = $2")
            .bind(activity)
            .bind(self.database.office.as_str())
            .fetch_optional(&self.database.pool)
            .await?;
        held.map(|_| ())
            .ok_or(JournalError::NoSuchActivity(activity))
    }

    /// Rewrites what is known of a board; its code stays. What was asked through it keeps the region
    /// and place it was counted under.
    ///
    /// # Errors
    /// When there is no such board, its activity is not in the ledger, or the database refuses.
    pub async fn edit(&self, code: &str, about: &NewBoard) -> Result<(), JournalError> {
        self.has_activity(about).await?;
        let code = canonical(code);
        let done = sqlx::query(
            "UPDATE board SET name = $1, place = $2, region = $3, activity = $4 \
             WHERE code = $5 AND office = $6",
        )
        .bind(&about.name)
        .bind(about.place.clone())
        .bind(about.region.clone())
        .bind(about.activity)
        .bind(&code)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        match done.rows_affected() {
            0 => Err(JournalError::NoSuchBoard(code)),
            _ => Ok(()),
        }
    }

    /// Questions that came through each board since then, with the number of their askers. Questions as
    /// figures count them: no taps, no small talk, no tests by staff.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn asked(
        &self,
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<String, Asked>, JournalError> {
        let rows = sqlx::query(
            "SELECT q.board, CAST(COUNT(*) AS BIGINT) AS questions, \
             CAST(COUNT(DISTINCT q.asker) AS BIGINT) AS askers \
             FROM question q LEFT JOIN review r ON r.question = q.id AND r.office = q.office \
             WHERE q.office = $3 AND q.at >= $1 AND q.board IS NOT NULL AND q.parent IS NULL AND q.channel <> $2 \
             AND q.kind <> 'smalltalk' AND COALESCE(r.staff_test, 0) = 0 GROUP BY q.board",
        )
        .bind(since.timestamp_millis())
        .bind(STAFF_CHANNEL)
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        let count = |row: &AnyRow, column: &str| -> Result<u64, JournalError> {
            let number: i64 = row.try_get(column)?;
            Ok(u64::try_from(number).unwrap_or(0))
        };
        rows.iter()
            .map(|row| {
                let asked = Asked {
                    questions: count(row, "questions")?,
                    askers: count(row, "askers")?,
                };
                Ok((row.try_get("board")?, asked))
            })
            .collect()
    }

    /// All boards: those that are up first, the oldest before the newest.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn all(&self) -> Result<Vec<Board>, JournalError> {
        let rows = sqlx::query(
            "SELECT code, name, place, region, activity, created, retired FROM board \
             WHERE office = $1 ORDER BY CASE WHEN retired IS NULL THEN 0 ELSE 1 END, created, code",
        )
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        rows.iter().map(board).collect()
    }

    /// Takes a board down; `false` when it was down already.
    ///
    /// # Errors
    /// When there is no such board, or the database refuses.
    pub async fn retire(&self, code: &str, now: DateTime<Utc>) -> Result<bool, JournalError> {
        let code = canonical(code);
        let board = self.all().await?.into_iter().find(|b| b.code == code);
        let board = board.ok_or_else(|| JournalError::NoSuchBoard(code.clone()))?;
        if board.retired.is_some() {
            return Ok(false);
        }
        sqlx::query("UPDATE board SET retired = $1 WHERE code = $2 AND office = $3")
            .bind(now.timestamp_millis())
            .bind(&code)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(true)
    }
}

/// A code as it is stored, however somebody typed it.
pub fn canonical(code: &str) -> String {
    code.trim().to_ascii_lowercase()
}

fn new_code() -> Result<String, JournalError> {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(|e| std::io::Error::other(e.to_string()))?;
        // 8 × 30 of the 256 values, so that all letters come equally often.
        if byte[0] < 240 {
            code.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        }
    }
    Ok(code)
}

fn board(row: &AnyRow) -> Result<Board, JournalError> {
    let time = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let retired: Option<i64> = row.try_get("retired")?;
    Ok(Board {
        code: row.try_get("code")?,
        about: NewBoard {
            name: row.try_get("name")?,
            place: row.try_get("place")?,
            region: row.try_get("region")?,
            activity: row.try_get("activity")?,
        },
        created: time(row.try_get("created")?),
        retired: retired.map(time),
    })
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::{activity, ledger};
    use super::*;

    #[test]
    fn codes_are_short_differ_and_hold_nothing_mistakable() {
        let codes: std::collections::HashSet<_> = (0..500).map(|_| new_code().unwrap()).collect();
        assert!(codes.len() >= 499);
        for code in codes {
            assert_eq!(code.len(), LENGTH);
            assert!(!code.contains(['0', 'o', '1', 'l', 'i', 'u']), "{code}");
        }
    }

    #[tokio::test]
    async fn boards_are_put_up_taken_down_and_lose_a_removed_activity() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path()).await;
        let boards = Boards::new(ledger.database.clone());
        let about = NewBoard {
            name: "文化广场".into(),
            place: Some("village".into()),
            region: Some("r01".into()),
            activity: Some(1),
        };
        assert!(matches!(
            boards.add(about.clone(), Utc::now()).await,
            Err(JournalError::NoSuchActivity(1))
        ));
        let held = [activity("下乡", "司法所", "2026-06-10")];
        ledger.add(&held, Utc::now()).await.unwrap();
        let board = boards.add(about, Utc::now()).await.unwrap();
        assert_eq!(boards.all().await.unwrap(), std::slice::from_ref(&board));
        let mut renamed = board.about.clone();
        renamed.name = "新文化广场".into();
        renamed.place = None;
        boards.edit(&board.code, &renamed).await.unwrap();
        assert_eq!(boards.all().await.unwrap()[0].about, renamed);
        renamed.activity = Some(9);
        assert!(matches!(
            boards.edit(&board.code, &renamed).await,
            Err(JournalError::NoSuchActivity(9))
        ));
        assert!(matches!(
            boards.edit("zzzzz0", &NewBoard::default()).await,
            Err(JournalError::NoSuchBoard(_))
        ));
        ledger.remove(1).await.unwrap();
        let shouted = board.code.to_uppercase();
        assert!(boards.retire(&shouted, Utc::now()).await.unwrap());
        assert!(!boards.retire(&board.code, Utc::now()).await.unwrap());
        let left = boards.all().await.unwrap().remove(0);
        assert!(left.retired.is_some() && left.about.activity.is_none());
        assert!(matches!(
            boards.retire("zzzzz0", Utc::now()).await,
            Err(JournalError::NoSuchBoard(_))
        ));
    }
}
