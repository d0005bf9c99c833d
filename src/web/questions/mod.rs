//! 提问日志: what was asked, filtered, one by one, and as a table to take away.

mod detail;
mod export;
mod filter;
mod review;

pub(super) use detail::one;
pub(super) use export::{csv, xlsx};
pub(super) use review::{begin, save};

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::Utc;
use serde::Deserialize;

use super::error::WebError;
use super::gate::Visit;
use super::page::{Choice, Page, show};
use super::site::Site;
use super::{labels, period};
use crate::journal::{Cursor, LoggedQuestion, Role, local_day};
use crate::knowledge::Library;
use crate::ledger::Regions;
use filter::{Asked, CONFIDENCE, FEEDBACK, NO_TOPIC, REVIEWED};

/// Rows of a page.
const ROWS: i64 = 50;
/// Counted no further: beyond it the exact number helps nobody and costs time.
const COUNTED: i64 = 10_000;

/// A row as the list shows it.
struct Row {
    id: i64,
    time: String,
    words: String,
    /// Whether the words stand there, or only what became of them.
    said: bool,
    topic: String,
    place: String,
    kind: String,
    kind_id: String,
    sure: String,
    vote: &'static str,
    handed_over: bool,
    /// What a review said, if there is one.
    review: &'static str,
}

/// A filter with its choices.
struct Select {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "questions.html", config = "src/web/askama.toml")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    count: String,
    asked: Asked,
    /// Always visible, and folded away.
    first: Vec<Select>,
    more: Vec<Select>,
    unfolded: bool,
    newer: Option<String>,
    older: Option<String>,
    query: String,
    may_export: bool,
    filtered: bool,
    /// Whether there may be rows to review, and this account may.
    may_review: bool,
}

/// What was just done.
#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /questions`
pub(super) async fn list(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, WebError> {
    let filter = asked.filter(local_day(Utc::now()));
    let cursor = asked.cursor();
    // One more than shown tells whether there is another page.
    let mut found = site.log.page(&filter, cursor, ROWS + 1).await?;
    let more = found.len() as i64 > ROWS;
    let backwards = matches!(cursor, Some(Cursor::NewerThan(..)));
    if more && backwards {
        found.remove(0);
    } else if more {
        found.pop();
    }
    let (has_newer, has_older) = match cursor {
        None => (false, more),
        Some(Cursor::OlderThan(..)) => (true, more),
        Some(Cursor::NewerThan(..)) => (more, true),
    };
    let newer = found
        .first()
        .filter(|_| has_newer)
        .map(|row| asked.turned("after", row));
    let older = found
        .last()
        .filter(|_| has_older)
        .map(|row| asked.turned("before", row));
    let count = site.log.count(&filter, COUNTED + 1).await?;
    let library = site.desk.library();
    let codes = site.log.regions().await?;
    let more_selects = more_selects(&asked, &library, &site.config().regions, &codes);
    let chosen = |s: &Select| s.choices.iter().any(|c| c.chosen && !c.value.is_empty());
    let page = Page::new(&site, &visit, "提问日志", "/questions").await?;
    let page = match done.as_str() {
        "walked" => page.done("复核到头了，都存好了。"),
        "none" => page.done("按这个筛选，没有还没复核的提问。"),
        _ => page,
    };
    let page = ListPage {
        page,
        rows: found.iter().map(|row| as_row(row, &library)).collect(),
        count: if count > COUNTED {
            format!("超过 {COUNTED} 条")
        } else {
            format!("共 {count} 条")
        },
        first: first_selects(&asked),
        unfolded: more_selects.iter().any(chosen)
            || !(asked.board.is_empty() && asked.from.is_empty() && asked.to.is_empty()),
        more: more_selects,
        newer,
        older,
        query: asked.query(),
        may_export: visit.may(Role::Reviewer),
        may_review: visit.may(Role::Reviewer) && matches!(asked.reviewed.as_str(), "" | "no"),
        filtered: !asked.is_default(),
        asked,
    };
    show(&page)
}

fn as_row(row: &LoggedQuestion, library: &Library) -> Row {
    let (words, said) = words_of(row, library);
    let corrected = row.review.as_ref().and_then(|review| review.outcome);
    Row {
        id: row.id,
        time: labels::time(row.at),
        words,
        said,
        topic: match labels::topic(library, row.right_topic()) {
            name if row.topic_counts() => name,
            _ => "其他".to_owned(),
        },
        place: labels::place(library, row.place.as_deref()),
        kind: corrected.map_or_else(|| labels::kind(&row.kind), |o| o.name().to_owned()),
        kind_id: match corrected {
            Some(_) => "corrected".to_owned(),
            None => row.kind.clone(),
        },
        sure: format!("{:.0}%", row.confidence * 100.0),
        vote: match row.helpful {
            Some(true) => "👍 有用",
            Some(false) => "👎 没用",
            None => "",
        },
        handed_over: row.handed_over,
        review: row.review.as_ref().map_or("", review::told),
    }
}

/// The words, or what is left to say about a row without any.
fn words_of(row: &LoggedQuestion, library: &Library) -> (String, bool) {
    match (&row.text, row.parent, &row.entry) {
        (Some(text), ..) => (text.clone(), true),
        (None, Some(_), Some(entry)) => {
            (format!("点开了：{}", labels::entry(library, entry)), false)
        }
        (None, None, Some(entry)) => (
            format!("原话不再保存；答的是：{}", labels::entry(library, entry)),
            false,
        ),
        (None, ..) => ("原话不再保存".to_owned(), false),
    }
}

fn select<'a>(
    name: &'static str,
    label: &'static str,
    now: &str,
    choices: impl Iterator<Item = (&'a str, String)>,
) -> Select {
    let choice = |(value, label): (&str, String)| Choice {
        value: value.to_owned(),
        label,
        chosen: value == now,
    };
    Select {
        name,
        label,
        choices: choices.map(choice).collect(),
    }
}

fn any<'a>(table: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, String)> {
    let rest = table.iter().map(|(id, name)| (*id, (*name).to_owned()));
    std::iter::once(("", "不限".to_owned())).chain(rest)
}

