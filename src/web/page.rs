//! What every page shows around its content.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use super::assets;
use super::error::WebError;
use super::gate::Visit;
use super::routes::{COUNTY_NAV, NAV, Nav};
use super::site::Site;

/// An entry of the top bar as shown.
pub(super) struct Link {
    pub path: &'static str,
    pub label: &'static str,
    pub here: bool,
    /// Shown as a small number, if not 0.
    pub waiting: i64,
}

/// An option of a choice.
pub(super) struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>, now: &str) -> Self {
        let value = value.into();
        Self {
            chosen: value == now,
            label: label.into(),
            value,
        }
    }
}

/// A message about what was just done.
#[derive(Clone)]
pub(super) struct Flash {
    pub text: String,
    /// Something was not done.
    pub bad: bool,
}

/// The frame of a page; templates that extend `layout.html` have it as `page`.
pub(super) struct Page {
    pub title: String,
    pub css: &'static str,
    pub js: &'static str,
    pub icon: &'static str,
    pub office: String,
    /// The office's telephone and address, as it writes them; may be empty.
    pub contact: String,
    pub nav: Vec<Link>,
    /// Name and role of the account, if logged in.
    pub member: Option<(String, &'static str)>,
    /// For the hidden field of every form.
    pub csrf: String,
    pub flash: Option<Flash>,
}

impl Page {
    /// The frame for `visit`; `here` is the path of the entry in the top bar that is lit.
    pub async fn new(
        site: &Site,
        visit: &Visit,
        title: impl Into<String>,
        here: &str,
    ) -> Result<Self, WebError> {
        let mut nav = Vec::new();
        if visit.member.is_some() {
            let waiting = site.handovers.waiting().await?;
            let all: &[Nav] = match site.county {
                Some(_) => &COUNTY_NAV,
                None => &NAV,
            };
            for entry in all.iter().filter(|entry| visit.may(entry.role)) {
                nav.push(Link {
                    path: entry.path,
                    label: entry.label,
                    here: entry.path == here,
                    waiting: if entry.path == "/handovers" {
                        waiting
                    } else {
                        0
                    },
                });
            }
        }
        Ok(Self {
            title: title.into(),
            css: assets::css(),
            js: assets::js(),
            icon: assets::icon(),
            office: site.desk.office().name.clone(),
            contact: site.desk.office().contact.clone(),
            nav,
            member: visit
                .member
                .as_ref()
                .map(|m| (m.name.clone(), m.role.name())),
            csrf: visit.form_token.clone(),
            flash: None,
        })
    }

    /// With a message on top.
    pub fn with(mut self, flash: Option<Flash>) -> Self {
        self.flash = flash;
        self
    }

    /// With a message on top that something was done.
    pub fn done(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with(Some(Flash { text, bad: false }))
    }

    /// With a message on top that something was not done.
    pub fn failed(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with(Some(Flash { text, bad: true }))
    }

    /// With what was just done, or was not, on top.
    pub fn said(self, said: Said) -> Self {
        match said {
            Said::Nothing => self,
            Said::Done(text) => self.done(text),
            Said::Failed(text) => self.failed(text),
        }
    }
}

/// What a page says of what was just done.
pub(super) enum Said {
    Nothing,
    Done(String),
    Failed(String),
}

/// A template as a response.
pub(super) fn show(template: &impl Template) -> Result<Response, WebError> {
    Ok(Html(template.render()?).into_response())
}
