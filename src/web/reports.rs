//! 报告: what the report of a period says, and the documents that say the same.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use chrono::{Datelike, Months, NaiveDate, Utc};
use serde::Deserialize;

use super::download::{self, CSV, DOCX, XLSX};
use super::error::WebError;
use super::figures::Reading;
use super::gate::Visit;
use super::page::Choice;
use super::page::{Page, show};
use super::site::Site;
use crate::insight::Period;
use crate::journal::{Role, local_day};
use crate::report::page::{HIDING, LIMITS, caption, heading};
use crate::report::{self, Cell, Painter, Report};

/// Complete months offered; quarters and years that begin in them too.
const MONTHS: u32 = 24;
/// Tables with more rows are folded away when there is a chart of them.
const SHORT: usize = 12;

/// The period asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// `2026-09`, `2026-Q3`, `2026`
    period: String,
    from: String,
    to: String,
}

/// `2026-09`, `2026-Q3` or `2026`.
fn named(text: &str) -> Option<Period> {
    let day = |year: i32, month| NaiveDate::from_ymd_opt(year, month, 1);
    let Some((year, part)) = text.split_once('-') else {
        return Some(Period::year_of(day(text.parse().ok()?, 1)?));
    };
    let year: i32 = year.parse().ok()?;
    match part.strip_prefix('Q') {
        Some(quarter) => {
            let quarter: u32 = quarter.parse().ok().filter(|q| (1..=4).contains(q))?;
            Some(Period::quarter_of(day(year, quarter * 3)?))
        }
        None => Some(Period::month_of(day(year, part.parse().ok()?)?)),
    }
}

impl Asked {
    /// The period; `None` when none was asked for.
    fn period(&self, today: NaiveDate) -> Result<Option<Period>, String> {
        let days = (self.from.trim(), self.to.trim());
        let period = match days {
            ("", "") if self.period.is_empty() => return Ok(None),
            ("", "") => named(&self.period).ok_or_else(|| "没有这个时段".to_owned())?,
            (from, to) => {
                let day = |text: &str, which: &str| {
                    let read = text.parse::<NaiveDate>();
                    read.map_err(|_| format!("{which}不是日期，要像 2026-07-01"))
                };
                let (from, to) = (day(from, "开始那天")?, day(to, "结束那天")?);
                if from > to {
                    return Err(format!("开始那天 {from} 在结束那天 {to} 之后"));
                }
                Period::new(from, to)
            }
        };
        if period.from > today {
            return Err(format!("{} 还没有到，没有数字", period.from));
        }
        if period.days() > 5 * 366 {
            return Err("一次最多五年".to_owned());
        }
        Ok(Some(period))
    }
}

/// Periods to choose from: the last complete ones first.
fn offered(today: NaiveDate, now: &str) -> [Vec<Choice>; 3] {
    let back = |n: u32| today.checked_sub_months(Months::new(n));
    let days = || (0..=MONTHS).filter_map(back);
    let (mut months, mut quarters, mut years) = (Vec::new(), Vec::new(), Vec::new());
    let unfinished = |period: Period| {
        if period.to >= today {
            "（还没过完）"
        } else {
            ""
        }
    };
    let add = |all: &mut Vec<Choice>, value: String, label: String| {
        if all.iter().all(|c: &Choice| c.value != value) {
            all.push(Choice::new(value, label, now));
        }
    };
    for day in days() {
        let (year, quarter) = (day.year(), day.month0() / 3 + 1);
        let tail = unfinished(Period::month_of(day));
        let month = format!("{year} 年 {} 月{tail}", day.month());
        add(&mut months, day.format("%Y-%m").to_string(), month);
        let tail = unfinished(Period::quarter_of(day));
        let label = format!("{year} 年第 {quarter} 季度{tail}");
        add(&mut quarters, format!("{year}-Q{quarter}"), label);
        let tail = unfinished(Period::year_of(day));
        add(&mut years, year.to_string(), format!("{year} 年{tail}"));
    }
    [months, quarters, years]
}

