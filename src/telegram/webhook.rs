//! The webhook: Telegram brings updates to an address of ours. `200` means that they are in the inbox.
//!
//! Telegram brings a chat's next update only after the one before was taken, and brings again what
//! was not: so several programs behind one address lose nothing and keep the order.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, StatusCode};
use reqwest::Url;
use subtle::ConstantTimeEq;
use teloxide::prelude::*;
use teloxide::types::{True, WebhookInfo};
use teloxide::{ApiError, RequestError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use super::intake::{Arrived, Intake};
use super::outgoing::describe;
use super::{TelegramError, WANTED};
use crate::http;

const SECRET_HEADER: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");
/// Telegram's own updates are far below.
const MAX_BODY: usize = 1 << 20;
/// Telegram gives up after a minute; answering without an inbox may take that long.
const TIME_LIMIT: Duration = Duration::from_secs(50);
/// Telegram opens at most 40 connections, a proxy in front perhaps a few more.
const CONNECTIONS: usize = 200;
/// Whether the webhook still is ours is asked this often.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Where Telegram brings updates to.
pub struct Webhook {
    /// As Telegram calls it, `https://…`.
    pub url: Url,
    /// What Telegram says to prove that it is Telegram.
    pub secret: String,
    /// Where this program hears of it.
    pub doors: Doors,
}

/// The webhooks behind one address of this program, by path: a bot each. Cheap to clone.
#[derive(Clone, Default)]
pub struct Doors(Arc<RwLock<HashMap<String, Arc<Hook>>>>);

struct Hook {
    intake: Arc<Intake>,
    secret: String,
}

impl Doors {
    /// Receives updates for all of them until `shutdown`; the proxy in front leads to `listener`.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(telegram.webhook.address = %address, "receiving updates by webhook");
        }
        let app = Router::new()
            .fallback(receive)
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                TIME_LIMIT,
            ))
            .with_state(self);
        http::serve(listener, app, CONNECTIONS, shutdown).await;
    }

    fn open(&self, path: &str, hook: Hook) {
        // A poisoned lock only means that another thread panicked here: the map is whole.
        let mut doors = self.0.write().unwrap_or_else(PoisonError::into_inner);
        doors.insert(path.to_owned(), Arc::new(hook));
    }

    fn at(&self, path: &str) -> Option<Arc<Hook>> {
        let doors = self.0.read().unwrap_or_else(PoisonError::into_inner);
        doors.get(path).cloned()
    }
}

/// Has Telegram bring updates, and receives them until `shutdown`.
pub(super) async fn run(
    bot: Bot,
    intake: Arc<Intake>,
    webhook: Webhook,
    shutdown: CancellationToken,
) -> Result<(), TelegramError> {
    let Webhook { url, secret, doors } = webhook;
    let hook = Hook {
        intake,
        secret: secret.clone(),
    };
    doors.open(url.path(), hook);
    let kept = keep_set(&bot, &url, &secret, &shutdown).await;
    if kept.is_err() {
        // What belongs to this bot stops with us.
        shutdown.cancel();
    }
    kept
}

async fn receive(State(doors): State<Doors>, request: Request) -> StatusCode {
    let Some(hook) = doors.at(request.uri().path()) else {
        return StatusCode::NOT_FOUND;
    };
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    // Before anything of the body is read.
    let mut said = request.headers().get_all(SECRET_HEADER).iter();
    let is_telegram = match (said.next(), said.next()) {
        (Some(said), None) => bool::from(said.as_bytes().ct_eq(hook.secret.as_bytes())),
        _ => false,
    };
    if !is_telegram {
        metrics::counter!("qijin_webhook_total", "result" => "wrong_secret").increment(1);
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let Some(update) = Arrived::read(body.into()) else {
        // Telegram would bring it again and again, and hold the chat's other updates back.
        metrics::counter!("qijin_webhook_total", "result" => "unreadable").increment(1);
        return StatusCode::OK;
    };
    if hook.intake.accept(&[update]).await {
        metrics::counter!("qijin_webhook_total", "result" => "taken").increment(1);
        StatusCode::OK
    } else {
        metrics::counter!("qijin_webhook_total", "result" => "not_now").increment(1);
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Sets the webhook, patiently, and looks now and then whether it still is ours.
async fn keep_set(
    bot: &Bot,
    url: &Url,
    secret: &str,
    shutdown: &CancellationToken,
) -> Result<(), TelegramError> {
    let mut wait = Duration::from_secs(1);
    let mut is_set = false;
    let mut last_error = None;
    while !shutdown.is_cancelled() {
        let step = async {
            if is_set {
                let info = bot.get_webhook_info().await?;
                let ours = info.url.as_ref() == Some(url);
                if !ours {
                    tracing::error!(
                        "这个机器人的 webhook 被别的程序改掉或取消了，消息不再到这里来：现在重新设上。\
                         请检查是不是另有程序用着同一个令牌"
                    );
                    set(bot, url, secret).await?;
                }
                tell_errors(&info, &mut last_error);
            } else {
                set(bot, url, secret).await?;
            }
            Ok::<(), RequestError>(())
        };
        let done = tokio::select! {
            () = shutdown.cancelled() => break,
            done = step => done,
        };
        let pause = match done {
            Ok(()) => {
                if !is_set {
                    tracing::info!("the webhook is set");
                }
                is_set = true;
                wait = Duration::from_secs(1);
                CHECK_EVERY
            }
            Err(RequestError::Api(error)) if is_refusal(&error) => {
                return Err(TelegramError::WebhookRefused(error.to_string()));
            }
            Err(error) => {
                tracing::warn!(
                    error = describe(&error),
                    "the webhook was not set; trying again"
                );
                wait = (wait * 2).min(Duration::from_secs(30));
                wait
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

async fn set(bot: &Bot, url: &Url, secret: &str) -> Result<True, RequestError> {
    bot.set_webhook(url.clone())
        .secret_token(secret)
        .allowed_updates(WANTED)
        .await
}

/// Whether the API does not like the address or the secret: trying again cannot help.
fn is_refusal(error: &ApiError) -> bool {
    match error {
        ApiError::WebhookRequireHttps | ApiError::BadWebhookPort => true,
        ApiError::Unknown(text) => {
            text.contains("bad webhook") && !text.contains("resolve host")
                || text.contains("secret token")
        }
        _ => false,
    }
}

/// What Telegram met with when it last tried to reach us; it names no person.
fn tell_errors(info: &WebhookInfo, told: &mut Option<chrono::DateTime<chrono::Utc>>) {
    if info.last_error_date.is_some() && info.last_error_date != *told {
        *told = info.last_error_date;
        tracing::warn!(
            webhook.error = info.last_error_message.as_deref().unwrap_or_default(),
            webhook.waiting = info.pending_update_count,
            "Telegram 送消息到 webhook 时出错：看看反向代理、证书和端口"
        );
    }
}
