//! Early warning: a topic that is suddenly asked for, by the rules EARS C1 and C2.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::{Period, Tally};

/// Days that a day is compared with.
const BASELINE: u64 = 7;
/// C2 leaves this many days between, so that a slow start does not hide in the baseline.
const LAG: u64 = 2;
/// A day with fewer first questions, or fewer askers, is never called a burst.
pub const FEWEST: u64 = 5;
/// Standard deviations above the mean.
const ALARM: f64 = 3.0;

/// How many days before a period its first day's baseline begins.
pub const LOOK_BACK: u64 = BASELINE + LAG;

/// A run of days on which a topic was asked for unusually often.
#[derive(Debug, Clone, PartialEq)]
pub struct Burst {
    /// Sub-topic.
    pub topic: String,
    /// First day above the line.
    pub from: NaiveDate,
    /// Last day above the line.
    pub to: NaiveDate,
    /// First questions on those days.
    pub questions: u64,
    /// First questions that the days before would have made one expect.
    pub expected: f64,
    /// The largest C1 or C2 of those days.
    pub score: f64,
}

impl Burst {
    /// How many times the usual it was, as a whole number; `None` when there usually was less
    /// than one a day. So rough that the counts cannot be told from it.
    pub fn times_usual(&self) -> Option<u64> {
        let usual = self.expected / Period::new(self.from, self.to).days() as f64;
        // Between 1 and a few thousand: questions of some days by more than one.
        (usual >= 1.0).then(|| (self.questions as f64 / self.expected).round() as u64)
    }
}

/// (count − mean) ÷ standard deviation of a baseline. The deviation is the sample's, but at least that
/// of a Poisson count with this mean, and at least 1: a quiet week would alarm at anything.
fn score(count: u64, baseline: &[u64]) -> (f64, f64) {
    let n = baseline.len() as f64;
    let mean = baseline.iter().sum::<u64>() as f64 / n;
    let squares: f64 = baseline.iter().map(|c| (*c as f64 - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0)).sqrt().max(mean.sqrt()).max(1.0);
    ((count as f64 - mean) / deviation, mean)
}

/// C1 (baseline: the 7 days before) and C2 (the 7 days before, 2 days earlier) of one day.
pub fn ears(days: impl Fn(NaiveDate) -> u64, day: NaiveDate) -> (f64, f64) {
    let baseline = |lag: u64| -> Vec<u64> {
        (lag + 1..=lag + BASELINE)
            .filter_map(|back| day.checked_sub_days(Days::new(back)))
            .map(&days)
            .collect()
    };
    (
        score(days(day), &baseline(0)).0,
        score(days(day), &baseline(LAG)).0,
    )
}

/// Bursts of all topics in a period, in order of time.
///
/// - Formula: a day alarms when its first questions are at least [`FEWEST`], come from at least
///   [`FEWEST`] askers, and C1 or C2 reaches 3 standard deviations. Alarms of neighbouring days (one
///   day between at most) are one burst.
/// - Unit: first questions a day. Source: journal; `days` must begin [`LOOK_BACK`] days earlier.
/// - Not to be read as: proof of an incident. It says "look at what was asked"; a class that was
///   given the link alarms as well. The measured rate of false alarms is in `docs/insight.zh-CN.md`.
pub fn bursts(days: &BTreeMap<String, BTreeMap<NaiveDate, Tally>>, period: Period) -> Vec<Burst> {
    let mut out = Vec::new();
    for (topic, days) in days.iter().filter(|(topic, _)| !topic.is_empty()) {
        let count = |day: NaiveDate| days.get(&day).map_or(0, Tally::first_questions);
        let mut open: Option<Burst> = None;
        for (day, tally) in days.range(period.from..=period.to) {
            let questions = tally.first_questions();
            if questions < FEWEST || tally.asker_count().count < FEWEST {
                continue;
            }
            let (c1, c2) = ears(count, *day);
            if c1.max(c2) < ALARM {
                continue;
            }
            let lagged: Vec<u64> = (LAG + 1..=LOOK_BACK)
                .filter_map(|back| day.checked_sub_days(Days::new(back)))
                .map(count)
                .collect();
            let (_, expected) = score(questions, &lagged);
            match &mut open {
                Some(burst) if (*day - burst.to).num_days() <= 2 => {
                    burst.to = *day;
                    burst.questions += questions;
                    burst.expected += expected;
                    burst.score = burst.score.max(c1.max(c2));
                }
                _ => {
                    out.extend(open.take());
                    open = Some(Burst {
                        topic: topic.clone(),
                        from: *day,
                        to: *day,
                        questions,
                        expected,
                        score: c1.max(c2),
                    });
                }
            }
        }
        out.extend(open);
    }
    out.sort_by(|a, b| (a.from, &a.topic).cmp(&(b.from, &b.topic)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(counts: &[u64]) -> (BTreeMap<String, BTreeMap<NaiveDate, Tally>>, NaiveDate) {
        let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let days = first.iter_days().zip(counts);
        let days = days
            .map(|(day, n)| (day, Tally::asked(*n, 0..*n)))
            .collect();
        (BTreeMap::from([("land.boundary".to_owned(), days)]), first)
    }

    // x = np.array([2, 4, 3, 1, 5, 3, 2]); (9 - x.mean())/x.std(ddof=1) = 4.566550498860886; but the
    // deviation is at least sqrt(mean): (9 - x.mean())/np.sqrt(x.mean()) = 3.634163295332621
    #[test]
    fn the_score_is_the_written_one() {
        let (found, mean) = score(9, &[2, 4, 3, 1, 5, 3, 2]);
        assert!((found - 3.634_163_295_332_621).abs() < 1e-9, "{found}");
        assert!((mean - 20.0 / 7.0).abs() < 1e-12);
        // x = np.array([0, 9, 0, 8, 1, 9, 0]); (30 - x.mean())/x.std(ddof=1) = 5.777347216827752
        let (found, _) = score(30, &[0, 9, 0, 8, 1, 9, 0]);
        assert!((found - 5.777_347_216_827_752).abs() < 1e-9, "{found}");
        let (found, _) = score(5, &[0; 7]);
        assert_eq!(found, 5.0, "never less than one");
    }

    #[test]
    fn a_jump_alarms_and_neighbouring_days_are_one_burst() {
        let (days, first) = days(&[1, 2, 1, 1, 2, 1, 1, 2, 1, 12, 15, 1, 1, 2, 1]);
        let period = Period::new(first + Days::new(9), first + Days::new(14));
        let found = bursts(&days, period);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].from, first + Days::new(9));
        assert_eq!(found[0].to, first + Days::new(10));
        assert_eq!(found[0].questions, 27);
    }

    #[test]
    fn few_questions_or_one_insistent_asker_are_no_burst() {
        let (mut days, first) = days(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]);
        let period = Period::new(first + Days::new(9), first + Days::new(10));
        assert!(bursts(&days, period).is_empty());
        let day = days.values_mut().next().unwrap();
        day.insert(first + Days::new(9), Tally::asked(30, 0..2));
        assert!(bursts(&days, period).is_empty());
    }
}
