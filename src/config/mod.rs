//! Floor 6, configuration: `qijin.toml`, environment variables `QIJIN_*` over it, flags over both.
//!
//! Every key is optional; `qijin.example.toml` documents all of them. The environment and the
//! flags are laid over the file's table before it is read, so one set of rules holds for all.

mod edit;
mod offices;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use toml::{Table, Value};

use crate::answer::Office;
use crate::desk::Paths;
use crate::journal::OfficeId;
use crate::knowledge::LoadOptions;
use crate::ledger::Regions;

pub use edit::{Edit, EditError, Written, is_writable};
pub use offices::{CountyConfig, OfficeConfig};

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Names and telephone of the office.
    pub office: Office,
    /// Where things are.
    pub folders: Folders,
    /// Which places are used.
    pub places: Places,
    /// The township and its villages and communities; only in the file.
    pub regions: Regions,
    /// The journal.
    pub journal: JournalConfig,
    /// The HTTP side of `serve`.
    pub web: WebConfig,
    /// The Telegram side of `serve`. The token is never in the file.
    pub telegram: TelegramConfig,
    /// Several offices of one deployment; only in the file.
    pub offices: Vec<OfficeConfig>,
    /// Who sees the figures of several of them; only in the file.
    pub counties: Vec<CountyConfig>,
    /// The office that this is the configuration of.
    #[serde(skip)]
    pub id: OfficeId,
    /// Whether it is that of one of several offices.
    #[serde(skip)]
    one_of_several: bool,
    /// Where it was read from.
    #[serde(skip)]
    pub origin: Origin,
}

/// Where a configuration came from: what stands in the file, and what was laid over it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The file; it may not be there.
    pub file: PathBuf,
    /// Section and key of what the environment or a flag decides, with who does.
    pub overridden: Vec<(&'static str, &'static str, String)>,
}

impl Origin {
    /// What decides a key instead of the file, `环境变量 QIJIN_OFFICE_NAME`.
    pub fn decided_by(&self, section: &str, key: &str) -> Option<&str> {
        let mut all = self.overridden.iter();
        let found = all.find(|(s, k, _)| (*s, *k) == (section, key));
        found.map(|(_, _, by)| by.as_str())
    }
}

/// `[folders]`: where things are, relative to the working directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Folders {
    /// The library; `QIJIN_LIBRARY_DIR`.
    pub library: PathBuf,
    /// The built index; `QIJIN_INDEX_DIR`.
    pub index: PathBuf,
    /// Database and local key; `QIJIN_DATA_DIR`.
    pub data: PathBuf,
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            library: "knowledge".into(),
            index: "index".into(),
            data: "data".into(),
        }
    }
}

/// `[places]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// A preset of `knowledge/places.toml`; `QIJIN_PLACES_PRESET`.
    pub preset: Option<String>,
}

/// `[journal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// Days that the redacted words of a question are kept; 0 = never stored;
    /// `QIJIN_RETENTION_DAYS`.
    pub retention_days: u32,
    /// Database URL; empty means `qijin.sqlite` in the data folder; `QIJIN_DATABASE_URL`.
    pub database_url: String,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            retention_days: 30,
            database_url: String::new(),
        }
    }
}

/// `[web]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Address that `serve` listens on; `QIJIN_LISTEN`.
    pub listen: SocketAddr,
    /// Whether a proxy of ours with TLS stands in front; `QIJIN_BEHIND_PROXY`.
    pub behind_proxy: bool,
    /// Address for `/metrics` and `/readyz`, for the machine that watches; none by default;
    /// `QIJIN_ADMIN_LISTEN`.
    pub admin_listen: Option<SocketAddr>,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            behind_proxy: false,
            admin_listen: None,
        }
    }
}

/// A little less than Telegram takes.
const MESSAGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(28).expect("28 is not 0");

/// How updates come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// 主动向 Telegram 收取：一台机器，不用公网地址
    #[default]
    Polling,
    /// Telegram 送到公网地址：可以几台一起跑
    Webhook,
}

/// `[telegram]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelegramConfig {
    /// How updates come; `QIJIN_TELEGRAM_MODE`.
    pub mode: Mode,
    /// The public address that Telegram brings updates to; `QIJIN_WEBHOOK_URL`.
    pub webhook_url: Option<String>,
    /// What Telegram says there to prove that it is Telegram; made from the local key when it is not
    /// given; `QIJIN_WEBHOOK_SECRET`.
    pub webhook_secret: Option<String>,
    /// Where `serve` listens for the webhook; `QIJIN_WEBHOOK_LISTEN`.
    pub webhook_listen: SocketAddr,
    /// Proxy for the Bot API, `http://…` or `socks5://…`; `QIJIN_PROXY`.
    pub proxy: Option<String>,
    /// Messages this program sends a second at most: Telegram takes about 30 of a bot, from all its
    /// programs together; `QIJIN_MESSAGES_PER_SECOND`.
    pub messages_per_second: NonZeroU32,
    /// The bot's user name, which QR codes lead to; `QIJIN_BOT`.
    pub bot: Option<String>,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            webhook_url: None,
            webhook_secret: None,
            webhook_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            proxy: None,
            messages_per_second: MESSAGES_PER_SECOND,
            bot: None,
        }
    }
}

