//! Writing an activity down: one field for each column of the ledger, judged by the same rules.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use serde::Deserialize;

use super::super::error::WebError;
use super::super::forms::Fields;
use super::super::gate::Visit;
use super::super::page::Choice;
use super::super::page::{Page, show};
use super::super::site::Site;
use super::{number, topic_choices};
use crate::journal::{Activity, ActivityId, JournalError, Medium};
use crate::knowledge::import::sheet::Columns as _;
use crate::ledger::{self, Column};

/// Between several values of one column, as the sheet has them.
const BETWEEN: &str = "｜";
/// Topics that a form has room for before more are asked for.
const TOPICS: usize = 3;

/// The name of a column's field.
fn key(column: Column) -> &'static str {
    match column {
        Column::Title => "title",
        Column::From => "from",
        Column::To => "to",
        Column::Media => "media",
        Column::Topics => "topic",
        Column::Places => "place",
        Column::Regions => "region",
        Column::Venue => "venue",
        Column::Unit => "unit",
        Column::Person => "person",
        Column::Attendance => "attendance",
        Column::Materials => "materials",
        Column::Note => "note",
        Column::Attachments => "attachments",
    }
}

/// Columns of which several are chosen.
fn is_chosen(column: Column) -> bool {
    matches!(
        column,
        Column::Media | Column::Topics | Column::Places | Column::Regions
    )
}

/// What the form holds, column by column.
type Cells = BTreeMap<Column, String>;

fn cells_of(fields: &Fields) -> Cells {
    let cell = |column: Column| match is_chosen(column) {
        true => fields.all(key(column)).collect::<Vec<_>>().join(BETWEEN),
        false => fields.text(key(column)),
    };
    let all = Column::all().into_iter();
    all.map(|column| (column, cell(column))).collect()
}

/// The form's values of a held activity: ids where the form offers choices.
fn cells_of_held(activity: &Activity, site: &Site) -> Cells {
    let mut cells = ledger::cells(activity, &site.desk.library(), &site.config().regions);
    cells.insert(Column::Topics, activity.topics.join(BETWEEN));
    cells.insert(Column::Places, activity.places.join(BETWEEN));
    cells.insert(Column::Regions, activity.regions.join(BETWEEN));
    cells
}

/// The choices of a column; what is held or was sent and is none of them stays and is shown.
fn choices(offered: impl Iterator<Item = (String, String)>, cell: &str) -> Vec<Choice> {
    let mut chosen: Vec<&str> = cell.split(BETWEEN).filter(|c| !c.is_empty()).collect();
    let mut all: Vec<Choice> = offered
        .map(|(value, label)| {
            let held = chosen.iter().position(|c| *c == value);
            Choice {
                chosen: held.map(|at| chosen.remove(at)).is_some(),
                label,
                value,
            }
        })
        .collect();
    all.extend(chosen.into_iter().map(|other| Choice {
        value: other.to_owned(),
        label: format!("{other}（现在没有这一项）"),
        chosen: true,
    }));
    all
}

struct Field {
    key: &'static str,
    label: String,
    hint: &'static str,
    value: String,
    error: String,
}

#[derive(Template)]
#[template(path = "activity_form.html", config = "src/web/askama.toml")]
struct FormPage {
    page: Page,
    tab: &'static str,
    action: String,
    back: String,
    title: Field,
    from: Field,
    to: Field,
    media: Field,
    topic: Field,
    place: Field,
    region: Field,
    venue: Field,
    unit: Field,
    person: Field,
    attendance: Field,
    materials: Field,
    note: Field,
    attachments: Field,
    media_choices: Vec<Choice>,
    place_choices: Vec<Choice>,
    region_choices: Vec<Choice>,
    /// One select each.
    topics: Vec<Vec<Choice>>,
    units: Vec<String>,
}

fn hint(column: Column) -> &'static str {
    match column {
        Column::To => "只做一天就空着",
        Column::Topics => "讲什么；一个也不选，就算不出这次活动的效果",
        Column::Regions => "一个也不选就是面向全镇",
        Column::Venue => "具体在哪里，如：文化广场",
        Column::Unit => "写法要和责任清单一致",
        Column::Person => "只写姓名，不写电话",
        Column::Attendance => "没有数过就空着，不要估",
        Column::Materials => "没有数过就空着",
        Column::Note => "不写居民的姓名、电话、身份证号",
        Column::Attachments => "照片、签到表等的文件名，几个用 ｜ 隔开；文件自己存好",
        Column::Title | Column::From | Column::Media | Column::Places => "",
    }
}

