//! What stands before every handler: who is it, may they, and does the form come from us.

use std::net::{IpAddr, SocketAddr};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Multipart, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::Utc;
use futures::StreamExt as _;
use serde::Deserialize;

use super::error::WebError;
use super::offices::Offices;
use super::routes::{Access, is_for_counties};
use super::site::Site;
use crate::journal::{Member, Role, generate_secret};

/// The field of every form, and the header of every request of our script, that proves that it
/// comes from a page of ours.
pub(super) const TOKEN_HEADER: &str = "x-csrf-token";
/// Forms are small.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// A form with a file, as large as axum's extractors take. Read only of those who may send one.
pub(super) const MAX_UPLOAD: usize = 2 * 1024 * 1024;

/// Bytes of a file beyond [`MAX_UPLOAD`] that are read and dropped: a browser shows the answer only once
/// it has sent everything.
pub(super) const PASSED_OVER: usize = 16 * 1024 * 1024;

/// One request: who is there, and what their forms must carry.
#[derive(Clone)]
pub(super) struct Visit {
    /// The account, if logged in.
    pub member: Option<Member>,
    /// Token of the session, if logged in.
    pub session: Option<String>,
    /// Random name of this browser.
    pub visitor: String,
    /// What forms must carry.
    pub form_token: String,
    /// Where it comes from.
    pub address: IpAddr,
}

impl Visit {
    /// The account; routes for staff always have one.
    pub fn member(&self) -> Result<&Member, WebError> {
        self.member.as_ref().ok_or(WebError::NotLoggedIn)
    }

    /// Whether a route for `role` is open to this account.
    pub fn may(&self, role: Role) -> bool {
        self.member.as_ref().is_some_and(|m| m.role >= role)
    }
}

impl FromRequestParts<Offices> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &Offices) -> Result<Self, WebError> {
        // Put there by the gate for every route but the open ones, which have no use for it.
        parts.extensions.get().cloned().ok_or(WebError::NotLoggedIn)
    }
}

/// Between the office and the token in a session's cookie.
const OF: char = '.';

fn session_cookie(site: &Site) -> &'static str {
    // The prefix makes browsers refuse it from other hosts and without TLS.
    if site.behind_proxy {
        "__Host-qijin"
    } else {
        "qijin"
    }
}

fn cookie(site: &Site, name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.behind_proxy)
        .build()
}

/// The cookie of a new session. Where there are several offices it says which: that gives nothing, because
/// only the sessions of that office are asked for the token.
pub(super) fn begin_session(site: &Site, token: String) -> Cookie<'static> {
    let value = if site.several {
        format!("{}{OF}{token}", site.id())
    } else {
        token
    };
    cookie(site, session_cookie(site), value)
}

/// Makes the browser forget its session.
pub(super) fn end_session(site: &Site) -> Cookie<'static> {
    let mut gone = cookie(site, session_cookie(site), String::new());
    gone.make_removal();
    gone
}

const VISITOR_COOKIE: &str = "qijin_visitor";
const OFFICE_COOKIE: &str = "qijin_office";

/// Makes the browser's questions go to that office.
pub(super) fn chosen_office(site: &Site) -> Cookie<'static> {
    cookie(site, OFFICE_COOKIE, site.id().to_string())
}

/// Makes the browser forget its random name.
pub(super) fn forget_visitor(site: &Site) -> Cookie<'static> {
    let mut gone = cookie(site, VISITOR_COOKIE, String::new());
    gone.make_removal();
    gone
}

