//! One activity: what was done, and whether it changed what is asked.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{NaiveDate, Utc};
use serde::Deserialize;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::page::{Page, show};
use super::super::site::Site;
use super::{days_of, names, number, places_of, regions_of, state_of, topics_of};
use crate::insight::effect::WINDOW;
use crate::insight::{self, CloseUp, EffectCounts, FEWEST_ASKERS, Part, Period, Span, close_up};
use crate::journal::{Activity, Role, local_day};
use crate::ledger::{Column, cells};

/// Units of the picture a day is wide, and left free on both sides of a bar.
const DAY: u32 = 10;
const GAP: u32 = 4;
/// Units it is high.
const HEIGHT: u32 = 100;

/// A bar of the picture of weeks.
struct Bar {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// `before` or `after`.
    part: &'static str,
}

/// Questions of a week of a window, or of the activity's own days.
struct Week {
    days: String,
    part: &'static str,
    /// `None` when it is not told.
    count: Option<u64>,
}

/// The picture of the weeks around the activity.
struct Picture {
    width: u32,
    bars: Vec<Bar>,
    /// Where the activity's own days stand.
    from: u32,
    to: u32,
    most: u64,
    before: String,
    during: String,
    after: String,
    spoken: String,
    weeks: Vec<Week>,
}

/// What is said of the effect.
struct Shown {
    sentence: String,
    verdict: &'static str,
    counts: Option<EffectCounts>,
    /// Whether the journal holds the days before, and some after.
    covered: bool,
    /// `1.52`, and `1.10 到 2.10`.
    ratio: Option<(String, String)>,
    whole: bool,
    picture: Option<Picture>,
}

#[derive(Template)]
#[template(path = "activity.html", config = "src/web/askama.toml")]
struct OnePage {
    page: Page,
    tab: &'static str,
    id: i64,
    state: &'static str,
    facts: Vec<(String, String)>,
    boards: Vec<(String, String)>,
    effect: Option<Shown>,
    no_topic: bool,
    window: u64,
    fewest: u64,
    may_write: bool,
}

