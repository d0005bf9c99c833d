//! The programs that are measured, each started for itself and ended with the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use qijin::journal::Keys;
use qijin::knowledge::Library;
use serde_json::json;

use super::fake_telegram::{FakeTelegram, TOKEN};
use super::postgres::Postgres;

/// Until a program takes updates: it may build its index first.
const START: Duration = Duration::from_secs(120);
/// The address that programs give Telegram; the fake brings updates to them directly.
const WEBHOOK: &str = "https://qijin.test/telegram/hook";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// teloxide's own dispatcher, answering with the same words.
    Echo,
    /// aiogram, bm25s and jieba.
    Python,
    /// `qijin serve`, polling, SQLite.
    Polling,
    /// As many `qijin serve` behind a webhook on one PostgreSQL.
    Webhook(usize),
}

impl Kind {
    pub const WORDS: &str = "echo, python, polling, webhook1, webhook2, webhook4";

    pub fn parse(word: &str) -> anyhow::Result<Self> {
        Ok(match word {
            "echo" => Self::Echo,
            "python" => Self::Python,
            "polling" => Self::Polling,
            word => {
                let replicas = word.strip_prefix("webhook").and_then(|n| n.parse().ok());
                let replicas = replicas.filter(|n| (1..=16).contains(n));
                let known = || format!("{word} is none of {}", Self::WORDS);
                Self::Webhook(replicas.with_context(known)?)
            }
        })
    }

    pub fn word(self) -> String {
        match self {
            Self::Echo => "echo".into(),
            Self::Python => "python".into(),
            Self::Polling => "polling".into(),
            Self::Webhook(replicas) => format!("webhook{replicas}"),
        }
    }

    /// What it is, for the table.
    pub fn title(self) -> String {
        match self {
            Self::Echo => "bare teloxide echo bot, polling (the floor)".into(),
            Self::Python => "aiogram + bm25s + jieba, polling".into(),
            Self::Polling => "qijin, polling, SQLite".into(),
            Self::Webhook(1) => "qijin, webhook, PostgreSQL, 1 program".into(),
            Self::Webhook(n) => format!("qijin, webhook, PostgreSQL, {n} programs"),
        }
    }

    pub fn is_qijin(self) -> bool {
        matches!(self, Self::Polling | Self::Webhook(_))
    }
}

/// Where programs and their folders are.
pub struct Places {
    /// The release build of the program.
    pub qijin: PathBuf,
    /// `knowledge/`, or another library.
    pub library: PathBuf,
    /// Kept between runs: index, Python's packages, logs.
    pub folder: PathBuf,
}

/// A running program; ends when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What runs now. Everything ends, and its folder goes, when it is dropped.
pub struct Running {
    processes: Vec<Process>,
    pub postgres: Option<Postgres>,
    /// The URL of the journal's database, for Qijin.
    pub database: Option<String>,
    /// Data of this run.
    pub data: tempfile::TempDir,
}

impl Running {
    pub fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(|p| p.0.id()).collect()
    }

    /// Whether all of them still run.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for process in &mut self.processes {
            if let Some(status) = process.0.try_wait()? {
                bail!("a program ended by itself ({status}); see its log");
            }
        }
        Ok(())
    }
}