/// The middleware of one route; `most` is the longest body it takes, in bytes.
pub(super) async fn gate(
    State((offices, access, most)): State<(Offices, Access, usize)>,
    request: Request,
    next: Next,
) -> Response {
    pass(&offices, access, most, request, next)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// The office and its session that a browser speaks of.
async fn session(
    offices: &Offices,
    jar: &CookieJar,
) -> Result<Option<(Site, Member, String)>, WebError> {
    let Some(cookie) = jar.get(session_cookie(offices.first())) else {
        return Ok(None);
    };
    let (site, token) = match cookie.value().split_once(OF) {
        Some((id, token)) => (offices.find(id), token),
        None => (Some(offices.first()), cookie.value()),
    };
    let Some(site) = site else {
        return Ok(None);
    };
    let member = site.sessions.member(token, Utc::now()).await?;
    Ok(member.map(|member| (site.clone(), member, token.to_owned())))
}

async fn pass(
    offices: &Offices,
    access: Access,
    most: usize,
    mut request: Request,
    next: Next,
) -> Result<Response, WebError> {
    if access == Access::Open {
        return Ok(next.run(request).await);
    }
    let jar = CookieJar::from_headers(request.headers());
    let (site, member, session) = match session(offices, &jar).await? {
        Some((site, member, token)) => (site, Some(member), Some(token)),
        None => {
            let chosen = jar.get(OFFICE_COOKIE).and_then(|c| offices.find(c.value()));
            (
                chosen.unwrap_or_else(|| offices.first()).clone(),
                None,
                None,
            )
        }
    };
    // Nobody asks a county, its own staff neither.
    if site.county.is_some() && request.uri().path().starts_with("/ask") {
        return Err(WebError::NotFound);
    }
    if let Access::Staff(_) | Access::County = access {
        let Some(member) = &member else {
            return match request.method().is_safe() {
                true => Ok(to_log_in(&request)),
                false => Err(WebError::NotLoggedIn),
            };
        };
        let path = request.uri().path();
        match access {
            Access::County if site.county.is_none() => return Err(WebError::NotFound),
            Access::Staff(_) if site.county.is_some() && path == "/" => {
                return Ok(Redirect::to("/county").into_response());
            }
            Access::Staff(_) if site.county.is_some() && !is_for_counties(path) => {
                return Err(WebError::NotFound);
            }
            Access::Staff(role) if member.role < role => return Err(WebError::Forbidden),
            _ => {}
        }
    }
    let known = jar.get(VISITOR_COOKIE).map(|c| c.value().to_owned());
    let known = known.filter(|v| v.len() == 64 && v.bytes().all(|b| b.is_ascii_hexdigit()));
    let visitor = match &known {
        Some(visitor) => visitor.clone(),
        None => generate_secret()?,
    };
    let form_token = site.keys.form_token(session.as_ref().unwrap_or(&visitor));
    if !request.method().is_safe() {
        request = from_us(request, &form_token, most).await?;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(a)| a.ip());
    let visit = Visit {
        member,
        session,
        visitor: visitor.clone(),
        form_token,
        address: client(&site, request.headers(), peer),
    };
    request.extensions_mut().insert(visit);
    request.extensions_mut().insert(site.clone());
    let response = next.run(request).await;
    if known.is_some() || access != Access::Visitor {
        return Ok(response);
    }
    // Gone with the browser's session: telephones are shared.
    let named = cookie(&site, VISITOR_COOKIE, visitor);
    Ok((CookieJar::new().add(named), response).into_response())
}

/// To the log-in page, and back afterwards.
fn to_log_in(request: &Request) -> Response {
    let wanted = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let back = serde_urlencoded::to_string([("next", wanted)]).unwrap_or_default();
    Redirect::to(&format!("/login?{back}")).into_response()
}

#[derive(Deserialize)]
struct TokenField {
    #[serde(default)]
    _csrf: String,
}

/// Refuses what another site had the browser send; returns the request with its body again.
async fn from_us(request: Request, token: &str, most: usize) -> Result<Request, WebError> {
    let headers = request.headers();
    if !same_origin(headers) {
        return Err(WebError::NotOurForm);
    }
    let in_header = headers.get(TOKEN_HEADER).map(|v| v.as_bytes().to_vec());
    let (parts, body) = request.into_parts();
    let body = whole(body, most).await?;
    let sent = match in_header {
        Some(sent) => sent,
        None => token_field(&parts, &body).await,
    };
    if !same(&sent, token.as_bytes()) {
        return Err(WebError::NotOurForm);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// A body of at most `most` bytes.
async fn whole(body: Body, most: usize) -> Result<Bytes, WebError> {
    if most != MAX_UPLOAD {
        let read = to_bytes(body, most).await;
        return read.map_err(|_| WebError::Bad("内容太长，没有接收。".to_owned()));
    }
    let broken = |_| WebError::Bad("文件没有传完，什么都没有改。请再传一次。".to_owned());
    let (mut stream, mut held, mut length) = (body.into_data_stream(), Vec::new(), 0_usize);
    while let Some(part) = stream.next().await {
        let part = part.map_err(broken)?;
        length = length.saturating_add(part.len());
        if length <= most {
            held.extend_from_slice(&part);
        } else if length > most + PASSED_OVER {
            break;
        }
    }
    if length > most {
        let megabytes = MAX_UPLOAD >> 20;
        let why = format!(
            "文件超过 {megabytes} MB，没有接收，什么都没有改。请删掉图片，或分成几个文件。"
        );
        return Err(WebError::Bad(why));
    }
    Ok(Bytes::from(held))
}

/// What a form says in its field for the token; empty when it says nothing. In a form with files the
/// field comes first, so that nothing else of it needs to be read.
async fn token_field(parts: &Parts, body: &Bytes) -> Vec<u8> {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let field = serde_urlencoded::from_bytes::<TokenField>(body);
        return field.map(|f| f._csrf.into_bytes()).unwrap_or_default();
    }
    let mut copy = Request::new(Body::from(body.clone()));
    *copy.headers_mut() = parts.headers.clone();
    let Ok(mut form) = Multipart::from_request(copy, &()).await else {
        return Vec::new();
    };
    match form.next_field().await {
        Ok(Some(first)) if first.name() == Some("_csrf") => {
            first.bytes().await.unwrap_or_default().to_vec()
        }
        _ => Vec::new(),
    }
}

/// Compares without telling by its time how much was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}

/// Whether the browser says that the request comes from a page of this host. One that says
/// nothing is judged by the form's token alone.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    // The proxy knows whether it was HTTPS; the host is what counts.
    let from = origin.split_once("://").map(|(_, host)| host);
    let host = text(header::HOST);
    from.zip(host)
        .is_some_and(|(from, host)| from.eq_ignore_ascii_case(host))
}

/// The client: the last address the declared proxy wrote down, or who is connected.
fn client(site: &Site, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    let forwarded = site.behind_proxy.then(|| {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    });
    forwarded.flatten().unwrap_or(peer)
}
