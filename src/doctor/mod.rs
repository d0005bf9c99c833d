//! Floor 6, doctor (系统体检): what is configured, reachable and stale, in plain words.
//!
//! [`examine`] looks and changes nothing: it makes no folder, no database and no index. The command and
//! the settings page show the same list.

mod disk;
mod library;

use std::path::Path;

use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;

use crate::config::{Config, Mode};
use crate::journal::{Keys, Vitals, local_time};
use crate::report;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// ✓
    Good,
    /// ! Works, but somebody should look.
    Warning,
    /// ✗ Something does not work.
    Bad,
}

impl State {
    /// As printed before a line.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Bad => "✗",
        }
    }

    /// How a page paints it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Good => "answer",
            Self::Warning => "plan",
            Self::Bad => "unknown",
        }
    }

    /// As read out.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "正常",
            Self::Warning => "留意",
            Self::Bad => "有问题",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// For programs, `database`.
    pub id: &'static str,
    /// What it is.
    pub title: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do; empty when nothing is to be done.
    pub todo: String,
}

impl Check {
    fn new(
        id: &'static str,
        title: &'static str,
        state: State,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self {
            id,
            title,
            state,
            found: found.into(),
            todo: todo.into(),
        }
    }

    fn good(id: &'static str, title: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, title, State::Good, found, "")
    }
}

/// What Telegram says of the bot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Online {
    /// The bot's user name.
    pub bot: String,
    /// Where Telegram sends updates to; with one, polling gets nothing.
    pub webhook: Option<String>,
    /// Updates that nobody fetched yet.
    pub pending: u32,
}

/// What is known of the Telegram side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telegram {
    /// Whether a token is set.
    pub token: bool,
    /// What Telegram answered, or why it did not; `None` when it was not asked.
    pub online: Option<Result<Online, String>>,
}

/// The file in the data folder whose age is that of the last backup.
pub fn backup_mark(config: &Config) -> std::path::PathBuf {
    config.folders.data.join("last-backup.txt")
}

/// Hand-overs that wait longer are too late.
const HANDOVER_DAYS: i64 = 3;
/// More waiting updates than this are a backlog, or any that waits longer than this.
const BACKLOG: u64 = 100;
const BACKLOG_MINUTES: i64 = 10;
/// An older backup is too old.
const BACKUP_DAYS: i64 = 7;

/// Looks at everything. Takes as long as reading the library does.
pub async fn examine(config: &Config, telegram: &Telegram, now: DateTime<Utc>) -> Vec<Check> {
    let mut checks = vec![file(config)];
    let own = config.clone();
    let looked = tokio::task::spawn_blocking(move || (library::all(&own), disk::all(&own)));
    let (library, disk) = looked.await.unwrap_or_else(|e| {
        let fault = Check::new(
            "library",
            "资料库",
            State::Bad,
            e.to_string(),
            "把这一行发给开发者",
        );
        (vec![fault], Vec::new())
    });
    checks.extend(library);
    let vitals = Vitals::of(&config.database_url()).await;
    // Only looked at: one that is missing is made by `serve`.
    let file = config.key_file();
    let keys = file.exists().then(|| Keys::open_or_create(&file).ok());
    checks.extend(database(vitals, keys.flatten().as_ref(), now));
    checks.extend(disk);
    checks.extend(bot(config, telegram));
    checks.push(fonts());
    checks.push(backup(config, now));
    checks
}

/// The one line when the configuration itself cannot be read.
pub fn unreadable(why: &str) -> Check {
    let todo = "照上面说的改 qijin.toml，写法见 qijin.example.toml";
    Check::new("config", "配置", State::Bad, why, todo)
}

/// Whether nothing is ✗.
pub fn is_well(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.state != State::Bad)
}

fn file(config: &Config) -> Check {
    let (id, title) = ("config", "配置");
    let file = &config.origin.file;
    let over = config.origin.overridden.len();
    let over = match over {
        0 => String::new(),
        n => format!("；另有 {n} 项由环境变量或命令行参数决定"),
    };
    if !file.exists() {
        let found = format!("没有 {}，用的是默认值{over}", file.display());
        let todo = "复制 qijin.example.toml 为 qijin.toml，写上单位名称和联系方式";
        let named = config.origin.decided_by("office", "name").is_some();
        return match named {
            true => Check::good(id, title, found),
            false => Check::new(id, title, State::Warning, found, todo),
        };
    }
    let found = format!("{} 读得懂{over}", file.display());
    if config.office.contact.is_empty() {
        let found = format!("{found}；没有写联系方式，居民只会看到 12348");
        let todo = "在设置里，或 [office] contact 里，写上电话和地址";
        return Check::new(id, title, State::Warning, found, todo);
    }
    Check::good(id, title, found)
}

