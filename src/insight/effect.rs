//! Did an activity change what people ask? Counts before and after, other topics as control.

use chrono::{Days as DayCount, NaiveDate};

use super::stats::{Dispersion, RateRatio, dispersion, rate_ratio_mid_p};
use super::{Days, FEWEST_ASKERS, Period, Tally};
use crate::journal::Entered;

/// Days before the first and after the last day of an activity that are compared: whole weeks, so
/// that weekdays cancel out.
pub const WINDOW: u64 = 28;
/// Fewer first questions than this in both windows together: nothing is said.
pub const FEWEST: u64 = 20;
/// Fewer control questions than this in either window: nothing is said.
pub const FEWEST_CONTROL: u64 = 50;
/// Without a difference: it is only called "no visible change" when the interval rules out a change
/// by more than this factor.
pub const LARGE: f64 = 2.0;
/// Over-dispersion this unlikely by chance widens the interval.
const HEAPED: f64 = 0.05;

/// A publicity activity, as far as figures need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The ledger's id.
    pub id: i64,
    /// What staff call it.
    pub title: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Place ids it was carried to.
    pub places: Vec<String>,
    /// Sub-topics, or whole top topics, it was about.
    pub topics: Vec<String>,
    /// Regions it was held in; empty means the whole township.
    pub regions: Vec<String>,
}

impl Activity {
    /// An activity of the ledger, as far as figures need it.
    pub fn of(entered: &Entered) -> Self {
        let activity = &entered.activity;
        Self {
            id: entered.id,
            title: activity.title.clone(),
            from: activity.from,
            to: activity.to,
            places: activity.places.clone(),
            topics: activity.topics.clone(),
            regions: activity.regions.clone(),
        }
    }

    /// Whether it is about a sub-topic, or about the top topic it belongs to.
    pub fn is_about(&self, topic: &str) -> bool {
        self.topics.iter().any(|own| {
            let rest = topic.strip_prefix(own.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn reaches(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|own| own == region)
    }

    /// The days before it that are compared.
    pub fn window_before(&self) -> Period {
        let back = |n| self.from.checked_sub_days(DayCount::new(n));
        Period::new(
            back(WINDOW).unwrap_or(NaiveDate::MIN),
            back(1).unwrap_or(NaiveDate::MIN),
        )
    }

    /// The days after it that are compared.
    pub fn window_after(&self) -> Period {
        let on = |n| self.to.checked_add_days(DayCount::new(n));
        Period::new(
            on(1).unwrap_or(NaiveDate::MAX),
            on(WINDOW).unwrap_or(NaiveDate::MAX),
        )
    }

    /// Whether another activity on one of its topics, in one of its regions, lies so near that
    /// the two effects cannot be told apart.
    fn is_confused_by(&self, other: &Self) -> bool {
        let near = other.to >= self.window_before().from && other.from <= self.window_after().to;
        let same_topic = other.topics.iter().any(|t| self.is_about(t))
            || self.topics.iter().any(|t| other.is_about(t));
        let same_region = self.regions.is_empty()
            || other.regions.is_empty()
            || other.regions.iter().any(|r| self.reaches(r));
        self.id != other.id && near && same_topic && same_region
    }
}

/// First questions in the two windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EffectCounts {
    /// On the activity's topics, before it.
    pub before: u64,
    /// On the activity's topics, after it.
    pub after: u64,
    /// On other topics in the same regions, before it.
    pub control_before: u64,
    /// On other topics in the same regions, after it.
    pub control_after: u64,
    /// Distinct askers behind `before`.
    pub askers_before: u64,
    /// Distinct askers behind `after`.
    pub askers_after: u64,
}

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// 问得多了: the whole interval lies above 1.
    More,
    /// 问得少了: the whole interval lies below 1.
    Fewer,
    /// 看不出明显变化: the interval holds 1 and lies within ½ to 2.
    NoChange,
    /// 不足以判断
    Undecided,
}

impl Verdict {
    /// The words staff read.
    pub fn name(self) -> &'static str {
        match self {
            Self::More => "问得多了",
            Self::Fewer => "问得少了",
            Self::NoChange => "看不出明显变化",
            Self::Undecided => "不足以判断",
        }
    }
}

