//! Article numbers: `第一百二十条之一` as a value that can be compared, counted on and written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of an article: `第一百二十条之一` is (120, 1), `第五条` is (5, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleNumber {
    /// The number before 条, from 1.
    pub number: u32,
    /// The number behind 之, or 0.
    pub inserted: u32,
}

/// Digits of Chinese numerals.
const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// Laws have a few hundred articles, the longest about 1,300: more digits are no article number.
const MAX: u32 = 9_999;

/// Reads a Chinese or Arabic numeral below 10,000; `None` for anything else.
///
/// ```
/// use qijin::knowledge::numeral;
/// assert_eq!(numeral("一千零七十九"), Some(1079));
/// assert_eq!(numeral("二十"), Some(20));
/// assert_eq!(numeral("1079"), Some(1079));
/// assert_eq!(numeral("一零七九"), Some(1079));
/// assert_eq!(numeral("百"), None);
/// ```
pub fn numeral(text: &str) -> Option<u32> {
    let digit = |c: char| match c {
        '〇' | '○' => Some(0),
        '两' => Some(2),
        '0'..='9' => c.to_digit(10),
        _ => DIGITS.iter().position(|d| *d == c).map(|d| d as u32),
    };
    let count = text.chars().count();
    if count == 0 || count > 9 {
        return None;
    }
    // Digit by digit: 1079, 一〇七九.
    if text.chars().all(|c| digit(c).is_some()) {
        return text
            .chars()
            .try_fold(0_u32, |n, c| Some(n * 10 + digit(c)?))
            .filter(|n| *n <= MAX);
    }
    let mut total = 0;
    let mut pending: Option<u32> = None;
    let mut last_unit = 10_000;
    for c in text.chars() {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            _ => {
                let value = digit(c)?;
                // 零 only fills a gap; two digits in a row are no numeral.
                if value != 0 && pending.replace(value).is_some() {
                    return None;
                }
                continue;
            }
        };
        if unit >= last_unit {
            return None;
        }
        let times = match pending.take() {
            Some(times) => times,
            // 十五 has no 一 before it; 百 and 千 always do.
            None if unit == 10 && total == 0 => 1,
            None => return None,
        };
        total += times * unit;
        last_unit = unit;
    }
    Some(total + pending.unwrap_or(0)).filter(|n| *n <= MAX)
}

/// Writes a number below 10,000 as a law does: 一千零七十九, 十二, 二百一十.
pub(super) fn chinese(n: u32) -> String {
    let digit = |n: u32| DIGITS[(n % 10) as usize];
    if n < 10 {
        return digit(n).to_string();
    }
    let mut out = String::new();
    let mut gap = false;
    for (unit, name) in [(1000, '千'), (100, '百'), (10, '十')] {
        let d = n / unit % 10;
        if d == 0 {
            gap |= !out.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            out.push('零');
        }
        // 十二, but 一百一十二.
        if !(unit == 10 && d == 1 && out.is_empty()) {
            out.push(digit(d));
        }
        out.push(name);
    }
    if !n.is_multiple_of(10) {
        if gap {
            out.push('零');
        }
        out.push(digit(n));
    }
    out
}

impl ArticleNumber {
    /// `第n条`.
    pub fn new(number: u32) -> Self {
        Self {
            number,
            inserted: 0,
        }
    }

    /// With Arabic digits, for buttons: `133条之1`.
    pub fn arabic(self) -> String {
        match self.inserted {
            0 => format!("{}条", self.number),
            inserted => format!("{}条之{inserted}", self.number),
        }
    }
}

impl fmt::Display for ArticleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第{}条", chinese(self.number))?;
        if self.inserted > 0 {
            write!(f, "之{}", chinese(self.inserted))?;
        }
        Ok(())
    }
}

/// The text is no article number.
#[derive(Debug, thiserror::Error)]
#[error("不是条号：{0}")]
pub struct NotAnArticleNumber(String);

impl FromStr for ArticleNumber {
    type Err = NotAnArticleNumber;

    /// Reads `第一千零七十九条`, `1079条`, `120条之一`, `第5条`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let text = text.strip_prefix('第').unwrap_or(text);
            let (number, rest) = text.split_once('条')?;
            let inserted = match rest.strip_prefix('之') {
                Some(rest) => numeral(rest)?,
                None if rest.is_empty() => 0,
                None => return None,
            };
            let number = numeral(number).filter(|n| *n > 0)?;
            Some(Self { number, inserted })
        };
        parse().ok_or_else(|| NotAnArticleNumber(text.to_owned()))
    }
}

impl Serialize for ArticleNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArticleNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{ArticleNumber, chinese, numeral};
    use proptest::prelude::*;

    #[test]
    fn writes_as_laws_do() {
        for (n, text) in [
            (1, "一"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (101, "一百零一"),
            (110, "一百一十"),
            (112, "一百一十二"),
            (1000, "一千"),
            (1001, "一千零一"),
            (1010, "一千零一十"),
            (1079, "一千零七十九"),
            (1260, "一千二百六十"),
        ] {
            assert_eq!(chinese(n), text);
        }
    }

    #[test]
    fn refuses_what_is_no_numeral() {
        for text in [
            "",
            "百",
            "十十",
            "一二十",
            "一百千",
            "甲",
            "99999",
            "一千二千",
        ] {
            assert_eq!(numeral(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(number in 1u32..=9999, inserted in 0u32..20) {
            let article = ArticleNumber { number, inserted };
            prop_assert_eq!(article.to_string().parse::<ArticleNumber>().unwrap(), article);
            prop_assert_eq!(numeral(&number.to_string()), Some(number));
        }

        #[test]
        fn never_panics(text in "[第条之零一二三四五六七八九十百千0-9甲]{0,12}") {
            let _ = text.parse::<ArticleNumber>();
        }
    }
}
