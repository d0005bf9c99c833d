//! 宣传点: boards with a QR code each, their posters, and how many questions came through them.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{Days, Utc};
use serde::Deserialize;

use super::download::{self, PDF};
use super::error::WebError;
use super::forms::Fields;
use super::gate::Visit;
use super::labels;
use super::page::Choice;
use super::page::{Page, show};
use super::site::Site;
use crate::insight::FEWEST_ASKERS;
use crate::journal::{Asked, Board, JournalError, NewBoard, Role, canonical, local_day};
use crate::ledger::{BoardField, read_board};
use crate::report::poster::{Paper, Poster, PosterError, bot_name, pdf};

/// Days whose questions are counted.
const LOOK_BACK: u64 = 90;

struct Row {
    code: String,
    name: String,
    place: String,
    region: String,
    activity: Option<(i64, String)>,
    since: String,
    retired: Option<String>,
    questions: String,
}

/// Fields of the form with what is wrong with each.
struct BoardForm {
    name: String,
    name_error: String,
    places: Vec<Choice>,
    regions: Vec<Choice>,
    activities: Vec<Choice>,
    other_errors: Vec<String>,
}

#[derive(Template)]
#[template(path = "boards.html", config = "src/web/askama.toml")]
struct ListPage {
    page: Page,
    tab: &'static str,
    up: Vec<Row>,
    down: Vec<Row>,
    caption: String,
    /// The bot that QR codes lead to; `None` when it is not configured, or not as it must be.
    bot: Option<String>,
    form: BoardForm,
    may_write: bool,
    is_admin: bool,
    look_back: u64,
    fewest: u64,
}

#[derive(Template)]
#[template(path = "board_form.html", config = "src/web/askama.toml")]
struct EditPage {
    page: Page,
    tab: &'static str,
    code: String,
    retired: bool,
    form: BoardForm,
}

/// What came through a board, as may be told.
fn told(asked: Option<&Asked>) -> String {
    match asked {
        None => "0".to_owned(),
        Some(asked) if asked.askers < FEWEST_ASKERS => format!("不到 {FEWEST_ASKERS} 人"),
        Some(asked) => format!("{} 次（{} 人）", asked.questions, asked.askers),
    }
}

fn bot(site: &Site) -> Option<String> {
    let config = site.config();
    let written = config.telegram.bot.as_deref()?;
    bot_name(written).ok().map(str::to_owned)
}

/// The form's values by field.
type Typed = BTreeMap<BoardField, String>;

fn typed_of(about: &NewBoard) -> Typed {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Typed::from([
        (BoardField::Name, about.name.clone()),
        (BoardField::Place, text(&about.place)),
        (BoardField::Region, text(&about.region)),
        (
            BoardField::Activity,
            about.activity.map(|id| id.to_string()).unwrap_or_default(),
        ),
    ])
}

fn typed_in(fields: &Fields) -> Typed {
    Typed::from([
        (BoardField::Name, fields.text("name")),
        (BoardField::Place, fields.text("place")),
        (BoardField::Region, fields.text("region")),
        (BoardField::Activity, fields.text("activity")),
    ])
}

async fn form(
    site: &Site,
    typed: &Typed,
    faults: &[(BoardField, String)],
) -> Result<BoardForm, WebError> {
    let (library, config) = (site.desk.library(), site.config());
    let text = |field: BoardField| typed.get(&field).map_or("", String::as_str);
    let choices = |field: BoardField, none: &str, offered: Vec<(String, String)>| {
        let now = text(field);
        let mut all = vec![Choice::new("", none, now)];
        if !now.is_empty() && offered.iter().all(|(value, _)| value != now) {
            all.push(Choice::new(now, format!("{now}（现在没有这一项）"), now));
        }
        all.extend(offered.into_iter().map(|(v, l)| Choice::new(v, l, now)));
        all
    };
    let places = library.places.iter();
    let regions = config.regions.list.iter();
    let mut activities = site.ledger.all().await?;
    activities.reverse();
    let own = |(field, why): &(BoardField, String)| match field {
        BoardField::Name => None,
        other => Some(format!("{other}：{why}")),
    };
    let name_errors = faults
        .iter()
        .filter(|(field, _)| *field == BoardField::Name);
    Ok(BoardForm {
        name: text(BoardField::Name).to_owned(),
        name_error: name_errors.map(|(_, why)| why.as_str()).collect(),
        places: choices(
            BoardField::Place,
            "（不分场所）",
            places.map(|p| (p.id.clone(), p.name.clone())).collect(),
        ),
        regions: choices(
            BoardField::Region,
            "（不分村）",
            regions.map(|r| (r.code.clone(), r.name.clone())).collect(),
        ),
        activities: choices(
            BoardField::Activity,
            "（不属于哪次活动）",
            activities
                .into_iter()
                .map(|e| {
                    let label = format!("{} {}", e.activity.from, e.activity.title);
                    (e.id.to_string(), label)
                })
                .collect(),
        ),
        other_errors: faults.iter().filter_map(own).collect(),
    })
}

