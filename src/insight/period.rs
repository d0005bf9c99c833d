//! Periods of whole local days, and the earlier ones they are compared with.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Whole local days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// First day.
    pub from: NaiveDate,
    /// Last day; not before the first.
    pub to: NaiveDate,
}

impl Period {
    /// The days `from..=to`, in whichever order they are given.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Self {
        Self {
            from: from.min(to),
            to: from.max(to),
        }
    }

    fn months(first: NaiveDate, months: u32) -> Self {
        let next = first.checked_add_months(Months::new(months));
        let last = next.and_then(|day| day.pred_opt());
        Self::new(first, last.unwrap_or(NaiveDate::MAX))
    }

    /// The month in which a day lies.
    pub fn month_of(day: NaiveDate) -> Self {
        Self::months(day.with_day(1).unwrap_or(day), 1)
    }

    /// The quarter in which a day lies.
    pub fn quarter_of(day: NaiveDate) -> Self {
        let month = day.month0() / 3 * 3;
        let first = NaiveDate::from_ymd_opt(day.year(), month + 1, 1);
        Self::months(first.unwrap_or(day), 3)
    }

    /// The calendar year in which a day lies.
    pub fn year_of(day: NaiveDate) -> Self {
        let first = NaiveDate::from_ymd_opt(day.year(), 1, 1);
        Self::months(first.unwrap_or(day), 12)
    }

    /// How many days.
    pub fn days(&self) -> u64 {
        // `to` is not before `from`.
        u64::try_from((self.to - self.from).num_days() + 1).unwrap_or(1)
    }

    /// The days in order.
    pub fn iter(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let to = self.to;
        self.from.iter_days().take_while(move |day| *day <= to)
    }

    /// Whether a day lies in it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        (self.from..=self.to).contains(&day)
    }

    fn earlier(&self, days: u64) -> Self {
        let back = |day: NaiveDate| {
            day.checked_sub_days(Days::new(days))
                .unwrap_or(NaiveDate::MIN)
        };
        Self::new(back(self.from), back(self.to))
    }

    /// The period of equal length just before that has the same weekdays: earlier by the
    /// smallest whole number of weeks that is not shorter than the period.
    pub fn before(&self) -> Self {
        self.earlier(self.days().div_ceil(7) * 7)
    }

    /// The same weekdays a year ago: 52 weeks earlier.
    pub fn last_year(&self) -> Self {
        self.earlier(52 * 7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_like_with_like() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let quarter = Period::quarter_of(day("2026-05-20"));
        assert_eq!(
            (quarter.from, quarter.to),
            (day("2026-04-01"), day("2026-06-30"))
        );
        assert_eq!(quarter.days(), 91);
        let before = quarter.before();
        assert_eq!(
            (before.from, before.to),
            (day("2025-12-31"), day("2026-03-31"))
        );
        assert_eq!(before.from.weekday(), quarter.from.weekday());
        let month = Period::month_of(day("2024-02-10"));
        assert_eq!(month.days(), 29);
        assert_eq!(month.before().days(), 29);
        assert!(month.before().to < month.from);
        assert_eq!(month.last_year().from.weekday(), month.from.weekday());
        assert_eq!(Period::year_of(day("2026-07-01")).days(), 365);
    }
}
