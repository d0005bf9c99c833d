//! 普法活动: the ledger, what each activity did, the calendar and the list of duties.

mod calendar;
mod duties;
mod export;
mod form;
mod import;
mod one;

pub(super) use calendar::calendar;
pub(super) use duties::{
    import as import_duties, list as duties, remove as remove_duty, set as set_duty,
    template as duty_template,
};
pub(super) use export::{csv, xlsx};
pub(super) use form::{add, change, edit, new};
pub(super) use import::{import, page as import_page, template};
pub(super) use one::{one, remove};

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::gate::Visit;
use super::labels;
use super::page::Choice;
use super::page::{Page, show};
use super::site::Site;
use crate::journal::{Activity, Entered, Role, local_day};
use crate::knowledge::Library;
use crate::ledger::Regions;

/// Rows of a page.
const ROWS: usize = 50;

/// The filter as the address bar holds it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    to: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    place: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    topic: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(skip_serializing)]
    page: String,
    #[serde(skip_serializing)]
    done: String,
}

/// Whether two topics are one, or one holds the other.
fn related(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| {
        let rest = a.strip_prefix(b);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(a, b) || within(b, a)
}

impl Asked {
    /// Whether an activity is asked for. What is no date is as if it were not there.
    fn wants(&self, activity: &Activity) -> bool {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        day(&self.from).is_none_or(|from| activity.to >= from)
            && day(&self.to).is_none_or(|to| activity.from <= to)
            && (self.place.is_empty() || activity.places.contains(&self.place))
            && (self.topic.is_empty() || activity.topics.iter().any(|t| related(t, &self.topic)))
            && (self.unit.is_empty() || activity.unit == self.unit)
    }

    fn query(&self) -> String {
        // Strings only: this cannot fail, and an empty filter is a safe answer if it did.
        serde_urlencoded::to_string(self).unwrap_or_default()
    }

    /// The activities asked for among all, the latest first.
    fn found(&self, mut all: Vec<Entered>) -> Vec<Entered> {
        all.retain(|entered| self.wants(&entered.activity));
        all.reverse();
        all
    }
}

/// A row of the ledger as lists show it.
struct Row {
    id: i64,
    days: String,
    title: String,
    state: &'static str,
    media: String,
    places: String,
    topics: String,
    regions: String,
    unit: String,
    people: String,
}

/// `2026-06-10`, `2026-06-10 至 06-12`
fn days_of(from: NaiveDate, to: NaiveDate) -> String {
    if from == to {
        return from.to_string();
    }
    let same_year = from.format("%Y").to_string() == to.format("%Y").to_string();
    let to = to.format(if same_year { "%m-%d" } else { "%Y-%m-%d" });
    format!("{from} 至 {to}")
}

fn state_of(activity: &Activity, today: NaiveDate) -> &'static str {
    if activity.from > today {
        "计划"
    } else if activity.to >= today {
        "进行中"
    } else {
        ""
    }
}

fn names<'a, T: 'a>(all: &'a [T], name: impl Fn(&'a T) -> String) -> String {
    let names: Vec<String> = all.iter().map(name).collect();
    names.join("、")
}

fn topics_of(activity: &Activity, library: &Library) -> String {
    names(&activity.topics, |id| labels::topic(library, Some(id)))
}

fn places_of(activity: &Activity, library: &Library) -> String {
    names(&activity.places, |id| labels::place(library, Some(id)))
}

fn regions_of(activity: &Activity, regions: &Regions) -> String {
    match activity.regions.is_empty() {
        true => "全镇".to_owned(),
        false => names(&activity.regions, |code| regions.name_of(code).to_owned()),
    }
}

fn row(entered: &Entered, library: &Library, regions: &Regions, today: NaiveDate) -> Row {
    let activity = &entered.activity;
    let counts = [(activity.attendance, "人"), (activity.materials, "份")];
    let counts = counts
        .iter()
        .filter_map(|(count, of)| count.map(|n| format!("{n} {of}")));
    Row {
        id: entered.id,
        days: days_of(activity.from, activity.to),
        title: activity.title.clone(),
        state: state_of(activity, today),
        media: names(&activity.media, |m| m.name().to_owned()),
        places: places_of(activity, library),
        topics: topics_of(activity, library),
        regions: regions_of(activity, regions),
        unit: activity.unit.clone(),
        people: counts.collect::<Vec<_>>().join("，"),
    }
}

