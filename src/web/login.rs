//! 登录 and 退出.

use std::time::Duration;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use chrono::Utc;
use serde::Deserialize;
use tokio::time::Instant;

use super::error::WebError;
use super::gate::{Visit, begin_session, end_session};
use super::offices::Offices;
use super::page::{Page, show};
use super::site::Site;
use crate::journal::{FAILURES, LOCK_MINUTES, Member, is_password};

/// A refusal takes at least this long, whether or not the name is known and its failures are
/// counted on disk.
const REFUSAL: Duration = Duration::from_millis(600);

#[derive(Template)]
#[template(path = "login.html", config = "src/web/askama.toml")]
struct LogInPage {
    page: Page,
    next: String,
    typed: String,
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    next: String,
    #[serde(default)]
    out: Option<String>,
    #[serde(default)]
    changed: Option<String>,
}

/// `GET /login`
pub(super) async fn form(
    site: Site,
    visit: Visit,
    Query(back): Query<Back>,
) -> Result<Response, WebError> {
    if visit.member.is_some() {
        return Ok(Redirect::to(&local(&back.next)).into_response());
    }
    let mut page = Page::new(&site, &visit, "登录", "").await?;
    if back.out.is_some() {
        page = page.done("已经退出。");
    } else if back.changed.is_some() {
        page = page.done("密码已经改好，请用新密码登录。");
    }
    if !site.several && site.staff.list().await?.is_empty() {
        page =
            page.failed("还没有账号。请在装七进的电脑上运行：qijin staff add 用户名 --role 管理");
    }
    show(&LogInPage {
        page,
        next: local(&back.next),
        typed: String::new(),
    })
}

#[derive(Deserialize)]
pub(super) struct LogIn {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(super) async fn log_in(
    State(offices): State<Offices>,
    site: Site,
    visit: Visit,
    Form(form): Form<LogIn>,
) -> Result<Response, WebError> {
    let started = Instant::now();
    let again = async |status: StatusCode, text: String| -> Result<Response, WebError> {
        let page = Page::new(&site, &visit, "登录", "").await?.failed(text);
        let page = show(&LogInPage {
            page,
            next: local(&form.next),
            typed: form.name.chars().take(32).collect(),
        })?;
        Ok((status, page).into_response())
    };
    if !site.limits.may_log_in(visit.address, &form.name) {
        let text = "试得太多了，请过几分钟再登录。".to_owned();
        return again(StatusCode::TOO_MANY_REQUESTS, text).await;
    }
    let Some((home, member)) = judge(&offices, &form.name, &form.password).await? else {
        tokio::time::sleep_until(started + REFUSAL).await;
        let text = format!(
            "用户名或密码不对。连续错 {FAILURES} 次，账号会停 {LOCK_MINUTES} 分钟；忘了密码请找管理员重设。"
        );
        return again(StatusCode::UNAUTHORIZED, text).await;
    };
    // Always a new token: one that somebody planted in this browser is worth nothing.
    if let Some(old) = &visit.session {
        site.sessions.close(old).await?;
    }
    let token = home.sessions.open(member.id, Utc::now()).await?;
    let jar = CookieJar::new().add(begin_session(&home, token));
    Ok((jar, Redirect::to(&local(&form.next))).into_response())
}

/// The account behind name and password, and its office; the same work whatever is wrong.
async fn judge(
    offices: &Offices,
    name: &str,
    password: &str,
) -> Result<Option<(Site, Member)>, WebError> {
    let (site, now) = (offices.first(), Utc::now());
    let credentials = site.staff.credentials(name, now).await?;
    let hash = credentials
        .as_ref()
        .map_or(&*site.nobody, |c| &c.hash)
        .clone();
    let password = password.to_owned();
    let right = site.hashing(move || is_password(&hash, &password)).await?;
    let Some(credentials) = credentials else {
        return Ok(None);
    };
    let member = credentials.member;
    // An office may have gone from the configuration.
    let home = offices.find(member.office.as_str());
    let Some(home) = home.filter(|_| !credentials.locked && !member.disabled) else {
        return Ok(None);
    };
    if right {
        home.staff.log_in_succeeded(member.id).await?;
        return Ok(Some((home.clone(), member)));
    }
    if home.staff.log_in_failed(member.id, now).await? {
        let told = format!("连续输错 {FAILURES} 次密码，停 {LOCK_MINUTES} 分钟");
        home.audit.note(&member.name, "账号被锁", &told).await?;
        tracing::warn!("an account is locked after too many wrong passwords");
    }
    Ok(None)
}

/// `POST /logout`
pub(super) async fn log_out(site: Site, visit: Visit) -> Result<Response, WebError> {
    if let Some(session) = &visit.session {
        site.sessions.close(session).await?;
    }
    let jar = CookieJar::new().add(end_session(&site));
    Ok((jar, Redirect::to("/login?out=1")).into_response())
}

/// A path of this site, and nothing that a browser could take for another one.
fn local(next: &str) -> String {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\n', '\r', '\t'])
        && !next.starts_with("/login");
    if ours { next } else { "/" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_this_site_are_gone_back_to() {
        assert_eq!(local("/questions?kind=unknown"), "/questions?kind=unknown");
        for evil in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "/\t/evil",
        ] {
            assert_eq!(local(evil), "/", "{evil:?}");
        }
    }
}