impl std::fmt::Debug for TelegramConfig {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelegramConfig")
            .field("mode", &self.mode)
            .field("webhook_url", &self.webhook_url)
            .field("webhook_listen", &self.webhook_listen)
            .field("proxy", &self.proxy)
            .field("messages_per_second", &self.messages_per_second)
            .field("bot", &self.bot)
            .finish_non_exhaustive()
    }
}

/// Environment variable → section and key.
const ENVIRONMENT: [(&str, &str, &str); 18] = [
    ("QIJIN_OFFICE_NAME", "office", "name"),
    ("QIJIN_OFFICE_CONTACT", "office", "contact"),
    ("QIJIN_LIBRARY_DIR", "folders", "library"),
    ("QIJIN_INDEX_DIR", "folders", "index"),
    ("QIJIN_DATA_DIR", "folders", "data"),
    ("QIJIN_PLACES_PRESET", "places", "preset"),
    ("QIJIN_RETENTION_DAYS", "journal", "retention_days"),
    ("QIJIN_DATABASE_URL", "journal", "database_url"),
    ("QIJIN_LISTEN", "web", "listen"),
    ("QIJIN_BEHIND_PROXY", "web", "behind_proxy"),
    ("QIJIN_ADMIN_LISTEN", "web", "admin_listen"),
    ("QIJIN_TELEGRAM_MODE", "telegram", "mode"),
    ("QIJIN_WEBHOOK_URL", "telegram", "webhook_url"),
    ("QIJIN_WEBHOOK_SECRET", "telegram", "webhook_secret"),
    ("QIJIN_WEBHOOK_LISTEN", "telegram", "webhook_listen"),
    ("QIJIN_PROXY", "telegram", "proxy"),
    (
        "QIJIN_MESSAGES_PER_SECOND",
        "telegram",
        "messages_per_second",
    ),
    ("QIJIN_BOT", "telegram", "bot"),
];

/// The file looked for when no `--config` is given.
const DEFAULT_FILE: &str = "qijin.toml";

/// A value laid over the file: section, key, value.
pub type Override = (&'static str, &'static str, String);

impl Config {
    /// Reads the file (missing is fine unless it was named), the environment and `flags`.
    ///
    /// # Errors
    /// For a named file that is missing, bad TOML, an unknown key (the nearest known one is
    /// named) or a value of the wrong type.
    pub fn load(file: Option<&Path>, flags: &[Override]) -> anyhow::Result<Self> {
        let environment = |name: &str| std::env::var(name).ok();
        Self::assemble(file, environment, flags)
    }

    fn assemble(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: &[Override],
    ) -> anyhow::Result<Self> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut table: Table = match std::fs::read_to_string(path) {
            Ok(text) => {
                // Read once on its own, so that a fault is pointed at in the file.
                if let Err(error) = toml::from_str::<Self>(&text) {
                    bail!("配置文件 {} 有误：{}", path.display(), explain(&error));
                }
                toml::from_str(&text)?
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && file.is_none() => Table::new(),
            Err(e) => {
                return Err(e).with_context(|| format!("读不了配置文件 {}", path.display()));
            }
        };
        let mut overridden = Vec::new();
        for (name, section, key) in ENVIRONMENT {
            if let Some(value) = environment(name).filter(|v| !v.is_empty()) {
                lay_over(&mut table, section, key, &value)
                    .with_context(|| format!("环境变量 {name} 有误"))?;
                overridden.push((section, key, format!("环境变量 {name}")));
            }
        }
        for (section, key, value) in flags {
            lay_over(&mut table, section, key, value)?;
            overridden.push((*section, *key, "启动时的命令行参数".to_owned()));
        }
        let mut config: Self = Value::Table(table)
            .try_into()
            .map_err(|e| anyhow!("配置有误：{e}"))?;
        config.check_offices()?;
        config.origin = Origin {
            file: path.to_owned(),
            overridden,
        };
        Ok(config)
    }

    /// How the library is read today.
    pub fn load_options(&self) -> LoadOptions {
        self.paths().load_options()
    }

    /// Where the library and its index are.
    pub fn paths(&self) -> Paths {
        Paths {
            library: self.folders.library.clone(),
            index: self.folders.index.clone(),
            preset: self.places.preset.clone(),
            own: self.own_entries(),
        }
    }

    /// The database's URL.
    pub fn database_url(&self) -> String {
        if self.journal.database_url.is_empty() {
            format!(
                "sqlite:{}",
                self.folders.data.join("qijin.sqlite").display()
            )
        } else {
            self.journal.database_url.clone()
        }
    }

    /// The local key's file.
    pub fn key_file(&self) -> PathBuf {
        self.folders.data.join("local.key")
    }
}