/// The effect of an activity on what is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The activity's id.
    pub activity: i64,
    /// Its title.
    pub title: String,
    /// The counts; `None` when a window has one to four askers, so that nothing is given away.
    pub counts: Option<EffectCounts>,
    /// After against before, relative to the other topics; `None` when it cannot be computed or would
    /// give away the counts of a window with one to four askers.
    pub ratio: Option<RateRatio>,
    /// Weekly counts of the activity's topics against Poisson; `None` with too few.
    pub dispersion: Option<Dispersion>,
    /// How many times as wide as the conditional interval the one given is.
    pub widened: f64,
    /// What can be said.
    pub verdict: Verdict,
    /// The same in a sentence for the report.
    pub sentence: String,
}

/// The counts of an activity's windows, and its topics' counts by week.
///
/// `days` holds [`super::Facet::RegionTopic`] over both windows. Controls are all topics but the
/// activity's own, those of `others` that fall near, and 其他.
pub fn counts(activity: &Activity, days: &Days, others: &[Activity]) -> (EffectCounts, Vec<u64>) {
    let (before, after) = (activity.window_before(), activity.window_after());
    let near: Vec<&Activity> = others
        .iter()
        .filter(|other| other.to >= before.from && other.from <= after.to)
        .collect();
    let mut counts = EffectCounts::default();
    let mut weeks = vec![0; 2 * (WINDOW / 7) as usize];
    let (mut asked_before, mut asked_after) = (Tally::default(), Tally::default());
    for (key, days) in days {
        let (region, topic) = key.split_once('|').unwrap_or(("", key));
        if topic.is_empty() || !activity.reaches(region) {
            continue;
        }
        let own = activity.is_about(topic);
        if !own && near.iter().any(|other| other.is_about(topic)) {
            continue;
        }
        for (day, tally) in days.range(before.from..=after.to) {
            let n = tally.first_questions();
            // Both windows are WINDOW days long: the numbers are small and not negative.
            let (week, asked) = if before.contains(*day) {
                ((*day - before.from).num_days() / 7, &mut asked_before)
            } else if after.contains(*day) {
                let week = (*day - after.from).num_days() / 7 + (WINDOW / 7) as i64;
                (week, &mut asked_after)
            } else {
                continue;
            };
            let is_before = before.contains(*day);
            let sum = match (own, is_before) {
                (true, true) => &mut counts.before,
                (true, false) => &mut counts.after,
                (false, true) => &mut counts.control_before,
                (false, false) => &mut counts.control_after,
            };
            *sum += n;
            if own {
                weeks[usize::try_from(week).unwrap_or(0)] += n;
                asked.merge(tally);
            }
        }
    }
    counts.askers_before = asked_before.asker_count().count;
    counts.askers_after = asked_after.asker_count().count;
    (counts, weeks)
}

/// Where days lie beside an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// In the window before it.
    Before,
    /// Its own days.
    During,
    /// In the window after it.
    After,
}

/// First questions of some days around an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// A week of a window, the beginning of one, or the activity's own days.
    pub days: Period,
    /// Where they lie.
    pub part: Part,
    /// First questions; `None` when they are not told.
    pub questions: Option<u64>,
}

fn weeks_of(window: Period, part: Part) -> Vec<(Period, Part)> {
    let days: Vec<NaiveDate> = window.iter().collect();
    let weeks = days.chunks(7).filter_map(|week| {
        let (first, last) = week.first().zip(week.last())?;
        Some((Period::new(*first, *last), part))
    });
    weeks.collect()
}

