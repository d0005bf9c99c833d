//! Writing and changing entries in the browser: a form, the checker's faults beside its fields, what
//! residents will see, and saving, after which the entry answers at once.

mod list;
mod save;
mod seed;
mod sheet;
mod typed;

pub(super) use list::list;

use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};

use super::error::WebError;
use super::gate::Visit;
use super::site::{Site, slow};
use crate::desk::Paths;
use crate::knowledge::EntryId;
use crate::knowledge::edit::{Before, EditError, open};
use save::{Outcome, judged, published};
use seed::Origin;
use sheet::{Sheet, sheet};
use typed::{Do, Fields, Typed};

/// `GET /entries/new`: empty, or filled in from a gap or an answered hand-over.
pub(super) async fn new(
    site: Site,
    visit: Visit,
    Query(origin): Query<Origin>,
) -> Result<Response, WebError> {
    let form = origin.form(&site).await?;
    sheet(&site, &visit, Sheet::new(form, &origin)).await
}

/// `POST /entries/new`
pub(super) async fn create(
    site: Site,
    visit: Visit,
    Query(origin): Query<Origin>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    submitted(&site, &visit, None, &origin, Typed::read(fields)).await
}

/// `GET /entries/{id}/edit`
pub(super) async fn edit(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Query(origin): Query<Origin>,
) -> Result<Response, WebError> {
    let before = opened(&site, &EntryId(id)).await;
    let before = before.map_err(broken)?.ok_or(WebError::NotFound)?;
    let mut sheet_of = Sheet::of(&before, &origin);
    origin.add_phrasings(&site, &mut sheet_of.form).await?;
    let shown = site.desk.preview(&before.id);
    sheet_of.preview = shown.map(|reply| super::reply::ReplyView::read_only(&reply));
    sheet(&site, &visit, sheet_of).await
}

/// `POST /entries/{id}/edit`
pub(super) async fn change(
    site: Site,
    visit: Visit,
    Path(id): Path<String>,
    Query(origin): Query<Origin>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let id = EntryId(id);
    submitted(&site, &visit, Some(id), &origin, Typed::read(fields)).await
}

async fn opened(site: &Site, id: &EntryId) -> Result<Option<Before>, EditError> {
    let (paths, id) = (site.paths.clone(), id.clone());
    let read = slow(move || open(&paths.library, &Paths::load_options(&paths), &id)).await;
    // The task itself does not fail unless it panicked, and then the entry could not be read.
    read.unwrap_or(Ok(None))
}

/// The library cannot be read at all: said plainly.
fn broken(error: EditError) -> WebError {
    WebError::Bad(error.to_string())
}

async fn submitted(
    site: &Site,
    visit: &Visit,
    id: Option<EntryId>,
    origin: &Origin,
    typed: Typed,
) -> Result<Response, WebError> {
    let before = match &id {
        None => None,
        Some(id) => match opened(site, id).await {
            Ok(Some(before)) => Some(before),
            Ok(None) if typed.is_empty() => return Err(WebError::NotFound),
            Ok(None) => {
                // Somebody else renamed it: what was typed is not lost.
                let text = "原来那一条已经改名或删掉了。写的都在下面，保存就成为新的一条。";
                let sheet_of = Sheet::new(typed.form, origin).failed(text.to_owned());
                return sheet(site, visit, sheet_of).await;
            }
            Err(error) => {
                let sheet_of =
                    Sheet::typed(typed, Some(id.clone()), origin).failed(error.to_string());
                return sheet(site, visit, sheet_of).await;
            }
        },
    };
    let history = before.as_ref().map_or_else(Vec::new, sheet::ids_of);
    let act = typed.act;
    let mut sheet_of = Sheet::typed(typed, id, origin);
    sheet_of.ids = history;
    let checked = match judged(site, &sheet_of, before).await? {
        Ok(checked) => checked,
        Err(error) => return sheet(site, visit, sheet_of.failed(error.to_string())).await,
    };
    sheet_of.judge(site, &checked);
    let clean = checked.faults.is_empty();
    let publish = match act {
        Do::Check => false,
        Do::Save => clean && checked.warnings.is_empty(),
        Do::SaveAnyway => clean,
    };
    if !publish {
        return sheet(site, visit, sheet_of).await;
    }
    let Some(new) = checked.entry.as_ref().map(|entry| entry.id.clone()) else {
        return Err(WebError::Bad("没有存：这一条没能读出来。".to_owned()));
    };
    match published(site, visit, checked, origin).await? {
        Outcome::InUse => Ok(to_saved(&new, "1")),
        Outcome::Later => Ok(to_saved(&new, "later")),
        Outcome::NotWritten(why) => {
            let text = format!(
                "没能保存：{why}。\n请看看资料库文件夹（{}）能不能写。写的都还在下面。",
                site.paths.library.display()
            );
            sheet(site, visit, sheet_of.failed(text)).await
        }
        Outcome::NotInUse(why) => {
            let text = format!("已经写进文件，但没能换上：{why}。居民看到的还是原来的。");
            sheet(site, visit, sheet_of.failed(text)).await
        }
    }
}

fn to_saved(id: &EntryId, how: &str) -> Response {
    Redirect::to(&format!("/entries/{id}/edit?saved={how}")).into_response()
}
