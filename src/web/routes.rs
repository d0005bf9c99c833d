//! Every route in one table: it drives the router, and the test that knocks at every door.

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::error::WebError;
use super::gate::{MAX_BODY, MAX_UPLOAD, PASSED_OVER, gate};
use super::offices::Offices;
use super::site::Site;
use super::{
    activities, assets, boards, chat, checkup, county, entries, gaps, handovers, headers, login,
    office, offices, overview, questions, reports, settings,
};
use crate::journal::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, and who it is does not matter: nothing of the cookies is read.
    Open,
    /// Anybody; a browser gets a random name, its forms carry a token.
    Visitor,
    /// An account with at least this role.
    Staff(Role),
    /// An account of a county, of any role.
    County,
}

/// An entry of the top bar.
pub(super) struct Nav {
    pub path: &'static str,
    pub label: &'static str,
    pub role: Role,
}

const fn nav(path: &'static str, label: &'static str) -> Nav {
    Nav {
        path,
        label,
        role: Role::Viewer,
    }
}

/// The top bar of a county.
pub(super) const COUNTY_NAV: [Nav; 2] = [nav("/county", "各所概览"), nav("/settings", "设置")];

/// What of the pages for staff a county has: its own accounts.
pub(super) fn is_for_counties(path: &str) -> bool {
    path == "/logout" || path == "/settings" || path.starts_with("/settings/")
}

/// The top bar, in order: 概览 提问日志 知识缺口 普法活动 报告 找人问 试一试 设置. What has no page yet
/// is not shown.
pub(super) const NAV: [Nav; 8] = [
    nav("/", "概览"),
    nav("/questions", "提问日志"),
    nav("/gaps", "知识缺口"),
    nav("/activities", "普法活动"),
    nav("/reports", "报告"),
    nav("/handovers", "找人问"),
    nav("/ask", "试一试"),
    nav("/settings", "设置"),
];

struct Route {
    method: Method,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Offices>,
    /// The longest body, in bytes.
    most: usize,
}

impl Route {
    /// Its form holds a file.
    fn with_file(mut self) -> Self {
        self.most = MAX_UPLOAD;
        self
    }
}

