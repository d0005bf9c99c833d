//! 概览: the figures of a period at a glance, each with the way to its rows.

mod view;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::Utc;

use super::error::WebError;
use super::gate::Visit;
use super::page::Choice;
use super::page::{Page, show};
use super::period::Wanted;
use super::site::Site;
use crate::insight::Period;
use crate::journal::local_day;
use crate::report::words;
use view::View;

#[derive(Template)]
#[template(path = "overview.html", config = "src/web/askama.toml")]
struct OverviewPage {
    page: Page,
    presets: Vec<Choice>,
    from: String,
    to: String,
    /// `2026年7月`
    name: String,
    /// Until when the figures are, `14:03`.
    made: String,
    /// `None` when the journal holds nothing at all.
    view: Option<View>,
}

/// `GET /`
pub(super) async fn page(
    site: Site,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    let now = Utc::now();
    let today = local_day(now);
    let asked = wanted.days(today);
    // Days without a journal are not looked at: a period may be as long as somebody likes.
    let held = site.figures.held(now).await?;
    let held = held.unwrap_or(Period::new(today, today));
    let first = asked.first.unwrap_or(held.from);
    let last = asked.last.unwrap_or(today).min(today);
    let mut name = words::period(Period::new(first, asked.last.unwrap_or(first.max(today))));
    let first = first.max(held.from);
    let mut view = None;
    let mut made = now;
    if first <= last {
        let period = Period::new(first, last);
        name = words::period(period);
        let library = site.desk.library();
        let config = site.config();
        let figures = site
            .figures
            .of(period, library.clone(), &config.regions, now);
        let reading = figures.await?;
        made = reading.made;
        if reading.figures.volume.questions > 0 {
            view = Some(View::of(&reading, &library, &config.regions)?);
        }
    }
    show(&OverviewPage {
        page: Page::new(&site, &visit, "概览", "/").await?,
        presets: wanted.presets(),
        from: asked.first.map_or_else(String::new, |d| d.to_string()),
        to: asked.last.map_or_else(String::new, |d| d.to_string()),
        name,
        made: super::labels::time(made),
        view,
    })
}