/// Starts it, and waits until it takes updates.
///
/// `pace` is how many messages a second Qijin may send in all; `None` leaves it as shipped.
pub async fn start(
    kind: Kind,
    pace: Option<u32>,
    places: &Places,
    library: &Library,
    fake: &mut FakeTelegram,
) -> anyhow::Result<Running> {
    fs::create_dir_all(&places.folder)?;
    let data = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(&places.folder)?;
    let mut running = Running {
        processes: Vec::new(),
        postgres: None,
        database: None,
        data,
    };
    match kind {
        Kind::Echo => {
            let command = Command::new(echo_bot(places)?);
            spawn(&mut running, command, "echo", places, fake)?;
        }
        Kind::Python => {
            let python = python(&places.folder)?;
            let entries = running.data.path().join("entries.jsonl");
            fs::write(&entries, entries_of(library))?;
            let mut command = Command::new(python);
            command
                .arg(root().join("benches/load/aiogram_bot.py"))
                .arg(entries)
                .env("API_URL", &fake.url)
                .env("BOT_TOKEN", TOKEN);
            spawn(&mut running, command, "python", places, fake)?;
        }
        Kind::Polling => {
            let data = running.data.path().join("data");
            let file = data.join("qijin.sqlite");
            running.database = Some(format!("sqlite:{}", file.display()));
            let command = serve(places, &data, pace);
            spawn(&mut running, command, "polling", places, fake)?;
        }
        Kind::Webhook(replicas) => webhook(&mut running, replicas, pace, places, fake).await?,
    }
    let wanted = match kind {
        Kind::Webhook(replicas) => replicas,
        _ => 0,
    };
    let began = Instant::now();
    loop {
        let (polls, webhooks) = fake.arrivals();
        if polls > 0 || wanted > 0 && webhooks >= wanted {
            return Ok(running);
        }
        running.check()?;
        ensure!(began.elapsed() < START, "{} does not start", kind.word());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn webhook(
    running: &mut Running,
    replicas: usize,
    pace: Option<u32>,
    places: &Places,
    fake: &mut FakeTelegram,
) -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let url = postgres.url.clone();
    running.postgres = Some(postgres);
    running.database = Some(url.clone());
    let key = running.data.path().join("local.key");
    Keys::open_or_create(&key)?;
    let mut targets = Vec::new();
    for n in 0..replicas {
        let data = running.data.path().join(format!("data{n}"));
        fs::create_dir_all(&data)?;
        fs::copy(&key, data.join("local.key"))?;
        let mut command = serve(places, &data, pace.map(|p| p.div_ceil(replicas as u32)));
        command
            .env("QIJIN_DATABASE_URL", &url)
            .env("QIJIN_TELEGRAM_MODE", "webhook")
            .env("QIJIN_WEBHOOK_URL", WEBHOOK)
            .env("QIJIN_WEBHOOK_LISTEN", "127.0.0.1:0");
        let name = format!("webhook{n}");
        spawn(running, command, &name, places, fake)?;
        let address = said(&log(places, &name), "telegram.webhook.address=").await?;
        targets.push(format!("http://{address}/telegram/hook"));
    }
    fake.bring_to(targets);
    Ok(())
}

/// The word behind `field` in a log, once it is there.
async fn said(log: &Path, field: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    while began.elapsed() < START {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some((_, rest)) = text.split_once(field)
            && let Some((word, _)) = rest.split_once(char::is_whitespace)
        {
            return Ok(word.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{} does not say {field}", log.display())
}

fn log(places: &Places, name: &str) -> PathBuf {
    places.folder.join(format!("{name}.log"))
}

fn spawn(
    running: &mut Running,
    mut command: Command,
    name: &str,
    places: &Places,
    fake: &FakeTelegram,
) -> anyhow::Result<()> {
    let log = fs::File::create(log(places, name))?;
    let child = command
        .env("TELOXIDE_TOKEN", TOKEN)
        .env("TELOXIDE_API_URL", &fake.url)
        .current_dir(running.data.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    running.processes.push(Process(child));
    Ok(())
}

fn serve(places: &Places, data: &Path, pace: Option<u32>) -> Command {
    let mut command = Command::new(&places.qijin);
    for (name, _) in std::env::vars_os() {
        // The machine's own settings are not what is measured.
        if name.to_string_lossy().starts_with("QIJIN_") {
            command.env_remove(name);
        }
    }
    command
        .arg("serve")
        .env("QIJIN_LIBRARY_DIR", &places.library)
        .env("QIJIN_INDEX_DIR", places.folder.join("index"))
        .env("QIJIN_DATA_DIR", data)
        .env("QIJIN_LISTEN", "127.0.0.1:0")
        .envs(pace.map(|p| ("QIJIN_MESSAGES_PER_SECOND", p.to_string())));
    command
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the echo bot beside the program, if need be.
fn echo_bot(places: &Places) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--release", "--example", "echo_bot"])
        .current_dir(root())
        .status()
        .context("cargo, which builds the echo bot")?;
    ensure!(built.success(), "the echo bot was not built");
    let folder = places.qijin.parent().unwrap_or(Path::new("."));
    Ok(folder.join("examples/echo_bot"))
}

/// Python with its packages, installed when the list of them changes.
fn python(folder: &Path) -> anyhow::Result<PathBuf> {
    let wanted = root().join("benches/load/requirements.txt");
    let venv = folder.join("python");
    let python = venv.join("bin/python");
    let installed = venv.join("requirements.txt");
    if fs::read(&installed).ok() == Some(fs::read(&wanted)?) {
        return Ok(python);
    }
    eprintln!("installing Python's packages");
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let status = command.status().context("python3 with venv is needed")?;
        ensure!(status.success(), "Python's packages were not installed");
        Ok(())
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&wanted))?;
    fs::copy(&wanted, installed)?;
    Ok(python)
}

fn entries_of(library: &Library) -> String {
    let line = |entry: &qijin::knowledge::Entry| {
        let ways: Vec<&String> = std::iter::once(&entry.question)
            .chain(&entry.phrasings)
            .collect();
        let answer = [
            vec![entry.question.clone(), entry.answer.clone()],
            entry.steps.clone(),
        ];
        json!({"ways": ways, "answer": answer.concat().join("\n")}).to_string() + "\n"
    };
    library.entries.iter().map(line).collect()
}