/// A cell as the preview shows it.
struct Shown {
    text: String,
    number: bool,
}

struct TableView {
    caption: String,
    /// Each with whether numbers stand under it.
    heads: Vec<(String, bool)>,
    rows: Vec<Vec<Shown>>,
    notes: Vec<String>,
    /// Long, and its chart says it at a glance.
    folded: bool,
    /// Its chart's title, and the picture.
    chart: Option<(String, String)>,
}

struct Chapter {
    title: String,
    paragraphs: Vec<String>,
    tables: Vec<TableView>,
}

struct Preview {
    title: String,
    when: String,
    chapters: Vec<Chapter>,
    limits_title: &'static str,
    limits: Vec<String>,
    query: String,
    unfinished: bool,
}

#[derive(Template)]
#[template(path = "reports.html", config = "src/web/askama.toml")]
struct ReportsPage {
    page: Page,
    months: Vec<Choice>,
    quarters: Vec<Choice>,
    years: Vec<Choice>,
    from: String,
    to: String,
    any_days: bool,
    preview: Option<Preview>,
    may_download: bool,
}

/// `GET /reports`
pub(super) async fn page(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let today = local_day(Utc::now());
    let mut page = Page::new(&site, &visit, "成效报告", "/reports").await?;
    let mut preview = None;
    match asked.period(today) {
        Err(why) => page = page.failed(format!("{why}，请改好再看。")),
        Ok(None) => {}
        Ok(Some(period)) => {
            let reading = make(&site, period).await?;
            let made = site.heavy(move || viewed(&reading.report, today)).await?;
            preview = Some(made);
        }
    }
    // The last complete month is what is mostly wanted, if there was anything in it.
    let last = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    let held = site.figures.held(Utc::now()).await?;
    let young = held.is_some_and(|held| held.from > Period::month_of(last).to);
    let last = if young { today } else { last };
    let last = last.format("%Y-%m").to_string();
    let now = if asked.period.is_empty() {
        &last
    } else {
        &asked.period
    };
    let [months, quarters, years] = offered(today, now);
    show(&ReportsPage {
        page,
        months,
        quarters,
        years,
        any_days: !(asked.from.is_empty() && asked.to.is_empty()),
        from: asked.from,
        to: asked.to,
        preview,
        may_download: visit.may(Role::Reviewer),
    })
}

/// The report of the figures that the overview shows too.
async fn make(site: &Site, period: Period) -> Result<Arc<Reading>, WebError> {
    let now = Utc::now();
    site.figures.held(now).await?;
    let (library, config) = (site.desk.library(), site.config());
    let figures = site.figures.of(period, library, &config.regions, now);
    figures.await
}

/// Pixels; narrower windows shrink it.
const CHART_WIDTH: f32 = 640.0;

/// The report as a page: the same chapters, tables and charts.
fn viewed(report: &Report, today: NaiveDate) -> Preview {
    let (mut tables, mut charts) = (0, 0);
    let mut view = |table: &report::Table| {
        tables += 1;
        let drawn = table.drawable().and_then(|chart| {
            // A chart that cannot be drawn leaves its table.
            let svg = report::drawn(table, chart, CHART_WIDTH).ok()?;
            charts += 1;
            Some((format!("图 {charts}  {}", chart.title), svg))
        });
        let shown = |cell: &Cell| Shown {
            text: cell.shown(),
            number: !matches!(cell, Cell::Text(_)),
        };
        let heads = table.heads.iter().enumerate().map(|(at, (head, _))| {
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            let words = cells.clone().any(|cell| matches!(cell, Cell::Text(_)));
            (head.clone(), !words)
        });
        let notes = table.note.iter().map(String::as_str);
        let notes = notes.chain(table.hides().then_some(HIDING));
        TableView {
            caption: caption(tables, &table.caption),
            heads: heads.collect(),
            rows: table
                .rows
                .iter()
                .map(|row| row.iter().map(shown).collect())
                .collect(),
            notes: notes.map(str::to_owned).collect(),
            folded: drawn.is_some() && table.rows.len() > SHORT,
            chart: drawn,
        }
    };
    let chapters = report.sections.iter().enumerate();
    let chapters = chapters.map(|(at, section)| Chapter {
        title: heading(at, section.title),
        paragraphs: section.paragraphs.clone(),
        tables: section.tables.iter().map(&mut view).collect(),
    });
    Preview {
        chapters: chapters.collect(),
        title: report.title.clone(),
        when: report.when(),
        limits_title: LIMITS,
        limits: report.limits.clone(),
        query: format!("from={}&to={}", report.period.from, report.period.to),
        unfinished: report.period.to >= today,
    }
}

