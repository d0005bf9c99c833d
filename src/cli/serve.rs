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
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use super::{journal, panics, progress, runtime};
use crate::config::{Config, Mode};
use crate::desk::{self, Desk};
use crate::journal::{Handovers, Inbox, Journal, JournalError, Keys, OfficeId, Sessions};
use crate::telegram::{self, Doors, Reception, TelegramSettings, Webhook};
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

/// An office with what it is served by.
struct Place {
    config: Config,
    desk: Desk,
    journal: Journal,
    inbox: Inbox,
}

pub(super) fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    start_log(args.log_json);
    panics::say_only_where();
    let offices = config.each_office();
    let answerers = progress::open_all(&offices)?;
    runtime()?.block_on(async {
        web::may_listen(config.web.listen, config.web.behind_proxy).map_err(|e| anyhow!(e))?;
        let shutdown = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(stop_on_signal(shutdown.clone()));
        let Some(journal) = patiently_opened(config, &shutdown).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        let keys = journal.keys().clone();
        let database = journal.database().clone();
        let places: Vec<Place> = offices
            .into_iter()
            .zip(answerers)
            .map(|(config, answerer)| {
                let (database, days) = (database.of(&config.id), config.journal.retention_days);
                let journal = Journal::new(database.clone(), keys.clone(), days);
                Place {
                    desk: Desk::new(answerer, Some(journal.clone())),
                    inbox: Inbox::new(database, keys.clone()),
                    journal,
                    config,
                }
            })
            .collect();
        let counties: Vec<Place> = config
            .each_county()
            .into_iter()
            .filter_map(|county| Some(Place::of_county(county, places.first()?)))
            .collect();
        let listener = listen(config.web.listen, "QIJIN_LISTEN").await?;
        let address = listener.local_addr()?;
        tracing::info!(web.address = %address, "serving");
        if std::io::stdout().is_terminal() {
            say!("已启动，请用浏览器打开 http://{address} ；按 Ctrl-C 停止。");
        }

        let mode = args.telegram.unwrap_or(config.telegram.mode);
        let bots: Vec<Option<TelegramSettings>> = places
            .iter()
            .map(|place| TelegramSettings::of(&place.config))
            .collect();
        let hooks = match mode {
            Mode::Webhook if bots.iter().any(Option::is_some) => {
                Some(hooks(config, &keys, &tasks, &shutdown).await?)
            }
            _ => None,
        };
        let desks: Vec<Desk> = places.iter().map(|place| place.desk.clone()).collect();
        let health = Health::new(desks.clone(), database.clone());
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
        let paths = places.iter().map(|place| place.config.paths());
        let watched = desks.into_iter().zip(paths).collect();
        tasks.spawn(desk::watch(watched, shutdown.clone()));
        let houses = places.iter().chain(&counties).map(House::of).collect();
        let house = keep_house(houses);
        let stopping = shutdown.clone();
        // Cut off by a stop in the middle of its work: each step is whole, or done in the next hour.
        tasks.spawn(async move { stopping.run_until_cancelled(house).await });
        let mut setups = places.iter().zip(&bots).map(|(place, bot)| web::Setup {
            desk: place.desk.clone(),
            journal: place.journal.clone(),
            health: health.clone(),
            behind_proxy: config.web.behind_proxy,
            telegram: bot.is_some(),
            facts: facts(&place.config, bot.as_ref().map(|_| mode)),
            county: None,
            config: place.config.clone(),
        });
        // There always is one office.
        let first = setups.next().context("没有机构")?;
        let mut others: Vec<web::Setup> = setups.collect();
        others.extend(counties.iter().map(|c| c.county_setup(&places, &health)));
        let web = tasks.spawn(web::run(listener, first, others, shutdown.clone()));
        let outcome = if config.names_offices() {
            speak_for_all(places, bots, hooks.as_ref(), &tasks, &shutdown).await;
            Ok(())
        } else {
            match places.into_iter().zip(bots).next() {
                Some((place, Some(settings))) => {
                    let reception = match &hooks {
                        Some(hooks) => hooks.of(None),
                        None => Reception::Polling,
                    };
                    telegram::run(
                        settings,
                        reception,
                        place.desk,
                        place.inbox,
                        shutdown.clone(),
                    )
                    .await
                    .context("Telegram 接入失败")
                }
                _ => {
                    tracing::warn!("TELOXIDE_TOKEN is not set: Telegram is off");
                    shutdown.cancelled().await;
                    Ok(())
                }
            }
        };
        shutdown.cancel();
        tasks.close();
        web.await?.context("网页服务出错")?;
        tasks.wait().await;
        database.close().await;
        tracing::info!("stopped");
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

impl Place {
    /// A county: it has accounts, and nobody asks it anything.
    fn of_county(config: Config, beside: &Self) -> Self {
        let (database, keys) = (beside.journal.database(), beside.journal.keys());
        let database = database.of(&config.id);
        let days = config.journal.retention_days;
        let journal = Journal::new(database.clone(), keys.clone(), days);
        Self {
            desk: beside.desk.beside(config.office.clone(), journal.clone()),
            inbox: Inbox::new(database, keys.clone()),
            journal,
            config,
        }
    }

    /// Pages for a county, with the figures of its offices among `places`.
    fn county_setup(&self, places: &[Self], health: &Health) -> web::Setup {
        let journal_of = |id: &OfficeId| places.iter().find(|place| place.config.id == *id);
        let offices = self.config.offices_of_county().into_iter();
        let journals =
            offices.filter_map(|(id, name)| Some((name, journal_of(&id)?.journal.clone())));
        web::Setup {
            desk: self.desk.clone(),
            journal: self.journal.clone(),
            health: health.clone(),
            behind_proxy: self.config.web.behind_proxy,
            telegram: false,
            facts: Vec::new(),
            county: Some(journals.collect()),
            config: self.config.clone(),
        }
    }
}

/// Runs the bots of all offices until `shutdown`. One that cannot start is logged, and stops no other.
async fn speak_for_all(
    places: Vec<Place>,
    bots: Vec<Option<TelegramSettings>>,
    hooks: Option<&Hooks>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) {
    for (place, settings) in places.into_iter().zip(bots) {
        let id = place.config.id.clone();
        let Some(settings) = settings else {
            let variable = place.config.token_variables().swap_remove(0);
            tracing::warn!(office.id = %id, "{variable} is not set: this office is not in Telegram");
            continue;
        };
        let reception = match hooks {
            Some(hooks) => hooks.of(Some(&id)),
            None => Reception::Polling,
        };
        let span = tracing::info_span!("office", office.id = %id);
        let stop = shutdown.child_token();
        let speaking = async move {
            let spoken = telegram::run(settings, reception, place.desk, place.inbox, stop).await;
            if let Err(error) = spoken {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "this office is not in Telegram; the others are not concerned"
                );
            }
        };
        tasks.spawn(speaking.instrument(span));
    }
    shutdown.cancelled().await;
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

/// How webhooks come in: one address for all bots.
struct Hooks {
    url: reqwest::Url,
    secret: String,
    doors: Doors,
}

impl Hooks {
    /// Of one bot: where there are several offices each has a path of its own.
    fn of(&self, office: Option<&OfficeId>) -> Reception {
        let mut url = self.url.clone();
        if let Some(id) = office {
            let path = format!("{}/{id}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Reception::Webhook(Webhook {
            url,
            secret: self.secret.clone(),
            doors: self.doors.clone(),
        })
    }
}

/// Begins to listen for webhooks, as configured.
async fn hooks(
    config: &Config,
    keys: &Keys,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> anyhow::Result<Hooks> {
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
    let listener = listen(address, "QIJIN_WEBHOOK_LISTEN").await?;
    let doors = Doors::default();
    tasks.spawn(doors.clone().serve(listener, shutdown.clone()));
    Ok(Hooks { url, secret, doors })
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

/// What an office's housekeeping needs.
struct House {
    journal: Journal,
    inbox: Inbox,
    desk: Desk,
}

impl House {
    fn of(place: &Place) -> Self {
        Self {
            journal: place.journal.clone(),
            inbox: place.inbox.clone(),
            desk: place.desk.clone(),
        }
    }
}

/// Looks after all offices, one after the other.
async fn keep_house(houses: Vec<House>) {
    let mut hour = tokio::time::interval(Duration::from_secs(3600));
    // What a conversation leaves behind is promised to go after a quarter of an hour.
    let mut often = tokio::time::interval(Duration::from_secs(60));
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let hourly = tokio::select! {
            _ = hour.tick() => true,
            _ = often.tick() => false,
        };
        for house in &houses {
            if hourly {
                house.keep().await;
            } else if let Err(error) = house.journal.prune_conversations().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "old conversations were not deleted; tried again in a minute"
                );
            }
        }
    }
}

impl House {
    /// Once an hour: words past their retention and ids nobody repeats any more; the daily figures and
    /// the entries that are new. Of several programs on one database one does it.
    async fn keep(&self) {
        let Self {
            journal,
            inbox,
            desk,
        } = self;
        match journal.takes_turn("house", 50).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the hourly work was not done; tried again in an hour"
                );
                return;
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
            ("handovers", Handovers::of(journal).prune(now).await),
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
