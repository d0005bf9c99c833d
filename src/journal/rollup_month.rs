//! Months added up from days, so that figures of years read twelve cells a year and key, not 365.

use chrono::{Datelike, Months, NaiveDate};
use sqlx::Row;

use super::calendar::{day_of, number_of};
use super::rollup::{self, Facet, Tally, Totals, each_cell, write_cells};
use super::{Journal, JournalError};

/// The first day of the month in which a day lies.
pub(super) fn month_of(day: NaiveDate) -> NaiveDate {
    // Every month has a first day.
    day.with_day(1).unwrap_or(day)
}

/// The first day of the month after.
fn next(month: NaiveDate) -> NaiveDate {
    month
        .checked_add_months(Months::new(1))
        .unwrap_or(NaiveDate::MAX)
}

impl Journal {
    /// Adds up months that lie before `today`, are rolled whole and not added up yet.
    pub(super) async fn roll_months(&self, today: NaiveDate) -> Result<(), JournalError> {
        let Some((first, _)) = self.rolled().await? else {
            return Ok(());
        };
        let known = self.months(first, today).await?;
        let mut month = month_of(first);
        while next(month) <= today {
            let row = sqlx::query(
                "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM rollup_day \
                 WHERE day >= $1 AND day < $2 AND office = $3",
            )
            .bind(number_of(month))
            .bind(number_of(next(month)))
            .bind(self.database().office.as_str());
            if !known.contains(&month) {
                let rolled: i64 = row.fetch_one(&self.database().pool).await?.try_get("n")?;
                if rolled == (next(month) - month).num_days() {
                    self.roll_month(month).await?;
                }
            }
            month = next(month);
        }
        Ok(())
    }

    async fn roll_month(&self, month: NaiveDate) -> Result<(), JournalError> {
        let office = &self.database().office;
        let mut transaction = self.database().pool.begin().await?;
        // First of all: another program that adds the same month up, or rolls up one of its
        // days, waits here; days are read only then.
        let first = sqlx::query(
            "INSERT INTO rollup_month (month, office) VALUES ($1, $2) \
             ON CONFLICT (office, month) DO NOTHING",
        )
        .bind(number_of(month))
        .bind(office.as_str())
        .execute(&mut *transaction)
        .await?;
        if first.rows_affected() == 0 {
            return Ok(());
        }
        let last = next(month).pred_opt().unwrap_or(month);
        let mut facets: Vec<(String, Totals)> = Vec::new();
        for facet in Facet::ALL {
            let mut totals = Totals::new();
            let add = |_, key, tally: Tally| {
                totals.entry(key).or_default().merge(&tally);
            };
            each_cell(&mut *transaction, office, facet.as_str(), month, last, add).await?;
            facets.push((rollup::monthly(facet), totals));
        }
        for (facet, totals) in &facets {
            sqlx::query("DELETE FROM rollup WHERE facet = $1 AND day = $2 AND office = $3")
                .bind(facet.as_str())
                .bind(number_of(month))
                .bind(office.as_str())
                .execute(&mut *transaction)
                .await?;
            let cells = totals
                .iter()
                .map(|(key, t)| (facet.as_str(), key.as_str(), t));
            let cells: Vec<_> = cells.collect();
            write_cells(&mut transaction, office, number_of(month), &cells).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The months added up, by first day, that begin in `from..=to`.
    async fn months(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<NaiveDate>, JournalError> {
        let rows = sqlx::query(
            "SELECT month FROM rollup_month WHERE month >= $1 AND month <= $2 AND office = $3 \
             ORDER BY month",
        )
        .bind(number_of(from))
        .bind(number_of(to))
        .bind(self.database().office.as_str())
        .fetch_all(&self.database().readers)
        .await?;
        let months = rows.iter().map(|row| row.try_get("month").map(day_of));
        Ok(months.collect::<Result<_, _>>()?)
    }

    /// Tallies of a facet over `from..=to`, by key, from the roll-ups.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn totals(
        &self,
        facet: Facet,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Totals, JournalError> {
        let mut totals = Totals::new();
        let mut take = |_, key, tally| {
            totals.entry(key).or_default().merge(&tally);
        };
        let (pool, office) = (&self.database().readers, &self.database().office);
        let mut day = from;
        for month in self.months(from, to).await? {
            let after = next(month);
            if after.pred_opt().is_none_or(|last| last > to) {
                continue;
            }
            if day < month {
                let before = month.pred_opt().unwrap_or(month);
                each_cell(pool, office, facet.as_str(), day, before, &mut take).await?;
            }
            each_cell(
                pool,
                office,
                &rollup::monthly(facet),
                month,
                month,
                &mut take,
            )
            .await?;
            day = after;
        }
        if day <= to {
            each_cell(pool, office, facet.as_str(), day, to, &mut take).await?;
        }
        Ok(totals)
    }
}
