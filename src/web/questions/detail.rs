//! One question: what was asked, what was replied, what would be replied now, and why.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::page::{Page, show};
use super::super::reply::ReplyView;
use super::super::site::Site;
use super::words_of;
use crate::answer::{Reply, ReplyKind, Thresholds};
use crate::journal::LoggedQuestion;
use crate::knowledge::EntryId;

#[derive(Template)]
#[template(path = "question.html", config = "src/web/askama.toml")]
struct DetailPage {
    page: Page,
    words: String,
    said: bool,
    /// Label and value.
    facts: Vec<(&'static str, String)>,
    /// What was decided then, and why.
    then: String,
    now: Option<ReplyView>,
    now_note: String,
    parent: Option<i64>,
}

/// `GET /questions/{id}`
pub(in super::super) async fn one(
    State(site): State<Site>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    let row = site.log.find(id).await?.ok_or(WebError::NotFound)?;
    let library = site.desk.library();
    let (words, said) = words_of(&row, &library);
    let (reply, now_note) = now(&site, &row);
    let mut facts = vec![
        ("时间", labels::time(row.at)),
        ("渠道", labels::channel(&row.channel)),
        ("场所", labels::place(&library, row.place.as_deref())),
        ("主题", labels::topic(&library, row.topic.as_deref())),
        ("村(社区)", row.region.clone().unwrap_or_default()),
        ("宣传点", row.board.clone().unwrap_or_default()),
        ("结果", labels::kind(&row.kind)),
        ("把握", format!("{:.0}%", row.confidence * 100.0)),
        (
            "用时",
            format!("{:.1} 毫秒", row.latency_us as f64 / 1000.0),
        ),
    ];
    if let Some(helpful) = row.helpful {
        facts.push((
            "评价",
            if helpful {
                "👍 有用"
            } else {
                "👎 没用"
            }
            .to_owned(),
        ));
    }
    if let Some(picked) = &row.picked {
        facts.push(("选了", labels::entry(&library, picked)));
    }
    if row.handed_over {
        facts.push(("找人问", "是".to_owned()));
    }
    facts.retain(|(_, value)| !value.is_empty());
    let mut then = reason(&row);
    if let Some(entry) = &row.entry {
        then = format!("当时答的是“{}”。{then}", labels::entry(&library, entry));
    }
    show(&DetailPage {
        page: Page::new(&site, &visit, "一条提问", "/questions").await?,
        words,
        said,
        facts,
        then,
        now: reply.map(|reply| ReplyView::read_only(&reply)),
        now_note,
        parent: row.parent,
    })
}

/// What would be replied now, with a word on what it was made from.
fn now(site: &Site, row: &LoggedQuestion) -> (Option<Reply>, String) {
    if let Some(text) = &row.text
        && let Some(reply) = site.desk.rehearse(text)
    {
        let same = reply.entry.as_ref().map(|e| &e.0) == row.entry.as_ref()
            && reply.kind.as_str() == row.kind;
        let note = if same {
            "现在再问，结果和当时一样。"
        } else {
            "现在再问，结果和当时不一样：资料库改过，或打码盖住了有用的字。"
        };
        return (Some(reply), note.to_owned());
    }
    let entry = row.entry.clone().map(EntryId);
    match entry.and_then(|entry| site.desk.preview(&entry)) {
        Some(reply) => (Some(reply), "这是当时那一条现在的样子。".to_owned()),
        None => (None, "原话不再保存，看不到现在会怎么答。".to_owned()),
    }
}

/// Why it was decided like that.
fn reason(row: &LoggedQuestion) -> String {
    let limits = Thresholds::default();
    let sure = row.confidence * 100.0;
    let percent = |x: f64| x * 100.0;
    if let Some(rule) = &row.rule {
        return format!("安全闸的规则 {rule} 先认出来了，没有检索（规则在 risk.toml）。");
    }
    match row.kind.as_str() {
        kind if kind == ReplyKind::Answer.as_str() && row.parent.is_some() => {
            "居民自己点开的。".to_owned()
        }
        kind if kind == ReplyKind::Answer.as_str() => {
            format!(
                "把握 {sure:.0}%，达到 {:.0}% 就直接答。",
                percent(limits.answer)
            )
        }
        kind if kind == ReplyKind::Choices.as_str() => format!(
            "把握 {sure:.0}%，不到 {:.0}%，所以请居民在最像的几条里选。",
            percent(limits.answer)
        ),
        kind if kind == ReplyKind::Unknown.as_str() => format!(
            "把握 {sure:.0}%，不到 {:.0}%，所以老实说资料库里没有。",
            percent(limits.choices)
        ),
        kind if kind == ReplyKind::Statute.as_str() => {
            "问的是法条，或没有问答但有相关法条。".to_owned()
        }
        _ => String::new(),
    }
}