async fn render(
    site: &Site,
    visit: &Visit,
    page: Page,
    typed: &Typed,
    faults: &[(BoardField, String)],
) -> Result<Response, WebError> {
    let since = Utc::now() - Days::new(LOOK_BACK);
    let asked = site.boards.asked(since).await?;
    let (library, config) = (site.desk.library(), site.config());
    let activities: BTreeMap<i64, String> = site
        .ledger
        .all()
        .await?
        .into_iter()
        .map(|e| (e.id, e.activity.title))
        .collect();
    let row = |board: Board| Row {
        questions: told(asked.get(&board.code)),
        place: labels::place(&library, board.about.place.as_deref()),
        region: board
            .about
            .region
            .map(|code| config.regions.name_of(&code).to_owned())
            .unwrap_or_default(),
        activity: board
            .about
            .activity
            .and_then(|id| Some((id, activities.get(&id)?.clone()))),
        since: local_day(board.created).to_string(),
        retired: board.retired.map(|at| local_day(at).to_string()),
        name: board.about.name,
        code: board.code,
    };
    let (down, up): (Vec<Board>, Vec<Board>) = site
        .boards
        .all()
        .await?
        .into_iter()
        .partition(|board| board.retired.is_some());
    show(&ListPage {
        page,
        tab: "boards",
        caption: format!("在用的 {} 个", up.len()),
        up: up.into_iter().map(row).collect(),
        down: down.into_iter().map(row).collect(),
        bot: bot(site),
        form: form(site, typed, faults).await?,
        may_write: visit.may(Role::Reviewer),
        is_admin: visit.may(Role::Admin),
        look_back: LOOK_BACK,
        fewest: FEWEST_ASKERS,
    })
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
    #[serde(default)]
    activity: String,
}

/// `GET /boards`
pub(super) async fn list(
    site: Site,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let page = Page::new(&site, &visit, "宣传点", "/activities").await?;
    let page = match done.done.as_str() {
        "added" => page.done("已新设。下载海报，打印前用手机扫一遍试试。"),
        "changed" => page.done("已改好。已经打印的海报照样能用。"),
        "retired" => page.done("已撤下。以前的统计不变；还有人扫到旧海报，仍算在它上面。"),
        _ => page,
    };
    let typed = Typed::from([(BoardField::Activity, done.activity)]);
    render(&site, &visit, page, &typed, &[]).await
}

/// What the rules or the ledger say against a board; else what `keep` made of it.
async fn judged<T>(
    site: &Site,
    typed: &Typed,
    keep: impl AsyncFnOnce(NewBoard) -> Result<T, JournalError>,
) -> Result<Result<T, Vec<(BoardField, String)>>, WebError> {
    let field = |field| typed.get(&field).map_or("", String::as_str);
    let about = match read_board(field, &site.desk.library(), &site.config().regions) {
        Ok(about) => about,
        Err(faults) => return Ok(Err(faults)),
    };
    match keep(about).await {
        Err(JournalError::NoSuchActivity(id)) => {
            let why = format!("台账里没有第 {id} 号活动");
            Ok(Err(vec![(BoardField::Activity, why)]))
        }
        other => Ok(Ok(other?)),
    }
}

const UNSAVED: &str = "没有保存。写的都还在，改好再保存。";

/// `POST /boards`
pub(super) async fn add(
    site: Site,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let typed = typed_in(&Fields(fields));
    let keep = async |about| site.boards.add(about, Utc::now()).await;
    match judged(&site, &typed, keep).await? {
        Err(faults) => {
            let page = Page::new(&site, &visit, "宣传点", "/activities").await?;
            render(&site, &visit, page.failed(UNSAVED), &typed, &faults).await
        }
        Ok(board) => {
            let what = format!("{} {}", board.code, board.about.name);
            site.noted(&visit, "新设宣传点", &what).await?;
            Ok(back("added"))
        }
    }
}

async fn find(site: &Site, code: &str) -> Result<Board, WebError> {
    let code = canonical(code);
    let all = site.boards.all().await?.into_iter();
    let mut found = all.filter(|board| board.code == code);
    found.next().ok_or(WebError::NotFound)
}

