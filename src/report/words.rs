//! Sentences from figures, right for none, one, few and many.

use chrono::{Datelike, NaiveDate};

use crate::insight::{AskerCount, Period, Share};

/// Out of fewer than this, counts are told instead of percent: "50%" of two says too much.
const FEWEST_FOR_PERCENT: u64 = 20;
/// How many names a list holds before 等.
const NAMES: usize = 3;
/// How many bursts are named.
const BURSTS: usize = 5;

/// `2026年7月1日`
pub fn day(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// `2026年第三季度`, `2026年7月`, `2026年`, else both days.
pub fn period(period: Period) -> String {
    let (from, year) = (period.from, period.from.year());
    if period == Period::month_of(from) {
        format!("{year}年{}月", from.month())
    } else if period == Period::quarter_of(from) {
        let quarter = ["一", "二", "三", "四"][from.month0() as usize / 3];
        format!("{year}年第{quarter}季度")
    } else if period == Period::year_of(from) {
        format!("{year}年")
    } else if period.days() == 1 {
        day(from)
    } else {
        format!("{}至{}", day(from), day(period.to))
    }
}

/// `12.3%`
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// ` 5 人`, `约 1300 人`, to follow a Chinese character.
pub fn people(askers: AskerCount) -> String {
    let about = if askers.exact { "" } else { "约" };
    format!("{about} {} 人", askers.count)
}

/// `甲`, `甲和乙`, `甲、乙和丙`, `甲、乙、丙等 5 个`
pub fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMES => format!("{}和{last}", first.join("、")),
        _ => format!("{}等 {} 个", names[..NAMES].join("、"), names.len()),
    }
}

/// How much was asked; `None` when that must not be told.
pub fn volume(shown: Option<(u64, AskerCount)>, days: u64) -> String {
    match shown {
        None => "本期提问的不到 5 人，为保护提问人，各项数字都不显示。".to_owned(),
        Some((0, _)) => "本期没有居民提问。".to_owned(),
        Some((questions, askers)) => {
            let people = people(askers);
            let head = format!("本期居民提问 {questions} 次，提问的有{people}");
            let per_day = questions as f64 / days.max(1) as f64;
            if days > 1 && per_day >= 1.0 {
                format!("{head}，平均每天 {per_day:.1} 次。")
            } else {
                format!("{head}。")
            }
        }
    }
}

/// `直接答复占 81.0%`, or `直接答复 3 次` out of few.
fn part(name: &str, of: u64, out_of: u64) -> String {
    if out_of < FEWEST_FOR_PERCENT {
        format!("{name} {of} 次")
    } else {
        format!("{name}占 {}", percent(of as f64 / out_of as f64))
    }
}

/// What became of the questions; only shares that may be told and are not 0.
pub fn outcomes(shares: &[(&str, u64)], out_of: u64) -> Option<String> {
    let parts: Vec<String> = shares
        .iter()
        .filter(|(_, of)| *of > 0)
        .map(|(name, of)| part(name, *of, out_of))
        .collect();
    (!parts.is_empty()).then(|| format!("这些提问中，{}。", parts.join("，")))
}

/// What is asked most. `what` is 主题, 场所 or 村(社区); `rows` those that may be told, the largest first.
pub fn most(what: &str, rows: &[(String, u64)], out_of: u64) -> Option<String> {
    let rows: Vec<&(String, u64)> = rows.iter().filter(|(_, of)| *of > 0).collect();
    let told = |(name, of): &(String, u64)| {
        if out_of < FEWEST_FOR_PERCENT {
            format!("{name}（{of} 次）")
        } else {
            let share = percent(*of as f64 / out_of as f64);
            format!("{name}（{of} 次，占 {share}）")
        }
    };
    match rows.as_slice() {
        [] if out_of == 0 => None,
        [] => Some(format!("各{what}的提问人都太少，不分{what}显示。")),
        [one] => Some(format!("能按{what}显示的只有{}。", told(one))),
        several => {
            let parts: Vec<String> = several.iter().take(NAMES).map(|r| told(r)).collect();
            Some(format!("提问最多的{what}是{}。", parts.join("、")))
        }
    }
}

