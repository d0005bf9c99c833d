//! 试一试: the web chat, for residents and for staff who try the bot.
//!
//! Every step is a form, so it works without JavaScript; the script only keeps the conversation
//! on one page. The server remembers no conversation: what was said is in the page.

use askama::Template;
use axum::extract::{Form, Query};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::error::WebError;
use super::gate::{Visit, forget_visitor};
use super::page::{Page, show};
use super::reply::{ReplyView, law_link};
use super::site::Site;
use crate::answer::ArticleRef;
use crate::desk::{Answered, Pick, Question, RowId, Visitor};
use crate::journal::STAFF_CHANNEL;
use crate::knowledge::EntryId;

/// Residents' channel.
const CHANNEL: &str = "web";
/// Longer questions are read up to here.
const MAX_QUESTION_CHARS: usize = 2000;
/// Sent by our script, which wants the turn alone and not a whole page.
const FRAGMENT: HeaderName = HeaderName::from_static("x-fragment");

/// One question and its reply, or one press and what came of it.
#[derive(Template)]
#[template(path = "turn.html", config = "src/web/askama.toml")]
struct Turn {
    csrf: String,
    said: String,
    note: String,
    reply: Option<ReplyView>,
}

#[derive(Template)]
#[template(path = "ask.html", config = "src/web/askama.toml")]
struct AskPage {
    page: Page,
    /// The turn, rendered.
    turn: String,
    is_staff: bool,
    retention: u32,
    examples: [&'static str; 3],
    max: usize,
}

/// Who asks: a browser, or a member of staff, whose questions are no resident's.
fn visitor(visit: &Visit) -> Visitor {
    match &visit.member {
        Some(member) => Visitor {
            channel: STAFF_CHANNEL,
            platform_id: member.id.to_string(),
        },
        None => Visitor {
            channel: CHANNEL,
            platform_id: visit.visitor.clone(),
        },
    }
}

async fn frame(site: &Site, visit: &Visit, turn: String) -> Result<Response, WebError> {
    let title = if visit.member.is_some() {
        "试一试"
    } else {
        "问一句法律上的事"
    };
    show(&AskPage {
        page: Page::new(site, visit, title, "/ask").await?,
        turn,
        is_staff: visit.member.is_some(),
        retention: site.desk.retention_days().unwrap_or(0),
        examples: [
            "干完活老板不给钱怎么办",
            "邻居盖房挡了我家光",
            "借条没写利息能要吗",
        ],
        max: MAX_QUESTION_CHARS,
    })
}

/// The turn alone for our script, or the whole page.
async fn shown(
    site: &Site,
    visit: &Visit,
    headers: &HeaderMap,
    turn: Turn,
) -> Result<Response, WebError> {
    if headers.contains_key(FRAGMENT) {
        return show(&turn);
    }
    frame(site, visit, turn.render()?).await
}

fn turn(visit: &Visit, said: String, note: &str, reply: Option<ReplyView>) -> Turn {
    Turn {
        csrf: visit.form_token.clone(),
        said,
        note: note.to_owned(),
        reply,
    }
}

fn answered(visit: &Visit, said: String, answered: &Answered) -> Turn {
    let view = ReplyView::new(&answered.reply, answered.row);
    turn(visit, said, "", Some(view))
}

/// `GET /ask`
pub(super) async fn page(site: Site, visit: Visit) -> Result<Response, WebError> {
    frame(&site, &visit, String::new()).await
}

#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    q: String,
}

/// `POST /ask`
pub(super) async fn ask(
    site: Site,
    visit: Visit,
    headers: HeaderMap,
    Form(form): Form<Ask>,
) -> Result<Response, WebError> {
    limited(&site, &visit)?;
    let text: String = form.q.trim().chars().take(MAX_QUESTION_CHARS).collect();
    let who = visitor(&visit);
    let reply = site
        .desk
        .ask(Question {
            channel: who.channel,
            visitor: Some(who),
            text: text.clone(),
            request: None,
        })
        .await;
    shown(&site, &visit, &headers, answered(&visit, text, &reply)).await
}

fn limited(site: &Site, visit: &Visit) -> Result<(), WebError> {
    if site.limits.may_ask(visit.address) {
        Ok(())
    } else {
        Err(WebError::TooOften)
    }
}

/// What a button of a reply carries.
#[derive(Deserialize)]
pub(super) struct Press {
    #[serde(default)]
    entry: String,
    #[serde(default)]
    row: Option<RowId>,
    #[serde(default)]
    helpful: String,
}

