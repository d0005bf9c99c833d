//! `qijin serve`: everything in one process until SIGINT or SIGTERM.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::Utc;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use super::{journal, panics, progress, runtime};
use crate::config::{Config, Mode};
use crate::desk::{self, Desk};
use crate::journal::{Handovers, Inbox, Journal, JournalError, Keys, Sessions};
use crate::telegram::{self, Reception, TelegramSettings, Webhook};
use crate::web::{self, Health};

#[derive(Args)]
#[command(after_help = "例：
  qijin serve                                  只开网页（后台和网页提问），不接 Telegram
  TELOXIDE_TOKEN=123:abc qijin serve           接入 Telegram（令牌向 @BotFather 申请）
  QIJIN_PROXY=socks5://127.0.0.1:1080 TELOXIDE_TOKEN=… qijin serve
  QIJIN_WEBHOOK_URL=https://pf.example.cn/hook TELOXIDE_TOKEN=… qijin serve --telegram webhook

Ctrl-C 或 SIGTERM：先把手头的问题答完再退出。没答完的下次启动接着答。")]
pub(super) struct ServeArgs {
    /// 怎样收 Telegram 的消息（默认 polling，见配置 [telegram] mode）
    #[arg(long, value_name = "方式")]
    telegram: Option<Mode>,
    /// 日志写成 JSON，一行一条
    #[arg(long)]
    log_json: bool,
}

/// teloxide logs updates it cannot parse whole, the resident's words included: never let it.
const LOG_FILTER: &str =
    "info,teloxide=off,teloxide_core=off,dptree=off,tantivy=warn,sqlx=warn,hyper=warn,reqwest=warn";