/// A share of which no distinct askers are known: told only when neither side is small, without counts.
pub fn rough_share(head: &str, share: Share, tail: &str) -> Option<String> {
    if !share.may_be_told() {
        return None;
    }
    Some(format!("{head}约 {:.0}%{tail}。", share.share? * 100.0))
}

/// Topics whose share of all questions changed.
pub fn changes(rising: &[String], falling: &[String], season_free: bool) -> String {
    let with = if season_free {
        "与去年同期相比"
    } else {
        "与前一段同样长的时间相比"
    };
    let tail = "这里说的是在全部提问里占的份量，不等于纠纷多了或者少了。";
    match (rising, falling) {
        ([], []) => format!("{with}，没有看出明显上升或者下降的主题。"),
        (up, []) => format!("{with}，问得多了的主题有{}。{tail}", names(up)),
        ([], down) => format!("{with}，问得少了的主题有{}。{tail}", names(down)),
        (up, down) => format!(
            "{with}，问得多了的主题有{}，问得少了的有{}。{tail}",
            names(up),
            names(down)
        ),
    }
}

/// `约是平时的 4 倍`; `None` when it usually is less than once a day.
pub fn times_usual(times: Option<u64>) -> String {
    match times {
        Some(times) => format!("约是平时的 {times} 倍"),
        None => "平时一天不到 1 次".to_owned(),
    }
}

/// Topics that were suddenly asked for, with the days and how many times the usual it was, the most
/// striking first.
pub fn bursts(found: &[(String, Period, Option<u64>)]) -> Option<String> {
    let told: Vec<String> = found
        .iter()
        .take(BURSTS)
        .map(|(topic, days, times)| {
            let day = |day: NaiveDate| format!("{}月{}日", day.month(), day.day());
            let times = times_usual(*times);
            match days.days() {
                1 => format!("{topic}（{}，{times}）", day(days.from)),
                _ => format!("{topic}（{}至{}，{times}）", day(days.from), day(days.to)),
            }
        })
        .collect();
    let head = match found.len() {
        0 => return None,
        1 => "有一次提问突然多起来".to_owned(),
        n if n <= BURSTS => format!("提问突然多起来有 {n} 次"),
        n => format!("提问突然多起来有 {n} 次，最明显的 {BURSTS} 次"),
    };
    let list = told.join("、");
    Some(format!(
        "{head}：{list}。值得看看当时问了什么；这不说明一定出了事。"
    ))
}

/// Where publicity lags most behind asking. `most` is its name, its share of all questions and how many
/// activities it had; `held` whether there was any activity at all.
pub fn balance(what: &str, most: Option<(&str, f64, u64)>, held: bool) -> String {
    match most {
        _ if !held => format!("本期没有登记普法活动，比不出哪个{what}的活动偏少。"),
        None => format!("和提问相比，没有哪个{what}的活动明显偏少。"),
        Some((name, share, held)) => {
            let held = match held {
                0 => "本期一场活动也没有".to_owned(),
                n => format!("本期活动 {n} 场"),
            };
            let share = percent(share);
            format!("{name}的提问占全部提问的 {share}，{held}，是活动最跟不上提问的{what}。")
        }
    }
}

/// What of the library nobody asked for: `never` of `all`; `what` with its measure word, 条问答.
pub fn unused(what: &str, never: usize, all: usize) -> String {
    match never {
        _ if all == 0 => format!("资料库里还没有一{what}。"),
        0 => format!("资料库的 {all} {what}，本期都有人问到。"),
        n if n == all => format!("资料库的 {all} {what}，本期都没有人问到。"),
        n => format!(
            "资料库的 {all} {what}里，有 {n} {}本期没有人问到。",
            what.chars().next().unwrap_or('个')
        ),
    }
}

/// Activities of the period.
pub fn activities(titles: &[String]) -> String {
    match titles {
        [] => "本期没有登记普法活动，所以不谈活动效果。".to_owned(),
        [one] => format!("本期登记普法活动 1 场：“{one}”。"),
        several => format!("本期登记普法活动 {} 场。", several.len()),
    }
}