#[derive(Template)]
#[template(path = "activities.html", config = "src/web/askama.toml")]
struct ListPage {
    page: Page,
    tab: &'static str,
    asked: Asked,
    places: Vec<Choice>,
    topics: Vec<Choice>,
    units: Vec<Choice>,
    rows: Vec<Row>,
    caption: String,
    filtered: bool,
    nothing_yet: bool,
    query: String,
    newer: Option<String>,
    older: Option<String>,
    may_write: bool,
}

fn any(now: &str) -> Vec<Choice> {
    vec![Choice::new("", "不限", now)]
}

/// All topics of the library, sub-topics indented, after what `first` holds.
fn topic_choices(library: &Library, now: &str, mut first: Vec<Choice>) -> Vec<Choice> {
    first.extend(library.topics.iter().map(|topic| {
        let indent = if topic.is_top() { "" } else { "　" };
        Choice::new(topic.id.clone(), format!("{indent}{}", topic.name), now)
    }));
    first
}

/// `GET /activities`
pub(super) async fn list(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let library = site.desk.library();
    let config = site.config();
    let today = local_day(Utc::now());
    let all = site.ledger.all().await?;
    let known: BTreeSet<&str> = all.iter().map(|e| e.activity.unit.as_str()).collect();
    let mut units = any(&asked.unit);
    units.extend(
        known
            .iter()
            .map(|unit| Choice::new(*unit, *unit, &asked.unit)),
    );
    let mut places = any(&asked.place);
    let enabled = library.places.iter();
    places.extend(enabled.map(|p| Choice::new(p.id.clone(), p.name.clone(), &asked.place)));
    let nothing_yet = all.is_empty();
    let found = asked.found(all);
    let last = found.len().saturating_sub(1) / ROWS;
    let at: usize = asked.page.parse().unwrap_or(0).min(last);
    let rows = found.iter().skip(at * ROWS).take(ROWS);
    let query = asked.query();
    let turned = |page: usize| format!("?{query}&page={page}");
    let page = Page::new(&site, &visit, "普法活动", "/activities").await?;
    let imported = asked.done.strip_prefix("imported-");
    let page = match (
        asked.done.as_str(),
        imported.and_then(|n| n.parse::<u32>().ok()),
    ) {
        (_, Some(n)) => page.done(format!("导入了 {n} 次活动。")),
        ("removed", _) => page.done("已从台账里删掉，操作记录里记了是谁删的。"),
        _ => page,
    };
    show(&ListPage {
        page,
        tab: "ledger",
        places,
        topics: topic_choices(&library, &asked.topic, any(&asked.topic)),
        units,
        rows: rows
            .map(|entered| row(entered, &library, &config.regions, today))
            .collect(),
        caption: format!("共 {} 次活动，最近的在前", found.len()),
        filtered: !query.is_empty(),
        nothing_yet,
        newer: (at > 0).then(|| turned(at - 1)),
        older: ((at + 1) * ROWS < found.len()).then(|| turned(at + 1)),
        query,
        may_write: visit.may(Role::Reviewer),
        asked,
    })
}

/// An activity's number as a path holds it.
fn number(id: &str) -> Result<i64, WebError> {
    id.parse().map_err(|_| WebError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_related_to_their_own_family_only() {
        assert!(related("labor", "labor.wage_arrears"));
        assert!(related("labor.wage_arrears", "labor"));
        assert!(!related("labor.wage_arrears", "labor.overtime"));
        assert!(!related("labor", "laborious"));
    }

    #[test]
    fn days_are_told_shortly() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let told = |from, to| days_of(day(from), day(to));
        assert_eq!(told("2026-06-10", "2026-06-10"), "2026-06-10");
        assert_eq!(told("2026-06-10", "2026-06-12"), "2026-06-10 至 06-12");
        assert_eq!(told("2026-12-30", "2027-01-02"), "2026-12-30 至 2027-01-02");
    }
}
