//! The front matter of an entry file: its topic, its places and the day of its last check.

use std::fmt;
use std::ops::Range;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::finding::{Finding, SourceFile};
use super::markdown::{Line, LineKind, lines};

/// An entry not checked for this long is a warning.
const REVIEW_DAYS: i64 = 365;

/// What the rest of the library knows that a file must agree with.
pub(super) struct Context<'a> {
    /// Ids of sub-topics.
    pub topics: &'a [&'a str],
    /// Ids of all defined places.
    pub places: &'a [&'a str],
    /// Numbers that may be named.
    pub hotlines: &'a [&'a str],
    /// The day the check is made for.
    pub today: NaiveDate,
}

/// Staff leave a field empty before they fill it: then it is named, not called unreadable.
#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Date(Datetime),
    Other(serde::de::IgnoredAny),
}

impl Day {
    fn date(&self) -> Option<NaiveDate> {
        match self {
            Self::Date(day) => day.date.and_then(|d| {
                NaiveDate::from_ymd_opt(i32::from(d.year), u32::from(d.month), u32::from(d.day))
            }),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    topic: Spanned<String>,
    places: Vec<Spanned<String>>,
    reviewed: Spanned<Day>,
}

/// What a file's front matter says, once it is found valid.
pub(super) struct Header {
    pub topic: String,
    pub places: Vec<String>,
    pub reviewed: NaiveDate,
}

impl FrontMatter {
    fn into_header(self, reviewed: NaiveDate) -> Header {
        Header {
            topic: self.topic.into_inner(),
            places: self.places.into_iter().map(Spanned::into_inner).collect(),
            reviewed,
        }
    }
}

/// Writes the front matter as a file begins with it.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let places: Vec<String> = self.places.iter().map(|p| quoted(p)).collect();
        writeln!(f, "+++")?;
        writeln!(f, "topic = {}", quoted(&self.topic))?;
        writeln!(f, "places = [{}]", places.join(", "))?;
        writeln!(f, "reviewed = {}", self.reviewed)?;
        writeln!(f, "+++")
    }
}

/// The front matter of a file that was checked before.
pub(super) fn peek(text: &str) -> Option<Header> {
    let line = lines(text).into_iter().next()?;
    if line.kind != LineKind::FrontMatter {
        return None;
    }
    let front: FrontMatter = toml::from_str(&text[line.range]).ok()?;
    let reviewed = front.reviewed.get_ref().date()?;
    Some(front.into_header(reviewed))
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), *k))
        .min()
        .filter(|(distance, k)| *distance * 2 <= k.len())
        .map(|(_, k)| k)
}

/// Reads the front matter; everything wrong with it goes to `findings`.
pub(super) fn read(
    source: &SourceFile<'_>,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Header> {
    let base = line.range.start;
    let shift = |r: Range<usize>| base + r.start..base + r.end;
    let raw = &source.text[line.range.clone()];
    let front: FrontMatter = match toml::from_str(raw) {
        Ok(front) => front,
        Err(e) => {
            let span = e.span().map_or(line.range.clone(), shift);
            findings.push(
                source
                    .error(
                        "bad-front-matter",
                        span,
                        format!("开头的说明读不懂：{}", e.message()),
                    )
                    .help("只能有 topic、places、reviewed 三项"),
            );
            return None;
        }
    };
    let topic = front.topic.get_ref();
    check_topic(source, topic, shift(front.topic.span()), context, findings);
    if front.places.is_empty() {
        findings.push(source.error("no-place", line.range.clone(), "places 不能为空"));
    }
    for place in &front.places {
        check_place(
            source,
            place.get_ref(),
            shift(place.span()),
            context,
            findings,
        );
    }
    let span = shift(front.reviewed.span());
    let Some(reviewed) = front.reviewed.get_ref().date() else {
        findings.push(
            source
                .error("bad-date", span, "reviewed 要写成日期，如 2026-11-23")
                .help("对照现行法条核对过以后，写上当天的日期，不加引号"),
        );
        return None;
    };
    check_review(source, reviewed, span, context, findings);
    Some(front.into_header(reviewed))
}

fn check_topic(
    source: &SourceFile<'_>,
    topic: &str,
    span: Range<usize>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    if context.topics.contains(&topic) {
        return;
    }
    let message = match topic {
        "" => "topic 是空的：填小主题编号".to_owned(),
        _ => format!("没有这个小主题：{topic}"),
    };
    let finding = source.error("unknown-topic", span, message);
    findings.push(match nearest(topic, context.topics) {
        Some(near) => finding.help(format!("是不是 {near}？全部编号见 topics.toml")),
        None => finding.help("全部编号见 topics.toml"),
    });
}

/// A place must be defined.
pub(super) fn check_place(
    source: &SourceFile<'_>,
    place: &str,
    span: Range<usize>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    if !context.places.contains(&place) {
        findings.push(
            source
                .error("unknown-place", span, format!("没有这个场所：{place}"))
                .help(format!("可选：{}", context.places.join("、"))),
        );
    }
}

/// A check lies in the past, and not too far.
pub(super) fn check_review(
    source: &SourceFile<'_>,
    reviewed: NaiveDate,
    span: Range<usize>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    if reviewed > context.today {
        findings.push(source.error("future-review", span, format!("核对日期 {reviewed} 还没到")));
    } else if (context.today - reviewed).num_days() > REVIEW_DAYS {
        findings.push(
            source
                .warning(
                    "stale-review",
                    span,
                    format!("上次核对是 {reviewed}，已超过一年"),
                )
                .help("请对照现行法条再核一遍，然后把 reviewed 改成当天"),
        );
    }
}