fn first_selects(asked: &Asked) -> Vec<Select> {
    let preset = if asked.period.is_empty() {
        "30d"
    } else {
        &asked.period
    };
    let presets = period::PRESETS
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()));
    vec![
        select("period", "时间", preset, presets),
        select("kind", "结果", &asked.kind, any(&labels::KINDS)),
        select("feedback", "评价", &asked.feedback, any(&FEEDBACK)),
        select("reviewed", "复核", &asked.reviewed, any(&REVIEWED)),
    ]
}

/// `codes` are the regions that residents came from; those no longer configured can be asked for too.
fn more_selects(
    asked: &Asked,
    library: &Library,
    regions: &Regions,
    codes: &[String],
) -> Vec<Select> {
    let no_limit = || std::iter::once(("", "不限".to_owned()));
    let places = library
        .places
        .iter()
        .map(|p| (p.id.as_str(), p.name.clone()));
    let topics = library.topics.iter().map(|topic| {
        let indent = if topic.is_top() { "" } else { "　" };
        (topic.id.as_str(), format!("{indent}{}", topic.name))
    });
    let configured = regions.list.iter().map(|r| r.code.as_str());
    let mut known: Vec<&str> = configured.collect();
    for code in codes {
        if !known.contains(&code.as_str()) {
            known.push(code);
        }
    }
    let regions = known
        .into_iter()
        .map(|code| (code, regions.name_of(code).to_owned()));
    let mut channels: Vec<(&str, String)> = any(&labels::CHANNELS).collect();
    channels[0].1 = "全部居民".to_owned();
    vec![
        select("place", "场所", &asked.place, no_limit().chain(places)),
        select(
            "topic",
            "主题",
            &asked.topic,
            no_limit()
                .chain(topics)
                .chain([(NO_TOPIC, "其他".to_owned())]),
        ),
        select(
            "region",
            "村(社区)",
            &asked.region,
            no_limit().chain(regions),
        ),
        select("confidence", "把握", &asked.confidence, any(&CONFIDENCE)),
        select("channel", "渠道", &asked.channel, channels.into_iter()),
    ]
}
