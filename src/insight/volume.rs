//! How much was asked, and by how many people.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{AskerCount, Period, Tally};

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayVolume {
    /// The local day.
    pub day: NaiveDate,
    /// Questions asked on it.
    pub questions: u64,
    /// Distinct people who asked on it.
    pub askers: AskerCount,
}

/// Questions and askers of a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Questions asked.
    pub questions: u64,
    /// Distinct people in the whole period; not the sum of the days.
    pub askers: AskerCount,
    /// Questions a day, on average.
    pub per_day: f64,
    /// Every day of the period, days without questions included.
    pub days: Vec<DayVolume>,
}

/// Volume.
///
/// - Formula: questions = journal rows that are questions (no taps, small talk, staff tests); askers
///   = distinct pseudonyms, merged over days, exact up to 1,024 and an estimate (±3.1 %) beyond.
/// - Unit: questions; people, as far as one pseudonym is one person on one channel.
/// - Source: journal, by local day.
/// - Not to be read as: number of disputes, of people reached, or of people who know the law (知晓率).
pub fn volume(days: &BTreeMap<NaiveDate, Tally>, period: Period) -> Volume {
    let mut all = Tally::default();
    let rows: Vec<DayVolume> = period
        .iter()
        .map(|day| {
            let tally = days.get(&day);
            if let Some(tally) = tally {
                all.merge(tally);
            }
            DayVolume {
                day,
                questions: tally.map_or(0, |t| t.questions),
                askers: tally.map_or(
                    AskerCount {
                        count: 0,
                        exact: true,
                    },
                    Tally::asker_count,
                ),
            }
        })
        .collect();
    Volume {
        questions: all.questions,
        askers: all.asker_count(),
        per_day: all.questions as f64 / period.days() as f64,
        days: rows,
    }
}
