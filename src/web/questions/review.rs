//! Reviewing: what staff say about a question, one by one from a filtered list.
//!
//! The rows of a reviewing are known by when it began, which the address bar holds: they are those
//! that nobody had reviewed then. So the third of fifty stays the third while they are reviewed.

use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::site::Site;
use super::filter::Asked;
use crate::journal::{Cursor, LoggedQuestion, Mark, Outcome, Review, local_day};
use crate::knowledge::Library;

/// Positions are counted no further.
const COUNTED: i64 = 1000;
/// The longest note, in characters.
pub(super) const MAX_NOTE: usize = 500;

/// What a review says, in a word.
pub(super) fn told(review: &Review) -> &'static str {
    match (review.staff_test, review.mark) {
        (true, _) => "试问",
        (false, Some(mark)) => mark.name(),
        (false, None) => "对",
    }
}

/// Where a row stands among those that are being reviewed.
pub(super) struct Walk {
    /// `第 3 条，共 50 条`
    pub position: String,
    pub previous: Option<String>,
    /// The next one, without saying anything about this one.
    pub next: Option<String>,
    /// Back to the list.
    pub list: String,
    /// What goes on with it.
    pub query: String,
}

/// The neighbours of `row` in the reviewing that `asked` belongs to; `None` when it belongs to none.
pub(super) async fn walk(
    site: &Site,
    asked: &Asked,
    row: &LoggedQuestion,
) -> Result<Option<Walk>, WebError> {
    let Some(began) = asked.since() else {
        return Ok(None);
    };
    let filter = asked.to_review(local_day(Utc::now()), began);
    let query = asked.reviewing(began);
    let newer = Cursor::NewerThan(row.at, row.id);
    let before = site.log.count_beyond(&filter, Some(newer), COUNTED).await?;
    let all = site.log.count(&filter, COUNTED).await?;
    let link = |found: &[LoggedQuestion]| {
        let id = found.first().map(|row| row.id);
        id.map(|id| format!("/questions/{id}?{query}"))
    };
    let previous = site.log.page(&filter, Some(newer), 1).await?;
    let next = next_after(site, asked, began, row).await?;
    let of = if all >= COUNTED {
        format!("共 {COUNTED} 条以上")
    } else {
        format!("共 {all} 条")
    };
    Ok(Some(Walk {
        position: format!("第 {} 条，{of}", before + 1),
        previous: link(&previous),
        next: next.map(|id| format!("/questions/{id}?{query}")),
        list: format!("/questions?{}", asked.query()),
        query,
    }))
}

async fn next_after(
    site: &Site,
    asked: &Asked,
    began: DateTime<Utc>,
    row: &LoggedQuestion,
) -> Result<Option<i64>, WebError> {
    let filter = asked.to_review(local_day(Utc::now()), began);
    let older = Cursor::OlderThan(row.at, row.id);
    let found = site.log.page(&filter, Some(older), 1).await?;
    Ok(found.first().map(|row| row.id))
}

/// `GET /questions/review`: to the newest row of a filter that nobody reviewed.
pub(in super::super) async fn begin(
    site: Site,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let began = Utc::now();
    let filter = asked.to_review(local_day(Utc::now()), began);
    let first = site.log.page(&filter, None, 1).await?;
    let to = match first.first() {
        Some(row) => format!("/questions/{}?{}", row.id, asked.reviewing(began)),
        None => back_to_list(&asked, "none"),
    };
    Ok(Redirect::to(&to).into_response())
}

fn back_to_list(asked: &Asked, done: &str) -> String {
    let and = if asked.is_default() { "" } else { "&" };
    format!("/questions?{}{and}done={done}", asked.query())
}

/// The form as it is sent; the button that was pressed is the mark.
#[derive(Deserialize)]
pub(in super::super) struct Judged {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    staff_test: String,
    #[serde(default)]
    note: String,
}

impl Judged {
    /// As it is stored; what stays as the program said it is not repeated.
    fn review(self, site: &Site, reviewer: &str) -> Result<Review, WebError> {
        let bad = |text: &str| WebError::Bad(format!("没有存：{text}。"));
        let mark = match self.mark.as_str() {
            "ok" => None,
            word => Some(Mark::parse(word).ok_or_else(|| bad("请按“对”“答错”“需补充”或“不当”"))?),
        };
        let library = site.desk.library();
        let topic = match self.topic.as_str() {
            "" => None,
            id => Some(library.topic(id).filter(|t| !t.is_top())),
        };
        let topic = match topic {
            Some(None) => return Err(bad("没有这个主题")),
            Some(Some(topic)) => Some(topic.id.clone()),
            None => None,
        };
        let outcome = match self.outcome.as_str() {
            "" => None,
            word => Some(Outcome::parse(word).ok_or_else(|| bad("没有这种结果"))?),
        };
        let note = self.note.trim();
        if note.chars().count() > MAX_NOTE {
            return Err(bad("备注太长"));
        }
        Ok(Review {
            topic,
            outcome,
            mark,
            note: (!note.is_empty()).then(|| note.to_owned()),
            staff_test: self.staff_test == "1",
            reviewed: Utc::now(),
            reviewer: reviewer.to_owned(),
        })
    }
}

/// For the audit log: what was said, without words of residents.
fn subject(id: i64, review: &Review, library: &Library) -> String {
    let mut said = vec![format!("编号 {id}：{}", told(review))];
    if let Some(topic) = &review.topic {
        let topic = labels::topic(library, Some(topic));
        said.push(format!("主题 {topic}"));
    }
    if let Some(outcome) = review.outcome {
        said.push(format!("结果 {}", outcome.name()));
    }
    said.join("，")
}

/// `POST /questions/{id}/review`
pub(in super::super) async fn save(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Form(form): Form<Judged>,
) -> Result<Response, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    let row = site.log.find(id).await?.ok_or(WebError::NotFound)?;
    let who = &visit.member()?.name;
    let review = form.review(&site, who)?;
    if !site.journal.set_review(row.id, &review).await? {
        return Err(WebError::NotFound);
    }
    site.audit
        .note(
            who,
            "复核提问",
            &subject(row.id, &review, &site.desk.library()),
        )
        .await?;
    let to = match asked.since() {
        None => format!("/questions/{}?saved={}", row.id, mark_word(&review)),
        Some(began) => match next_after(&site, &asked, began, &row).await? {
            Some(next) => {
                let on = asked.reviewing(began);
                format!("/questions/{next}?{on}&saved={}", mark_word(&review))
            }
            None => back_to_list(&asked, "walked"),
        },
    };
    Ok(Redirect::to(&to).into_response())
}

fn mark_word(review: &Review) -> &'static str {
    review.mark.map_or("ok", Mark::as_str)
}
