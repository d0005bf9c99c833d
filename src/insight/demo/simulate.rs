//! Many invented years, to see how often the figures tell the truth.

use chrono::NaiveDate;

use super::year::{DemoTopic, DemoYear};
use crate::insight::{Facet, Period, Totals, Verdict, balance, bursts, effect};
use crate::journal::tally;

/// What the figures made of one activity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The true rate ratio.
    pub truth: f64,
    /// Whether it lies in the interval; `None` when there was no interval.
    pub covered: Option<bool>,
    /// What was said.
    pub verdict: Verdict,
}

/// What the figures made of one year.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Questions of the year.
    pub questions: usize,
    /// Each activity.
    pub judged: Vec<Judged>,
    /// Whether the neglected place was named.
    pub neglected_named: bool,
    /// Days from the burst's first day to its first alarm; `None` when it was missed.
    pub burst_after: Option<i64>,
    /// Alarms on other topics than those of the burst and of activities.
    pub false_alarms: usize,
    /// Days times topics on which such an alarm was possible.
    pub topic_days: usize,
}

/// Makes a year and reads it as the program would.
pub fn simulate(seed: u64, last: NaiveDate, topics: &[DemoTopic], effects: [f64; 3]) -> Outcome {
    let year = DemoYear::with_effects(seed, last, topics, effects);
    let facts = year.facts();
    let mut all = tally(&facts, year.first);
    let whole = Period::new(year.first, year.last);
    let windows = all.remove(&Facet::RegionTopic).unwrap_or_default();
    let judged = year
        .activities
        .iter()
        .zip(&year.truth.effects)
        .map(|(activity, truth)| {
            let found = effect(activity, &windows, &year.activities, whole);
            let covered = found.ratio.map(|r| (r.low..=r.high).contains(truth));
            Judged {
                truth: *truth,
                covered,
                verdict: found.verdict,
            }
        })
        .collect();
    let mut demand = Totals::new();
    for (place, days) in all.remove(&Facet::Place).unwrap_or_default() {
        let total = demand.entry(place).or_default();
        days.values().for_each(|day| total.merge(day));
    }
    let places: Vec<String> = demand.keys().filter(|p| !p.is_empty()).cloned().collect();
    let mut held = std::collections::BTreeMap::new();
    for place in year.activities.iter().flat_map(|a| &a.places) {
        *held.entry(place.clone()).or_default() += 1;
    }
    let named = balance(&places, &demand, &held).most_under_served;
    let by_topic = all.remove(&Facet::Topic).unwrap_or_default();
    let (burst_topic, burst_day) = &year.truth.burst;
    let alarms = bursts(&by_topic, whole);
    let caused = |topic: &str| {
        topic == burst_topic
            || year
                .activities
                .iter()
                .any(|activity| activity.is_about(topic))
    };
    let of_burst = alarms.iter().filter(|a| a.topic == *burst_topic);
    let delays = of_burst.map(|a| (a.from - *burst_day).num_days());
    Outcome {
        questions: facts.len(),
        judged,
        neglected_named: named.as_deref() == Some(year.truth.neglected),
        burst_after: delays.filter(|days| *days >= 0).min(),
        false_alarms: alarms.iter().filter(|a| !caused(&a.topic)).count(),
        topic_days: by_topic
            .keys()
            .filter(|t| !t.is_empty() && !caused(t))
            .count()
            * whole.days() as usize,
    }
}

/// Many years together.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Intervals that hold the truth, of how many.
    pub covered: (usize, usize),
    /// For each true effect: intervals that hold it, of how many; verdicts more, fewer, no change,
    /// undecided.
    pub by_effect: Vec<(f64, (usize, usize), [usize; 4])>,
    /// Years in which the neglected place was named.
    pub neglected_named: usize,
    /// Years in which the burst was found within two days.
    pub burst_in_time: usize,
    /// False alarms a year, in one township.
    pub false_alarms: f64,
    /// False alarms for each 1,000 days of a topic.
    pub false_alarms_per_1000: f64,
    /// Years.
    pub years: usize,
}

/// Adds years up.
pub fn summarise(outcomes: &[Outcome]) -> Summary {
    let judged: Vec<&Judged> = outcomes.iter().flat_map(|o| &o.judged).collect();
    let covered = |of: &[&Judged]| {
        let of = of.iter().filter_map(|j| j.covered);
        let all: Vec<bool> = of.collect();
        (all.iter().filter(|c| **c).count(), all.len())
    };
    let mut truths: Vec<f64> = judged.iter().map(|j| j.truth).collect();
    truths.sort_by(f64::total_cmp);
    truths.dedup();
    let by_effect = truths.into_iter().map(|truth| {
        let of: Vec<&Judged> = judged
            .iter()
            .copied()
            .filter(|j| j.truth == truth)
            .collect();
        let count = |verdict| of.iter().filter(|j| j.verdict == verdict).count();
        let verdicts = [
            Verdict::More,
            Verdict::Fewer,
            Verdict::NoChange,
            Verdict::Undecided,
        ];
        (truth, covered(&of), verdicts.map(count))
    });
    let years = outcomes.len();
    let alarms: usize = outcomes.iter().map(|o| o.false_alarms).sum();
    let topic_days: usize = outcomes.iter().map(|o| o.topic_days).sum();
    Summary {
        covered: covered(&judged),
        by_effect: by_effect.collect(),
        neglected_named: outcomes.iter().filter(|o| o.neglected_named).count(),
        burst_in_time: outcomes
            .iter()
            .filter(|o| o.burst_after.is_some_and(|days| days <= 2))
            .count(),
        false_alarms: alarms as f64 / years.max(1) as f64,
        false_alarms_per_1000: 1000.0 * alarms as f64 / topic_days.max(1) as f64,
        years,
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain_topics;
    use super::*;

    #[test]
    fn the_figures_find_what_is_true() {
        let last = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap();
        let topics = plain_topics();
        let outcomes: Vec<Outcome> = (1..=3)
            .map(|seed| simulate(seed, last, &topics, [2.0, 0.55, 1.0]))
            .collect();
        let found = summarise(&outcomes);
        for outcome in &outcomes {
            assert!((20_000..40_000).contains(&outcome.questions), "{outcome:?}");
        }
        // Nine intervals; that three of them miss happens once in a hundred times.
        assert!(found.covered.1 == 9 && found.covered.0 >= 7, "{found:?}");
        assert_eq!(
            (found.neglected_named, found.burst_in_time),
            (3, 3),
            "{found:?}"
        );
        let double = found.by_effect.last().unwrap();
        assert_eq!((double.0, double.2[0]), (2.0, 3), "{found:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_year() {
        let last = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap();
        let topics = plain_topics();
        let of = |seed| DemoYear::new(seed, last, &topics).facts();
        assert_eq!(of(7)[..500], of(7)[..500]);
        assert_ne!(of(7)[..500], of(8)[..500]);
    }
}
