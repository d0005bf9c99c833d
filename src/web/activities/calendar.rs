//! 普法日历: the days that come back every year, with what was done and planned around them.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::{Datelike, Days, NaiveDate, Utc};
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::page::{Page, show};
use super::super::site::Site;
use super::{days_of, related, state_of};
use crate::journal::{Activity, Entered, Role, local_day};
use crate::knowledge::{FixedDay, Library};

/// How far ahead the next days are told.
const AHEAD: u64 = 60;
/// An activity this many days before or after a fixed day may be for it.
const NEAR: u64 = 14;
/// Entries named as material.
const MATERIALS: usize = 3;

/// A line of a month.
struct Item {
    first: NaiveDate,
    days: String,
    name: String,
    /// `day` for a fixed day, `plan`, or `held`.
    kind: &'static str,
    href: Option<String>,
    over: bool,
}

struct Month {
    name: String,
    here: bool,
    items: Vec<Item>,
}

/// A fixed day that is near.
struct Next {
    name: String,
    days: String,
    left: String,
    about: String,
    /// Name and address of the log of each topic.
    topics: Vec<(String, String)>,
    entries: usize,
    materials: Vec<String>,
    /// Activities that may be for it: number and what they are.
    planned: Vec<(i64, String)>,
    plan: String,
}

#[derive(Template)]
#[template(path = "calendar.html", config = "src/web/askama.toml")]
struct CalendarPage {
    page: Page,
    tab: &'static str,
    year: i32,
    before: i32,
    after: i32,
    next: Vec<Next>,
    months: Vec<Month>,
    ahead: u64,
    nothing: bool,
    may_write: bool,
}

#[derive(Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    year: String,
}

/// `GET /activities/calendar`
pub(in super::super) async fn calendar(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let today = local_day(Utc::now());
    let year = asked.year.parse().ok().filter(|y| (2000..2100).contains(y));
    let year: i32 = year.unwrap_or_else(|| today.year());
    let library = site.desk.library();
    let held = site.ledger.all().await?;
    let page = Page::new(&site, &visit, format!("{year} 年普法日历"), "/activities").await?;
    show(&CalendarPage {
        page,
        tab: "calendar",
        year,
        before: year - 1,
        after: year + 1,
        next: next(&library, &held, today),
        months: months(&library, &held, year, today),
        ahead: AHEAD,
        nothing: library.calendar.is_empty(),
        may_write: visit.may(Role::Reviewer),
    })
}

fn months(library: &Library, held: &[Entered], year: i32, today: NaiveDate) -> Vec<Month> {
    let mut items: Vec<Item> = Vec::new();
    for day in &library.calendar {
        let Some((first, last)) = day.in_year(year) else {
            continue;
        };
        items.push(Item {
            first,
            days: short(first, last),
            name: day.name.clone(),
            kind: "day",
            href: None,
            over: last < today,
        });
    }
    let own = held.iter().filter(|e| e.activity.from.year() == year);
    items.extend(own.map(|entered| {
        let activity = &entered.activity;
        Item {
            first: activity.from,
            days: short(activity.from, activity.to),
            name: activity.title.clone(),
            kind: if activity.from > today {
                "plan"
            } else {
                "held"
            },
            href: Some(format!("/activities/{}", entered.id)),
            over: activity.to < today,
        }
    }));
    items.sort_by(|a, b| (a.first, a.kind, &a.name).cmp(&(b.first, b.kind, &b.name)));
    let mut months: Vec<Month> = (1..=12)
        .map(|month| Month {
            name: format!("{month} 月"),
            here: (today.year(), today.month()) == (year, month),
            items: Vec::new(),
        })
        .collect();
    for item in items {
        months[item.first.month0() as usize].items.push(item);
    }
    months
}

/// `12-04`, `12-01 至 12-07`
fn short(first: NaiveDate, last: NaiveDate) -> String {
    let day = |day: NaiveDate| day.format("%m-%d").to_string();
    match first == last {
        true => day(first),
        false => format!("{} 至 {}", day(first), day(last)),
    }
}

/// Fixed days that are under way or begin soon, the first first.
fn next(library: &Library, held: &[Entered], today: NaiveDate) -> Vec<Next> {
    let until = today + Days::new(AHEAD);
    let mut near: Vec<(NaiveDate, NaiveDate, &FixedDay)> = library
        .calendar
        .iter()
        .flat_map(|day| {
            let years = [today.year(), today.year() + 1];
            years.map(|year| day.in_year(year).map(|(first, last)| (first, last, day)))
        })
        .flatten()
        .filter(|(first, last, _)| *last >= today && *first <= until)
        .collect();
    near.sort_by_key(|(first, last, day)| (*first, *last, &day.id));
    let told = near.into_iter().map(|(first, last, day)| {
        let left = (first - today).num_days();
        let entries: Vec<&str> = library
            .entries
            .iter()
            .filter(|e| day.topics.iter().any(|t| related(t, &e.topic)))
            .map(|e| e.question.as_str())
            .collect();
        let fields = [
            ("from", first.to_string()),
            (
                "to",
                if first == last {
                    String::new()
                } else {
                    last.to_string()
                },
            ),
            ("title", day.name.clone()),
            ("topic", day.topics.join(" ")),
        ];
        // Strings only: this cannot fail.
        let plan = serde_urlencoded::to_string(fields).unwrap_or_default();
        Next {
            name: day.name.clone(),
            days: days_of(first, last),
            left: match left {
                1.. => format!("还有 {left} 天"),
                0 if first == last => "就是今天".to_owned(),
                _ => format!("正在进行，还剩 {} 天", (last - today).num_days() + 1),
            },
            about: day.about.clone(),
            topics: day
                .topics
                .iter()
                .map(|id| {
                    (
                        labels::topic(library, Some(id)),
                        format!("/questions?topic={id}&period=year"),
                    )
                })
                .collect(),
            materials: entries
                .iter()
                .take(MATERIALS)
                .map(|q| (*q).to_owned())
                .collect(),
            entries: entries.len(),
            planned: planned(held, day, first, last, today),
            plan: format!("/activities/new?{plan}"),
        }
    });
    told.collect()
}

fn planned(
    held: &[Entered],
    day: &FixedDay,
    first: NaiveDate,
    last: NaiveDate,
    today: NaiveDate,
) -> Vec<(i64, String)> {
    let (from, to) = (first - Days::new(NEAR), last + Days::new(NEAR));
    let about = |activity: &Activity| {
        activity.from <= to
            && activity.to >= from
            && activity
                .topics
                .iter()
                .any(|own| day.topics.iter().any(|t| related(own, t)))
    };
    let own = held.iter().filter(|e| about(&e.activity));
    own.map(|e| {
        let state = state_of(&e.activity, today);
        let state = if state.is_empty() { "已办" } else { state };
        (
            e.id,
            format!(
                "{}（{}，{state}）",
                e.activity.title,
                short(e.activity.from, e.activity.to)
            ),
        )
    })
    .collect()
}