/// Gaps: how many may be told, and how many were asked by too few people.
pub fn gaps(told: usize, small: usize) -> String {
    match (told, small) {
        (0, 0) => "从还留着原话的提问里，没有发现知识缺口；原话过了保留期的看不出来。".to_owned(),
        (0, small) => format!("有 {small} 类问题没有答好，每类提问的都不到 5 人，不列出。"),
        (told, 0) => format!("有 {told} 类问题没有答好，提问的都在 5 人以上。"),
        (told, small) => format!(
            "有 {told} 类提问在 5 人以上的问题没有答好；另有 {small} 类提问不到 5 人，不列出。"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(count: u64) -> AskerCount {
        AskerCount {
            count,
            exact: count <= 1024,
        }
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn periods_have_their_names() {
        let said =
            |from: &str, to: &str| period(Period::new(from.parse().unwrap(), to.parse().unwrap()));
        assert_eq!(said("2026-07-01", "2026-09-30"), "2026年第三季度");
        assert_eq!(said("2026-02-01", "2026-02-28"), "2026年2月");
        assert_eq!(said("2026-01-01", "2026-12-31"), "2026年");
        assert_eq!(said("2026-07-01", "2026-07-01"), "2026年7月1日");
        assert_eq!(
            said("2026-07-02", "2026-09-30"),
            "2026年7月2日至2026年9月30日"
        );
    }

    #[test]
    fn volume_for_none_few_and_many() {
        assert_eq!(volume(Some((0, asked(0))), 92), "本期没有居民提问。");
        assert!(volume(None, 92).contains("不到 5 人"));
        assert_eq!(
            volume(Some((8, asked(6))), 92),
            "本期居民提问 8 次，提问的有 6 人。"
        );
        assert_eq!(
            volume(Some((9200, asked(1300))), 92),
            "本期居民提问 9200 次，提问的有约 1300 人，平均每天 100.0 次。"
        );
        assert_eq!(
            volume(Some((9, asked(7))), 1),
            "本期居民提问 9 次，提问的有 7 人。"
        );
    }

    #[test]
    fn outcomes_for_none_few_and_many() {
        assert_eq!(outcomes(&[], 0), None);
        assert_eq!(outcomes(&[("直接答复", 0)], 9), None);
        assert_eq!(
            outcomes(&[("直接答复", 8), ("紧急", 0)], 8).unwrap(),
            "这些提问中，直接答复 8 次。"
        );
        assert_eq!(
            outcomes(&[("直接答复", 81), ("未收录", 19)], 100).unwrap(),
            "这些提问中，直接答复占 81.0%，未收录占 19.0%。"
        );
    }

    #[test]
    fn the_most_asked_for_none_one_few_and_many() {
        let rows = |n: u64| -> Vec<(String, u64)> {
            (0..n).map(|i| (format!("主题{i}"), 100 - i)).collect()
        };
        assert_eq!(most("主题", &[], 0), None);
        assert!(most("主题", &[], 4).unwrap().contains("太少"));
        assert_eq!(
            most("主题", &[("婚姻".into(), 9)], 9).unwrap(),
            "能按主题显示的只有婚姻（9 次）。"
        );
        assert_eq!(
            most("场所", &rows(2), 200).unwrap(),
            "提问最多的场所是主题0（100 次，占 50.0%）、主题1（99 次，占 49.5%）。"
        );
        assert!(!most("主题", &rows(9), 900).unwrap().contains("主题3"));
    }

    #[test]
    fn shares_of_few_are_not_told() {
        let told = |of, out_of| rough_share("有用的", Share::new(of, out_of), "");
        assert_eq!(told(0, 0), None);
        assert_eq!(told(1, 1), None);
        assert_eq!(told(99, 100), None);
        assert_eq!(told(3, 100), None);
        assert_eq!(told(75, 100).unwrap(), "有用的约 75%。");
        assert_eq!(told(100, 100).unwrap(), "有用的约 100%。");
    }

    #[test]
    fn changes_for_none_one_and_many() {
        let (one, many) = (list(&["甲"]), list(&["甲", "乙", "丙", "丁"]));
        assert!(changes(&[], &[], false).contains("没有看出"));
        assert!(changes(&one, &[], true).contains("去年同期相比，问得多了的主题有甲。"));
        assert!(changes(&[], &many, false).contains("问得少了的主题有甲、乙、丙等 4 个。"));
        assert!(changes(&one, &many, false).contains("有甲，问得少了的有甲、乙、丙等 4 个。"));
    }

    #[test]
    fn activities_and_gaps_for_none_one_and_many() {
        assert!(activities(&[]).contains("没有登记"));
        assert_eq!(
            activities(&list(&["讲座"])),
            "本期登记普法活动 1 场：“讲座”。"
        );
        assert_eq!(activities(&list(&["甲", "乙"])), "本期登记普法活动 2 场。");
        assert_eq!(
            gaps(0, 0),
            "从还留着原话的提问里，没有发现知识缺口；原话过了保留期的看不出来。"
        );
        assert!(gaps(0, 1).starts_with("有 1 类") && gaps(0, 1).contains("不列出"));
        assert!(!gaps(1, 0).contains("另有"));
        assert!(gaps(12, 30).contains("有 12 类") && gaps(12, 30).contains("另有 30 类"));
    }

    #[test]
    fn balance_for_no_activity_none_and_one() {
        let most = Some(("企业", 0.219, 0));
        assert!(balance("场所", most, false).contains("比不出"));
        assert!(balance("场所", None, true).contains("没有哪个场所"));
        assert_eq!(
            balance("场所", most, true),
            "企业的提问占全部提问的 21.9%，本期一场活动也没有，是活动最跟不上提问的场所。"
        );
        assert!(balance("场所", Some(("企业", 0.5, 2)), true).contains("本期活动 2 场，"));
    }

    #[test]
    fn unused_for_none_some_and_all() {
        assert_eq!(unused("条问答", 0, 0), "资料库里还没有一条问答。");
        assert_eq!(
            unused("条问答", 0, 9),
            "资料库的 9 条问答，本期都有人问到。"
        );
        assert_eq!(
            unused("条问答", 1, 9),
            "资料库的 9 条问答里，有 1 条本期没有人问到。"
        );
        assert_eq!(
            unused("个具体主题", 9, 9),
            "资料库的 9 个具体主题，本期都没有人问到。"
        );
    }

    #[test]
    fn bursts_for_none_one_few_and_many() {
        let found = |n: u64| -> Vec<(String, Period, Option<u64>)> {
            let from: NaiveDate = "2026-07-01".parse().unwrap();
            let days = |i| Period::new(from, from + chrono::Days::new(i));
            let times = |i: u64| (i > 0).then_some(4);
            (0..n)
                .map(|i| (format!("主题{i}"), days(i), times(i)))
                .collect()
        };
        assert_eq!(bursts(&[]), None);
        assert!(
            bursts(&found(1))
                .unwrap()
                .starts_with("有一次提问突然多起来：主题0（7月1日，平时一天不到 1 次）。")
        );
        let few = bursts(&found(2)).unwrap();
        assert!(
            few.starts_with("提问突然多起来有 2 次：")
                && few.contains("主题1（7月1日至7月2日，约是平时的 4 倍）")
        );
        let many = bursts(&found(9)).unwrap();
        assert!(many.contains("有 9 次，最明显的 5 次") && !many.contains("主题5"));
    }

    #[test]
    fn lists_for_one_two_three_and_many() {
        assert_eq!(names(&[]), "");
        assert_eq!(names(&list(&["甲"])), "甲");
        assert_eq!(names(&list(&["甲", "乙"])), "甲和乙");
        assert_eq!(names(&list(&["甲", "乙", "丙"])), "甲、乙和丙");
        assert_eq!(names(&list(&["甲", "乙", "丙", "丁"])), "甲、乙、丙等 4 个");
    }
}