/// `GET /reports/{file}`: `report.docx`, `report.xlsx` or `report.csv`.
pub(super) async fn file(
    site: Site,
    visit: Visit,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let end = match file.as_str() {
        "report.docx" => "docx",
        "report.xlsx" => "xlsx",
        "report.csv" => "csv",
        _ => return Err(WebError::NotFound),
    };
    let today = local_day(Utc::now());
    let asked = asked.period(today).map_err(WebError::Bad)?;
    let period = asked.ok_or_else(|| WebError::Bad("请先选时段。".to_owned()))?;
    let reading = make(&site, period).await?;
    let write = move || match end {
        "docx" => report::docx::write(&reading.report, Painter::of_system().as_ref()),
        "xlsx" => report::xlsx::write(&reading.report),
        _ => report::csv::write(&reading.report),
    };
    let bytes = site.heavy(write).await??;
    let Period { from, to } = period;
    let what = format!("{end}，{from} 到 {to}");
    let who = &visit.member()?.name;
    site.audit.note(who, "导出成效报告", &what).await?;
    let kind = match end {
        "docx" => DOCX,
        "xlsx" => XLSX,
        _ => CSV,
    };
    Ok(download::file(
        &format!("report-{from}-{to}.{end}"),
        kind,
        bytes,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn periods_are_read_by_name_and_by_days() {
        let asked = |period: &str, from: &str, to: &str| {
            let asked = Asked {
                period: period.into(),
                from: from.into(),
                to: to.into(),
            };
            asked.period(day("2026-11-25"))
        };
        let days = |from, to| Ok(Some(Period::new(day(from), day(to))));
        assert_eq!(asked("2026-09", "", ""), days("2026-09-01", "2026-09-30"));
        assert_eq!(asked("2026-Q3", "", ""), days("2026-07-01", "2026-09-30"));
        assert_eq!(asked("2026", "", ""), days("2026-01-01", "2026-12-31"));
        assert_eq!(
            asked("2026-09", "2026-01-02", "2026-01-03"),
            days("2026-01-02", "2026-01-03")
        );
        assert_eq!(asked("", "", ""), Ok(None));
        for (period, from, to) in [
            ("2026-13", "", ""),
            ("2026-Q5", "", ""),
            ("x", "", ""),
            ("", "2026-02-03", "2026-02-01"),
            ("", "2026-02-30", "2026-03-01"),
            ("", "2026-02-01", ""),
            ("2027", "", ""),
            ("", "1990-01-01", "2026-01-01"),
        ] {
            assert!(asked(period, from, to).is_err(), "{period} {from} {to}");
        }
    }

    #[test]
    fn the_last_complete_month_is_offered_and_nothing_twice() {
        let [months, quarters, years] = offered(day("2026-11-25"), "2026-10");
        let chosen: Vec<&str> = months
            .iter()
            .filter(|c| c.chosen)
            .map(|c| c.value.as_str())
            .collect();
        assert_eq!(chosen, ["2026-10"]);
        assert_eq!(months.len(), 25);
        assert_eq!(quarters[1].label, "2026 年第 3 季度");
        assert!(quarters[0].label.contains("还没过完"));
        assert_eq!(years.len(), 3);
    }
}