/// `POST /ask/open`: a choice or a related question.
pub(super) async fn open(
    site: Site,
    visit: Visit,
    headers: HeaderMap,
    Form(press): Form<Press>,
) -> Result<Response, WebError> {
    limited(&site, &visit)?;
    let who = visitor(&visit);
    let opened = site
        .desk
        .open(Pick {
            channel: who.channel,
            visitor: Some(who),
            entry: EntryId(press.entry),
            row: press.row,
            request: None,
        })
        .await;
    let turn = match &opened {
        Some(opened) => answered(&visit, String::new(), opened),
        None => turn(
            &visit,
            String::new(),
            "这一条资料已经更新，请重新问一次。",
            None,
        ),
    };
    shown(&site, &visit, &headers, turn).await
}

/// `POST /ask/vote`: 👍 or 👎, with the reply once more for those without our script.
pub(super) async fn vote(
    site: Site,
    visit: Visit,
    headers: HeaderMap,
    Form(press): Form<Press>,
) -> Result<Response, WebError> {
    limited(&site, &visit)?;
    let helpful = match press.helpful.as_str() {
        "1" => true,
        "0" => false,
        _ => return Err(WebError::Bad("没有记下：请点 👍 或 👎。".to_owned())),
    };
    let noted = match press.row {
        Some(row) => site.desk.feedback(&visitor(&visit), row, helpful).await,
        None => false,
    };
    let note = match (noted, helpful) {
        (true, true) => "谢谢！您的评价会帮我们改进。",
        (true, false) => "记下了，我们会改进。可以换个说法再问，或点“找人问”。",
        (false, _) => "这次评价没有记下：不是您的提问，或记录已经删除。",
    };
    let reply = site.desk.preview(&EntryId(press.entry));
    let reply = reply
        .filter(|_| !headers.contains_key(FRAGMENT))
        .map(|reply| ReplyView::read_only(&reply));
    shown(
        &site,
        &visit,
        &headers,
        turn(&visit, String::new(), note, reply),
    )
    .await
}

/// `POST /ask/human`: whom to turn to. A browser has no address that an answer could go to.
pub(super) async fn human(
    site: Site,
    visit: Visit,
    headers: HeaderMap,
    Form(press): Form<Press>,
) -> Result<Response, WebError> {
    limited(&site, &visit)?;
    let text = site.desk.hand_over(&visitor(&visit), press.row, None).await;
    shown(
        &site,
        &visit,
        &headers,
        turn(&visit, String::new(), &text, None),
    )
    .await
}

/// `POST /ask/new`: an empty page for the next person at this screen, who is not who asked before.
pub(super) async fn anew(site: Site, visit: Visit) -> Result<Response, WebError> {
    site.desk.start_afresh(&visitor(&visit)).await;
    let jar = CookieJar::new();
    let jar = match visit.member {
        None => jar.add(forget_visitor(&site)),
        Some(_) => jar,
    };
    Ok((jar, Redirect::to("/ask")).into_response())
}

/// `POST /ask/forget`: deletes what is stored of this browser, or of the tests of this account.
pub(super) async fn forget(site: Site, visit: Visit) -> Result<Response, WebError> {
    limited(&site, &visit)?;
    let questions = site.desk.forget(&visitor(&visit)).await?;
    let note = format!("已删除这里存的、与您有关的 {questions} 条提问记录。");
    let turn = turn(&visit, String::new(), &note, None).render()?;
    let page = frame(&site, &visit, turn).await?;
    // Staff go on being who they are; a browser gets another name with its next page.
    let jar = CookieJar::new();
    let jar = if visit.member.is_none() {
        jar.add(forget_visitor(&site))
    } else {
        jar
    };
    Ok((jar, page).into_response())
}

#[derive(Deserialize)]
pub(super) struct Article {
    #[serde(default)]
    law: String,
    #[serde(default)]
    article: String,
}

#[derive(Template)]
#[template(path = "law.html", config = "src/web/askama.toml")]
struct LawPage {
    page: Page,
    reply: ReplyView,
    csrf: String,
    previous: Option<String>,
    next: Option<String>,
}

/// `GET /law`: an article's official text.
pub(super) async fn law(
    site: Site,
    visit: Visit,
    Query(wanted): Query<Article>,
) -> Result<Response, WebError> {
    let article = ArticleRef {
        law: wanted.law,
        label: wanted.article,
    };
    let Some(reply) = site.desk.article(&article) else {
        return Err(WebError::NotFound);
    };
    show(&LawPage {
        page: Page::new(&site, &visit, format!("《{}》", article.law), "/ask").await?,
        reply: ReplyView::read_only(&reply),
        csrf: visit.form_token.clone(),
        previous: reply.neighbours.previous.as_ref().map(law_link),
        next: reply.neighbours.next.as_ref().map(law_link),
    })
}
