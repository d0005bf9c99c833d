//! Floor 7, the dashboard and the web chat: server-rendered pages that work without JavaScript.
//!
//! To add a page: a file with its handlers, a template that extends `layout.html`, a line in
//! `routes::table` that says who may see it, and a line in `routes::NAV` if it belongs in the
//! top bar. Sessions, roles, form tokens, headers and limits come with the line in the table.
//! A handler takes a `gate::Visit` (who, and what their forms carry) and makes a
//! `page::Page` of it for its template; `templates/macros.html` holds the parts of pages.

mod activities;
mod admin;
mod assets;
mod boards;
mod chat;
mod checkup;
mod county;
mod dial;
mod download;
mod entries;
mod error;
mod figures;
mod forms;
mod gaps;
mod gate;
mod handovers;
mod headers;
mod health;
mod labels;
mod limits;
mod login;
mod meanings;
mod office;
mod offices;
mod overview;
mod page;
mod period;
mod questions;
mod reply;
mod reports;
mod routes;
mod settings;
mod site;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use admin::{recorder, watched};
pub use health::Health;
pub use routes::{Access, routes};
pub use site::Setup;

use crate::http;
use offices::Offices;

/// Browsers open about six connections each.
const CONNECTIONS: usize = 512;

/// Serves the pages of an office, and of others beside it, on `listener` until `shutdown`, then finishes
/// what is under way.
///
/// # Errors
/// When the system has no randomness.
pub async fn run(
    listener: TcpListener,
    first: Setup,
    others: Vec<Setup>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let offices = Offices::new(first, others).map_err(io::Error::other)?;
    http::serve(listener, routes::router(offices), CONNECTIONS, shutdown).await;
    Ok(())
}

/// Whether `address` may be listened on: others' computers only through a proxy with TLS.
///
/// # Errors
/// With what to do instead, in Chinese.
pub fn may_listen(address: SocketAddr, behind_proxy: bool) -> Result<(), String> {
    if address.ip().is_loopback() || behind_proxy {
        return Ok(());
    }
    Err(format!(
        "不监听 {address}：这个地址别的电脑也能连，而这里没有 HTTPS，密码和提问会在网上明着走。\n\
         只在本机用：把 [web] listen 改回 127.0.0.1:8080。\n\
         别的电脑也要用：在前面放一个带 HTTPS 的反向代理（nginx、caddy），再写 [web] behind_proxy = true。"
    ))
}
