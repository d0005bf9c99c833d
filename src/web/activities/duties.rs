//! 普法责任清单: what each unit is to do in a year, and what it did.

use askama::Template;
use axum::extract::{Form, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{Datelike, Utc};
use serde::Deserialize;

use super::super::download::{self, XLSX};
use super::super::error::WebError;
use super::super::forms::{Fields, Upload};
use super::super::gate::Visit;
use super::super::page::Choice;
use super::super::page::{Page, Said, show};
use super::super::site::Site;
use crate::journal::{Duty, Role, local_day};
use crate::ledger::{DutyColumn, duty_sheet, duty_template, read_duty};

/// Years before and after this one that are offered.
const YEARS: i32 = 5;

struct Row {
    unit: String,
    content: String,
    planned: u32,
    done: u32,
    /// How much of the plan, in percent, at most 100.
    percent: u32,
    open: u32,
}

impl Row {
    fn of(duty: Duty) -> Self {
        let share = u64::from(duty.done) * 100 / u64::from(duty.planned.max(1));
        Self {
            percent: match duty.planned {
                0 => 100,
                _ => u32::try_from(share).unwrap_or(100).min(100),
            },
            open: duty.planned.saturating_sub(duty.done),
            unit: duty.unit,
            content: duty.content,
            planned: duty.planned,
            done: duty.done,
        }
    }
}

/// What the form holds: unit, content, planned; and what is wrong with each.
#[derive(Default)]
struct Typed {
    unit: String,
    content: String,
    planned: String,
    faults: Vec<(DutyColumn, String)>,
}

impl Typed {
    fn cell(&self, column: DutyColumn) -> &str {
        match column {
            DutyColumn::Unit => &self.unit,
            DutyColumn::Content => &self.content,
            DutyColumn::Planned => &self.planned,
        }
    }

    fn error(&self, column: DutyColumn) -> String {
        let own = self.faults.iter().find(|(at, _)| *at == column);
        own.map_or_else(String::new, |(_, why)| why.clone())
    }
}

#[derive(Template)]
#[template(path = "duties.html", config = "src/web/askama.toml")]
struct DutiesPage {
    page: Page,
    tab: &'static str,
    year: i32,
    years: Vec<Choice>,
    caption: String,
    rows: Vec<Row>,
    others: Vec<(String, u32)>,
    others_query: Vec<String>,
    typed: Typed,
    errors: [String; 3],
    units: Vec<String>,
    faults: Vec<String>,
    /// The unit that is being changed.
    held: Option<String>,
    may_write: bool,
}

#[derive(Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    year: String,
    #[serde(default)]
    edit: String,
    #[serde(default)]
    done: String,
}

/// The year asked for; this one when it is none.
fn year_of(text: &str) -> i32 {
    let year = text
        .trim()
        .parse()
        .ok()
        .filter(|y| (2000..2100).contains(y));
    year.unwrap_or_else(|| local_day(Utc::now()).year())
}

async fn render(
    site: &Site,
    visit: &Visit,
    year: i32,
    mut typed: Typed,
    said: Said,
    faults: Vec<String>,
) -> Result<Response, WebError> {
    let (duties, others) = site.ledger.duties(year, local_day(Utc::now())).await?;
    let mut units = duties.iter().map(|d| &d.unit);
    let held = units.find(|unit| **unit == typed.unit).cloned();
    let this = local_day(Utc::now()).year();
    let mut years: Vec<i32> = (this - YEARS..=this + 1).rev().collect();
    if !years.contains(&year) {
        years.push(year);
    }
    let page = Page::new(site, visit, "普法责任清单", "/activities").await?;
    let page = page.said(said);
    let errors =
        [DutyColumn::Unit, DutyColumn::Content, DutyColumn::Planned].map(|c| typed.error(c));
    typed.faults.clear();
    let planned: u32 = duties.iter().map(|d| d.planned).sum();
    let done: u32 = duties.iter().map(|d| d.done.min(d.planned)).sum();
    let query = |unit: &str| {
        let fields = [
            ("unit", unit),
            ("from", &format!("{year}-01-01")),
            ("to", &format!("{year}-12-31")),
        ];
        // Strings only: this cannot fail.
        serde_urlencoded::to_string(fields).unwrap_or_default()
    };
    show(&DutiesPage {
        page,
        tab: "duties",
        year,
        years: years
            .into_iter()
            .map(|y| Choice::new(y.to_string(), format!("{y} 年"), &year.to_string()))
            .collect(),
        caption: format!(
            "{year} 年：{} 个单位，计划 {planned} 次，按计划办了 {done} 次",
            duties.len()
        ),
        others_query: others.iter().map(|(unit, _)| query(unit)).collect(),
        units: others.iter().map(|(unit, _)| unit.clone()).collect(),
        rows: duties.into_iter().map(Row::of).collect(),
        others,
        errors,
        typed,
        faults,
        held,
        may_write: visit.may(Role::Reviewer),
    })
}

