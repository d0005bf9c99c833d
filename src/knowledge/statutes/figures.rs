//! Legal figures in Chinese text: days, months, years, percentages, multiples, fractions, amounts.
//!
//! `三十日`, `30天`, `百分之二十`, `20%`, `三分之二`, `一点五倍`, `两千元`, `3万元`, `半年` are read as
//! values with a unit, so that an entry's `30天` is found in an article's `三十日`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// 百分之
    Percent,
    /// 几分之几; the value is the quotient.
    Fraction,
    /// 倍
    Times,
    /// 小时
    Hours,
    /// 日、天、工作日
    Days,
    /// 月; a year is twelve of them.
    Months,
    /// 周岁、岁
    YearsOfAge,
    /// 元、块
    Yuan,
    /// 平方米
    SquareMetres,
    /// 亩
    Mu,
    /// 米、公里
    Metres,
}

/// A figure in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it counts.
    pub unit: Unit,
    /// How much.
    pub value: f64,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

const NUMERAL: &str =
    "(?:[0-9０-９][0-9０-９,，.．]*[千万亿]{0,2}|[零〇一二两三四五六七八九十百千万亿点]+|半)";

fn pattern(text: &str) -> Regex {
    // The patterns are constants: every test in this file compiles all of them.
    Regex::new(&text.replace('N', NUMERAL)).expect("a constant pattern")
}

static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"百分之(?P<percent>N)",
        r"|(?P<percent2>N)\s*[%％]",
        r"|(?P<below>N)分之(?P<above>N)",
        r"|(?P<value>N)\s*个?(?P<half>半)?\s*(?P<unit>周岁|岁|年|月|工作日|日|天|小时|元|块|倍|平方米|平米|亩|公里|米)",
    ))
});
/// Article numbers and dates are no figures: `第三十条`, `2026年1月1日`.
static NO_FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"第\s*N\s*[条款项章节编次届]|(?:19|20)[0-9]{2}\s*年(?:\s*[0-9]{1,2}\s*月)?(?:\s*[0-9]{1,2}\s*日)?|N\s*月\s*N\s*日",
    )
});

/// Reads a numeral: `一百二十`, `1,200`, `3万`, `一点五`, `半`.
fn value(text: &str) -> Option<f64> {
    if text == "半" {
        return Some(0.5);
    }
    let ascii: String = text
        .chars()
        .filter(|c| !matches!(c, ',' | '，'))
        .map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '．' => '.',
            _ => c,
        })
        .collect();
    if ascii.starts_with(|c: char| c.is_ascii_digit()) {
        let digits = ascii.trim_end_matches(['千', '万', '亿']);
        let scale = ascii[digits.len()..].chars().fold(1.0, |s, c| {
            s * match c {
                '千' => 1e3,
                '万' => 1e4,
                _ => 1e8,
            }
        });
        return digits
            .trim_end_matches('.')
            .parse::<f64>()
            .ok()
            .map(|n| n * scale);
    }
    let (whole, decimals) = text.split_once('点').unwrap_or((text, ""));
    let digit = |c: char| "零一二三四五六七八九".chars().position(|d| d == c);
    let mut fraction = 0.0;
    for (place, c) in decimals.chars().enumerate() {
        fraction += digit(c)? as f64 / 10_f64.powi(place as i32 + 1);
    }
    let (mut total, mut section, mut pending) = (0.0, 0.0, None);
    for c in whole.chars() {
        match c {
            '两' => pending = Some(2.0),
            '〇' => pending = Some(0.0),
            '十' => section += pending.take().unwrap_or(1.0) * 10.0,
            '百' => section += pending.take()? * 100.0,
            '千' => section += pending.take()? * 1000.0,
            '万' | '亿' => {
                section += pending.take().unwrap_or(0.0);
                total = (total + section) * if c == '万' { 1e4 } else { 1e8 };
                section = 0.0;
            }
            _ => pending = Some(digit(c)? as f64),
        }
    }
    Some(total + section + pending.unwrap_or(0.0) + fraction)
}

