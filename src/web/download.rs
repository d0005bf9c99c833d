//! Files to take away.

use axum::http::header;
use axum::response::{IntoResponse, Response};

pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(super) const DOCX: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const PDF: &str = "application/pdf";

/// A download; `name` is ours: Latin letters, digits, `-`, `.`.
pub(super) fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, bytes).into_response()
}
