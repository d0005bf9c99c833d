//! The filtered log as CSV or Excel. Pseudonyms of askers stay here: a table that is mailed on
//! must not tell which questions are one person's.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use futures::stream;
use rust_xlsxwriter::{Format, Workbook};

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::site::Site;
use super::filter::Asked;
use crate::config::Config;
use crate::journal::{
    Cursor, HEADINGS, JournalError, LoggedQuestion, QuestionFilter, cells, harmless, local_day,
};
use crate::knowledge::Library;

/// Rows fetched at a time.
const BATCH: i64 = 2000;
/// A workbook is made in memory: longer tables are for CSV.
const MAX_XLSX: i64 = 50_000;
/// Columns of [`cells`]: the pseudonym, left out, and those whose ids have names.
const ASKER: usize = 2;
const CHANNEL: usize = 1;
const REGION: usize = 3;
const PLACE: usize = 5;
const TOPIC: usize = 6;
const KIND: usize = 7;
const ENTRY: usize = 8;
const PICKED: usize = 12;
const CORRECTED_TOPIC: usize = 17;

/// What ids are called in the table.
#[derive(Clone)]
struct Names {
    library: Arc<Library>,
    config: Arc<Config>,
}

impl Names {
    fn of(site: &Site) -> Self {
        Self {
            library: site.desk.library(),
            config: site.config(),
        }
    }

    /// What stands in a row, with names instead of ids where staff read them.
    fn columns(&self, row: &LoggedQuestion) -> Vec<String> {
        let library = &self.library;
        let entry = |id: &Option<String>| match id {
            Some(id) => labels::entry(library, id),
            None => String::new(),
        };
        let corrected = row.review.as_ref().and_then(|r| r.topic.as_deref());
        let mut cells = cells(row);
        for (column, name) in [
            (CHANNEL, labels::channel(&row.channel)),
            (
                REGION,
                self.config.regions.name_of(&cells[REGION]).to_owned(),
            ),
            (PLACE, labels::place(library, row.place.as_deref())),
            (TOPIC, labels::topic(library, row.topic.as_deref())),
            (KIND, labels::kind(&row.kind)),
            (ENTRY, entry(&row.entry)),
            (PICKED, entry(&row.picked)),
            (CORRECTED_TOPIC, labels::topic(library, corrected)),
        ] {
            cells[column] = name;
        }
        let kept = cells.into_iter().enumerate().filter(|(n, _)| *n != ASKER);
        kept.map(|(_, cell)| cell).collect()
    }
}

fn headings() -> impl Iterator<Item = &'static str> {
    HEADINGS
        .into_iter()
        .enumerate()
        .filter(|(n, _)| *n != ASKER)
        .map(|(_, heading)| heading)
}

/// A line for the audit log, without the words searched for.
async fn note(
    site: &Site,
    visit: &Visit,
    form: &str,
    asked: &Asked,
    n: i64,
) -> Result<(), WebError> {
    let mut asked = asked.clone();
    if !asked.q.is_empty() {
        asked.q = "…".to_owned();
    }
    let subject = if n > MAX_XLSX {
        format!("{form}，超过 {MAX_XLSX} 条，筛选：{}", asked.query())
    } else {
        format!("{form}，{n} 条，筛选：{}", asked.query())
    };
    let who = &visit.member()?.name;
    Ok(site.audit.note(who, "导出提问日志", &subject).await?)
}

fn download(extension: &str, content_type: &'static str, body: Body) -> Response {
    let name = format!(
        "questions-{}.{extension}",
        local_day(Utc::now()).format("%Y%m%d")
    );
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, body).into_response()
}

/// `GET /questions/export.csv`: streamed, as long as it may be.
pub(in super::super) async fn csv(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let filter = asked.filter(local_day(Utc::now()));
    let n = site.log.count(&filter, MAX_XLSX + 1).await?;
    note(&site, &visit, "CSV", &asked, n).await?;
    let names = Names::of(&site);
    let start = (site.log.clone(), filter, None::<Cursor>, true);
    let batches = stream::try_unfold(start, move |(log, filter, cursor, first)| {
        let names = names.clone();
        async move {
            let rows = log.page(&filter, cursor, BATCH).await?;
            if rows.is_empty() && !first {
                return Ok::<_, JournalError>(None);
            }
            let text = lines(&rows, &names, first)?;
            let last = rows.last().map(|row| Cursor::OlderThan(row.at, row.id));
            // After an empty first batch there is nothing to look for again.
            let next = last.or(Some(Cursor::OlderThan(chrono::DateTime::UNIX_EPOCH, 0)));
            Ok(Some((Bytes::from(text), (log, filter, next, false))))
        }
    });
    Ok(download(
        "csv",
        "text/csv; charset=utf-8",
        Body::from_stream(batches),
    ))
}

fn lines(rows: &[LoggedQuestion], names: &Names, first: bool) -> Result<Vec<u8>, JournalError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    if first {
        csv.write_record(headings())?;
    }
    for row in rows {
        csv.write_record(names.columns(row).iter().map(|cell| harmless(cell)))?;
    }
    let text = csv
        .into_inner()
        .map_err(|e| std::io::Error::other(e.to_string()))?;
    // Excel takes it for UTF-8 by this mark.
    Ok(if first {
        ["\u{feff}".as_bytes(), &text].concat()
    } else {
        text
    })
}

/// `GET /questions/export.xlsx`
pub(in super::super) async fn xlsx(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let filter = asked.filter(local_day(Utc::now()));
    let n = site.log.count(&filter, MAX_XLSX + 1).await?;
    if n > MAX_XLSX {
        return Err(WebError::Bad(format!(
            "超过 {MAX_XLSX} 条，Excel 装着吃力。请缩短时间，或导出 CSV。"
        )));
    }
    let rows = all(&site, &filter).await?;
    note(&site, &visit, "Excel", &asked, n).await?;
    let names = Names::of(&site);
    let made = tokio::task::spawn_blocking(move || workbook(&rows, &names)).await;
    let bytes = made.map_err(|e| WebError::Journal(std::io::Error::other(e).into()))??;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(download("xlsx", kind, Body::from(bytes)))
}

async fn all(site: &Site, filter: &QuestionFilter) -> Result<Vec<LoggedQuestion>, WebError> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    while (rows.len() as i64) < MAX_XLSX {
        let batch = site.log.page(filter, cursor, BATCH).await?;
        let Some(last) = batch.last() else { break };
        cursor = Some(Cursor::OlderThan(last.at, last.id));
        rows.extend(batch);
    }
    Ok(rows)
}

/// Every cell is written as a string: Excel runs none of them.
fn workbook(rows: &[LoggedQuestion], names: &Names) -> Result<Vec<u8>, WebError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("提问日志")?;
    let bold = Format::new().set_bold();
    for (column, heading) in (0u16..).zip(headings()) {
        sheet.write_string_with_format(0, column, heading, &bold)?;
    }
    for (line, row) in (1u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(names.columns(row)) {
            sheet.write_string(line, column, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    // Printed, all columns on the width of a page.
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_column_width(0, 19)?;
    sheet.set_column_width(13, 60)?;
    Ok(book.save_to_buffer()?)
}
