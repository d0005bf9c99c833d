//! The period a page speaks of, as its form sends it: a preset or two days, both included.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use serde::Deserialize;

use super::page::Choice;
use crate::journal::day_start;

/// Presets and their names, in the order of the form.
pub(super) const PRESETS: [(&str, &str); 6] = [
    ("7d", "最近 7 天"),
    ("30d", "最近 30 天"),
    ("month", "本月"),
    ("quarter", "本季"),
    ("year", "今年"),
    ("all", "全部"),
];

/// What is shown unless something else is asked for.
const USUAL: &str = "30d";

/// The query string of a page that has nothing but a period to choose.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    period: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl Wanted {
    /// The days asked for.
    pub fn days(&self, today: NaiveDate) -> Period {
        Period::read(&self.period, &self.from, &self.to, today)
    }

    /// The presets with the chosen one marked: none when days of one's own were typed.
    pub fn presets(&self) -> Vec<Choice> {
        let own = !self.from.is_empty() || !self.to.is_empty();
        presets(if own { None } else { Some(&self.period) })
    }
}

/// The presets with one marked; what is no preset stands for the usual one.
pub(super) fn presets(preset: Option<&str>) -> Vec<Choice> {
    let known = |id: &str| PRESETS.iter().any(|(preset, _)| *preset == id);
    let chosen = preset.map(|id| if known(id) { id } else { USUAL });
    let choice = |(id, name): (&str, &str)| Choice {
        value: id.to_owned(),
        label: name.to_owned(),
        chosen: chosen == Some(id),
    };
    PRESETS.map(choice).into()
}

/// Days from `first` to `last`, both included; open where `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub first: Option<NaiveDate>,
    pub last: Option<NaiveDate>,
}

impl Period {
    /// Two days win over the preset; what is no date or preset is as if it were not there.
    pub fn read(preset: &str, from: &str, to: &str, today: NaiveDate) -> Self {
        let (from, to) = (from.parse().ok(), to.parse().ok());
        if from.is_some() || to.is_some() {
            return Self {
                first: from,
                last: to,
            };
        }
        let first = match preset {
            "7d" => today.checked_sub_days(Days::new(6)),
            "month" => today.with_day(1),
            "quarter" => today
                .with_day(1)
                .and_then(|d| d.with_month(d.month0() / 3 * 3 + 1)),
            "year" => NaiveDate::from_ymd_opt(today.year(), 1, 1),
            "all" => None,
            _ => today.checked_sub_days(Days::new(29)),
        };
        Self { first, last: None }
    }

    /// When it begins.
    pub fn from(&self) -> Option<DateTime<Utc>> {
        self.first.and_then(midnight)
    }

    /// When it is over.
    pub fn to(&self) -> Option<DateTime<Utc>> {
        let after = self.last.and_then(|day| day.checked_add_days(Days::new(1)));
        after.and_then(midnight)
    }
}

/// Midnight in China, as the figures have it.
fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(day_start(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_and_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let first = |preset| Period::read(preset, "", "", day("2026-08-31")).first;
        assert_eq!(first("7d"), Some(day("2026-08-25")));
        assert_eq!(first(""), Some(day("2026-08-02")));
        assert_eq!(first("month"), Some(day("2026-08-01")));
        assert_eq!(first("quarter"), Some(day("2026-07-01")));
        assert_eq!(first("year"), Some(day("2026-01-01")));
        assert_eq!(first("all"), None);
        let own = Period::read("year", "2026-02-30", "2026-03-01", day("2026-08-31"));
        assert_eq!((own.first, own.last), (None, Some(day("2026-03-01"))));
        assert_eq!(own.to().unwrap().to_rfc3339(), "2026-03-01T16:00:00+00:00");
    }
}
