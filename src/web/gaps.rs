//! 知识缺口: what residents asked and the library could not answer well, gathered by meaning.

use std::collections::HashMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Deserialize;

use super::error::WebError;
use super::gate::Visit;
use super::labels;
use super::page::{Choice, Page, show};
use super::period;
use super::site::{Site, slow};
use crate::insight::{
    ClosedLoop, FEWEST_ASKERS, Gap, Period, SAME_MEANING, Share, Worded, closed_loops, gaps,
    gather_words,
};
use crate::journal::{Role, RowId, local_day};
use crate::knowledge::{EntryId, Library};

/// Gaps listed, of many askers and of few: the largest.
const LISTED: usize = 60;
/// Phrasings shown of a gap.
const EXAMPLES: usize = 3;
/// From this cosine on an entry may be what was meant: below, people who ask the same have often meant another one.
const NEAR: f64 = 0.6;
/// Below this likeness an entry is not named at all: it is about something else.
const FAR: f64 = 0.4;
/// Words are not kept for longer than this by anybody.
const ALL_DAYS: u64 = 3650;

/// A gap as the page shows it.
struct View {
    /// Empty for 其他.
    topic: String,
    /// Rows of the log with their redacted words.
    examples: Vec<(RowId, String)>,
    questions: u64,
    askers: u64,
    reasons: String,
    nearest: Option<Nearest>,
    since: String,
    latest: String,
    /// What names it in an address.
    query: String,
}

struct Nearest {
    id: String,
    question: String,
    /// The cosine, in percent.
    likeness: String,
    /// Whether it is so near that a phrasing more may do.
    near: bool,
    /// When it was written, if that was after questions of this gap came in.
    written: Option<String>,
}

/// A new entry and what became of such questions.
struct LoopView {
    id: String,
    question: String,
    since: String,
    before: String,
    after: String,
    verdict: &'static str,
}

#[derive(Template)]
#[template(path = "gaps.html", config = "src/web/askama.toml")]
struct GapsPage {
    page: Page,
    periods: Vec<Choice>,
    /// Of at least five askers, and of so few that their words must not leave the office.
    gaps: Vec<View>,
    caption: String,
    few: Vec<View>,
    few_caption: String,
    /// Those for which an entry was written since.
    written: Vec<View>,
    written_caption: String,
    loops: Vec<LoopView>,
    may_write: bool,
    retention: u32,
}

/// The period of gaps, as the address holds it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    period: String,
}

impl Asked {
    fn days(&self, today: NaiveDate) -> Period {
        let asked = period::Period::read(&self.period, "", "", today);
        let first = asked
            .first
            .or_else(|| today.checked_sub_days(Days::new(ALL_DAYS)));
        Period::new(first.unwrap_or(today), today)
    }
}

/// The gaps of a period, with the questions they are made of.
struct Found {
    gaps: Vec<Gap>,
    loops: Vec<ClosedLoop>,
    words: HashMap<RowId, String>,
}

impl Found {
    /// The new entry that says what a gap asks, written since it was first asked.
    fn closes(&self, gap: &Gap) -> Option<&ClosedLoop> {
        let (id, _) = gap.nearest.as_ref().filter(|(_, l)| *l >= SAME_MEANING)?;
        let new = self.loops.iter().find(|l| l.entry == *id);
        new.filter(|l| local_day(l.since) >= gap.since)
    }
}

async fn found(site: &Site, period: Period) -> Result<Found, WebError> {
    let material = gather_words(&site.journal, period).await?;
    let meanings = site.meanings.library(&site.desk.library()).await?;
    slow(move || {
        let new: Vec<(EntryId, DateTime<Utc>)> = material
            .new_entries
            .into_iter()
            .filter(|(_, at)| period.contains(local_day(*at)))
            .collect();
        let loops = closed_loops(&material.worded, &meanings, &new);
        let gaps = gaps(&material.worded, &meanings);
        let word = |q: Worded| (q.fact.id, q.text);
        Found {
            gaps,
            loops,
            words: material.worded.into_iter().map(word).collect(),
        }
    })
    .await
}

/// The different words of a gap, those nearest to its middle first.
fn ways<'a>(gap: &Gap, words: &'a HashMap<RowId, String>) -> Vec<(RowId, &'a str)> {
    let mut out: Vec<(RowId, &str)> = Vec::new();
    for id in &gap.members {
        if let Some(text) = words.get(id)
            && !out.iter().any(|(_, known)| known == text)
        {
            out.push((*id, text));
        }
    }
    out
}

