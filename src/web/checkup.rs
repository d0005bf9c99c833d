//! 系统体检: the list of `qijin doctor`.

use askama::Template;
use axum::response::Response;
use chrono::Utc;

use super::error::WebError;
use super::gate::Visit;
use super::page::{Page, show};
use super::site::Site;
use crate::doctor::{self, Check, Telegram, examine};

#[derive(Template)]
#[template(path = "doctor.html", config = "src/web/askama.toml")]
struct CheckupPage {
    page: Page,
    /// Those that want something first.
    checks: Vec<Check>,
    bad: usize,
    warnings: usize,
}

/// `GET /settings/doctor`: looks now. Telegram is not asked.
pub(super) async fn page(site: Site, visit: Visit) -> Result<Response, WebError> {
    if site.several {
        return Err(WebError::NotFound);
    }
    let telegram = Telegram {
        token: site.telegram,
        online: None,
    };
    let _turn = site.turn().await?;
    let mut checks = examine(&site.config(), &telegram, Utc::now()).await;
    checks.sort_by_key(|check| std::cmp::Reverse(check.state));
    let count = |state| checks.iter().filter(|c| c.state == state).count();
    show(&CheckupPage {
        page: Page::new(&site, &visit, "系统体检", "/settings").await?,
        bad: count(doctor::State::Bad),
        warnings: count(doctor::State::Warning),
        checks,
    })
}
