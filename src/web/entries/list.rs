//! The entries of the library, to find one that should be changed.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::page::{Choice, Page, show};
use super::super::site::Site;
use crate::journal::Role;
use crate::knowledge::{Entry, is_own};

/// Rows of a page.
const ROWS: usize = 100;

struct Row {
    id: String,
    question: String,
    topic: String,
    reviewed: String,
    own: bool,
}

#[derive(Template)]
#[template(path = "entries.html", config = "src/web/askama.toml")]
struct ListPage {
    page: Page,
    q: String,
    topics: Vec<(String, Vec<Choice>)>,
    rows: Vec<Row>,
    caption: String,
    may_write: bool,
}

#[derive(Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    topic: String,
}

/// `GET /entries`
pub(in super::super) async fn list(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let library = site.desk.library();
    let q: String = asked.q.trim().chars().take(100).collect();
    let holds = |entry: &Entry| {
        let mut ways = std::iter::once(&entry.question).chain(&entry.phrasings);
        let of_topic = asked.topic.is_empty() || entry.topic == asked.topic;
        of_topic && (q.is_empty() || ways.any(|way| way.contains(&q)))
    };
    let found: Vec<&Entry> = library.entries.iter().filter(|e| holds(e)).collect();
    let mut caption = format!("共 {} 条", found.len());
    if found.len() > ROWS {
        caption.push_str(&format!("，下面是前 {ROWS} 条：写几个字再找"));
    }
    let row = |entry: &&Entry| Row {
        id: entry.id.0.clone(),
        question: entry.question.clone(),
        topic: labels::topic(&library, Some(&entry.topic)),
        reviewed: entry.reviewed.to_string(),
        own: is_own(&entry.origin.file),
    };
    show(&ListPage {
        page: Page::new(&site, &visit, "问答", "/gaps").await?,
        topics: labels::topic_groups(&library, &asked.topic),
        rows: found.iter().take(ROWS).map(row).collect(),
        q,
        caption,
        may_write: visit.may(Role::Reviewer),
    })
}
