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
use crate::insight::{self, CloseUp, EffectCounts, FEWEST_ASKERS, Period, close_up};
use crate::journal::{Activity, Role, local_day};
use crate::ledger::{Column, cells};

/// Units of the picture a day is wide; a bar leaves the rest free.
const DAY: u32 = 10;
const BAR: u32 = 8;
/// Units it is high.
const HEIGHT: u32 = 100;

/// A bar of the picture of days.
struct Bar {
    x: u32,
    y: u32,
    height: u32,
    /// `before`, `during` or `after`.
    part: &'static str,
}

/// Questions of a week of a window, or of the activity's own days.
struct Week {
    days: String,
    part: &'static str,
    count: u64,
}

/// The picture of the days around the activity.
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
    let CloseUp { held, effect, days } = close;
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
        picture: picture(activity, &days).filter(|_| covered),
    }
}

fn part_of(activity: &insight::Activity, day: NaiveDate) -> &'static str {
    if day < activity.from {
        "before"
    } else if day > activity.to {
        "after"
    } else {
        "during"
    }
}

fn picture(activity: &insight::Activity, days: &[(NaiveDate, u64)]) -> Option<Picture> {
    let most = days
        .iter()
        .map(|(_, count)| *count)
        .max()
        .filter(|n| *n > 0)?;
    let (before, after) = (activity.window_before(), activity.window_after());
    // An activity lasts a year at most.
    let at = |day: NaiveDate| u32::try_from((day - before.from).num_days()).unwrap_or(0) * DAY;
    let bars = days.iter().filter(|(_, count)| *count > 0);
    let bars = bars.map(|(day, count)| {
        let height = (count * u64::from(HEIGHT)).div_ceil(most);
        let height = u32::try_from(height).unwrap_or(HEIGHT);
        Bar {
            x: at(*day) + (DAY - BAR) / 2,
            y: HEIGHT - height,
            height,
            part: part_of(activity, *day),
        }
    });
    let span = |period: Period| {
        let day = |day: NaiveDate| day.format("%m-%d").to_string();
        match period.days() {
            1 => day(period.from),
            _ => format!("{} 至 {}", day(period.from), day(period.to)),
        }
    };
    let own = Period::new(activity.from, activity.to);
    let weeks = weeks(activity, days, span);
    let told: Vec<String> = weeks
        .iter()
        .map(|week| format!("{} {} 次", week.days, week.count))
        .collect();
    Some(Picture {
        width: at(after.to) + DAY,
        bars: bars.collect(),
        from: at(activity.from),
        to: at(activity.to) + DAY,
        most,
        before: span(before),
        during: span(own),
        after: span(after),
        spoken: format!("活动前后每天的提问。按周：{}。", told.join("，")),
        weeks,
    })
}

/// Sums by week of both windows, and one for the days of the activity.
fn weeks(
    activity: &insight::Activity,
    days: &[(NaiveDate, u64)],
    span: impl Fn(Period) -> String,
) -> Vec<Week> {
    let mut weeks: Vec<(Period, Week)> = Vec::new();
    for (day, count) in days {
        let part = part_of(activity, *day);
        let first = match part {
            "before" => activity.window_before().from,
            "after" => activity.window_after().from,
            _ => activity.from,
        };
        let begins = weeks.last().is_none_or(|(_, last)| last.part != part)
            || part != "during" && (*day - first).num_days() % 7 == 0;
        if begins {
            let empty = Week {
                days: String::new(),
                part,
                count: 0,
            };
            weeks.push((Period::new(*day, *day), empty));
        }
        if let Some((period, week)) = weeks.last_mut() {
            *period = Period::new(period.from, *day);
            week.count += count;
        }
    }
    let told = weeks.into_iter().map(|(period, week)| Week {
        days: span(period),
        ..week
    });
    told.collect()
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
    fn bars_stand_on_their_days_and_weeks_add_up() {
        let activity = insight::Activity {
            id: 1,
            title: "下乡".into(),
            from: "2026-06-10".parse().unwrap(),
            to: "2026-06-11".parse().unwrap(),
            places: Vec::new(),
            topics: Vec::new(),
            regions: Vec::new(),
        };
        let span = Period::new(activity.window_before().from, activity.window_after().to);
        let days: Vec<(NaiveDate, u64)> = span.iter().map(|day| (day, 1)).collect();
        let picture = picture(&activity, &days).unwrap();
        assert_eq!(picture.width, 58 * DAY);
        assert_eq!((picture.from, picture.to), (28 * DAY, 30 * DAY));
        assert_eq!(picture.bars.len(), 58);
        assert!(picture.bars.iter().all(|bar| bar.height == HEIGHT));
        let counts: Vec<u64> = picture.weeks.iter().map(|week| week.count).collect();
        assert_eq!(counts, [7, 7, 7, 7, 2, 7, 7, 7, 7]);
        assert_eq!(picture.weeks[4].days, "06-10 至 06-11");
        assert!(super::picture(&activity, &[(activity.from, 0)]).is_none());
    }
}