fn unit(word: &str) -> (Unit, f64) {
    match word {
        "周岁" | "岁" => (Unit::YearsOfAge, 1.0),
        "年" => (Unit::Months, 12.0),
        "月" => (Unit::Months, 1.0),
        "小时" => (Unit::Hours, 1.0),
        "元" | "块" => (Unit::Yuan, 1.0),
        "倍" => (Unit::Times, 1.0),
        "平方米" | "平米" => (Unit::SquareMetres, 1.0),
        "亩" => (Unit::Mu, 1.0),
        "公里" => (Unit::Metres, 1000.0),
        "米" => (Unit::Metres, 1.0),
        _ => (Unit::Days, 1.0),
    }
}

/// All legal figures of a text, in order.
pub fn figures(text: &str) -> Vec<Figure> {
    let skipped: Vec<Range<usize>> = NO_FIGURE.find_iter(text).map(|m| m.range()).collect();
    let mut out = Vec::new();
    for found in FIGURE.captures_iter(text) {
        // Group 0 always takes part in a match.
        let span = found.get(0).map_or(0..0, |m| m.range());
        if skipped
            .iter()
            .any(|s| s.start < span.end && span.start < s.end)
        {
            continue;
        }
        let group = |name: &str| found.name(name).and_then(|m| value(m.as_str()));
        let figure = if let Some(percent) = group("percent").or_else(|| group("percent2")) {
            Some((Unit::Percent, percent))
        } else if let (Some(below), Some(above)) = (group("below"), group("above")) {
            (below > 0.0).then(|| (Unit::Fraction, above / below))
        } else {
            found.name("unit").and_then(|word| {
                let (unit, scale) = unit(word.as_str());
                let half = if found.name("half").is_some() {
                    0.5
                } else {
                    0.0
                };
                Some((unit, (group("value")? + half) * scale))
            })
        };
        if let Some((unit, value)) = figure {
            out.push(Figure { unit, value, span });
        }
    }
    out
}

/// Whether `figure` occurs among `sources`, in any way of writing it.
pub fn occurs(figure: &Figure, sources: &[Figure]) -> bool {
    sources
        .iter()
        .any(|s| s.unit == figure.unit && (s.value - figure.value).abs() < 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(Unit, f64)> {
        figures(text)
            .into_iter()
            .map(|f| (f.unit, f.value))
            .collect()
    }

    #[test]
    fn reads_every_way_of_writing() {
        for (text, unit, value) in [
            ("三十日内", Unit::Days, 30.0),
            ("30天", Unit::Days, 30.0),
            ("十五个工作日", Unit::Days, 15.0),
            ("六个月", Unit::Months, 6.0),
            ("半年", Unit::Months, 6.0),
            ("一年半", Unit::Months, 12.0),
            ("一个半月", Unit::Months, 1.5),
            ("百分之二十", Unit::Percent, 20.0),
            ("20%", Unit::Percent, 20.0),
            ("三分之二", Unit::Fraction, 2.0 / 3.0),
            ("一点五倍", Unit::Times, 1.5),
            ("1.5倍", Unit::Times, 1.5),
            ("两千元", Unit::Yuan, 2000.0),
            ("3万元", Unit::Yuan, 30_000.0),
            ("一万五千元", Unit::Yuan, 15_000.0),
            ("1,200元", Unit::Yuan, 1200.0),
            ("不满八周岁", Unit::YearsOfAge, 8.0),
            ("七十二小时", Unit::Hours, 72.0),
        ] {
            assert_eq!(read(text), [(unit, value)], "{text}");
        }
    }

    #[test]
    fn article_numbers_and_dates_are_no_figures() {
        assert_eq!(read("第三十条第二款"), []);
        assert_eq!(read("自2026年1月1日起"), []);
        assert_eq!(read("6月26日是禁毒日"), []);
        assert_eq!(read("三月三十一日前"), []);
    }

    #[test]
    fn the_same_figure_is_found_in_other_words() {
        let article = figures("应当在三十日内，罚款二百元以上五百元以下");
        for text in ["30天", "三十天内", "200元", "五百块"] {
            assert!(occurs(&figures(text)[0], &article), "{text}");
        }
        assert!(!occurs(&figures("三十个月")[0], &article));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9零一二两三半十百千万亿点分之百%元年月日天倍个第条，.]{0,30}") {
            let _ = figures(&text);
        }
    }
}