/// `GET /activities/duties`
pub(in super::super) async fn list(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let year = year_of(&asked.year);
    let mut typed = Typed::default();
    if !asked.edit.is_empty() {
        let (duties, _) = site.ledger.duties(year, local_day(Utc::now())).await?;
        typed.unit.clone_from(&asked.edit);
        if let Some(duty) = duties.into_iter().find(|d| d.unit == asked.edit) {
            typed.content = duty.content;
            typed.planned = duty.planned.to_string();
        }
    }
    let said = match asked.done.as_str() {
        "saved" => Said::Done("已写进责任清单。".to_owned()),
        "removed" => Said::Done("已从清单里删掉；台账里的活动没有动。".to_owned()),
        _ => Said::Nothing,
    };
    render(&site, &visit, year, typed, said, Vec::new()).await
}

/// `POST /activities/duties`: a unit's line, new or changed.
pub(in super::super) async fn set(
    site: Site,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let fields = Fields(fields);
    let year = year_of(&fields.text("year"));
    let mut typed = Typed {
        unit: fields.text("unit"),
        content: fields.text("content"),
        planned: fields.text("planned"),
        faults: Vec::new(),
    };
    match read_duty(|column| typed.cell(column), year) {
        Ok(duty) => {
            site.ledger.set_duty(&duty).await?;
            let what = format!("{year} 年 {}：计划 {} 次", duty.unit, duty.planned);
            site.noted(&visit, "写责任清单", &what).await?;
            Ok(back(year, "saved"))
        }
        Err(faults) => {
            typed.faults = faults;
            let said = Said::Failed("没有保存。写的都还在，改好再保存。".to_owned());
            render(&site, &visit, year, typed, said, Vec::new()).await
        }
    }
}

fn back(year: i32, done: &str) -> Response {
    Redirect::to(&format!("/activities/duties?year={year}&done={done}")).into_response()
}

/// `POST /activities/duties/delete`
pub(in super::super) async fn remove(
    site: Site,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let fields = Fields(fields);
    let (year, unit) = (year_of(&fields.text("year")), fields.text("unit"));
    if !site.ledger.remove_duty(year, &unit).await? {
        return Err(WebError::NotFound);
    }
    let what = format!("{year} 年 {unit}");
    site.noted(&visit, "删责任清单", &what).await?;
    Ok(back(year, "removed"))
}

/// `GET /activities/duties/template.xlsx`: the year's list, to be changed and imported again.
pub(in super::super) async fn template(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let year = year_of(&asked.year);
    let (duties, _) = site.ledger.duties(year, local_day(Utc::now())).await?;
    let what = format!("{year} 年，{} 个单位", duties.len());
    site.noted(&visit, "导出责任清单", &what).await?;
    let name = format!("duties-{year}.xlsx");
    Ok(download::file(&name, XLSX, duty_template(&duties)?))
}

/// `POST /activities/duties/import`
pub(in super::super) async fn import(
    site: Site,
    visit: Visit,
    upload: Upload,
) -> Result<Response, WebError> {
    let year = year_of(&upload.fields.text("year"));
    let failed = async |why: String, faults| {
        render(
            &site,
            &visit,
            year,
            Typed::default(),
            Said::Failed(why),
            faults,
        )
        .await
    };
    if upload.file.is_empty() {
        return failed("还没有选文件，什么都没有导入。".to_owned(), Vec::new()).await;
    }
    let read = site.heavy(move || duty_sheet(&upload.file, year)).await?;
    let sheet = match read {
        Ok(sheet) => sheet,
        Err(error) => return failed(format!("没有导入：{error}"), Vec::new()).await,
    };
    if !sheet.faults.is_empty() {
        let faults: Vec<String> = sheet.faults.iter().map(ToString::to_string).collect();
        let why = format!(
            "有 {} 处要改，一条也没有导入。改好后再传一次。",
            faults.len()
        );
        return failed(why, faults).await;
    }
    site.ledger.set_duties(&sheet.duties).await?;
    let what = format!("{year} 年，{} 个单位", sheet.duties.len());
    site.noted(&visit, "导入责任清单", &what).await?;
    Ok(back(year, "saved"))
}
