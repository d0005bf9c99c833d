//! A filled-in sheet of the ledger, uploaded: all of it or nothing.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;

use super::super::download::{self, XLSX};
use super::super::error::WebError;
use super::super::forms::Upload;
use super::super::gate::{MAX_UPLOAD, Visit};
use super::super::page::{Page, show};
use super::super::site::Site;
use crate::journal::{JournalError, local_day};
use crate::ledger;

/// Faults listed: who has more mends these first.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "activity_import.html", config = "src/web/askama.toml")]
struct ImportPage {
    page: Page,
    tab: &'static str,
    faults: Vec<String>,
    more: usize,
    megabytes: usize,
}

async fn render(
    site: &Site,
    visit: &Visit,
    said: Option<Result<String, String>>,
    faults: Vec<String>,
) -> Result<Response, WebError> {
    let page = Page::new(site, visit, "导入台账", "/activities").await?;
    let page = match said {
        None => page,
        Some(Ok(done)) => page.done(done),
        Some(Err(why)) => page.failed(why),
    };
    let more = faults.len().saturating_sub(LISTED);
    show(&ImportPage {
        page,
        tab: "",
        faults: faults.into_iter().take(LISTED).collect(),
        more,
        megabytes: MAX_UPLOAD >> 20,
    })
}

/// `GET /activities/import`
pub(in super::super) async fn page(site: Site, visit: Visit) -> Result<Response, WebError> {
    render(&site, &visit, None, Vec::new()).await
}

/// `GET /activities/template.xlsx`
pub(in super::super) async fn template(site: Site) -> Result<Response, WebError> {
    let today = local_day(Utc::now());
    let bytes = ledger::template(&site.desk.library(), &site.config().regions, today)?;
    Ok(download::file("activities-template.xlsx", XLSX, bytes))
}

/// `POST /activities/import`
pub(in super::super) async fn import(
    site: Site,
    visit: Visit,
    upload: Upload,
) -> Result<Response, WebError> {
    if upload.file.is_empty() {
        let why = "还没有选文件，什么都没有导入。".to_owned();
        return render(&site, &visit, Some(Err(why)), Vec::new()).await;
    }
    let held = site.ledger.all().await?;
    let (library, config) = (site.desk.library(), site.config());
    // Unpacking and reading take a core for as long as they take.
    let reading = move || {
        ledger::sheet(
            &upload.file,
            &library,
            &config.regions,
            &held,
            &mut |_, _| (),
        )
        .map(|sheet| (sheet, upload.fields))
    };
    let (sheet, fields) = match site.heavy(reading).await? {
        Ok(read) => read,
        Err(error) => {
            let why = format!("没有导入：{error}");
            return render(&site, &visit, Some(Err(why)), Vec::new()).await;
        }
    };
    if !sheet.faults.is_empty() {
        let faults: Vec<String> = sheet.faults.iter().map(ToString::to_string).collect();
        let why = format!(
            "有 {} 处要改，一条也没有导入。改好后再传一次。",
            faults.len()
        );
        return render(&site, &visit, Some(Err(why)), faults).await;
    }
    let n = sheet.activities.len();
    if fields.text("check") == "1" {
        let good = format!("{n} 条都没有错误，还没有导入。");
        return render(&site, &visit, Some(Ok(good)), Vec::new()).await;
    }
    let ids = match site.ledger.add(&sheet.activities, Utc::now()).await {
        // Somebody entered one of them meanwhile.
        Err(error @ JournalError::ActivityExists(_)) => {
            let why = format!("{error}。一条也没有导入。");
            return render(&site, &visit, Some(Err(why)), Vec::new()).await;
        }
        other => other?,
    };
    let (first, last) = (ids.first().unwrap_or(&0), ids.last().unwrap_or(&0));
    let what = format!("{n} 条，第 {first} 到 {last} 号");
    site.noted(&visit, "导入台账", &what).await?;
    Ok(Redirect::to(&format!("/activities?done=imported-{n}")).into_response())
}
