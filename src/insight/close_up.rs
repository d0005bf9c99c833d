//! One activity by itself: its effect, and the days around it.

use chrono::{DateTime, NaiveDate, Utc};

use super::effect::by_day;
use super::figures::{effect_of, held_days};
use super::{Activity, Effect, Facet, Period};
use crate::journal::{Journal, JournalError};
use crate::knowledge::Library;

/// What an activity's own page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseUp {
    /// The whole days that the journal holds.
    pub held: Option<Period>,
    /// Its effect, as the report tells it.
    pub effect: Effect,
    /// First questions on its topics by day, from the window before to the window after, as far as the
    /// journal holds whole days; empty when the effect's counts are withheld.
    pub days: Vec<(NaiveDate, u64)>,
}

/// Reads what an activity's windows hold; `all` are the activities of the ledger.
///
/// # Errors
/// When the database refuses.
pub async fn close_up(
    journal: &Journal,
    activity: &Activity,
    all: &[Activity],
    library: &Library,
    now: DateTime<Utc>,
) -> Result<CloseUp, JournalError> {
    let held = held_days(journal, now).await?;
    let (from, to) = (activity.window_before().from, activity.window_after().to);
    let windows = journal.days(Facet::RegionTopic, from, to).await?;
    let effect = effect_of(activity, &windows, all, held, library);
    let mut days = match effect.counts {
        Some(_) => by_day(activity, &windows),
        None => Vec::new(),
    };
    days.retain(|(day, _)| held.is_some_and(|held| held.contains(*day)));
    Ok(CloseUp { held, effect, days })
}
