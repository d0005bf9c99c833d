//! 普法责任清单 (谁执法谁普法): what each unit is to do in a year, against what the ledger holds.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use sqlx::{Any, Row, Transaction};

use super::{JournalError, Ledger, OfficeId};

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The year.
    pub year: i32,
    /// 责任单位
    pub unit: String,
    /// 普法内容
    pub content: String,
    /// Activities planned in the year.
    pub planned: u32,
    /// Activities of that unit in the ledger that began in the year; what is only planned does not count.
    pub done: u32,
}

impl Ledger {
    /// Writes a unit's line; one that is there is replaced. `done` is counted, not written.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn set_duty(&self, duty: &Duty) -> Result<(), JournalError> {
        self.set_duties(std::slice::from_ref(duty)).await
    }

    /// Writes several lines, all of them or none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn set_duties(&self, duties: &[Duty]) -> Result<(), JournalError> {
        let mut transaction = self.database.pool.begin().await?;
        for duty in duties {
            write_duty(&mut transaction, &self.database.office, duty).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a unit's line out; `false` when there is none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_duty(&self, year: i32, unit: &str) -> Result<bool, JournalError> {
        let done = sqlx::query("DELETE FROM duty WHERE year = $1 AND unit = $2 AND office = $3")
            .bind(i64::from(year))
            .bind(unit)
            .bind(self.database.office.as_str())
            .execute(&self.database.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The list of a year, by unit, and the units that were active without standing on it, with
    /// how often. What begins after `today` is not done yet.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn duties(
        &self,
        year: i32,
        today: NaiveDate,
    ) -> Result<(Vec<Duty>, Vec<(String, u32)>), JournalError> {
        let within = |day: NaiveDate| day.year() == year && day <= today;
        let mut done: BTreeMap<String, u32> = BTreeMap::new();
        for entered in self.all().await? {
            if within(entered.activity.from) {
                *done.entry(entered.activity.unit).or_default() += 1;
            }
        }
        let rows = sqlx::query(
            "SELECT unit, content, planned FROM duty WHERE year = $1 AND office = $2 ORDER BY unit",
        )
        .bind(i64::from(year))
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        let mut duties = Vec::new();
        for row in rows {
            let unit: String = row.try_get("unit")?;
            let planned: i64 = row.try_get("planned")?;
            duties.push(Duty {
                year,
                done: done.remove(&unit).unwrap_or(0),
                unit,
                content: row.try_get("content")?,
                planned: u32::try_from(planned).unwrap_or(0),
            });
        }
        Ok((duties, done.into_iter().collect()))
    }
}

async fn write_duty(
    transaction: &mut Transaction<'_, Any>,
    office: &OfficeId,
    duty: &Duty,
) -> Result<(), JournalError> {
    sqlx::query(
        "INSERT INTO duty (year, unit, content, planned, office) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (office, year, unit) DO UPDATE \
         SET content = excluded.content, planned = excluded.planned",
    )
    .bind(i64::from(duty.year))
    .bind(&duty.unit)
    .bind(&duty.content)
    .bind(i64::from(duty.planned))
    .bind(office.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::super::ledger::tests::{activity, ledger};
    use super::Duty;

    #[tokio::test]
    async fn planned_stands_against_what_the_ledger_holds() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path()).await;
        let held = [
            activity("一", "派出所", "2026-01-01"),
            activity("二", "派出所", "2026-12-31"),
            activity("去年的", "派出所", "2025-12-31"),
            activity("三", "卫生院", "2026-05-01"),
        ];
        ledger.add(&held, Utc::now()).await.unwrap();
        let day = |text: &str| text.parse().unwrap();
        let duty = |unit: &str, planned, done| Duty {
            year: 2026,
            unit: unit.into(),
            content: "治安管理处罚法".into(),
            planned,
            done,
        };
        for planned in [9, 4] {
            ledger.set_duty(&duty("派出所", planned, 0)).await.unwrap();
        }
        ledger.set_duty(&duty("税务所", 2, 0)).await.unwrap();
        let (mut duties, others) = ledger.duties(2026, day("2026-12-31")).await.unwrap();
        duties.sort_by_key(|d| d.planned);
        assert_eq!(duties, [duty("税务所", 2, 0), duty("派出所", 4, 2)]);
        assert_eq!(others, [("卫生院".to_owned(), 1)]);
        let (_, so_far) = ledger.duties(2026, day("2026-04-30")).await.unwrap();
        assert!(so_far.is_empty(), "what is planned is not done");
        assert!(ledger.remove_duty(2026, "税务所").await.unwrap());
        assert!(!ledger.remove_duty(2026, "税务所").await.unwrap());
    }
}
