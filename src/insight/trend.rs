//! Is a topic asked for more than before? Weekdays, seasons and the bot's own growth taken out.

use super::stats::{RateRatio, benjamini_hochberg, rate_ratio};
use super::{Tally, Totals};

/// Fewer first questions than this in both periods together: nothing is said.
pub const FEWEST: u64 = 20;
/// At most this share of the changes named may be chance.
const FALSE_CHANGES: f64 = 0.05;

/// Which way a topic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// 上升
    Rising,
    /// 下降
    Falling,
    /// 看不出变化
    Steady,
    /// 数量太少，不作判断
    TooFew,
}

/// A topic in a period, against earlier ones. Counts are first questions: repeats are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Sub-topic; empty is 其他.
    pub topic: String,
    /// In the period.
    pub now: u64,
    /// In the period just before with the same weekdays.
    pub before: u64,
    /// In the same weeks of last year; `None` when the journal does not reach back.
    pub last_year: Option<u64>,
    /// How the topic's share of all questions changed against the period before.
    pub against_before: Option<RateRatio>,
    /// The same against last year: free of the season.
    pub against_last_year: Option<RateRatio>,
    /// Judged by last year where there is one, else by the period before.
    pub direction: Direction,
    /// Whether the judgement is free of the season.
    pub season_free: bool,
}

fn count(totals: &Totals, topic: &str) -> u64 {
    totals.get(topic).map_or(0, Tally::first_questions)
}

fn all(totals: &Totals) -> u64 {
    totals.values().map(Tally::first_questions).sum()
}

/// Trend of every topic that was asked for, the most asked first.
///
/// - Formula: (topic now ÷ all other topics now) ÷ (topic then ÷ all other topics then), with the exact
///   conditional 95 % interval. *Then* is the period of equal length and equal weekdays just before,
///   and the same weeks 52 weeks ago. Dividing by the other topics takes out growth of the bot and
///   whatever moves all topics; comparing with last year takes out the topic's own season.
///   Over all topics together at most 5 % of the named changes may be chance (Benjamini–Hochberg).
/// - Unit: ratio of shares. Source: journal, first questions only.
/// - Not to be read as: change of the number of disputes (纠纷下降率). It says what people ask here.
pub fn trends(now: &Totals, before: &Totals, last_year: Option<&Totals>) -> Vec<Trend> {
    let against = |topic: &str, then: &Totals| {
        let (a, b) = (count(now, topic), count(then, topic));
        let others = |totals: &Totals, own: u64| (all(totals) - own) as f64;
        rate_ratio(a, others(now, a), b, others(then, b))
    };
    let mut topics: Vec<&String> = now.keys().chain(before.keys()).collect();
    topics.sort_unstable();
    topics.dedup();
    let mut trends: Vec<Trend> = topics
        .into_iter()
        .map(|topic| Trend {
            topic: topic.clone(),
            now: count(now, topic),
            before: count(before, topic),
            last_year: last_year.map(|then| count(then, topic)),
            against_before: against(topic, before),
            against_last_year: last_year.and_then(|then| against(topic, then)),
            direction: Direction::TooFew,
            season_free: last_year.is_some(),
        })
        .collect();
    let judged = |trend: &Trend| match trend.last_year {
        Some(then) => trend
            .against_last_year
            .filter(|_| trend.now + then >= FEWEST),
        None => trend
            .against_before
            .filter(|_| trend.now + trend.before >= FEWEST),
    };
    let ratios: Vec<(usize, RateRatio)> = trends
        .iter()
        .enumerate()
        .filter_map(|(at, trend)| Some((at, judged(trend)?)))
        .collect();
    let p: Vec<f64> = ratios.iter().map(|(_, ratio)| ratio.p).collect();
    for ((at, ratio), real) in ratios.iter().zip(benjamini_hochberg(&p, FALSE_CHANGES)) {
        trends[*at].direction = match real {
            false => Direction::Steady,
            true if ratio.ratio > 1.0 => Direction::Rising,
            true => Direction::Falling,
        };
    }
    trends.sort_by(|a, b| b.now.cmp(&a.now).then_with(|| a.topic.cmp(&b.topic)));
    trends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(counts: &[(&str, u64)]) -> Totals {
        let tally = |n: u64| Tally {
            questions: n,
            ..Tally::default()
        };
        counts
            .iter()
            .map(|(t, n)| ((*t).to_owned(), tally(*n)))
            .collect()
    }

    #[test]
    fn growth_of_the_bot_is_no_trend_and_a_season_is_seen_through() {
        let before = totals(&[("a", 40), ("b", 300), ("c", 200), ("d", 4)]);
        // Everything doubled but `a`, which went up fivefold.
        let now = totals(&[("a", 200), ("b", 600), ("c", 400), ("d", 8)]);
        let direction = |trends: &[Trend], topic: &str| {
            trends.iter().find(|t| t.topic == topic).unwrap().direction
        };
        let found = trends(&now, &before, None);
        assert_eq!(direction(&found, "a"), Direction::Rising);
        assert_eq!(direction(&found, "d"), Direction::TooFew);
        assert_eq!(found[0].topic, "b", "the most asked first");
        assert!(!found[0].season_free);
        // Last year `a` was as high in these weeks: its season, no trend.
        let year = totals(&[("a", 100), ("b", 300), ("c", 200)]);
        let found = trends(&now, &before, Some(&year));
        assert_eq!(direction(&found, "a"), Direction::Steady);
        assert!(found[0].season_free);
    }
}