fn lay_over(table: &mut Table, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
    let value = if key == "retention_days" {
        let days = value.trim().parse::<u32>();
        Value::Integer(days.with_context(|| format!("“{value}”不是天数"))?.into())
    } else if key == "messages_per_second" {
        let pace = value.trim().parse::<NonZeroU32>();
        let pace = pace.with_context(|| format!("“{value}”不是每秒条数，要是 1 以上的整数"))?;
        Value::Integer(pace.get().into())
    } else if key.ends_with("listen") {
        let address = value.parse::<SocketAddr>();
        address.with_context(|| format!("“{value}”不是地址，要像 127.0.0.1:8080"))?;
        Value::String(value.to_owned())
    } else if key == "mode" {
        match value.trim() {
            mode @ ("polling" | "webhook") => Value::String(mode.to_owned()),
            other => bail!("“{other}”不是 polling 或 webhook"),
        }
    } else if key == "behind_proxy" {
        let declared = match value.trim() {
            "true" | "1" => true,
            "false" | "0" => false,
            other => bail!("“{other}”不是 true 或 false"),
        };
        Value::Boolean(declared)
    } else {
        Value::String(value.to_owned())
    };
    let section = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), value);
    }
    Ok(())
}

/// serde's message, with the nearest known key when the key is unknown.
fn explain(error: &toml::de::Error) -> String {
    let message = error.to_string();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    if !error.message().starts_with("unknown field") {
        return message;
    }
    let Some(unknown) = quoted.next() else {
        return message;
    };
    let nearest = quoted.min_by_key(|known| strsim::damerau_levenshtein(unknown, known));
    match nearest {
        Some(nearest) => format!("不认识的键 {unknown}，最接近的是 {nearest}\n{message}"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use std::io::Write as _;

    fn assemble(file: &str, env: &[(&str, &str)]) -> anyhow::Result<Config> {
        let mut on_disk = tempfile::NamedTempFile::new().unwrap();
        on_disk.write_all(file.as_bytes()).unwrap();
        let env = |name: &str| {
            let found = env.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        Config::assemble(Some(on_disk.path()), env, &[])
    }

    #[test]
    fn environment_wins_over_file() {
        let config = assemble(
            "[journal]\nretention_days = 7\n[office]\nname = \"甲\"",
            &[("QIJIN_RETENTION_DAYS", "0")],
        )
        .unwrap();
        assert_eq!(config.journal.retention_days, 0);
        assert_eq!(config.office.name, "甲");
    }

    #[test]
    fn unknown_key_names_the_nearest() {
        let error = assemble("[journal]\nretension_days = 7", &[]).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("retension_days") && text.contains("retention_days"),
            "{text}"
        );
    }

    #[test]
    fn bad_values_name_their_variable() {
        let error = assemble("", &[("QIJIN_LISTEN", "here")]).unwrap_err();
        assert!(format!("{error:#}").contains("QIJIN_LISTEN"));
        let error = assemble("", &[("QIJIN_BEHIND_PROXY", "maybe")]).unwrap_err();
        assert!(format!("{error:#}").contains("QIJIN_BEHIND_PROXY"));
        let error = assemble("", &[("QIJIN_TELEGRAM_MODE", "push")]).unwrap_err();
        assert!(format!("{error:#}").contains("QIJIN_TELEGRAM_MODE"));
        let error = assemble("", &[("QIJIN_MESSAGES_PER_SECOND", "0")]).unwrap_err();
        assert!(format!("{error:#}").contains("QIJIN_MESSAGES_PER_SECOND"));
        let config = assemble("", &[("QIJIN_MESSAGES_PER_SECOND", "7")]).unwrap();
        assert_eq!(config.telegram.messages_per_second.get(), 7);
    }

    #[test]
    fn the_webhook_is_configured_by_environment_and_its_secret_is_not_shown() {
        let env = [
            ("QIJIN_TELEGRAM_MODE", "webhook"),
            ("QIJIN_WEBHOOK_URL", "https://pf.example.org/hook"),
            ("QIJIN_WEBHOOK_SECRET", "only-telegram-knows"),
            ("QIJIN_ADMIN_LISTEN", "127.0.0.1:9090"),
        ];
        let config = assemble("", &env).unwrap();
        assert_eq!(config.telegram.mode, super::Mode::Webhook);
        assert_eq!(config.web.admin_listen.unwrap().port(), 9090);
        assert!(!format!("{config:?}").contains("only-telegram-knows"));
    }

    #[test]
    fn the_example_file_is_valid_and_shows_the_defaults() {
        let text = include_str!("../../qijin.example.toml");
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(
            config.journal.retention_days,
            Config::default().journal.retention_days
        );
        assert_eq!(config.web.listen, Config::default().web.listen);
        assert!(!config.web.behind_proxy);
        assert!(config.regions.list.is_empty());
        assert!(config.web.admin_listen.is_none());
        let (telegram, default) = (config.telegram, Config::default().telegram);
        assert_eq!(telegram.mode, default.mode);
        assert_eq!(telegram.webhook_listen, default.webhook_listen);
        assert_eq!(telegram.messages_per_second, default.messages_per_second);
    }
}