/// The gap that holds a question, to write an entry from: its topic and its redacted words. `None`
/// when the question is in no gap any more.
pub(super) async fn gap_of(
    site: &Site,
    question: RowId,
) -> Result<Option<(Option<String>, Vec<String>)>, WebError> {
    let all = Asked {
        period: "all".to_owned(),
    };
    let found = found(site, all.days(local_day(Utc::now()))).await?;
    let gap = found
        .gaps
        .iter()
        .find(|gap| gap.members.contains(&question));
    Ok(gap.map(|gap| {
        let ways = ways(gap, &found.words).into_iter();
        (
            gap.topic.clone(),
            ways.map(|(_, text)| text.to_owned()).collect(),
        )
    }))
}

fn view(gap: &Gap, found: &Found, library: &Library) -> View {
    let reasons = gap.reasons.iter();
    let reasons: Vec<String> = reasons
        .map(|(r, n)| format!("{} {n} 次", r.name()))
        .collect();
    let near = gap.nearest.as_ref();
    let nearest = near.filter(|(_, likeness)| *likeness >= FAR);
    let written = found.closes(gap);
    let nearest = nearest.and_then(|(id, likeness)| {
        Some(Nearest {
            id: id.0.clone(),
            question: library.entry(id)?.question.clone(),
            likeness: format!("{:.0}%", likeness * 100.0),
            near: *likeness >= NEAR,
            written: written.map(|l| local_day(l.since).to_string()),
        })
    });
    let examples = ways(gap, &found.words).into_iter().take(EXAMPLES);
    View {
        topic: labels::topic(library, gap.topic.as_deref()),
        examples: examples.map(|(id, text)| (id, text.to_owned())).collect(),
        questions: gap.questions,
        askers: gap.askers,
        reasons: reasons.join("，"),
        nearest,
        since: gap.since.to_string(),
        latest: gap.latest.to_string(),
        query: gap
            .members
            .first()
            .map_or(String::new(), |id| format!("gap={id}")),
    }
}

fn loop_view(closed: &ClosedLoop, library: &Library) -> LoopView {
    let share = |share: &Share| match share.out_of {
        0 => "没有人问".to_owned(),
        of => format!("{of} 次里答上 {} 次", share.of),
    };
    LoopView {
        id: closed.entry.0.clone(),
        question: labels::entry(library, &closed.entry.0),
        since: labels::time(closed.since),
        before: share(&closed.before),
        after: share(&closed.after),
        verdict: match closed.closed {
            Some(true) => "补上了",
            Some(false) => "还没有补上",
            None => "问的人还不到 5 个，先不下结论",
        },
    }
}

/// `GET /gaps`
pub(super) async fn page(
    site: Site,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let found = found(&site, asked.days(local_day(Utc::now()))).await?;
    let library = site.desk.library();
    let (written, open): (Vec<&Gap>, Vec<&Gap>) = found
        .gaps
        .iter()
        .partition(|gap| found.closes(gap).is_some());
    let (many, few): (Vec<&Gap>, Vec<&Gap>) = open.into_iter().partition(|g| g.shows_counts());
    let listed = |n: usize| match n {
        n if n > LISTED => format!("{n} 组，列出前 {LISTED} 组"),
        n => format!("{n} 组"),
    };
    let views = |gaps: &[&Gap]| -> Vec<View> {
        let gaps = gaps.iter().take(LISTED);
        gaps.map(|gap| view(gap, &found, &library)).collect()
    };
    show(&GapsPage {
        page: Page::new(&site, &visit, "知识缺口", "/gaps").await?,
        periods: period::presets(Some(&asked.period)),
        gaps: views(&many),
        caption: format!(
            "至少 {FEWEST_ASKERS} 个人问的有 {}，问的人多的在前。",
            listed(many.len())
        ),
        few: views(&few),
        few_caption: format!("不到 {FEWEST_ASKERS} 个人问的还有 {}", listed(few.len())),
        written: views(&written),
        written_caption: format!("已经补上问答的 {}，等下次有人问到", listed(written.len())),
        loops: found.loops.iter().map(|l| loop_view(l, &library)).collect(),
        may_write: visit.may(Role::Reviewer),
        retention: site.desk.retention_days().unwrap_or(0),
    })
}
