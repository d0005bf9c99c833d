//! Floor 7, the Telegram channel.
//!
//! teloxide's types, requests and dptree handlers, but not its dispatcher: that one tells
//! Telegram an update arrived before it is answered, and a crash loses it. Here an update goes
//!
//! getUpdates or webhook → [inbox](crate::journal::Inbox) (committed) → acknowledged → taken with a
//! lease → handlers → answer accepted by the API → inbox (done)
//!
//! so whatever happens it is answered, and answered again only if the process died between the
//! last two steps. Several programs may do so on one database.

mod callback;
mod context;
mod courier;
mod handlers;
mod intake;
mod limits;
mod menu;
mod outgoing;
mod poll;
mod render;
mod texts;
mod webhook;
mod worker;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use teloxide::RequestError;
use teloxide::prelude::*;
use teloxide::types::{AllowedUpdate, Me};
use teloxide::utils::command::BotCommands as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::desk::Desk;
use crate::doctor::Online;
use crate::journal::Inbox;
use context::Context;
use intake::Intake;
use outgoing::{Outgoing, describe};

pub use webhook::{Doors, Webhook};

/// Name of this channel in the journal.
const CHANNEL: &str = "telegram";
/// The kinds of updates that we ask for.
const WANTED: [AllowedUpdate; 2] = [AllowedUpdate::Message, AllowedUpdate::CallbackQuery];
/// How long handlers may go on after a stop signal.
const DRAIN: Duration = Duration::from_secs(20);
/// Must be longer than the long poll: a slow answer is not a lost one.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(45);

/// How to reach Telegram.
pub struct TelegramSettings {
    token: String,
    api_url: Option<String>,
    proxy: Option<String>,
    /// Messages sent a second at most.
    per_second: NonZeroU32,
    /// Codes of the regions that links may name.
    regions: Vec<String>,
}

/// How updates come.
pub enum Reception {
    /// We ask for them: one program only.
    Polling,
    /// Telegram brings them to an address.
    Webhook(Webhook),
}

/// Why the channel could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelegramError {
    /// The API does not know the token.
    #[error("Telegram 不认这个令牌：请核对 TELOXIDE_TOKEN（向 @BotFather 申请的那一串）")]
    BadToken,
    /// `TELOXIDE_API_URL` is no URL.
    #[error("TELOXIDE_API_URL 不是网址：{0}")]
    BadApiUrl(String),
    /// The HTTP client could not be made, for example because of the proxy.
    #[error("网络设置有误（代理写对了吗？）：{0}")]
    Client(reqwest::Error),
    /// The API does not take the webhook.
    #[error(
        "Telegram 不接受这个 webhook：{0}。核对 [telegram] webhook_url（https、端口 443 80 88 或 8443、域名能解析）和 webhook_secret"
    )]
    WebhookRefused(String),
}

impl TelegramSettings {
    /// Of an office: the token from its environment variable, and `TELOXIDE_API_URL`; `None` without a
    /// token.
    pub fn of(config: &Config) -> Option<Self> {
        let variables = config.token_variables();
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        Some(Self {
            token: variables
                .iter()
                .find_map(|name| set(name))?
                .trim()
                .to_owned(),
            api_url: set("TELOXIDE_API_URL"),
            proxy: config.telegram.proxy.clone(),
            per_second: config.telegram.messages_per_second,
            regions: config.regions.list.iter().map(|r| r.code.clone()).collect(),
        })
    }

    fn bot(self) -> Result<Bot, TelegramError> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(CLIENT_TIMEOUT)
            .tcp_nodelay(true);
        if let Some(proxy) = self.proxy {
            client = client.proxy(reqwest::Proxy::all(proxy).map_err(TelegramError::Client)?);
        }
        let client = client.build().map_err(TelegramError::Client)?;
        let bot = Bot::with_client(self.token, client);
        match self.api_url {
            Some(url) => {
                let parsed = reqwest::Url::parse(&url);
                Ok(bot.set_api_url(parsed.map_err(|_| TelegramError::BadApiUrl(url))?))
            }
            None => Ok(bot),
        }
    }
}

