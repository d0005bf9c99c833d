//! The offices that one program serves, and which of them a request is about.
//!
//! Staff: the one their account belongs to; the session's cookie says which, and only the sessions of that
//! office are looked at. Everybody else: the one whose address they came by (`/o/<id>/ask`), or the first.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;

use super::error::WebError;
use super::gate::chosen_office;
use super::site::{Common, Setup, Site};
use crate::journal::{JournalError, OfficeId};

/// All of them; cheap to clone. There is at least one.
#[derive(Clone)]
pub(super) struct Offices {
    first: Site,
    others: Arc<HashMap<OfficeId, Site>>,
}

impl Offices {
    pub fn new(first: Setup, others: Vec<Setup>) -> Result<Self, JournalError> {
        let common = Common::new(first.config.names_offices())?;
        let others = others.into_iter().map(|setup| {
            let site = Site::new(setup, &common);
            (site.id().clone(), site)
        });
        Ok(Self {
            first: Site::new(first, &common),
            others: Arc::new(others.collect()),
        })
    }

    /// The one that is meant where nothing says which.
    pub fn first(&self) -> &Site {
        &self.first
    }

    /// The one called so.
    pub fn find(&self, id: &str) -> Option<&Site> {
        if self.first.id().as_str() == id {
            return Some(&self.first);
        }
        self.others.get(&id.parse::<OfficeId>().ok()?)
    }
}

impl FromRequestParts<Offices> for Site {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, offices: &Offices) -> Result<Self, Infallible> {
        // Put there by the gate for every route but the open ones, which are nobody's.
        let found = parts.extensions.get::<Self>();
        Ok(found.unwrap_or_else(|| offices.first()).clone())
    }
}

/// `GET /o/{id}/ask`: from now on this browser asks that office.
pub(super) async fn ask(
    State(offices): State<Offices>,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    // Nobody asks a county.
    let site = offices.find(&id).filter(|site| site.county.is_none());
    let site = site.ok_or(WebError::NotFound)?;
    let jar = CookieJar::new().add(chosen_office(site));
    Ok((jar, Redirect::to("/ask")).into_response())
}