/// First questions on the activity's topics in its regions, by week of both windows and over its own
/// days, as far as `known`; `days` as in [`counts`].
///
/// Weeks of a window are told together or not at all: not when one of them has one to four askers,
/// whose questions could else be computed from the window's sum.
pub fn by_week(activity: &Activity, days: &Days, known: Period) -> Vec<Span> {
    let own = Period::new(activity.from, activity.to);
    let mut spans = weeks_of(activity.window_before(), Part::Before);
    spans.push((own, Part::During));
    spans.extend(weeks_of(activity.window_after(), Part::After));
    let cut = |days: Period| {
        let (from, to) = (days.from.max(known.from), days.to.min(known.to));
        (from <= to).then(|| Period::new(from, to))
    };
    let asked_in = |span: Period| {
        let mut tally = Tally::default();
        for (key, by_day) in days {
            let (region, topic) = key.split_once('|').unwrap_or(("", key));
            if !topic.is_empty() && activity.is_about(topic) && activity.reaches(region) {
                by_day
                    .range(span.from..=span.to)
                    .for_each(|(_, day)| tally.merge(day));
            }
        }
        tally
    };
    let counted: Vec<(Period, Part, Tally)> = spans
        .into_iter()
        .filter_map(|(days, part)| Some((cut(days)?, part)))
        .map(|(days, part)| (days, part, asked_in(days)))
        .collect();
    let few = |part: Part| {
        let mut of_part = counted.iter().filter(|(_, own, _)| *own == part);
        of_part.any(|(_, _, tally)| (1..FEWEST_ASKERS).contains(&tally.asker_count().count))
    };
    counted
        .iter()
        .map(|(days, part, tally)| Span {
            days: *days,
            part: *part,
            questions: (!few(*part)).then(|| tally.first_questions()),
        })
        .collect()
}

/// The ratio with its interval, widened for what the conditional interval does not know: that the controls
/// are counted too, and that questions may come in heaps.
fn ratio_of(c: EffectCounts, weeks: &[u64]) -> (Option<RateRatio>, Option<Dispersion>, f64) {
    let half = weeks.len() / 2;
    let mean = |n: u64| n as f64 / half.max(1) as f64;
    let means: Vec<f64> = (0..weeks.len())
        .map(|week| mean(if week < half { c.before } else { c.after }))
        .collect();
    let heaps = dispersion(weeks, &means, 2);
    let conditional = rate_ratio_mid_p(
        c.after,
        c.control_after as f64,
        c.before,
        c.control_before as f64,
    );
    let one_by = |a: u64, b: u64| 1.0 / a.max(1) as f64 + 1.0 / b.max(1) as f64;
    let controls = 1.0 + one_by(c.control_after, c.control_before) / one_by(c.after, c.before);
    let heaped = heaps
        .filter(|d| d.p < HEAPED)
        .map_or(1.0, |d| d.index.max(1.0));
    let factor = (controls * heaped).sqrt();
    (
        conditional.map(|ratio| ratio.widened(factor)),
        heaps,
        factor,
    )
}

/// Why nothing can be said, by the written rule; `None` when something can.
fn undecided(
    activity: &Activity,
    counts: EffectCounts,
    held: Period,
    others: &[Activity],
) -> Option<String> {
    let few = |askers: u64| (1..FEWEST_ASKERS).contains(&askers);
    if held.to < activity.window_after().to {
        let ripe = activity.window_after().to.succ_opt();
        let ripe = ripe.unwrap_or(NaiveDate::MAX);
        let day = ripe.format("%Y-%m-%d");
        Some(format!("活动结束还不满 {WINDOW} 天，{day} 以后再看"))
    } else if held.from > activity.window_before().from {
        Some(format!("活动前没有满 {WINDOW} 天的提问日志"))
    } else if let Some(other) = others.iter().find(|o| activity.is_confused_by(o)) {
        Some(format!(
            "前后 {WINDOW} 天内还有同主题的活动“{}”，分不开",
            other.title
        ))
    } else if few(counts.askers_before) || few(counts.askers_after) {
        Some(format!("提问的不到 {FEWEST_ASKERS} 人"))
    } else if counts.before + counts.after < FEWEST {
        Some(format!("前后一共不到 {FEWEST} 次提问"))
    } else if counts.control_before.min(counts.control_after) < FEWEST_CONTROL {
        Some(format!("用来对照的其他提问不到 {FEWEST_CONTROL} 次"))
    } else {
        None
    }
}

