//! 设置: what is configured, one's own password, and the accounts.

use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use serde::Deserialize;

use super::error::WebError;
use super::gate::Visit;
use super::labels;
use super::office;
use super::page::{Flash, Page, show};
use super::site::Site;
use crate::journal::{
    JournalError, MIN_PASSWORD, Member, Role, generate_password, hash_password, is_password,
    judge_password,
};

/// Lines of the audit log shown.
const AUDIT_LINES: i64 = 100;

struct Account {
    id: i64,
    name: String,
    role: &'static str,
    disabled: bool,
    since: String,
    me: bool,
}

struct Line {
    time: String,
    who: String,
    action: String,
    subject: String,
}

#[derive(Template)]
#[template(path = "settings.html", config = "src/web/askama.toml")]
struct SettingsPage {
    page: Page,
    contact: String,
    facts: Vec<(&'static str, String)>,
    /// What is saved and waits for a restart.
    waiting: String,
    is_admin: bool,
    /// Whether the configuration is this office's alone.
    is_alone: bool,
    /// Whether residents ask it; a county they do not.
    is_asked: bool,
    caption: String,
    accounts: Vec<Account>,
    roles: [&'static str; 3],
    audit: Vec<Line>,
    hint: String,
    /// Name and password of an account just made or reset: shown this once.
    secret: Option<(String, String)>,
}

async fn render(
    site: &Site,
    visit: &Visit,
    flash: Option<Flash>,
    secret: Option<(String, String)>,
) -> Result<Response, WebError> {
    let me = visit.member()?.id;
    let is_admin = visit.may(Role::Admin);
    let (mut accounts, mut audit) = (Vec::new(), Vec::new());
    if is_admin {
        accounts = site.staff.list().await?;
        audit = site.audit.newest(AUDIT_LINES).await?;
    }
    let account = |member: Member| Account {
        id: member.id,
        role: member.role.name(),
        disabled: member.disabled,
        since: labels::time(member.created),
        me: member.id == me,
        name: member.name,
    };
    let mut facts = site.facts.to_vec();
    if site.county.is_none() {
        let library = site.desk.library();
        facts.push(("资料库", format!("{} 条问答", library.entries.len())));
    }
    show(&SettingsPage {
        page: Page::new(site, visit, "设置", "/settings")
            .await?
            .with(flash),
        contact: site.desk.office().contact.clone(),
        facts,
        waiting: match site.several {
            true => String::new(),
            false => office::waiting(&site.config()).join("、"),
        },
        is_admin,
        is_alone: !site.several,
        is_asked: site.county.is_none(),
        caption: format!("{} 个账号", accounts.len()),
        accounts: accounts.into_iter().map(account).collect(),
        roles: Role::ALL.map(Role::name),
        audit: audit
            .into_iter()
            .map(|line| Line {
                time: labels::time(line.at),
                who: line.who,
                action: line.action,
                subject: line.subject,
            })
            .collect(),
        hint: format!("至少 {MIN_PASSWORD} 个字符"),
        secret,
    })
}

async fn refused(site: &Site, visit: &Visit, why: String) -> Result<Response, WebError> {
    let flash = Flash {
        text: why,
        bad: true,
    };
    render(site, visit, Some(flash), None).await
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /settings`
pub(super) async fn page(
    site: Site,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let flash = (done.done == "changed").then(|| Flash {
        text: "已保存。那个账号要重新登录。".to_owned(),
        bad: false,
    });
    render(&site, &visit, flash, None).await
}

#[derive(Deserialize)]
pub(super) struct OwnPassword {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

/// `POST /settings/password`: logs out everywhere; one logs in with the new one.
pub(super) async fn own_password(
    site: Site,
    visit: Visit,
    Form(form): Form<OwnPassword>,
) -> Result<Response, WebError> {
    let me = visit.member()?;
    if !site.limits.may_log_in(visit.address, &me.name) {
        return Err(WebError::TooOften);
    }
    if form.new != form.again {
        return refused(&site, &visit, "两次输入的新密码不一样，没有改。".to_owned()).await;
    }
    if let Err(weak) = judge_password(&me.name, &form.new) {
        return refused(&site, &visit, format!("{weak}，没有改。")).await;
    }
    let known = site.staff.credentials(&me.name, Utc::now()).await?;
    let known = known.filter(|c| c.member.id == me.id);
    let old_hash = known.map(|c| c.hash).ok_or(WebError::NotLoggedIn)?;
    let hashed = site
        .hashing(move || is_password(&old_hash, &form.old).then(|| hash_password(&form.new)))
        .await?;
    let Some(hash) = hashed.transpose()? else {
        return refused(&site, &visit, "现在的密码不对，没有改。".to_owned()).await;
    };
    site.staff.set_password(me.id, &hash).await?;
    site.audit.note(&me.name, "改自己的密码", &me.name).await?;
    Ok(Redirect::to("/login?changed=1").into_response())
}

#[derive(Deserialize)]
pub(super) struct NewAccount {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
}

/// `POST /settings/staff`: the password is made here and shown once.
pub(super) async fn add(
    site: Site,
    visit: Visit,
    Form(form): Form<NewAccount>,
) -> Result<Response, WebError> {
    let role: Role = form.role.parse().map_err(WebError::Bad)?;
    let (password, hash) = new_password(&site).await?;
    let added = site.staff.add(&form.name, role, &hash, Utc::now()).await;
    let member = match added {
        Err(error @ (JournalError::StaffName | JournalError::StaffExists(_))) => {
            return refused(&site, &visit, format!("{error}，没有新建。")).await;
        }
        other => other?,
    };
    site.noted(&visit, "新建账号", &format!("{}（{role}）", member.name))
        .await?;
    render(&site, &visit, None, Some((member.name, password))).await
}

async fn new_password(site: &Site) -> Result<(String, String), WebError> {
    let password = generate_password()?;
    let to_hash = password.clone();
    let hash = site.hashing(move || hash_password(&to_hash)).await??;
    Ok((password, hash))
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
}

/// `POST /settings/staff/{id}`: role, and whether it may log in.
pub(super) async fn change(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<Change>,
) -> Result<Response, WebError> {
    let member = account(&site, &id).await?;
    let role: Role = form.role.parse().map_err(WebError::Bad)?;
    let disabled = form.state == "disabled";
    match site.staff.change(member.id, role, disabled).await {
        Err(error @ JournalError::LastAdmin) => {
            return refused(&site, &visit, format!("{error}。没有改。")).await;
        }
        other => other?,
    }
    let state = if disabled { "停用" } else { "可登录" };
    let subject = format!("{}：{role}，{state}", member.name);
    site.noted(&visit, "改账号", &subject).await?;
    Ok(Redirect::to("/settings?done=changed").into_response())
}

async fn account(site: &Site, id: &str) -> Result<Member, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    match site.staff.by_id(id).await {
        Err(JournalError::NoSuchStaff) => Err(WebError::NotFound),
        other => Ok(other?),
    }
}

/// `POST /settings/staff/{id}/password`: a new one, shown once.
pub(super) async fn reset(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let member = account(&site, &id).await?;
    let (password, hash) = new_password(&site).await?;
    site.staff.set_password(member.id, &hash).await?;
    site.noted(&visit, "重设密码", &member.name).await?;
    render(&site, &visit, None, Some((member.name, password))).await
}
