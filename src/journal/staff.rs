//! Dashboard accounts: who may look, review and manage.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::record::next_id;
use super::redact::without_nul;
use super::{Database, JournalError, OfficeId};

/// Wrong passwords in a row that an account may see.
pub const FAILURES: i64 = 5;
/// How long it is locked then, in minutes.
pub const LOCK_MINUTES: i64 = 15;
/// The longest name, in characters.
const MAX_NAME: usize = 32;

/// What an account may do; each role includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 查看: look.
    Viewer,
    /// 审核: also correct, answer and export.
    Reviewer,
    /// 管理: also manage accounts.
    Admin,
}

impl Role {
    /// All roles, the smallest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Reviewer, Self::Admin];

    /// As staff read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "查看",
            Self::Reviewer => "审核",
            Self::Admin => "管理",
        }
    }

    fn stored(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text || role.stored() == text)
            .ok_or_else(|| format!("没有“{text}”这个角色，可以是 查看、审核、管理"))
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Stable id.
    pub id: i64,
    /// What it logs in with.
    pub name: String,
    /// The office it belongs to, and sees nothing but.
    pub office: OfficeId,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Whether it may not log in any more.
    pub disabled: bool,
}

/// What is needed to judge a log-in.
pub struct Credentials {
    /// The account.
    pub member: Member,
    /// Hash of its password.
    pub hash: String,
    /// Whether too many wrong passwords were tried lately.
    pub locked: bool,
}

/// The accounts. Cheap to clone.
#[derive(Clone)]
pub struct Staff {
    database: Database,
}

pub(super) fn member(row: &AnyRow) -> Result<Member, JournalError> {
    let role: String = row.try_get("role")?;
    Ok(Member {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        office: OfficeId::of_row(row.try_get("office")?),
        // A role that a newer version wrote: the least it can be.
        role: role.parse().unwrap_or(Role::Viewer),
        created: DateTime::from_timestamp_millis(row.try_get("created")?).unwrap_or_default(),
        disabled: row.try_get::<i64, _>("disabled")? != 0,
    })
}

impl Staff {
    /// The accounts of an office in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Makes an account; `hash` is from [`super::hash_password`].
    ///
    /// # Errors
    /// When the name is taken or no name, or the database refuses.
    pub async fn add(
        &self,
        name: &str,
        role: Role,
        hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Member, JournalError> {
        let name = name.trim();
        let fits =
            (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if !fits {
            return Err(JournalError::StaffName);
        }
        let id = next_id(now);
        let result = sqlx::query(
            "INSERT INTO staff (id, name, role, password, created, office) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(name)
        .bind(role.stored())
        .bind(hash)
        .bind(now.timestamp_millis())
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await;
        match result {
            Err(sqlx::Error::Database(e)) if e.is_unique_violation() => {
                Err(JournalError::StaffExists(name.to_owned()))
            }
            Err(e) => Err(e.into()),
            Ok(_) => Ok(Member {
                id,
                name: name.to_owned(),
                office: self.database.office.clone(),
                role,
                created: now,
                disabled: false,
            }),
        }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn list(&self) -> Result<Vec<Member>, JournalError> {
        let rows = sqlx::query(
            "SELECT id, name, office, role, created, disabled FROM staff WHERE office = $1 \
             ORDER BY disabled, name",
        )
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        rows.iter().map(member).collect()
    }

    /// An account by id.
    ///
    /// # Errors
    /// When there is none, or the database refuses.
    pub async fn by_id(&self, id: i64) -> Result<Member, JournalError> {
        let row = sqlx::query(
            "SELECT id, name, office, role, created, disabled FROM staff \
             WHERE id = $1 AND office = $2",
        )
        .bind(id)
        .bind(self.database.office.as_str())
        .fetch_optional(&self.database.readers)
        .await?;
        member(&row.ok_or(JournalError::NoSuchStaff)?)
    }

    /// An account of any office, with what is needed to judge a log-in: whoever logs in says no
    /// office, the name is the only one in the whole database.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn credentials(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Credentials>, JournalError> {
        let row = sqlx::query(
            "SELECT id, name, office, role, created, disabled, password, locked_until FROM staff \
             WHERE name = $1",
        )
        .bind(without_nul(name.trim()))
        .fetch_optional(&self.database.readers)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(Credentials {
            member: member(&row)?,
            hash: row.try_get("password")?,
            locked: row.try_get::<i64, _>("locked_until")? > now.timestamp_millis(),
        }))
    }

    /// Counts a wrong password; returns whether the account is locked now.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn log_in_failed(&self, id: i64, now: DateTime<Utc>) -> Result<bool, JournalError> {
        let row = sqlx::query(
            "UPDATE staff SET failures = failures + 1 WHERE id = $1 AND office = $2 \
             RETURNING failures",
        )
        .bind(id)
        .bind(self.database.office.as_str())
        .fetch_one(&self.database.pool)
        .await?;
        if row.try_get::<i64, _>("failures")? < FAILURES {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE staff SET failures = 0, locked_until = $1 WHERE id = $2 AND office = $3",
        )
        .bind((now + Duration::minutes(LOCK_MINUTES)).timestamp_millis())
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(true)
    }

    /// Forgets earlier wrong passwords.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn log_in_succeeded(&self, id: i64) -> Result<(), JournalError> {
        sqlx::query(
            "UPDATE staff SET failures = 0, locked_until = 0 WHERE id = $1 AND office = $2",
        )
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }

