//! 各所概览: a county's offices summed and side by side. Figures only: it reads daily roll-ups and counts of
//! activities, never a question.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};

use super::download::{self, CSV};
use super::error::WebError;
use super::gate::Visit;
use super::labels;
use super::page::{Choice, Page, show};
use super::period::Wanted;
use super::site::Site;
use crate::insight::{County, CountyRow, Facet, OfficeTally};
use crate::journal::{JournalError, Ledger, harmless, local_day};

const HEADS: [&str; 6] = [
    "司法所",
    "提问次数",
    "提问人数",
    "答上的",
    "觉得有用的",
    "普法活动",
];
/// In the place of a figure that is held back.
const HIDDEN: &str = "隐去";

#[derive(Template)]
#[template(path = "county.html", config = "src/web/askama.toml")]
struct CountyPage {
    page: Page,
    presets: Vec<Choice>,
    from: String,
    to: String,
    made: String,
    caption: String,
    heads: [&'static str; 6],
    total: [String; 6],
    rows: Vec<[String; 6]>,
    hides: bool,
    export: String,
}

/// What a period's table is made of.
struct Reading {
    from: NaiveDate,
    to: NaiveDate,
    county: County,
    /// Since when the roll-ups of the one that is furthest behind are not brought up to date.
    made: Option<DateTime<Utc>>,
}

async fn read(site: &Site, asked: &Wanted) -> Result<Reading, WebError> {
    let today = local_day(Utc::now());
    let period = asked.days(today);
    let to = period.last.unwrap_or(today).min(today);
    let mut from = period.first;
    let (mut offices, mut made) = (Vec::new(), None);
    let journals = site.county.as_deref().unwrap_or_default();
    if from.is_none() {
        // 全部: from the first day that any of them knows.
        for (_, journal) in journals {
            let first = journal.rolled().await?.map(|(first, _)| first);
            from = [from, first].into_iter().flatten().min();
        }
    }
    let from = from.unwrap_or(to);
    for (name, journal) in journals {
        let mut totals = journal.totals(Facet::All, from, to).await?;
        let held = Ledger::new(journal.database().clone()).all().await?;
        let within = held
            .iter()
            .filter(|held| (from..=to).contains(&held.activity.from));
        offices.push(OfficeTally {
            name: name.clone(),
            all: totals.remove("").unwrap_or_default(),
            activities: within.count() as u64,
        });
        if let Some(at) = journal.rolled_at().await? {
            made = Some(made.map_or(at, |before: DateTime<Utc>| before.min(at)));
        }
    }
    Ok(Reading {
        from,
        to,
        county: County::of(&offices),
        made,
    })
}

fn cells(row: &CountyRow) -> [String; 6] {
    let hidden = || HIDDEN.to_owned();
    let share = |share: Option<f64>, known: bool| match share {
        Some(share) => format!("{:.0}%", share * 100.0),
        None if known && row.questions == Some(0) => "—".to_owned(),
        None => hidden(),
    };
    [
        row.name.clone(),
        row.questions.map_or_else(hidden, |n| n.to_string()),
        row.askers.map_or_else(hidden, |(n, exact)| match exact {
            true => n.to_string(),
            false => format!("约{n}"),
        }),
        share(row.answered, true),
        share(row.helpful, true),
        row.activities.to_string(),
    ]
}

/// `GET /county`
pub(super) async fn page(
    site: Site,
    visit: Visit,
    Query(asked): Query<Wanted>,
) -> Result<Response, WebError> {
    let reading = read(&site, &asked).await?;
    let (from, to) = (reading.from.to_string(), reading.to.to_string());
    let rows: Vec<[String; 6]> = reading.county.offices.iter().map(cells).collect();
    let total = cells(&reading.county.total);
    let hides = rows
        .iter()
        .chain([&total])
        .flatten()
        .any(|cell| cell == HIDDEN);
    show(&CountyPage {
        page: Page::new(&site, &visit, "各所概览", "/county").await?,
        presets: asked.presets(),
        made: reading
            .made
            .map_or_else(|| "还没有汇总".to_owned(), labels::time),
        caption: format!("{from} 到 {to}，{} 个司法所", rows.len()),
        heads: HEADS,
        total,
        rows,
        hides,
        export: format!("/county/export.csv?from={from}&to={to}"),
        from,
        to,
    })
}

/// The table as CSV that Excel opens as it is, the sum last.
fn sheet(county: &County) -> Result<Vec<u8>, JournalError> {
    let mut csv = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    csv.write_record(HEADS)?;
    for line in county.offices.iter().chain([&county.total]) {
        csv.write_record(cells(line).iter().map(|cell| harmless(cell)))?;
    }
    let written = csv.into_inner();
    Ok(written.map_err(|e| std::io::Error::other(e.to_string()))?)
}

/// `GET /county/export.csv`
pub(super) async fn csv(
    site: Site,
    visit: Visit,
    Query(asked): Query<Wanted>,
) -> Result<Response, WebError> {
    let reading = read(&site, &asked).await?;
    let (from, to) = (reading.from, reading.to);
    let sheet = sheet(&reading.county)?;
    let what = format!("各所概览 {from} 到 {to}");
    site.noted(&visit, "导出", &what).await?;
    let name = format!("county-{from}-{to}.csv");
    Ok(download::file(&name, CSV, sheet))
}
