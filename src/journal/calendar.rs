//! Local days: the office's calendar is China's, eight hours ahead of UTC without summer time
//! (since 1992), whatever the machine's clock is set to.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};

/// China's clock is this far ahead of UTC, in milliseconds.
pub(super) const AHEAD: i64 = 8 * 3_600_000;
/// A day in milliseconds.
pub(super) const DAY: i64 = 86_400_000;

/// The number of the local day (since 1970-01-01) in which a moment in milliseconds falls.
pub(super) fn day_number(at: i64) -> i64 {
    (at + AHEAD).div_euclid(DAY)
}

/// The day's number, counted from 1970-01-01.
pub(super) fn number_of(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days()
}

/// The day with that number; the last representable one for a number out of range.
pub(super) fn day_of(number: i64) -> NaiveDate {
    TimeDelta::try_days(number)
        .and_then(|days| NaiveDate::default().checked_add_signed(days))
        .unwrap_or(NaiveDate::MAX)
}

/// The local day of a moment.
pub fn local_day(at: DateTime<Utc>) -> NaiveDate {
    day_of(day_number(at.timestamp_millis()))
}

/// The local time of a moment, as staff read it.
pub fn local_time(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    // Eight hours are within a day, which is all that is asked of an offset.
    const CLOCK: FixedOffset = FixedOffset::east_opt((AHEAD / 1000) as i32).unwrap();
    at.with_timezone(&CLOCK)
}

/// The moment at which a local day begins, in milliseconds since 1970.
pub fn day_start(day: NaiveDate) -> i64 {
    number_of(day) * DAY - AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_four_in_the_afternoon_of_utc() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(local_day(at("2026-11-24T15:59:59Z")), day("2026-11-24"));
        assert_eq!(local_day(at("2026-11-24T16:00:00Z")), day("2026-11-25"));
        let told = local_time(at("2026-11-24T16:05:00Z"));
        assert_eq!(told.format("%m-%d %H:%M").to_string(), "11-25 00:05");
        assert_eq!(
            day_start(day("2026-11-25")),
            at("2026-11-24T16:00:00Z").timestamp_millis()
        );
        assert_eq!(day_of(number_of(day("1969-12-31"))), day("1969-12-31"));
    }
}