/// Runs the channel until `shutdown`, then drains.
///
/// # Errors
/// When the token or the webhook is refused. Later failures are retried.
pub async fn run(
    settings: TelegramSettings,
    reception: Reception,
    desk: Desk,
    inbox: Inbox,
    shutdown: CancellationToken,
) -> Result<(), TelegramError> {
    let regions = Arc::from(settings.regions.as_slice());
    let per_second = settings.per_second;
    let bot = settings.bot()?;
    let Some(me) = who_am_i(&bot, &shutdown).await? else {
        return Ok(());
    };
    if let Err(error) = bot.set_my_commands(handlers::Command::bot_commands()).await {
        tracing::warn!(
            error = describe(&error),
            "the command menu was not registered"
        );
    }
    tracing::info!(bot.name = me.username(), "Telegram is connected");

    match inbox.database().in_time(inbox.backlog()).await {
        Ok(left) if left.open > 0 => tracing::info!(
            inbox.pending = left.open,
            "answering what was left unanswered"
        ),
        // The worker says so if it cannot be read.
        _ => {}
    }
    let context = Context {
        outgoing: Arc::new(Outgoing::new(bot.clone(), per_second)),
        desk,
        me: me.clone(),
        regions,
    };
    let courier = context.desk.handovers().cloned().map(|handovers| {
        tokio::spawn(courier::run(
            handovers,
            context.outgoing.clone(),
            context.desk.office().name.clone(),
            shutdown.clone(),
        ))
    });
    let worker = Arc::new(worker::Worker::new(
        context,
        inbox.clone(),
        shutdown.clone(),
    ));
    let intake = Arc::new(Intake::new(inbox, me, worker.clone()));
    let counting = tokio::spawn({
        let worker = worker.clone();
        async move { worker.count().await }
    });
    let working = tokio::spawn(worker.run());
    let received = match reception {
        Reception::Polling => {
            poll::run(bot, intake, shutdown).await;
            Ok(())
        }
        Reception::Webhook(webhook) => webhook::run(bot, intake, webhook, shutdown).await,
    };
    // Nothing new is begun now; what is under way may finish, the rest stays in the inbox.
    if tokio::time::timeout(DRAIN, working).await.is_err() {
        tracing::warn!("some questions were still under way; they are answered at the next start");
    }
    // Ends with the shutdown.
    let _ = counting.await;
    if let Some(courier) = courier
        && courier.await.is_err()
    {
        tracing::error!("the delivery of staff's answers panicked");
    }
    received
}

/// How long the doctor waits for Telegram.
const LOOK: Duration = Duration::from_secs(15);

/// Asks Telegram once who the bot is and where its updates go; takes no update.
///
/// # Errors
/// With why there is no answer, in Chinese, without the token.
pub async fn look(settings: TelegramSettings) -> Result<Online, String> {
    let bot = settings.bot().map_err(|e| e.to_string())?;
    let asked = async {
        let me = bot.get_me().await?;
        Ok::<_, RequestError>((me, bot.get_webhook_info().await?))
    };
    match tokio::time::timeout(LOOK, asked).await {
        Err(_) => Err("Telegram 15 秒没有回答".to_owned()),
        Ok(Err(error)) if outgoing::is_bad_token(&error) => {
            Err(TelegramError::BadToken.to_string())
        }
        Ok(Err(error)) => Err(format!("连不上 Telegram（{}）", describe(&error))),
        Ok(Ok((me, hook))) => Ok(Online {
            bot: me.username().to_owned(),
            webhook: hook.url.map(|url| url.to_string()),
            pending: hook.pending_update_count,
        }),
    }
}

/// Asks who we are until Telegram answers; `None` when told to stop meanwhile.
async fn who_am_i(bot: &Bot, shutdown: &CancellationToken) -> Result<Option<Me>, TelegramError> {
    let mut wait = Duration::from_secs(1);
    loop {
        match bot.get_me().await {
            Ok(me) => return Ok(Some(me)),
            Err(error) if outgoing::is_bad_token(&error) => return Err(TelegramError::BadToken),
            Err(error) => tracing::warn!(
                error = describe(&error),
                "Telegram is not reachable; trying again (is a proxy needed? QIJIN_PROXY)"
            ),
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(None),
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(Duration::from_secs(30));
    }
}
