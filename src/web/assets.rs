//! The one style sheet and the one script, under names that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::error::WebError;

struct Asset {
    path: String,
    content_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = Sha256::digest(content.as_bytes());
        let short: String = hash.iter().take(6).map(|b| format!("{b:02x}")).collect();
        Self {
            path: format!("/assets/{stem}.{short}.{extension}"),
            content_type,
            content,
        }
    }
}

static CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "qijin",
        "css",
        "text/css; charset=utf-8",
        include_str!("assets/qijin.css"),
    )
});
static JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "qijin",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("assets/qijin.js"),
    )
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "qijin",
        "svg",
        "image/svg+xml",
        include_str!("assets/qijin.svg"),
    )
});

/// Path of the style sheet.
pub(super) fn css() -> &'static str {
    &CSS.path
}

/// Path of the script.
pub(super) fn js() -> &'static str {
    &JS.path
}

/// Path of the icon.
pub(super) fn icon() -> &'static str {
    &ICON.path
}

/// `GET /assets/{name}`: only these three, looked up by name and never on disk.
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, WebError> {
    let wanted = [&*CSS, &*JS, &*ICON]
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&name))
        .ok_or(WebError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, wanted.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, wanted.content).into_response())
}