fn route<H, T>(method: Method, path: &'static str, access: Access, handler: H) -> Route
where
    H: Handler<T, Offices>,
    T: 'static,
{
    let filter = if method == Method::POST {
        MethodFilter::POST
    } else {
        MethodFilter::GET
    };
    Route {
        method,
        path,
        access,
        handler: on(filter, handler),
        most: MAX_BODY,
    }
}

fn table() -> Vec<Route> {
    use Access::{County, Open, Staff, Visitor};
    use Role::{Admin, Reviewer, Viewer};
    let get = Method::GET;
    let post = Method::POST;
    vec![
        route(get.clone(), "/healthz", Open, health),
        route(get.clone(), "/readyz", Open, ready),
        route(get.clone(), "/assets/{name}", Open, assets::serve),
        route(get.clone(), "/login", Visitor, login::form),
        route(post.clone(), "/login", Visitor, login::log_in),
        route(post.clone(), "/logout", Staff(Viewer), login::log_out),
        route(get.clone(), "/", Staff(Viewer), overview::page),
        // A county's offices
        route(get.clone(), "/county", County, county::page),
        route(get.clone(), "/county/export.csv", County, county::csv),
        // The chat
        route(get.clone(), "/ask", Visitor, chat::page),
        route(post.clone(), "/ask", Visitor, chat::ask),
        route(post.clone(), "/ask/open", Visitor, chat::open),
        route(post.clone(), "/ask/vote", Visitor, chat::vote),
        route(post.clone(), "/ask/human", Visitor, chat::human),
        route(post.clone(), "/ask/new", Visitor, chat::anew),
        route(post.clone(), "/ask/forget", Visitor, chat::forget),
        route(get.clone(), "/law", Visitor, chat::law),
        route(get.clone(), "/o/{id}/ask", Visitor, offices::ask),
        // The question log
        route(get.clone(), "/questions", Staff(Viewer), questions::list),
        route(
            get.clone(),
            "/questions/export.csv",
            Staff(Reviewer),
            questions::csv,
        ),
        route(
            get.clone(),
            "/questions/export.xlsx",
            Staff(Reviewer),
            questions::xlsx,
        ),
        route(
            get.clone(),
            "/questions/review",
            Staff(Reviewer),
            questions::begin,
        ),
        route(
            get.clone(),
            "/questions/{id}",
            Staff(Viewer),
            questions::one,
        ),
        route(
            post.clone(),
            "/questions/{id}/review",
            Staff(Reviewer),
            questions::save,
        ),
        // Gaps, and the entries that close them
        route(get.clone(), "/gaps", Staff(Viewer), gaps::page),
        route(get.clone(), "/entries", Staff(Viewer), entries::list),
        route(get.clone(), "/entries/new", Staff(Reviewer), entries::new),
        route(
            post.clone(),
            "/entries/new",
            Staff(Reviewer),
            entries::create,
        ),
        route(
            get.clone(),
            "/entries/{id}/edit",
            Staff(Reviewer),
            entries::edit,
        ),
        route(
            post.clone(),
            "/entries/{id}/edit",
            Staff(Reviewer),
            entries::change,
        ),
        // Activities, duties and boards
        route(get.clone(), "/activities", Staff(Viewer), activities::list),
        route(
            post.clone(),
            "/activities",
            Staff(Reviewer),
            activities::add,
        ),
        route(
            get.clone(),
            "/activities/new",
            Staff(Reviewer),
            activities::new,
        ),
        route(
            get.clone(),
            "/activities/calendar",
            Staff(Viewer),
            activities::calendar,
        ),
        route(
            get.clone(),
            "/activities/template.xlsx",
            Staff(Viewer),
            activities::template,
        ),
        route(
            get.clone(),
            "/activities/export.csv",
            Staff(Reviewer),
            activities::csv,
        ),
        route(
            get.clone(),
            "/activities/export.xlsx",
            Staff(Reviewer),
            activities::xlsx,
        ),
        route(
            get.clone(),
            "/activities/import",
            Staff(Reviewer),
            activities::import_page,
        ),
        route(
            post.clone(),
            "/activities/import",
            Staff(Reviewer),
            activities::import,
        )
        .with_file(),
        route(
            get.clone(),
            "/activities/duties",
            Staff(Viewer),
            activities::duties,
        ),
        route(
            post.clone(),
            "/activities/duties",
            Staff(Reviewer),
            activities::set_duty,
        ),
        route(
            post.clone(),
            "/activities/duties/delete",
            Staff(Reviewer),
            activities::remove_duty,
        ),
        route(
            get.clone(),
            "/activities/duties/template.xlsx",
            Staff(Reviewer),
            activities::duty_template,
        ),
        route(
            post.clone(),
            "/activities/duties/import",
            Staff(Reviewer),
            activities::import_duties,
        )
        .with_file(),
        route(
            get.clone(),
            "/activities/{id}",
            Staff(Viewer),
            activities::one,
        ),
        route(
            post.clone(),
            "/activities/{id}",
            Staff(Reviewer),
            activities::change,
        ),
        route(
            get.clone(),
            "/activities/{id}/edit",
            Staff(Reviewer),
            activities::edit,
        ),
        route(
            post.clone(),
            "/activities/{id}/delete",
            Staff(Reviewer),
            activities::remove,
        ),
        route(get.clone(), "/boards", Staff(Viewer), boards::list),
        route(post.clone(), "/boards", Staff(Reviewer), boards::add),
        route(
            get.clone(),
            "/boards/posters.pdf",
            Staff(Viewer),
            boards::posters,
        ),
        route(get.clone(), "/boards/{id}", Staff(Reviewer), boards::edit),
        route(
            post.clone(),
            "/boards/{id}",
            Staff(Reviewer),
            boards::change,
        ),
        route(
            get.clone(),
            "/boards/{id}/poster.pdf",
            Staff(Viewer),
            boards::poster,
        ),
        route(
            post.clone(),
            "/boards/{id}/retire",
            Staff(Reviewer),
            boards::retire,
        ),
        // Reports
        route(get.clone(), "/reports", Staff(Viewer), reports::page),
        route(
            get.clone(),
            "/reports/{name}",
            Staff(Reviewer),
            reports::file,
        ),
        // Hand-overs
        route(get.clone(), "/handovers", Staff(Viewer), handovers::list),
        route(
            get.clone(),
            "/handovers/{id}",
            Staff(Viewer),
            handovers::one,
        ),
        route(
            post.clone(),
            "/handovers/{id}/answer",
            Staff(Reviewer),
            handovers::answer,
        ),
        route(
            post.clone(),
            "/handovers/{id}/close",
            Staff(Reviewer),
            handovers::close,
        ),
        // Settings
        route(get.clone(), "/settings", Staff(Viewer), settings::page),
        route(
            post.clone(),
            "/settings/password",
            Staff(Viewer),
            settings::own_password,
        ),
        route(get.clone(), "/settings/office", Staff(Admin), office::page),
        route(post.clone(), "/settings/office", Staff(Admin), office::save),
        route(get.clone(), "/settings/doctor", Staff(Admin), checkup::page),
        route(post.clone(), "/settings/staff", Staff(Admin), settings::add),
        route(
            post.clone(),
            "/settings/staff/{id}",
            Staff(Admin),
            settings::change,
        ),
        route(
            post,
            "/settings/staff/{id}/password",
            Staff(Admin),
            settings::reset,
        ),
    ]
}

/// Every route: method, path with `{placeholders}`, and who may use it.
pub fn routes() -> Vec<(Method, &'static str, Access)> {
    let of = |route: Route| (route.method, route.path, route.access);
    table().into_iter().map(of).collect()
}

/// The longest that a page may take to begin.
const TIME_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

pub(super) fn router(offices: Offices) -> Router {
    let mut router = Router::new();
    for route in table() {
        let guard = from_fn_with_state((offices.clone(), route.access, route.most), gate);
        // Outside the gate: a body that says that it is too long is not even begun. A file is read a
        // little further, so that a page can say that it is too large.
        let limit = match route.most {
            MAX_UPLOAD => MAX_UPLOAD + PASSED_OVER,
            most => most,
        };
        let limit = RequestBodyLimitLayer::new(limit);
        let guarded: MethodRouter<Offices> = route.handler.layer(guard);
        router = router.route(route.path, guarded.layer(limit));
    }
    let router =
        router
            .fallback(async || WebError::NotFound)
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                TIME_LIMIT,
            ));
    headers::on(router).with_state(offices)
}

/// `200` with the number of entries as soon as questions can be answered.
async fn health(site: Site) -> String {
    format!("ok {} entries\n", site.desk.library().entries.len())
}

/// `200` while this program can answer and write, `503` with what it cannot otherwise. How much waits
/// is told on the admin address only.
async fn ready(site: Site) -> (StatusCode, String) {
    let state = site.health.look().await;
    (state.status(), state.summary())
}