fn since(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let waited = now - at;
    if waited.num_days() > 0 {
        format!("{} 天", waited.num_days())
    } else if waited.num_hours() > 0 {
        format!("{} 小时", waited.num_hours())
    } else {
        format!("{} 分钟", waited.num_minutes().max(0))
    }
}

fn database(
    vitals: Result<Option<Vitals>, crate::journal::JournalError>,
    keys: Option<&Keys>,
    now: DateTime<Utc>,
) -> Vec<Check> {
    let (id, title) = ("database", "数据库");
    let vitals = match vitals {
        Ok(Some(vitals)) => vitals,
        Ok(None) => {
            let todo = "第一次运行 qijin serve 时会建好，不用做什么";
            return vec![Check::new(id, title, State::Warning, "还没有数据库", todo)];
        }
        Err(error) => {
            let mut found = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                found.push_str(&format!("：{cause}"));
                source = cause.source();
            }
            let todo = "看 [journal] database_url 写对了没有，数据库服务开着没有，文件能不能读";
            return vec![Check::new(
                id,
                title,
                State::Bad,
                without_password(&found),
                todo,
            )];
        }
    };
    let engine = if vitals.is_file {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    if !vitals.current {
        let found = format!("{engine}，表结构是旧版的");
        let todo = "运行 qijin db migrate；重新启动 qijin serve 也会自己升级";
        return vec![Check::new(id, title, State::Bad, found, todo)];
    }
    let size = vitals
        .bytes
        .map_or_else(String::new, |b| format!("，{}", bytes(b)));
    let found = format!(
        "{engine}，{} 条提问{size}，表结构是最新的",
        vitals.questions
    );
    let mut checks = vec![Check::good(id, title, found)];
    if keys.is_some_and(|keys| !vitals.is_of(keys)) {
        let found = "local.key 不是写这个数据库用的那一把，serve 不会启动";
        let todo =
            "把备份里原来的 local.key 放回数据文件夹；确实找不回来，看 qijin db rekey --help";
        checks.push(Check::new("key", "本机密钥", State::Bad, found, todo));
    }
    let late =
        |at: Option<DateTime<Utc>>, limit: chrono::TimeDelta| at.is_some_and(|at| now - at > limit);
    let waiting = match vitals.waiting {
        0 => "没有等着答的消息".to_owned(),
        n => {
            let waited = vitals
                .waiting_since
                .map(|at| since(at, now))
                .unwrap_or_default();
            format!("{n} 条消息等着答，最久的等了 {waited}")
        }
    };
    let behind = vitals.waiting > BACKLOG
        || late(
            vitals.waiting_since,
            chrono::TimeDelta::minutes(BACKLOG_MINUTES),
        );
    checks.push(match behind {
        false => Check::good("inbox", "收件箱", waiting),
        true => {
            let todo = "看 qijin serve 是不是开着、日志里有没有连不上 Telegram 的话";
            Check::new("inbox", "收件箱", State::Warning, waiting, todo)
        }
    });
    let open = match vitals.handed_over {
        0 => "没有等着答复的".to_owned(),
        n => {
            let waited = vitals
                .handed_over_since
                .map(|at| since(at, now))
                .unwrap_or_default();
            format!("{n} 个等着答复，最久的等了 {waited}")
        }
    };
    checks.push(
        match late(
            vitals.handed_over_since,
            chrono::TimeDelta::days(HANDOVER_DAYS),
        ) {
            false => Check::good("handover", "找人问", open),
            true => {
                let todo = "在“找人问”里答复；居民一直在等";
                Check::new("handover", "找人问", State::Warning, open, todo)
            }
        },
    );
    checks.push(match vitals.accounts {
        0 => {
            let todo = "运行 qijin staff add 用户名 --role 管理";
            Check::new(
                "staff",
                "工作人员账号",
                State::Warning,
                "还没有能登录的账号",
                todo,
            )
        }
        n => Check::good("staff", "工作人员账号", format!("{n} 个能登录")),
    });
    checks.push(clock(vitals.latest, now));
    checks
}

