//! The figures of a period as pages show them: made once, and kept until something changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::error::WebError;
use super::meanings::MeaningsOf;
use super::site::slow;
use crate::insight::{Activity, Figures, Period, gather};
use crate::journal::{Board, Boards, Journal, Ledger, local_day};
use crate::knowledge::Library;
use crate::ledger::Regions;
use crate::report::Report;

/// Readings kept; the oldest goes first.
const KEPT: usize = 8;
/// So long a page waits for roll-ups: after an upgrade they may all have to be made anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// Older than this, figures are made anew behind the page that is shown.
const FRESH: TimeDelta = TimeDelta::minutes(1);
/// Older than this, they are not shown any more.
const STALE: TimeDelta = TimeDelta::minutes(10);

/// What figures are made of, besides the journal.
struct Wanted {
    period: Period,
    library: Arc<Library>,
    activities: Vec<Activity>,
    boards: Vec<Board>,
    regions: Regions,
    /// `Journal::changes` before anything was read.
    changes: i64,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.period == other.period
            && Arc::ptr_eq(&self.library, &other.library)
            && self.activities == other.activities
            && self.boards == other.boards
            && self.regions == other.regions
            && self.changes == other.changes
    }
}

/// Figures of one period, and the report made of them.
pub(super) struct Reading {
    wanted: Wanted,
    /// When the roll-ups that it was made of were brought up to date.
    pub made: DateTime<Utc>,
    pub figures: Figures,
    pub report: Report,
}

/// Makes figures and keeps them.
///
/// What somebody corrected, voted or deleted is in the next page. New questions are in the page after the next
/// once the figures are a minute old: nobody waits for those.
pub(super) struct FiguresOf {
    journal: Journal,
    ledger: Ledger,
    boards: Boards,
    office: String,
    meanings: Arc<MeaningsOf>,
    kept: Mutex<Vec<Arc<Reading>>>,
    /// One at a time: who comes while figures are made waits, and finds them.
    making: Arc<tokio::sync::Mutex<()>>,
}

impl FiguresOf {
    pub fn new(journal: Journal, office: String, meanings: Arc<MeaningsOf>) -> Self {
        Self {
            ledger: Ledger::new(journal.database().clone()),
            boards: Boards::new(journal.database().clone()),
            journal,
            office,
            meanings,
            kept: Mutex::default(),
            making: Arc::default(),
        }
    }

    /// What is kept; a poisoned lock only means that somebody panicked beside it: the values are whole.
    fn with<T>(&self, look: impl FnOnce(&mut Vec<Arc<Reading>>) -> T) -> T {
        look(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The days that the journal holds, today included, with everything that was changed in them; `None` when
    /// it holds none.
    ///
    /// Whole days are kept when it takes too long, so that the next who asks goes on from there.
    pub async fn held(&self, now: DateTime<Utc>) -> Result<Option<Period>, WebError> {
        let today = local_day(now);
        let mut rolled = self.journal.rolled().await?;
        if self.journal.has_changes().await? || rolled.is_none_or(|(_, last)| last != today) {
            self.roll_up(now).await?;
            rolled = self.journal.rolled().await?;
        }
        Ok(rolled.map(|(first, last)| Period::new(first, last)))
    }

    async fn roll_up(&self, now: DateTime<Utc>) -> Result<(), WebError> {
        let rolling = self.journal.roll_up(now, |_, _| ());
        let rolled = timeout(PATIENCE, rolling).await;
        rolled.map_err(|_| WebError::NotReady)??;
        Ok(())
    }

    /// The figures of a period, of what [`FiguresOf::held`] found.
    pub async fn of(
        self: &Arc<Self>,
        period: Period,
        library: Arc<Library>,
        regions: &Regions,
        now: DateTime<Utc>,
    ) -> Result<Arc<Reading>, WebError> {
        let held = self.ledger.all().await?;
        let wanted = Wanted {
            period,
            library,
            activities: held.iter().map(Activity::of).collect(),
            boards: self.boards.all().await?,
            regions: regions.clone(),
            changes: self.journal.changes().await?,
        };
        // What was made before a change holds what may have been deleted since.
        self.with(|kept| kept.retain(|old| old.wanted.changes == wanted.changes));
        if let Some(reading) = self.find(&wanted, now, FRESH) {
            return Ok(reading);
        }
        if let Some(reading) = self.find(&wanted, now, STALE) {
            // Whoever makes figures now makes these next time.
            if let Ok(turn) = self.making.clone().try_lock_owned() {
                self.begun(wanted, now, turn);
            }
            return Ok(reading);
        }
        let turn = self.making.clone().lock_owned().await;
        match self.find(&wanted, now, FRESH) {
            Some(reading) => Ok(reading),
            None => self.begun(wanted, now, turn).await?,
        }
    }

    /// Makes figures in a task of its own: what was begun is finished and kept, whoever waits for it.
    fn begun(
        self: &Arc<Self>,
        wanted: Wanted,
        now: DateTime<Utc>,
        turn: OwnedMutexGuard<()>,
    ) -> JoinHandle<Result<Arc<Reading>, WebError>> {
        let of = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            let made = of.make(wanted, now).await;
            if let Err(error) = &made {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "figures were not made; tried again with the next page"
                );
            }
            made
        })
    }

    fn find(
        &self,
        wanted: &Wanted,
        now: DateTime<Utc>,
        younger: TimeDelta,
    ) -> Option<Arc<Reading>> {
        let fits =
            |reading: &&Arc<Reading>| reading.wanted == *wanted && now - reading.made < younger;
        self.with(|kept| kept.iter().find(fits).cloned())
    }

    async fn make(&self, wanted: Wanted, now: DateTime<Utc>) -> Result<Arc<Reading>, WebError> {
        self.roll_up(now).await?;
        let made = self.journal.rolled_at().await?.unwrap_or(now);
        let activities = wanted.activities.clone();
        let material = gather(&self.journal, wanted.period, activities, now).await?;
        let library = wanted.library.clone();
        let meanings = self.meanings.library(&library).await?;
        let office = self.office.clone();
        // Figures of a year take long: nobody else waits for them.
        let reading = slow(move || {
            let made_on = local_day(now);
            let (regions, meanings) = (&wanted.regions, &*meanings);
            let (figures, report) =
                Report::of_material(&material, &library, meanings, regions, &office, made_on);
            Arc::new(Reading {
                wanted,
                made,
                figures,
                report,
            })
        });
        let reading = reading.await?;
        self.with(|kept| {
            kept.retain(|old| old.wanted.period != reading.wanted.period);
            kept.truncate(KEPT - 1);
            kept.insert(0, reading.clone());
        });
        Ok(reading)
    }
}