#[derive(Deserialize)]
pub(in super::super) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /activities/{id}`
pub(in super::super) async fn one(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let id = number(&id)?;
    let all = site.ledger.all().await?;
    let held = all.iter().find(|e| e.id == id).ok_or(WebError::NotFound)?;
    let activity = &held.activity;
    let (now, library, config) = (Utc::now(), site.desk.library(), site.config());
    let today = local_day(now);
    let no_topic = activity.topics.is_empty();
    // What has not begun has no effect, and without a topic there is nothing to count.
    let effect = if no_topic || activity.from > today {
        None
    } else {
        let all: Vec<insight::Activity> = all.iter().map(insight::Activity::of).collect();
        let about = insight::Activity::of(held);
        // Rolls up what is due with the patience of a page.
        site.figures.held(now).await?;
        let close = close_up(&site.journal, &about, &all, &library, now).await?;
        Some(shown(&about, close, today))
    };
    let boards = site.boards.all().await?.into_iter();
    let boards = boards
        .filter(|board| board.about.activity == Some(id))
        .map(|board| (board.code, board.about.name))
        .collect();
    let page = Page::new(&site, &visit, activity.title.clone(), "/activities").await?;
    let page = match done.done.as_str() {
        "added" => page.done("已记进台账。"),
        "changed" => page.done("已改好。"),
        _ => page,
    };
    show(&OnePage {
        page,
        tab: "",
        id,
        state: state_of(activity, today),
        facts: facts(activity, &site, &config.regions),
        boards,
        effect,
        no_topic,
        window: WINDOW,
        fewest: FEWEST_ASKERS,
        may_write: visit.may(Role::Reviewer),
    })
}

fn facts(
    activity: &Activity,
    site: &Site,
    regions: &crate::ledger::Regions,
) -> Vec<(String, String)> {
    let library = site.desk.library();
    let mut cells = cells(activity, &library, regions);
    let mut take = |column: Column| {
        (
            column.to_string(),
            cells.remove(&column).unwrap_or_default(),
        )
    };
    let named = |column: Column, all: String| (column.to_string(), all);
    let all = [
        ("日期".to_owned(), days_of(activity.from, activity.to)),
        named(
            Column::Media,
            names(&activity.media, |m| m.name().to_owned()),
        ),
        named(Column::Topics, topics_of(activity, &library)),
        named(Column::Places, places_of(activity, &library)),
        named(Column::Regions, regions_of(activity, regions)),
        take(Column::Venue),
        take(Column::Unit),
        take(Column::Person),
        take(Column::Attendance),
        take(Column::Materials),
        take(Column::Note),
        take(Column::Attachments),
    ];
    let written = all.into_iter().filter(|(_, value)| !value.is_empty());
    written.collect()
}

fn shown(activity: &insight::Activity, close: CloseUp, today: NaiveDate) -> Shown {
    let CloseUp {
        held,
        effect,
        weeks,
    } = close;
    // Counts of days that the journal does not hold would be no zeros.
    let covered = held.is_some_and(|held| {
        held.from <= activity.window_before().from && held.to >= activity.window_after().from
    });
    let ratio = effect
        .ratio
        .filter(|r| r.ratio.is_finite() && r.high.is_finite())
        .map(|r| {
            let interval = format!("{:.2} 到 {:.2}", r.low, r.high);
            (format!("{:.2}", r.ratio), interval)
        });
    Shown {
        verdict: effect.verdict.name(),
        whole: activity.window_after().to < today,
        ratio,
        counts: effect.counts.filter(|_| covered),
        covered,
        sentence: effect.sentence,
        picture: picture(activity, &weeks).filter(|_| covered),
    }
}

fn class_of(part: Part) -> &'static str {
    match part {
        Part::Before => "before",
        Part::During => "during",
        Part::After => "after",
    }
}

/// `None` when no week may be told.
fn picture(activity: &insight::Activity, spans: &[Span]) -> Option<Picture> {
    let windows = || spans.iter().filter(|span| span.part != Part::During);
    let most = windows().filter_map(|span| span.questions).max();
    let most = most.filter(|n| *n > 0)?;
    let (before, after) = (activity.window_before(), activity.window_after());
    // An activity lasts a year at most.
    let at = |day: NaiveDate| u32::try_from((day - before.from).num_days()).unwrap_or(0) * DAY;
    let bars = windows().filter_map(|span| {
        let count = span.questions.filter(|n| *n > 0)?;
        let height = (count * u64::from(HEIGHT)).div_ceil(most);
        let height = u32::try_from(height).unwrap_or(HEIGHT);
        let (from, to) = (at(span.days.from), at(span.days.to) + DAY);
        Some(Bar {
            x: from + GAP,
            y: HEIGHT - height,
            width: (to - from).saturating_sub(2 * GAP),
            height,
            part: class_of(span.part),
        })
    });
    let told = |period: Period| {
        let day = |day: NaiveDate| day.format("%m-%d").to_string();
        match period.days() {
            1 => day(period.from),
            _ => format!("{} 至 {}", day(period.from), day(period.to)),
        }
    };
    let weeks = spans.iter().map(|span| Week {
        days: told(span.days),
        part: class_of(span.part),
        count: span.questions,
    });
    let weeks: Vec<Week> = weeks.collect();
    let spoken = weeks.iter().filter(|week| week.part != "during");
    let spoken = spoken.filter_map(|week| Some(format!("{} {} 次", week.days, week.count?)));
    let spoken: Vec<String> = spoken.collect();
    Some(Picture {
        width: at(after.to) + DAY,
        bars: bars.collect(),
        from: at(activity.from),
        to: at(activity.to) + DAY,
        most,
        before: told(before),
        during: told(Period::new(activity.from, activity.to)),
        after: told(after),
        spoken: format!("活动前后每周的提问：{}。", spoken.join("，")),
        weeks,
    })
}

/// `POST /activities/{id}/delete`
pub(in super::super) async fn remove(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = number(&id)?;
    let gone = site.ledger.get(id).await?;
    site.ledger.remove(id).await?;
    let what = format!(
        "第 {id} 号“{}”（{}）",
        gone.title,
        days_of(gone.from, gone.to)
    );
    site.noted(&visit, "删台账", &what).await?;
    Ok(Redirect::to("/activities?done=removed").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_their_weeks_and_hidden_ones_are_none() {
        let activity = insight::Activity {
            id: 1,
            title: "下乡".into(),
            from: "2026-06-10".parse().unwrap(),
            to: "2026-06-11".parse().unwrap(),
            places: Vec::new(),
            topics: Vec::new(),
            regions: Vec::new(),
        };
        let own = Period::new(activity.from, activity.to);
        let span = |days, part, questions| Span {
            days,
            part,
            questions,
        };
        let week = |window: Period| {
            let to = window.from + chrono::Days::new(6);
            Period::new(window.from, to)
        };
        let mut spans = vec![
            span(week(activity.window_before()), Part::Before, Some(8)),
            span(own, Part::During, None),
            span(week(activity.window_after()), Part::After, Some(16)),
        ];
        let shown = picture(&activity, &spans).unwrap();
        assert_eq!(shown.width, 58 * DAY);
        assert_eq!((shown.from, shown.to), (28 * DAY, 30 * DAY));
        let bars: Vec<_> = shown
            .bars
            .iter()
            .map(|b| (b.x, b.width, b.height))
            .collect();
        let width = 7 * DAY - 2 * GAP;
        assert_eq!(bars, [(GAP, width, 50), (30 * DAY + GAP, width, 100)]);
        assert_eq!(shown.weeks[1].days, "06-10 至 06-11");
        assert_eq!(shown.weeks[1].count, None);
        for span in &mut spans {
            span.questions = None;
        }
        assert!(picture(&activity, &spans).is_none());
    }
}