async fn render(
    site: &Site,
    visit: &Visit,
    id: Option<ActivityId>,
    cells: &Cells,
    faults: &[(Column, String)],
) -> Result<Response, WebError> {
    let library = site.desk.library();
    let config = site.config();
    let text = |column: Column| cells.get(&column).map_or("", String::as_str);
    let field = |column: Column| {
        let own = faults.iter().filter(|(at, _)| *at == column);
        let own: Vec<&str> = own.map(|(_, why)| why.as_str()).collect();
        Field {
            key: key(column),
            label: column.to_string(),
            hint: hint(column),
            value: text(column).to_owned(),
            error: own.join("；"),
        }
    };
    let mut chosen: Vec<&str> = text(Column::Topics)
        .split(BETWEEN)
        .filter(|t| !t.is_empty())
        .collect();
    // Always an empty one more, so that there is room without a script.
    chosen.resize((chosen.len() + 1).max(TOPICS), "");
    let topics = chosen.into_iter().map(|now| {
        let mut first = vec![Choice::new("", "（不选）", now)];
        if !now.is_empty() && library.topic(now).is_none() {
            first.push(Choice::new(now, format!("{now}（现在没有这一项）"), now));
        }
        topic_choices(&library, now, first)
    });
    let places = library.places.iter();
    let regions = config.regions.list.iter();
    let media = Medium::ALL.iter();
    let mut units: Vec<String> = site
        .ledger
        .all()
        .await?
        .into_iter()
        .map(|e| e.activity.unit)
        .collect();
    units.sort();
    units.dedup();
    let (title, action, back) = match id {
        None => (
            "记一次活动",
            "/activities".to_owned(),
            "/activities".to_owned(),
        ),
        Some(id) => (
            "改这次活动",
            format!("/activities/{id}"),
            format!("/activities/{id}"),
        ),
    };
    let mut page = Page::new(site, visit, title, "/activities").await?;
    if !faults.is_empty() {
        page = page.failed(format!(
            "有 {} 处不对，没有保存。写的都还在，改好再保存。",
            faults.len()
        ));
    }
    show(&FormPage {
        page,
        tab: "",
        action,
        back,
        title: field(Column::Title),
        from: field(Column::From),
        to: field(Column::To),
        media: field(Column::Media),
        topic: field(Column::Topics),
        place: field(Column::Places),
        region: field(Column::Regions),
        venue: field(Column::Venue),
        unit: field(Column::Unit),
        person: field(Column::Person),
        attendance: field(Column::Attendance),
        materials: field(Column::Materials),
        note: field(Column::Note),
        attachments: field(Column::Attachments),
        media_choices: choices(
            media.map(|m| (m.name().to_owned(), m.name().to_owned())),
            text(Column::Media),
        ),
        place_choices: choices(
            places.map(|p| (p.id.clone(), p.name.clone())),
            text(Column::Places),
        ),
        region_choices: choices(
            regions.map(|r| (r.code.clone(), r.name.clone())),
            text(Column::Regions),
        ),
        topics: topics.collect(),
        units,
    })
}

/// What the calendar hands over.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(in super::super) struct Planned {
    from: String,
    to: String,
    title: String,
    topic: String,
}

/// `GET /activities/new`
pub(in super::super) async fn new(
    site: Site,
    visit: Visit,
    Query(planned): Query<Planned>,
) -> Result<Response, WebError> {
    let cells = Cells::from([
        (Column::Title, planned.title),
        (Column::From, planned.from),
        (Column::To, planned.to),
        (Column::Topics, planned.topic.replace(' ', BETWEEN)),
        (Column::Unit, site.config().office.name.clone()),
    ]);
    render(&site, &visit, None, &cells, &[]).await
}

/// What the rules or the ledger say against the cells; else what was done with the activity.
async fn judged(
    site: &Site,
    cells: &Cells,
    keep: impl AsyncFnOnce(&Activity) -> Result<ActivityId, JournalError>,
) -> Result<Result<(ActivityId, String), Vec<(Column, String)>>, WebError> {
    let cell = |column| cells.get(&column).map_or("", String::as_str);
    let activity = match ledger::read(cell, &site.desk.library(), &site.config().regions) {
        Ok(activity) => activity,
        Err(faults) => return Ok(Err(faults)),
    };
    match keep(&activity).await {
        Ok(id) => Ok(Ok((id, format!("第 {id} 号“{}”", activity.title)))),
        Err(error @ JournalError::ActivityExists(_)) => {
            Ok(Err(vec![(Column::Title, error.to_string())]))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /activities`
pub(in super::super) async fn add(
    site: Site,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let cells = cells_of(&Fields(fields));
    let keep = async |activity: &Activity| {
        let one = std::slice::from_ref(activity);
        let ids = site.ledger.add(one, Utc::now()).await?;
        // One was entered, so there is one number.
        Ok(ids.first().copied().unwrap_or_default())
    };
    match judged(&site, &cells, keep).await? {
        Err(faults) => render(&site, &visit, None, &cells, &faults).await,
        Ok((id, what)) => {
            site.noted(&visit, "记台账", &what).await?;
            Ok(Redirect::to(&format!("/activities/{id}?done=added")).into_response())
        }
    }
}

/// `GET /activities/{id}/edit`
pub(in super::super) async fn edit(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = number(&id)?;
    let held = site.ledger.get(id).await?;
    let cells = cells_of_held(&held, &site);
    render(&site, &visit, Some(id), &cells, &[]).await
}

/// `POST /activities/{id}`
pub(in super::super) async fn change(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let id = number(&id)?;
    site.ledger.get(id).await?;
    let cells = cells_of(&Fields(fields));
    let keep = async |activity: &Activity| site.ledger.edit(id, activity).await.map(|()| id);
    match judged(&site, &cells, keep).await? {
        Err(faults) => render(&site, &visit, Some(id), &cells, &faults).await,
        Ok((id, what)) => {
            site.noted(&visit, "改台账", &what).await?;
            Ok(Redirect::to(&format!("/activities/{id}?done=changed")).into_response())
        }
    }
}