fn start_log(json: bool) {
    let filter =
        EnvFilter::try_from_env("QIJIN_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    // Whatever the operator asks for, these two never speak.
    let filter = ["teloxide=off", "teloxide_core=off"]
        .into_iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json {
        log.json().init();
    } else {
        log.init();
    }
}

pub(super) fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    start_log(args.log_json);
    panics::say_only_where();
    let (answerer, _, _) = progress::open(config, false)?;
    runtime()?.block_on(async {
        web::may_listen(config.web.listen, config.web.behind_proxy).map_err(|e| anyhow!(e))?;
        let shutdown = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(stop_on_signal(shutdown.clone()));
        let Some(journal) = patiently_opened(config, &shutdown).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        let inbox = Inbox::new(journal.database().clone(), journal.keys().clone());
        let desk = Desk::new(answerer, Some(journal.clone()));
        let listener = listen(config.web.listen, "QIJIN_LISTEN").await?;
        let address = listener.local_addr()?;
        tracing::info!(web.address = %address, "serving");
        if std::io::stdout().is_terminal() {
            say!("已启动，请用浏览器打开 http://{address} ；按 Ctrl-C 停止。");
        }

        let telegram = TelegramSettings::from_environment(&config.telegram, &config.regions);
        let mode = args.telegram.unwrap_or(config.telegram.mode);
        let telegram = match telegram {
            Some(settings) => Some((settings, reception(config, mode, journal.keys()).await?)),
            None => None,
        };
        let database = journal.database().clone();
        let health = Health::new(desk.clone(), database, inbox.clone());
        if let Some(address) = config.web.admin_listen {
            web::may_listen(address, config.web.behind_proxy).map_err(|e| anyhow!(e))?;
            let admin = listen(address, "QIJIN_ADMIN_LISTEN").await?;
            tracing::info!(admin.address = %admin.local_addr()?, "being watched");
            tasks.spawn(web::watched(
                admin,
                health.clone(),
                config.folders.index.clone(),
                web::recorder().context("不能开始计数")?,
                shutdown.clone(),
            ));
        }
        tasks.spawn(desk::watch(desk.clone(), config.paths(), shutdown.clone()));
        let house = keep_house(journal.clone(), inbox.clone(), desk.clone());
        let stopping = shutdown.clone();
        // Cut off by a stop in the middle of its work: each step is whole, or done in the next hour.
        tasks.spawn(async move { stopping.run_until_cancelled(house).await });
        let setup = web::Setup {
            desk: desk.clone(),
            journal: journal.clone(),
            health,
            behind_proxy: config.web.behind_proxy,
            config: config.clone(),
            telegram: telegram.is_some(),
            facts: facts(config, telegram.as_ref().map(|_| mode)),
        };
        let web = tasks.spawn(web::run(listener, setup, shutdown.clone()));
        let outcome = match telegram {
            Some((settings, reception)) => {
                telegram::run(settings, reception, desk, inbox, shutdown.clone())
                    .await
                    .context("Telegram 接入失败")
            }
            None => {
                tracing::warn!("TELOXIDE_TOKEN is not set: Telegram is off");
                shutdown.cancelled().await;
                Ok(())
            }
        };
        shutdown.cancel();
        tasks.close();
        web.await?.context("网页服务出错")?;
        tasks.wait().await;
        journal.database().close().await;
        tracing::info!("stopped");
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

async fn listen(address: SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("不能监听 {address}：换一个 {variable}"))
}

/// Opens the journal; waits for a database that is away or still starting. `None` when told to stop.
async fn patiently_opened(
    config: &Config,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<Journal>> {
    let mut wait = Duration::from_secs(1);
    loop {
        let error = match journal::open(config).await {
            Ok(journal) => return Ok(Some(journal)),
            Err(error) => error,
        };
        let passing = error.downcast_ref().is_some_and(JournalError::is_passing);
        if !passing {
            return Err(error);
        }
        tracing::warn!(
            "连不上数据库，{} 秒后再试（PostgreSQL 启动了吗？QIJIN_DATABASE_URL 的主机和端口对吗？）：{error:#}",
            wait.as_secs()
        );
        tokio::select! {
            () = shutdown.cancelled() => return Ok(None),
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

/// How updates come, as configured.
async fn reception(config: &Config, mode: Mode, keys: &Keys) -> anyhow::Result<Reception> {
    if mode == Mode::Polling {
        return Ok(Reception::Polling);
    }
    let telegram = &config.telegram;
    let url = telegram.webhook_url.as_deref().ok_or_else(|| {
        anyhow!(
            "webhook 方式要知道 Telegram 往哪里送：写 [telegram] webhook_url，\
             例如 \"https://pf.example.cn/hook\"（环境变量 QIJIN_WEBHOOK_URL）"
        )
    })?;
    let url =
        reqwest::Url::parse(url).map_err(|e| anyhow!("webhook_url 不是网址（{e}）：{url}"))?;
    let secret = match telegram.webhook_secret.as_deref().map(str::trim) {
        None | Some("") => keys.webhook_secret(),
        Some(secret) => {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            if !(16..=256).contains(&secret.len()) || !secret.bytes().all(allowed) {
                anyhow::bail!(
                    "webhook_secret 要 16 到 256 个字符，只能用字母、数字、_ 和 -；不写就由本机密钥算出一个"
                );
            }
            secret.to_owned()
        }
    };
    let address = telegram.webhook_listen;
    web::may_listen(address, config.web.behind_proxy).map_err(|e| anyhow!(e))?;
    Ok(Reception::Webhook(Webhook {
        url,
        secret,
        listener: listen(address, "QIJIN_WEBHOOK_LISTEN").await?,
    }))
}

/// Cancels `shutdown` on SIGINT or SIGTERM; a second signal ends the process at once.
async fn stop_on_signal(shutdown: CancellationToken) {
    tokio::select! {
        () = signal() => {
            tracing::info!("stopping: questions under way are answered first");
            shutdown.cancel();
            tokio::spawn(async {
                signal().await;
                std::process::exit(130);
            });
        }
        () = shutdown.cancelled() => {}
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// What is configured, as the settings page tells it. A database's URL may hold a password.
fn facts(config: &Config, telegram: Option<Mode>) -> Vec<(&'static str, String)> {
    let yes = |yes: bool, one: &str, other: &str| (if yes { one } else { other }).to_owned();
    let days = config.journal.retention_days;
    let sqlite = config.database_url().starts_with("sqlite:");
    vec![
        (
            "原话保留",
            if days == 0 {
                "从不保存".to_owned()
            } else {
                format!("{days} 天，然后删除")
            },
        ),
        (
            "Telegram",
            match telegram {
                Some(Mode::Polling) => "已接入（主动收取）",
                Some(Mode::Webhook) => "已接入（webhook）",
                None => "没有接入：没有设 TELOXIDE_TOKEN",
            }
            .to_owned(),
        ),
        (
            "七进场所",
            config
                .places
                .preset
                .clone()
                .unwrap_or_else(|| "默认".to_owned()),
        ),
        (
            "数据库",
            yes(sqlite, "SQLite（数据文件夹里的一个文件）", "PostgreSQL"),
        ),
        ("资料文件夹", config.folders.library.display().to_string()),
        ("数据文件夹", config.folders.data.display().to_string()),
        ("监听地址", config.web.listen.to_string()),
        (
            "前面的代理",
            yes(config.web.behind_proxy, "有", "没有，只限本机"),
        ),
    ]
}

/// Once an hour: words past their retention and ids nobody repeats any more; the daily figures and
/// the entries that are new. Of several programs on one database one does it.
async fn keep_house(journal: Journal, inbox: Inbox, desk: Desk) {
    let mut hour = tokio::time::interval(Duration::from_secs(3600));
    // What a conversation leaves behind is promised to go after a quarter of an hour.
    let mut often = tokio::time::interval(Duration::from_secs(60));
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = hour.tick() => {}
            _ = often.tick() => {
                if let Err(error) = journal.prune_conversations().await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "old conversations were not deleted; tried again in a minute"
                    );
                }
                continue;
            }
        }
        match journal.takes_turn("house", 50).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the hourly work was not done; tried again in an hour"
                );
                continue;
            }
        }
        match journal.purge(Utc::now()).await {
            Ok(purged) => {
                tracing::debug!(purged.texts, purged.origins, "purged");
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "purging failed; tried again in an hour"
            ),
        }
        let now = Utc::now();
        let library = desk.library();
        let entries = library.entries.iter().map(|entry| entry.id.0.as_str());
        let noted = journal.note_entries(entries, now).await;
        let rolled = journal.roll_up(now, |_, _| ()).await.map(|_| ());
        if let Err(error) = noted.and(rolled) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the daily figures were not brought up to date; tried again in an hour"
            );
        }
        for (what, pruned) in [
            ("inbox", inbox.prune(now).await.map(|_| ())),
            ("handovers", Handovers::of(&journal).prune(now).await),
            (
                "sessions",
                Sessions::new(journal.database().clone()).prune(now).await,
            ),
        ] {
            if let Err(error) = pruned {
                tracing::error!(
                    pruned = what,
                    error = &error as &dyn std::error::Error,
                    "pruning failed; tried again in an hour"
                );
            }
        }
    }
}
