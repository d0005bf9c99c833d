//! One question: what was asked, what was replied and why, what would be replied now, and its review.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::page::{Choice, Page, show};
use super::super::reply::ReplyView;
use super::super::site::Site;
use super::filter::Asked;
use super::review::{MAX_NOTE, Walk, told, walk};
use super::words_of;
use crate::answer::{Reply, ReplyKind, Thresholds};
use crate::journal::{LoggedQuestion, Mark, Outcome, Review, Role, redact};
use crate::knowledge::{EntryId, Library};

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
    /// What the program saw in the words, line by line; empty without words.
    evidence: String,
    /// The entry that was shown.
    entry: Option<String>,
    /// The reply as it was sent.
    sent: Option<String>,
    shown: Option<ReplyView>,
    shown_note: String,
    now: Option<ReplyView>,
    parent: Option<i64>,
    form: Option<ReviewForm>,
    /// Who reviewed it and when, and what they said.
    reviewed: Option<(String, Vec<(&'static str, String)>)>,
    walk: Option<Walk>,
    list: String,
}

/// The review as the form shows it.
struct ReviewForm {
    action: String,
    topic: String,
    topics: Vec<(String, Vec<Choice>)>,
    outcomes: Vec<Choice>,
    staff_test: bool,
    note: String,
    max: usize,
    /// Value, label, key, and whether it is what was said before.
    marks: Vec<(&'static str, &'static str, &'static str, bool)>,
}

/// What was just done.
#[derive(Deserialize)]
pub(in super::super) struct Saved {
    #[serde(default)]
    saved: String,
}

/// `GET /questions/{id}`
pub(in super::super) async fn one(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Query(Saved { saved }): Query<Saved>,
) -> Result<Response, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    let row = site.log.find(id).await?.ok_or(WebError::NotFound)?;
    let library = site.desk.library();
    let (words, said) = words_of(&row, &library);
    let may_review = visit.may(Role::Reviewer) && row.parent.is_none();
    let walk = if may_review {
        walk(&site, &asked, &row).await?
    } else {
        None
    };
    let replies = replies(&site, &row, site.log.reply(row.id).await?);
    let mut then = reason(&row);
    if let Some(entry) = &row.entry {
        then = format!("当时答的是“{}”。{then}", labels::entry(&library, entry));
    }
    let page = Page::new(&site, &visit, "一条提问", "/questions").await?;
    let page = match saved.as_str() {
        "" => page,
        word => {
            let said = Mark::parse(word).map_or("对", Mark::name);
            let which = if walk.is_some() {
                "上一条已存："
            } else {
                "已存："
            };
            page.done(format!("{which}{said}。"))
        }
    };
    let region = row.region.as_deref().unwrap_or_default();
    let list = match asked.query() {
        query if query.is_empty() => "/questions".to_owned(),
        query => format!("/questions?{query}"),
    };
    show(&DetailPage {
        page,
        words,
        said,
        facts: facts(&row, site.config().regions.name_of(region), &library),
        then,
        evidence: replies.evidence,
        entry: row.entry.clone().filter(|id| {
            visit.may(Role::Reviewer) && library.entry(&EntryId(id.clone())).is_some()
        }),
        sent: replies.sent,
        shown: replies.shown.map(|reply| ReplyView::read_only(&reply)),
        shown_note: replies.shown_note.to_owned(),
        now: replies.now.map(|reply| ReplyView::read_only(&reply)),
        parent: row.parent,
        form: may_review.then(|| form(&row, &library, walk.as_ref())),
        reviewed: row.review.as_ref().map(|review| said_of(review, &library)),
        walk,
        list,
    })
}

fn facts(row: &LoggedQuestion, region: &str, library: &Library) -> Vec<(&'static str, String)> {
    let mut topic = labels::topic(library, row.topic.as_deref());
    if !topic.is_empty() && !row.topic_counts() {
        topic.push_str("（不够准，统计里算“其他”）");
    }
    let mut facts = vec![
        ("时间", labels::time(row.at)),
        ("渠道", labels::channel(&row.channel)),
        ("场所", labels::place(library, row.place.as_deref())),
        ("主题", topic),
        ("村(社区)", region.to_owned()),
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
        facts.push(("选了", labels::entry(library, picked)));
    }
    if row.handed_over {
        facts.push(("找人问", "是".to_owned()));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn form(row: &LoggedQuestion, library: &Library, walk: Option<&Walk>) -> ReviewForm {
    let before = row.review.as_ref();
    let topic = before.and_then(|r| r.topic.as_deref()).unwrap_or_default();
    let outcome = before.and_then(|r| r.outcome);
    let mark = before.map(|r| r.mark.map_or("ok", Mark::as_str));
    let automatic = Outcome::of(&row.kind, row.picked.is_some(), row.handed_over);
    let keep = automatic.map_or("不改（不算提问）".to_owned(), |o| {
        format!("不改（{}）", o.name())
    });
    let first = Choice {
        value: String::new(),
        label: keep,
        chosen: outcome.is_none(),
    };
    let others = Outcome::ALL.into_iter().map(|o| Choice {
        value: o.as_str().to_owned(),
        label: o.name().to_owned(),
        chosen: outcome == Some(o),
    });
    let marks = [
        ("ok", "对", "1"),
        (Mark::Wrong.as_str(), Mark::Wrong.name(), "2"),
        (Mark::Incomplete.as_str(), Mark::Incomplete.name(), "3"),
        (Mark::Improper.as_str(), Mark::Improper.name(), "4"),
    ];
    let query = walk.map_or(String::new(), |walk| format!("?{}", walk.query));
    let named = labels::topic(library, row.topic.as_deref());
    ReviewForm {
        action: format!("/questions/{}/review{query}", row.id),
        topic: match (named.as_str(), row.topic_counts()) {
            ("", _) | (_, false) => "不改（其他）".to_owned(),
            (name, true) => format!("不改（{name}）"),
        },
        topics: labels::topic_groups(library, topic),
        outcomes: std::iter::once(first).chain(others).collect(),
        staff_test: before.is_some_and(|r| r.staff_test),
        note: before.and_then(|r| r.note.clone()).unwrap_or_default(),
        max: MAX_NOTE,
        marks: marks
            .into_iter()
            .map(|(value, label, key)| (value, label, key, mark == Some(value)))
            .collect(),
    }
}

/// Who said it and when; what they said.
fn said_of(review: &Review, library: &Library) -> (String, Vec<(&'static str, String)>) {
    let who = format!("{}，{}", review.reviewer, labels::time(review.reviewed));
    let mut said = vec![("结论", told(review).to_owned())];
    if let Some(topic) = &review.topic {
        said.push(("主题改为", labels::topic(library, Some(topic))));
    }
    if let Some(outcome) = review.outcome {
        said.push(("结果改为", outcome.name().to_owned()));
    }
    if let Some(note) = &review.note {
        said.push(("备注", note.clone()));
    }
    (who, said)
}

/// What was shown, and what would be shown now when that is something else.
#[derive(Default)]
struct Replies {
    /// As it was sent.
    sent: Option<String>,
    /// The entry of then as it is now, when the reply itself is not kept.
    shown: Option<Reply>,
    shown_note: &'static str,
    now: Option<Reply>,
    evidence: String,
}

/// The reply itself is kept as long as the words; after that, an answer is made again from its entry.
fn replies(site: &Site, row: &LoggedQuestion, sent: Option<String>) -> Replies {
    let mut out = Replies::default();
    if let Some(text) = &row.text
        && let Some((reply, evidence)) = site.desk.rehearse(text)
    {
        out.evidence = evidence;
        let same = sent
            .as_ref()
            .is_some_and(|sent| *sent == redact(&reply.text()));
        out.now = (!same).then_some(reply);
    }
    if sent.is_some() {
        out.sent = sent;
        return out;
    }
    let entry = row.entry.clone().map(EntryId);
    match entry.and_then(|entry| site.desk.preview(&entry)) {
        Some(reply) => {
            out.shown = Some(reply);
            out.shown_note =
                "当时的答复没有留着（过了保留期，或者没有存过）：这是那一条现在的样子。";
        }
        None => out.shown_note = not_kept(&row.kind),
    }
    out
}

/// What was said when no entry was shown and the reply's own words are gone.
fn not_kept(kind: &str) -> &'static str {
    match kind {
        "unknown" => "当时老实说了资料库里没有，说了相近的主题和找谁问。",
        "choices" => "当时给了最像的几条让居民选；是哪几条已经到期删掉。",
        "statute" => "当时给的是法条原文；是哪几条已经到期删掉。",
        "emergency" => "当时先说了怎么脱险、打什么电话。",
        "refuse" => "当时没有帮这个忙，说了合法的路。",
        "smalltalk" => "当时当成闲聊或别的领域，没有查资料。",
        _ => "当时那一条已经不在资料库里了。",
    }
}

/// Why it was decided like that.
fn reason(row: &LoggedQuestion) -> String {
    let limits = Thresholds::default();
    let sure = row.confidence * 100.0;
    let percent = |x: f64| x * 100.0;
    let searched = [ReplyKind::Answer, ReplyKind::Choices];
    let searched = searched.iter().any(|kind| kind.as_str() == row.kind);
    if let Some(rule) = row.rule.as_ref().filter(|_| !searched) {
        return format!(
            "安全闸先认出来是“{}”，没有检索（规则 {rule}，在 risk.toml）。",
            labels::kind(&row.kind)
        );
    }
    if row.rule.is_some() {
        return format!("可能有危险，答复前先提醒了。把握 {sure:.0}%。");
    }
    match row.kind.as_str() {
        kind if kind == ReplyKind::Answer.as_str() && row.parent.is_some() => {
            "居民自己点开的。".to_owned()
        }
        kind if kind == ReplyKind::Answer.as_str() && row.confidence < limits.answer => {
            format!("这一句是接着上一句问的，按上一件事答；把握 {sure:.0}%。")
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
