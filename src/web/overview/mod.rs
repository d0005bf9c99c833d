//! 概览: the figures of a period at a glance, each with the way to its rows.

mod view;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::Utc;
use serde::Deserialize;

use super::error::WebError;
use super::gate::Visit;
use super::page::{Page, show};
use super::period::{PRESETS, Period as Asked};
use super::site::Site;
use crate::insight::Period;
use crate::journal::local_day;
use crate::report::words;
use view::View;

/// The query string of the page.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    period: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// A preset in the switch.
struct Preset {
    id: &'static str,
    name: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "overview.html", config = "src/web/askama.toml")]
struct OverviewPage {
    page: Page,
    presets: Vec<Preset>,
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
    let asked = Asked::read(&wanted.period, &wanted.from, &wanted.to, today);
    let own = !wanted.from.is_empty() || !wanted.to.is_empty();
    let known = |id: &str| PRESETS.iter().any(|(preset, _)| *preset == id);
    let chosen = match wanted.period.as_str() {
        _ if own => "",
        id if known(id) => id,
        _ => "30d",
    };
    let presets = PRESETS.map(|(id, name)| Preset {
        id,
        name,
        chosen: id == chosen,
    });
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
        presets: presets.into_iter().collect(),
        from: asked.first.map_or_else(String::new, |d| d.to_string()),
        to: asked.last.map_or_else(String::new, |d| d.to_string()),
        name,
        made: super::labels::time(made),
        view,
    })
}