/// A clock that runs wrong files questions under wrong days.
fn clock(latest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Check {
    let (id, title) = ("clock", "时钟");
    let read = local_time(now).format("%Y-%m-%d %H:%M");
    let todo = "打开系统的自动对时（timedatectl set-ntp true），再看一次";
    // This program was written then.
    if now.year() < 2026 {
        let found = format!("电脑的时间是 {read}，不可能这么早");
        return Check::new(id, title, State::Bad, found, todo);
    }
    match latest.filter(|at| *at > now + chrono::TimeDelta::minutes(5)) {
        Some(at) => {
            let at = local_time(at).format("%Y-%m-%d %H:%M");
            let found = format!("电脑的时间是 {read}，可是日志里有 {at} 的提问");
            Check::new(id, title, State::Bad, found, todo)
        }
        None => Check::good(id, title, format!("{read}")),
    }
}

fn bot(config: &Config, telegram: &Telegram) -> Vec<Check> {
    let (id, title) = ("telegram", "Telegram");
    if !telegram.token {
        let todo =
            "要接 Telegram，设环境变量 TELOXIDE_TOKEN（向 @BotFather 申请）；只用网页就不用管";
        return vec![Check::new(
            id,
            title,
            State::Warning,
            "没有设令牌，Telegram 没有接",
            todo,
        )];
    }
    let Some(online) = &telegram.online else {
        let found = "令牌已设，没有去问 Telegram 对不对";
        let todo = "加 --online 再体检一次，就会去问";
        return vec![Check::new(id, title, State::Good, found, todo)];
    };
    let online = match online {
        Err(why) => {
            let todo = "核对 TELOXIDE_TOKEN；连不上就看网络，或在 [telegram] proxy 里写代理";
            return vec![Check::new(id, title, State::Bad, why, todo)];
        }
        Ok(online) => online,
    };
    let found = format!(
        "令牌有效，机器人是 @{}，有 {} 条还没取走",
        online.bot, online.pending
    );
    let mut checks = Vec::new();
    let wanted = config
        .telegram
        .bot
        .as_deref()
        .map(|b| b.trim().trim_start_matches('@'));
    checks.push(match wanted {
        Some(wanted) if !wanted.eq_ignore_ascii_case(&online.bot) => {
            let found = format!("{found}；可是二维码指向 @{wanted}");
            let todo = "把设置里“机器人的用户名”改对，重新打印海报";
            Check::new(id, title, State::Bad, found, todo)
        }
        _ if u64::from(online.pending) > BACKLOG => {
            let todo = "没有程序在取消息：看 qijin serve 是不是开着，是不是别的程序也在用这个令牌";
            Check::new(id, title, State::Warning, found, todo)
        }
        _ => Check::good(id, title, found),
    });
    checks.extend(webhook(config, online.webhook.as_deref()));
    checks
}

/// Whether updates go where they are received.
fn webhook(config: &Config, set: Option<&str>) -> Option<Check> {
    let (id, title) = ("webhook", "Webhook");
    if config.telegram.mode == Mode::Polling {
        let found = format!("Telegram 会把消息发到 {}，轮询收不到", set?);
        let todo =
            "重启 qijin serve 会取消它；之后又有了，就是别的程序在用这个令牌：停掉它，或换一个令牌";
        return Some(Check::new(id, title, State::Bad, found, todo));
    }
    let same = |url: &str| reqwest::Url::parse(url).ok();
    let wanted = config.telegram.webhook_url.as_deref().and_then(same);
    if wanted.is_some() && set.and_then(same) == wanted {
        return Some(Check::good(id, title, "Telegram 把消息发到本单位的地址"));
    }
    let found = match set {
        Some(url) => format!("Telegram 把消息发到 {url}，不是配置里的 webhook_url"),
        None => "配置要用 webhook，可是还没有登记".to_owned(),
    };
    let todo = "启动 qijin serve 会登记；已经开着，就看它的日志";
    Some(Check::new(id, title, State::Bad, found, todo))
}

fn fonts() -> Check {
    let (id, title) = ("fonts", "中文字体");
    match report::chinese_font() {
        Some(family) => Check::good(id, title, format!("{family}，海报和报告的图都能做")),
        None => {
            let todo = "装一个：apt install fonts-wqy-microhei";
            Check::new(
                id,
                title,
                State::Warning,
                "没有，海报做不了，Word 报告里没有图",
                todo,
            )
        }
    }
}

fn backup(config: &Config, now: DateTime<Utc>) -> Check {
    let (id, title) = ("backup", "备份");
    let todo = "运行 qijin db backup 备份/七进-日期.sqlite，并另外备份数据文件夹里的 local.key";
    let mark = backup_mark(config);
    let made = std::fs::metadata(&mark).and_then(|m| m.modified()).ok();
    let Some(made) = made.map(DateTime::<Utc>::from) else {
        return Check::new(
            id,
            title,
            State::Warning,
            "没有用 qijin db backup 备份过",
            todo,
        );
    };
    let to = std::fs::read_to_string(&mark).unwrap_or_default();
    let found = format!("上次在 {} 前，写到 {}", since(made, now), to.trim());
    match (now - made).num_days() <= BACKUP_DAYS {
        true => Check::good(id, title, found),
        false => Check::new(id, title, State::Warning, found, todo),
    }
}

/// `12.3 MB`
fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{:.0} KB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// A database's URL in a message may hold a password: `postgres://user:…@host` loses it.
fn without_password(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.split_once('@') {
        Some((_, host)) => format!("{before}://…@{}", without_password(host)),
        None => text.to_owned(),
    }
}

/// What a path lets others do; `None` where the system does not tell.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .ok()
        .map(|m| m.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests;