    /// Sets a new password: the account is unlocked, and logged out everywhere.
    ///
    /// # Errors
    /// When there is no such account, or the database refuses.
    pub async fn set_password(&self, id: i64, hash: &str) -> Result<(), JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE staff SET password = $1, failures = 0, locked_until = 0 \
             WHERE id = $2 AND office = $3",
        )
        .bind(hash)
        .bind(id)
        .bind(self.database.office.as_str())
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Err(JournalError::NoSuchStaff);
        }
        sqlx::query("DELETE FROM session WHERE staff = $1 AND office = $2")
            .bind(id)
            .bind(self.database.office.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Changes role and state of an account; it is logged out everywhere.
    ///
    /// # Errors
    /// When nobody would be left to manage accounts, there is no such account, or the database
    /// refuses.
    pub async fn change(&self, id: i64, role: Role, disabled: bool) -> Result<(), JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        // Two who take each other's role away at once: the second waits here and then counts.
        sqlx::query("UPDATE staff SET id = id WHERE role = $1 AND disabled = 0 AND office = $2")
            .bind(Role::Admin.stored())
            .bind(self.database.office.as_str())
            .execute(&mut *transaction)
            .await?;
        let done =
            sqlx::query("UPDATE staff SET role = $1, disabled = $2 WHERE id = $3 AND office = $4")
                .bind(role.stored())
                .bind(i64::from(disabled))
                .bind(id)
                .bind(self.database.office.as_str())
                .execute(&mut *transaction)
                .await?;
        if done.rows_affected() == 0 {
            return Err(JournalError::NoSuchStaff);
        }
        let left = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM staff \
             WHERE role = $1 AND disabled = 0 AND office = $2",
        )
        .bind(Role::Admin.stored())
        .bind(self.database.office.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        if left.try_get::<i64, _>("n")? == 0 {
            return Err(JournalError::LastAdmin);
        }
        sqlx::query("DELETE FROM session WHERE staff = $1 AND office = $2")
            .bind(id)
            .bind(self.database.office.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::journal::test_database::fresh_database;

    pub(crate) async fn database(folder: &std::path::Path) -> Database {
        let url = fresh_database(folder, "s.sqlite");
        Database::open(&url).await.unwrap()
    }

    #[tokio::test]
    async fn five_wrong_passwords_lock_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let staff = Staff::new(database(folder.path()).await);
        let now = Utc::now();
        let id = staff
            .add("王芳", Role::Viewer, "hash", now)
            .await
            .unwrap()
            .id;
        for n in 1..=FAILURES {
            assert_eq!(staff.log_in_failed(id, now).await.unwrap(), n == FAILURES);
        }
        let locked = |credentials: Option<Credentials>| credentials.unwrap().locked;
        assert!(locked(staff.credentials("王芳", now).await.unwrap()));
        let later = now + Duration::minutes(LOCK_MINUTES + 1);
        assert!(!locked(staff.credentials(" 王芳 ", later).await.unwrap()));
        staff.set_password(id, "other").await.unwrap();
        assert!(!locked(staff.credentials("王芳", now).await.unwrap()));
    }

    #[tokio::test]
    async fn names_are_unique_and_somebody_always_manages() {
        let folder = tempfile::tempdir().unwrap();
        let staff = Staff::new(database(folder.path()).await);
        let now = Utc::now();
        let admin = staff.add("李主任", Role::Admin, "hash", now).await.unwrap();
        let again = staff.add("李主任", Role::Viewer, "hash", now).await;
        assert!(matches!(again, Err(JournalError::StaffExists(_))));
        for bad in ["", "  ", "a\nb", &"长".repeat(33)] {
            let added = staff.add(bad, Role::Viewer, "hash", now).await;
            assert!(matches!(added, Err(JournalError::StaffName)), "{bad:?}");
        }
        let refused = staff.change(admin.id, Role::Reviewer, false).await;
        assert!(matches!(refused, Err(JournalError::LastAdmin)));
        let refused = staff.change(admin.id, Role::Admin, true).await;
        assert!(matches!(refused, Err(JournalError::LastAdmin)));
        assert_eq!(staff.by_id(admin.id).await.unwrap().role, Role::Admin);
        staff.add("赵副", Role::Admin, "hash", now).await.unwrap();
        staff.change(admin.id, Role::Reviewer, true).await.unwrap();
        assert!(staff.by_id(admin.id).await.unwrap().disabled);
    }
}
