//! One activity by itself: its effect, and the weeks around it.

use chrono::{DateTime, Utc};

use super::effect::{Span, by_week};
use super::figures::{effect_of, held_days};
use super::{Activity, Effect, Facet, Period};
use crate::journal::{Journal, JournalError, local_day};
use crate::knowledge::Library;

/// What an activity's own page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseUp {
    /// The whole days that the journal holds.
    pub held: Option<Period>,
    /// Its effect, as the report tells it.
    pub effect: Effect,
    /// First questions on its topics by week, as far as the journal reaches; empty when the effect's
    /// counts are withheld.
    pub weeks: Vec<Span>,
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
    // The counts of the windows hold today too.
    let known = held.map(|held| Period::new(held.from, held.to.max(local_day(now))));
    let weeks = match (effect.counts, known) {
        (Some(_), Some(known)) => by_week(activity, &windows, known),
        _ => Vec::new(),
    };
    Ok(CloseUp {
        held,
        effect,
        weeks,
    })
}
