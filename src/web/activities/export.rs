//! The filtered ledger to take away.

use axum::extract::Query;
use axum::response::Response;
use chrono::Utc;

use super::super::download::{self, CSV, XLSX};
use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::site::Site;
use super::Asked;
use crate::journal::{JournalError, local_day};
use crate::ledger;

fn name(end: &str) -> String {
    format!("activities-{}.{end}", local_day(Utc::now()))
}

/// `GET /activities/export.csv`
pub(in super::super) async fn csv(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let found = asked.found(site.ledger.all().await?);
    let bytes = ledger::to_csv(&found, &site.desk.library(), &site.config().regions);
    let bytes = bytes.map_err(JournalError::from)?;
    let what = format!("CSV，{} 条，筛选：{}", found.len(), asked.query());
    site.noted(&visit, "导出台账", &what).await?;
    Ok(download::file(&name("csv"), CSV, bytes))
}

/// `GET /activities/export.xlsx`
pub(in super::super) async fn xlsx(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let found = asked.found(site.ledger.all().await?);
    let bytes = ledger::to_xlsx(&found, &site.desk.library(), &site.config().regions)?;
    let what = format!("Excel，{} 条，筛选：{}", found.len(), asked.query());
    site.noted(&visit, "导出台账", &what).await?;
    Ok(download::file(&name("xlsx"), XLSX, bytes))
}