/// What is said of an activity on a sensitive topic in single regions: nothing, whatever the counts.
pub fn withheld(activity: &Activity) -> Effect {
    Effect {
        activity: activity.id,
        title: activity.title.clone(),
        counts: None,
        ratio: None,
        dispersion: None,
        widened: 1.0,
        verdict: Verdict::Undecided,
        sentence: format!(
            "“{}”：不足以判断，敏感主题不按村(社区)统计。",
            activity.title
        ),
    }
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// Effect of an activity.
///
/// - Formula: ratio = (topic after ÷ topic before) ÷ (other topics after ÷ other topics before), first
///   questions in the 28 days before the first and after the last day, in the activity's regions; the
///   other topics are the offset. Given the sum of both counts, the count after is binomial: exact
///   conditional 95 % interval, mid-p (half the probability of the count observed in each tail: with
///   whole tails such intervals hold the truth more often than they say), and p (twice the smaller
///   tail). The interval is widened on the logarithmic scale by √(1 + (1/c₁ + 1/c₂)/(1/n₁ + 1/n₂)) because the controls c are
///   counted too, and by √φ when the weekly counts are more scattered than Poisson ones (Pearson's
///   χ²/df = φ, p < 0.05).
/// - 不足以判断, by this rule: a window is not complete; another activity on the same topic near it;
///   one to four askers in a window; fewer than 20 first questions in both windows together; fewer
///   than 50 control questions in either; or an interval that holds 1 and reaches beyond ½ or 2.
/// - Unit: ratio. Source: journal and ledger. `held` says which whole days the journal holds.
/// - Not to be read as: 知晓率 (that takes a survey), or fewer or more disputes. More questions after a
///   lecture usually mean that people learnt that they may ask. Topics with a season of their own
///   may change without the activity.
pub fn effect(activity: &Activity, days: &Days, others: &[Activity], held: Period) -> Effect {
    let (counts, weeks) = counts(activity, days, others);
    let (ratio, dispersion, widened) = ratio_of(counts, &weeks);
    let small = |askers: u64| (1..FEWEST_ASKERS).contains(&askers);
    let hidden = small(counts.askers_before) || small(counts.askers_after);
    let mut out = Effect {
        activity: activity.id,
        title: activity.title.clone(),
        counts: (!hidden).then_some(counts),
        ratio: ratio.filter(|_| !hidden),
        dispersion: dispersion.filter(|_| !hidden),
        widened,
        verdict: Verdict::Undecided,
        sentence: String::new(),
    };
    let why = undecided(activity, counts, held, others);
    let (Some(ratio), None) = (out.ratio, &why) else {
        let why = why.unwrap_or_else(|| "没有提问".to_owned());
        out.sentence = format!("“{}”：不足以判断，{why}。", activity.title);
        return out;
    };
    let interval = format!("95% 区间 {} 到 {}", times(ratio.low), times(ratio.high));
    let head = format!(
        "“{}”后 {WINDOW} 天，相对于其他主题，这个主题的提问是活动前的 {} 倍（{interval}）",
        activity.title,
        times(ratio.ratio)
    );
    let (verdict, tail) = if ratio.low > 1.0 {
        let means = "问得多了；这说明更多人来问，不等于这类纠纷多了";
        (Verdict::More, means.to_owned())
    } else if ratio.high < 1.0 {
        let means = "问得少了；这不等于这类纠纷少了";
        (Verdict::Fewer, means.to_owned())
    } else if ratio.low >= 1.0 / LARGE && ratio.high <= LARGE {
        (Verdict::NoChange, "看不出明显变化".to_owned())
    } else {
        let why = "不足以判断，区间太宽，可能没有变化，也可能变化很大";
        (Verdict::Undecided, why.to_owned())
    };
    let heaped = out.dispersion.is_some_and(|d| d.p < HEAPED);
    let note = if heaped {
        "提问扎堆，区间已相应放宽。"
    } else {
        ""
    };
    out.verdict = verdict;
    out.sentence = format!("{head}：{tail}。{note}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(id: i64, from: &str, topics: &[&str]) -> Activity {
        Activity {
            id,
            title: "根治欠薪宣传周".into(),
            from: from.parse().unwrap(),
            to: from.parse().unwrap(),
            places: Vec::new(),
            topics: topics.iter().map(|t| (*t).to_owned()).collect(),
            regions: Vec::new(),
        }
    }

    /// A steady number of questions a day on a topic, each by another asker, before and after.
    fn days(counts: &[(&str, u64, u64)], activity: &Activity) -> Days {
        let mut asker = 0_u64;
        let mut out = Days::new();
        for (key, before, after) in counts {
            for (window, n) in [
                (activity.window_before(), *before),
                (activity.window_after(), *after),
            ] {
                for day in window.iter() {
                    let mut tally = Tally {
                        questions: n,
                        ..Tally::default()
                    };
                    for _ in 0..n {
                        asker += 1;
                        tally
                            .askers
                            .add(asker.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16);
                    }
                    out.entry((*key).to_owned()).or_default().insert(day, tally);
                }
            }
        }
        out
    }

    fn held() -> Period {
        Period::new("2026-01-01".parse().unwrap(), "2026-12-31".parse().unwrap())
    }

    #[test]
    fn says_more_fewer_or_no_change() {
        let own = activity(1, "2026-06-10", &["labor"]);
        let judge = |before, after| {
            let counts = [
                ("r01|labor.pay", before, after),
                ("r02|land.boundary", 20, 20),
            ];
            effect(&own, &days(&counts, &own), &[], held())
        };
        let more = judge(2, 5);
        assert_eq!(more.verdict, Verdict::More);
        assert!((more.ratio.unwrap().ratio - 2.5).abs() < 1e-12);
        assert!(more.sentence.contains("2.50 倍") && more.sentence.contains("不等于"));
        assert_eq!(judge(5, 2).verdict, Verdict::Fewer);
        assert_eq!(judge(5, 5).verdict, Verdict::NoChange);
        for said in [judge(2, 5), judge(5, 2), judge(5, 5), judge(0, 0)] {
            assert!(!said.sentence.contains("知晓率") && !said.sentence.contains("下降率"));
        }
        // The controls are counted too: a little wider than the exact interval.
        assert!(more.widened > 1.0 && more.widened < 1.1, "{}", more.widened);
    }

    #[test]
    fn the_rule_for_saying_nothing() {
        let own = activity(1, "2026-06-10", &["labor"]);
        let counts = [("r01|labor.pay", 2, 5), ("r02|land.boundary", 20, 20)];
        let material = days(&counts, &own);
        let why = |others: &[Activity], held: Period, days: &Days| {
            let found = effect(&own, days, others, held);
            assert_eq!(found.verdict, Verdict::Undecided, "{}", found.sentence);
            found.sentence
        };
        let short = Period::new(held().from, "2026-07-01".parse().unwrap());
        assert!(why(&[], short, &material).contains("还不满 28 天"));
        let young = Period::new("2026-06-01".parse().unwrap(), held().to);
        assert!(why(&[], young, &material).contains("没有满 28 天"));
        let mut other = activity(2, "2026-06-20", &["labor.pay"]);
        other.title = "工地讲座".into();
        assert!(why(&[other], held(), &material).contains("工地讲座"));
        let quiet = days(
            &[("r01|labor.pay", 0, 0), ("r02|land.boundary", 20, 20)],
            &own,
        );
        assert!(why(&[], held(), &quiet).contains("不到 20 次"));
        let alone = days(
            &[("r01|labor.pay", 2, 5), ("r02|land.boundary", 1, 1)],
            &own,
        );
        assert!(why(&[], held(), &alone).contains("对照"));
    }

    #[test]
    fn nothing_is_given_away_about_few_askers() {
        let own = activity(1, "2026-06-10", &["labor"]);
        let mut material = days(&[("|labor.pay", 3, 0), ("|land.boundary", 20, 20)], &own);
        let mut one = Tally {
            questions: 30,
            ..Tally::default()
        };
        one.askers.add(7);
        let day = own.window_after().from;
        material.get_mut("|labor.pay").unwrap().insert(day, one);
        let found = effect(&own, &material, &[], held());
        assert_eq!((found.counts, found.ratio), (None, None));
        assert!(found.sentence.contains("不到 5 人"));
    }

    #[test]
    fn questions_in_heaps_widen_the_interval() {
        let own = activity(1, "2026-06-10", &["labor"]);
        let mut material = days(&[("|labor.pay", 2, 2), ("|land.boundary", 20, 20)], &own);
        let calm = effect(&own, &material, &[], held());
        let heap = material.get_mut("|labor.pay").unwrap();
        let day = own.window_before().from;
        heap.get_mut(&day).unwrap().questions += 60;
        let heaped = effect(&own, &material, &[], held());
        assert!(heaped.dispersion.unwrap().p < 0.001);
        assert!(heaped.widened > 2.0 && calm.widened < 1.1);
        assert!(heaped.sentence.contains("扎堆"));
    }
}
