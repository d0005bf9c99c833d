//! The filtered log as CSV or Excel. Pseudonyms of askers stay here: a table that is mailed on
//! must not tell which questions are one person's.

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
use crate::journal::{
    Cursor, HEADINGS, JournalError, LoggedQuestion, QuestionFilter, cells, harmless, local_day,
};

/// Rows fetched at a time.
const BATCH: i64 = 2000;
/// A workbook is made in memory: longer tables are for CSV.
const MAX_XLSX: i64 = 50_000;
/// The column of the pseudonym, left out.
const ASKER: usize = 2;

/// What stands in a row, with names instead of ids where staff read them.
fn columns(row: &LoggedQuestion) -> Vec<String> {
    let mut cells = cells(row);
    cells[1] = labels::channel(&row.channel);
    cells[7] = labels::kind(&row.kind);
    let kept = cells.into_iter().enumerate().filter(|(n, _)| *n != ASKER);
    kept.map(|(_, cell)| cell).collect()
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
    let start = (site.log.clone(), filter, None::<Cursor>, true);
    let batches = stream::try_unfold(start, |(log, filter, cursor, first)| async move {
        let rows = log.page(&filter, cursor, BATCH).await?;
        if rows.is_empty() && !first {
            return Ok::<_, JournalError>(None);
        }
        let text = lines(&rows, first)?;
        let last = rows.last().map(|row| Cursor::OlderThan(row.at, row.id));
        // After an empty first batch there is nothing to look for again.
        let next = last.or(Some(Cursor::OlderThan(chrono::DateTime::UNIX_EPOCH, 0)));
        Ok(Some((Bytes::from(text), (log, filter, next, false))))
    });
    Ok(download(
        "csv",
        "text/csv; charset=utf-8",
        Body::from_stream(batches),
    ))
}

fn lines(rows: &[LoggedQuestion], first: bool) -> Result<Vec<u8>, JournalError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    if first {
        csv.write_record(headings())?;
    }
    for row in rows {
        csv.write_record(columns(row).iter().map(|cell| harmless(cell)))?;
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
    let made = tokio::task::spawn_blocking(move || workbook(&rows)).await;
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
fn workbook(rows: &[LoggedQuestion]) -> Result<Vec<u8>, WebError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("提问日志")?;
    let bold = Format::new().set_bold();
    for (column, heading) in (0u16..).zip(headings()) {
        sheet.write_string_with_format(0, column, heading, &bold)?;
    }
    for (line, row) in (1u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(columns(row)) {
            sheet.write_string(line, column, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_column_width(0, 19)?;
    sheet.set_column_width(13, 60)?;
    Ok(book.save_to_buffer()?)
}
