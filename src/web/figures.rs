//! The figures of a period as pages show them: made once, and kept until something changes.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::error::WebError;
use crate::insight::{Activity, Figures, Meanings, Period, gather};
use crate::journal::{Journal, JournalError, Ledger, local_day};
use crate::knowledge::Library;
use crate::ledger::Regions;
use crate::report::{Report, Source};
use crate::text::Analyser;

/// Readings kept; the oldest goes first.
const KEPT: usize = 8;
/// So long a page waits for roll-ups: after an upgrade they may all have to be made anew.
const PATIENCE: Duration = Duration::from_secs(10);

/// Figures of one period, and the report made of them.
pub(super) struct Reading {
    period: Period,
    library: Arc<Library>,
    activities: Vec<Activity>,
    /// When the roll-ups that it was made of were brought up to date.
    pub made: DateTime<Utc>,
    pub figures: Figures,
    pub report: Report,
}

#[derive(Default)]
struct Kept {
    meanings: Option<(Arc<Library>, Arc<Meanings<'static>>)>,
    readings: Vec<Arc<Reading>>,
}

/// Makes figures and keeps them.
pub(super) struct FiguresOf {
    journal: Journal,
    ledger: Ledger,
    pub regions: Regions,
    office: String,
    kept: Mutex<Kept>,
}

impl FiguresOf {
    pub fn new(journal: Journal, regions: Regions, office: String) -> Self {
        Self {
            ledger: Ledger::new(journal.database().clone()),
            journal,
            regions,
            office,
            kept: Mutex::default(),
        }
    }

    /// Brings the roll-ups up to date: today once a minute, a corrected day at once. Returns the days that
    /// the journal holds, today included; `None` when it holds none.
    ///
    /// Whole days are kept when it takes too long, so that the next who asks goes on from there.
    pub async fn held(&self, now: DateTime<Utc>) -> Result<Option<Period>, WebError> {
        let rolling = self.journal.roll_up(now, |_, _| ());
        let rolled = tokio::time::timeout(PATIENCE, rolling).await;
        rolled.map_err(|_| WebError::NotReady)??;
        let held = self.journal.rolled().await?;
        Ok(held.map(|(first, last)| Period::new(first, last)))
    }

    /// The figures of a period, of the roll-ups as [`FiguresOf::held`] left them. What was made of the same
    /// roll-ups is not made again.
    ///
    /// One at a time: who comes while figures are made waits, and finds them.
    pub async fn of(
        &self,
        period: Period,
        library: Arc<Library>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Reading>, JournalError> {
        let mut kept = self.kept.lock().await;
        let made = self.journal.rolled_at().await?.unwrap_or(now);
        let held = self.ledger.all().await?;
        let activities: Vec<Activity> = held.iter().map(Activity::of).collect();
        let found = kept.readings.iter().find(|reading| {
            reading.period == period
                && reading.made == made
                && Arc::ptr_eq(&reading.library, &library)
                && reading.activities == activities
        });
        if let Some(reading) = found {
            return Ok(reading.clone());
        }
        let material = gather(&self.journal, period, activities.clone(), now).await?;
        let meanings = kept.meanings.take();
        let meanings = meanings.filter(|(of, _)| Arc::ptr_eq(of, &library));
        let (regions, office) = (self.regions.clone(), self.office.clone());
        // Words of a library and figures of a year take long: nobody else waits for them.
        let made = tokio::task::spawn_blocking(move || {
            let meanings = meanings.map_or_else(
                || {
                    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
                    Arc::new(Meanings::shared(&library, &analyser))
                },
                |(_, meanings)| meanings,
            );
            let figures = Figures::of(&material, &library, &meanings);
            let report = Report::of(&Source {
                figures: &figures,
                library: &library,
                regions: &regions,
                activities: &material.activities,
                held: material.held,
                office: &office,
                made: local_day(now),
            });
            let reading = Reading {
                period,
                library: library.clone(),
                activities,
                made,
                figures,
                report,
            };
            ((library, meanings), Arc::new(reading))
        })
        .await;
        // Only a panic ends it early.
        let (meanings, reading) = made.map_err(std::io::Error::other)?;
        kept.meanings = Some(meanings);
        kept.readings.retain(|old| old.period != period);
        kept.readings.truncate(KEPT - 1);
        kept.readings.insert(0, reading.clone());
        Ok(reading)
    }
}