async fn edit_page(
    site: &Site,
    visit: &Visit,
    board: &Board,
    typed: &Typed,
    faults: &[(BoardField, String)],
) -> Result<Response, WebError> {
    let mut page = Page::new(site, visit, "改这个宣传点", "/activities").await?;
    if !faults.is_empty() {
        page = page.failed(UNSAVED);
    }
    show(&EditPage {
        page,
        tab: "",
        code: board.code.clone(),
        retired: board.retired.is_some(),
        form: form(site, typed, faults).await?,
    })
}

/// `GET /boards/{code}`
pub(super) async fn edit(
    site: Site,
    visit: Visit,
    Path(code): Path<String>,
) -> Result<Response, WebError> {
    let board = find(&site, &code).await?;
    edit_page(&site, &visit, &board, &typed_of(&board.about), &[]).await
}

/// `POST /boards/{code}`
pub(super) async fn change(
    site: Site,
    visit: Visit,
    Path(code): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let board = find(&site, &code).await?;
    let typed = typed_in(&Fields(fields));
    let keep = async |about: NewBoard| {
        site.boards.edit(&board.code, &about).await?;
        Ok(about)
    };
    match judged(&site, &typed, keep).await? {
        Err(faults) => edit_page(&site, &visit, &board, &typed, &faults).await,
        Ok(about) => {
            let what = format!("{} {}", board.code, about.name);
            site.noted(&visit, "改宣传点", &what).await?;
            Ok(back("changed"))
        }
    }
}

/// `POST /boards/{code}/retire`
pub(super) async fn retire(
    site: Site,
    visit: Visit,
    Path(code): Path<String>,
) -> Result<Response, WebError> {
    let board = find(&site, &code).await?;
    if site.boards.retire(&board.code, Utc::now()).await? {
        let what = format!("{} {}", board.code, board.about.name);
        site.noted(&visit, "撤下宣传点", &what).await?;
    }
    Ok(back("retired"))
}

#[derive(Deserialize)]
pub(super) struct Size {
    #[serde(default)]
    size: String,
}

/// `GET /boards/{code}/poster.pdf`
pub(super) async fn poster(
    site: Site,
    Path(code): Path<String>,
    Query(size): Query<Size>,
) -> Result<Response, WebError> {
    let board = find(&site, &code).await?;
    let name = format!("poster-{}", board.code);
    print(&site, vec![board], &size, &name).await
}

/// `GET /boards/posters.pdf`: all boards that are up, a page each.
pub(super) async fn posters(site: Site, Query(size): Query<Size>) -> Result<Response, WebError> {
    let all = site.boards.all().await?.into_iter();
    let up = all.filter(|board| board.retired.is_none()).collect();
    print(&site, up, &size, "posters").await
}

async fn print(
    site: &Site,
    boards: Vec<Board>,
    size: &Size,
    name: &str,
) -> Result<Response, WebError> {
    let Some(bot) = bot(site) else {
        return Err(WebError::Bad(
            "还不知道二维码指向哪个机器人，海报没有做。请管理员在“设置”里写上机器人的用户名。"
                .to_owned(),
        ));
    };
    if boards.is_empty() || boards.iter().any(|board| board.retired.is_some()) {
        let why = "没有在用的宣传点，海报没有做。";
        return Err(WebError::Bad(why.to_owned()));
    }
    let (library, config) = (site.desk.library(), site.config());
    let (paper, size) = match size.size.as_str() {
        "a3" => (Paper::A3, "a3"),
        _ => (Paper::A4, "a4"),
    };
    let printing = move || {
        let poster = |board| Poster::of(board, &library, &config.office, &bot);
        let posters: Vec<Poster> = boards.iter().map(poster).collect();
        pdf(&posters, paper)
    };
    let bytes = site.heavy(printing).await?.map_err(|error| match error {
        // What the office can mend by itself.
        PosterError::NoFont => WebError::Bad(error.to_string()),
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "a poster failed");
            WebError::Bad(other.to_string())
        }
    })?;
    Ok(download::file(&format!("{name}-{size}.pdf"), PDF, bytes))
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("/boards?done={done}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_people_are_not_counted() {
        let asked = |questions, askers| told(Some(&Asked { questions, askers }));
        assert_eq!(told(None), "0");
        assert_eq!(asked(99, 4), "不到 5 人");
        assert_eq!(asked(9, 5), "9 次（5 人）");
    }
}
