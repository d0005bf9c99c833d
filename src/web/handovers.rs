//! 找人问: residents who asked for a human being, and the officer's answer.

use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use serde::Deserialize;

use super::error::WebError;
use super::gate::Visit;
use super::labels;
use super::page::{Page, show};
use super::reply::ReplyView;
use super::site::Site;
use crate::journal::{HANDOVER_DAYS, Handover, HandoverState, MAX_REPLY, Role};
use crate::knowledge::{EntryId, Library};

/// Shown at a time.
const ROWS: i64 = 200;
/// Settled ones shown below.
const SETTLED: i64 = 50;
/// Waiting longer is shown as late, in hours.
const LATE_HOURS: i64 = 24;

struct Row {
    id: i64,
    words: String,
    topic: String,
    region: String,
    age: String,
    late: bool,
    state: &'static str,
    reply: String,
}

#[derive(Template)]
#[template(path = "handovers.html", config = "src/web/askama.toml")]
struct ListPage {
    page: Page,
    caption: String,
    open: Vec<Row>,
    settled: Vec<Row>,
    reading: String,
}

#[derive(Template)]
#[template(path = "handover.html", config = "src/web/askama.toml")]
struct OnePage {
    page: Page,
    row: Row,
    question: i64,
    shown: Option<ReplyView>,
    open: bool,
    may_answer: bool,
    draft: String,
    error: String,
    max: usize,
}

fn row(site: &Site, handover: &Handover) -> Row {
    let library = &*site.desk.library();
    let region = handover.region.as_deref().unwrap_or_default();
    let now = Utc::now();
    Row {
        id: handover.id,
        words: words(handover, library),
        topic: labels::topic(library, handover.topic.as_deref()),
        region: site.config().regions.name_of(region).to_owned(),
        age: labels::age(handover.at, handover.decided.unwrap_or(now)),
        late: handover.state == HandoverState::Open
            && (now - handover.at).num_hours() >= LATE_HOURS,
        state: handover.state.name(),
        reply: handover.reply.clone().unwrap_or_default(),
    }
}

fn words(handover: &Handover, library: &Library) -> String {
    match (&handover.text, &handover.entry) {
        (Some(text), _) => text.clone(),
        (None, Some(entry)) => format!("看了“{}”之后找人问", labels::entry(library, entry)),
        (None, None) => "原话不再保存".to_owned(),
    }
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /handovers`
pub(super) async fn list(
    site: Site,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let rows = |list: Vec<Handover>| -> Vec<Row> { list.iter().map(|h| row(&site, h)).collect() };
    let page = Page::new(&site, &visit, "找人问", "/handovers").await?;
    let page = match done.done.as_str() {
        "answered" => page.done("答复已经保存，正在发给居民。"),
        "closed" => page.done("已关闭，居民的聊天地址已经删除。"),
        "late" => page.failed("没有执行：同事已经处理了这一条，或居民删除了自己的记录。"),
        _ => page,
    };
    let open = rows(site.handovers.open(ROWS).await?);
    show(&ListPage {
        page,
        caption: format!("等答复的 {} 个，等得最久的在前", open.len()),
        open,
        settled: rows(site.handovers.settled(SETTLED).await?),
        reading: format!(
            "等了 {LATE_HOURS} 小时以上的标红。没人答复的最多留 {HANDOVER_DAYS} 天，到期自动关闭；居民发 /forget \
             会立刻消失。答复送到之后，居民的聊天地址就从这里删掉了。"
        ),
    })
}

/// `GET /handovers/{id}`
pub(super) async fn one(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let handover = find(&site, &id).await?;
    sheet(&site, &visit, &handover, String::new(), String::new()).await
}

async fn find(site: &Site, id: &str) -> Result<Handover, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    site.handovers.find(id).await?.ok_or(WebError::NotFound)
}

async fn sheet(
    site: &Site,
    visit: &Visit,
    handover: &Handover,
    draft: String,
    error: String,
) -> Result<Response, WebError> {
    let entry = handover.entry.clone().map(EntryId);
    let shown = entry.and_then(|entry| site.desk.preview(&entry));
    show(&OnePage {
        page: Page::new(site, visit, "答复一个问题", "/handovers").await?,
        row: row(site, handover),
        question: handover.question,
        shown: shown.map(|reply| ReplyView::read_only(&reply)),
        open: handover.state == HandoverState::Open,
        may_answer: visit.may(Role::Reviewer),
        draft,
        error,
        max: MAX_REPLY,
    })
}

#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    text: String,
}

/// `POST /handovers/{id}/answer`
pub(super) async fn answer(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<Answer>,
) -> Result<Response, WebError> {
    let handover = find(&site, &id).await?;
    // As browsers send line ends.
    let text = form.text.replace("\r\n", "\n").trim().to_owned();
    // As messaging apps count.
    let length = text.encode_utf16().count();
    let error = if text.is_empty() {
        "请先写答复。".to_owned()
    } else if length > MAX_REPLY {
        format!("太长了：{length} 个字，最多 {MAX_REPLY} 个，否则一条消息放不下。")
    } else {
        String::new()
    };
    if !error.is_empty() {
        return sheet(&site, &visit, &handover, text, error).await;
    }
    let done = site
        .handovers
        .answer(handover.id, &text, Utc::now())
        .await?;
    if done {
        site.noted(&visit, "答复居民", &format!("编号 {}", handover.id))
            .await?;
    }
    Ok(back(if done { "answered" } else { "late" }))
}

/// `POST /handovers/{id}/close`
pub(super) async fn close(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let handover = find(&site, &id).await?;
    let done = site.handovers.close(handover.id, Utc::now()).await?;
    if done {
        site.noted(&visit, "关闭找人问", &format!("编号 {}", handover.id))
            .await?;
    }
    Ok(back(if done { "closed" } else { "late" }))
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("/handovers?done={done}")).into_response()
}
