//! The publicity calendar (普法日历): days, weeks and months that come back every year.

use std::collections::HashSet;

use chrono::{NaiveDate, Weekday};
use serde::Deserialize;

use super::finding::{Finding, SourceFile};
use super::tables::read;

/// A day, week or month of every year with a subject of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedDay {
    /// Stable id, `constitution_week`.
    pub id: String,
    /// What staff call it, `宪法宣传周`.
    pub name: String,
    /// When it is.
    pub when: When,
    /// Sub-topics, or whole top topics, it is about.
    pub topics: Vec<String>,
    /// What it is for and where it comes from, in a sentence.
    pub about: String,
}

/// When a fixed day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From a month and day to another, both included; the same for a single day.
    Days((u32, u32), (u32, u32)),
    /// The nth such weekday of a month; -1 is the last.
    Nth(u32, i8, Weekday),
}

impl FixedDay {
    /// Its first and last day in a year; `None` in years that do not have it.
    pub fn in_year(&self, year: i32) -> Option<(NaiveDate, NaiveDate)> {
        match self.when {
            When::Days((month, day), (to_month, to_day)) => Some((
                NaiveDate::from_ymd_opt(year, month, day)?,
                NaiveDate::from_ymd_opt(year, to_month, to_day)?,
            )),
            When::Nth(month, nth, weekday) => {
                let of = |n: u8| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n);
                let day = match u8::try_from(nth) {
                    Ok(nth) => of(nth)?,
                    Err(_) => of(5).or_else(|| of(4))?,
                };
                Some((day, day))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    day: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    name: String,
    from: Option<String>,
    to: Option<String>,
    nth: Option<Nth>,
    topics: Vec<String>,
    about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nth {
    month: u32,
    /// 1 to 5, or -1 for the last.
    nth: i8,
    /// 1 is Monday, 7 Sunday.
    weekday: u8,
}

fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-')?;
    let both = (month.parse().ok()?, day.parse().ok()?);
    // No leap year: a day of every year.
    NaiveDate::from_ymd_opt(2027, both.0, both.1).map(|_| both)
}

fn when(raw: &Raw) -> Result<When, &'static str> {
    match (&raw.from, &raw.to, &raw.nth) {
        (Some(from), to, None) => {
            let wrong = "写成 06-26 这样的月和日，每年都要有这一天";
            let from = month_and_day(from).ok_or(wrong)?;
            let to = to
                .as_deref()
                .map_or(Ok(from), |to| month_and_day(to).ok_or(wrong))?;
            match from <= to {
                true => Ok(When::Days(from, to)),
                false => Err("to 比 from 还早：跨年的请写成两条"),
            }
        }
        (None, None, Some(nth)) => {
            let weekday = nth
                .weekday
                .checked_sub(1)
                .and_then(|d| Weekday::try_from(d).ok());
            match weekday {
                Some(weekday) if (1..=12).contains(&nth.month) && matches!(nth.nth, -1 | 1..=4) => {
                    Ok(When::Nth(nth.month, nth.nth, weekday))
                }
                _ => Err(
                    "nth 要写 month 1 到 12、nth 1 到 4（-1 是最后一个）、weekday 1 到 7（7 是星期日）",
                ),
            }
        }
        _ => Err("要么写 from（和 to），要么写 nth"),
    }
}

/// Reads `calendar.toml`; `topics` are the ids that days may name.
pub(super) fn calendar(
    source: &SourceFile<'_>,
    topics: &[&str],
    findings: &mut Vec<Finding>,
) -> Vec<FixedDay> {
    let Some(file) = read::<File>(source, findings) else {
        return Vec::new();
    };
    let (mut days, mut seen) = (Vec::new(), HashSet::new());
    for raw in file.day {
        let quoted = format!("\"{}\"", raw.id);
        let at = source.text.find(&quoted).unwrap_or(0);
        let span = at..at + quoted.len();
        let mut fault = |rule, message: String| {
            findings.push(source.error(rule, span.clone(), message));
        };
        if !seen.insert(raw.id.clone()) {
            fault("duplicate-id", format!("普法日 {} 重复", raw.id));
        }
        for topic in raw.topics.iter().filter(|t| !topics.contains(&t.as_str())) {
            fault(
                "unknown-topic",
                format!("{} 的主题 {topic} 不在 topics.toml 里", raw.name),
            );
        }
        match when(&raw) {
            Ok(when) => days.push(FixedDay {
                id: raw.id,
                name: raw.name,
                when,
                topics: raw.topics,
                about: raw.about,
            }),
            Err(why) => fault("bad-day", format!("{} 的日期不对：{why}", raw.name)),
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    fn read_days(text: &str) -> (Vec<FixedDay>, Vec<Finding>) {
        let source = SourceFile {
            path: Arc::new(PathBuf::from("calendar.toml")),
            text,
        };
        let mut findings = Vec::new();
        let days = calendar(&source, &["gov.constitution", "gov"], &mut findings);
        (days, findings)
    }

    fn one(when: &str) -> String {
        format!("[[day]]\nid = \"a\"\nname = \"甲\"\n{when}\ntopics = [\"gov\"]\nabout = \"\"\n")
    }

    #[test]
    fn days_weeks_and_weekdays_fall_where_they_belong() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (when, year, from, to) in [
            ("from = \"12-04\"", 2026, "2026-12-04", "2026-12-04"),
            (
                "from = \"05-01\"\nto = \"05-31\"",
                2026,
                "2026-05-01",
                "2026-05-31",
            ),
            (
                "nth = { month = 5, nth = 3, weekday = 7 }",
                2026,
                "2026-05-17",
                "2026-05-17",
            ),
            (
                "nth = { month = 3, nth = -1, weekday = 1 }",
                2026,
                "2026-03-30",
                "2026-03-30",
            ),
            (
                "nth = { month = 2, nth = -1, weekday = 1 }",
                2027,
                "2027-02-22",
                "2027-02-22",
            ),
        ] {
            let (days, findings) = read_days(&one(when));
            assert!(findings.is_empty(), "{when}");
            assert_eq!(days[0].in_year(year), Some((day(from), day(to))), "{when}");
        }
    }

    #[test]
    fn what_is_no_day_of_every_year_or_names_no_topic_is_told() {
        for bad in [
            "from = \"02-29\"",
            "from = \"13-01\"",
            "from = \"12-01\"\nto = \"01-07\"",
            "nth = { month = 3, nth = 5, weekday = 1 }",
            "nth = { month = 3, nth = 1, weekday = 8 }",
            "to = \"05-31\"",
        ] {
            let (days, findings) = read_days(&one(bad));
            assert!(days.is_empty() && findings.len() == 1, "{bad}");
        }
        let twice = one("from = \"12-04\"").repeat(2);
        assert_eq!(read_days(&twice).1.len(), 1);
        let unknown = one("from = \"12-04\"").replace("\"gov\"", "\"nothing.here\"");
        assert!(read_days(&unknown).1[0].message.contains("nothing.here"));
    }
}
