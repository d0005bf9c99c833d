//! What a fault costs: a steady trickle of questions through a fake Telegram to the real program, and one
//! fault after another; prints a table.
//!
//!     cargo build && cargo run --example chaos            # all
//!     cargo run --example chaos -- disk index             # those whose name holds one of these words
//!
//! It starts a private PostgreSQL by tests/postgres.sh. As root it mounts a small disk and makes files
//! immutable; the clock jumps by libfaketime (Debian's package). What cannot be done is said. A program that
//! ends is started again after a second, as systemd would. The exit code is 1 when something is lost, or
//! answered twice that was not in flight at the fault.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::fixtures::QUESTIONS;
use common::{Bot, FakeBotApi, Office, Resident, Wire, test_server, text_of};

/// Questions in a second, each from a chat of its own.
const RATE: u64 = 8;
const BEFORE: Duration = Duration::from_secs(8);
const AFTER: Duration = Duration::from_secs(12);
/// Whoever has no answer then never gets one.
const PATIENCE: Duration = Duration::from_secs(180);
/// Sending, and what a crash may repeat.
const IN_FLIGHT: Duration = Duration::from_secs(3);
const FIRST_CHAT: i64 = 8_000_000;
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Programs under test with everything around them.
struct Scene {
    offices: Vec<Office>,
    bots: Vec<Option<Bot>>,
    api: FakeBotApi,
    /// Between the programs and Telegram.
    wire: Wire,
    env: Vec<(String, String)>,
    asked: Mutex<Vec<(i64, Instant)>>,
    restarts: usize,
    kills: Vec<Instant>,
    /// After each question: long ones fill a disk.
    more: String,
}

/// What came of a fault.
struct Row {
    sent: usize,
    lost: usize,
    twice: usize,
    twice_not_in_flight: usize,
    during: (usize, usize),
    longest: Duration,
    first: Option<Duration>,
    empty: Option<Duration>,
    restarts: usize,
    panics: usize,
}

impl Scene {
    /// `programs` on one PostgreSQL, or one on SQLite in a folder of its own.
    async fn begin(programs: usize, env: &[(&str, String)]) -> Self {
        let api = FakeBotApi::start("chaos").await;
        let wire = Wire::to(api.url().strip_prefix("http://").unwrap()).await;
        let mut env: Vec<(String, String)> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect();
        env.push((
            "TELOXIDE_API_URL".to_owned(),
            format!("http://{}", wire.address),
        ));
        let mut scene = Self {
            offices: vec![Office::new()],
            bots: Vec::new(),
            api,
            wire,
            env,
            asked: Mutex::default(),
            restarts: 0,
            kills: Vec::new(),
            more: String::new(),
        };
        let first = scene.start(0).await;
        scene.bots.push(Some(first.0));
        scene.api.change(|world| world.targets = vec![first.1]);
        for n in 1..programs {
            scene.offices.push(scene.offices[0].twin());
            let (bot, address) = scene.start(n).await;
            scene.bots.push(Some(bot));
            scene.api.change(|world| world.targets.push(address));
        }
        scene
    }

    async fn start(&self, n: usize) -> (Bot, String) {
        let env: Vec<(&str, &str)> = self.env.iter().map(|(k, v)| (&**k, &**v)).collect();
        self.offices[n].start_webhook(&self.api, &env).await
    }

    async fn restart(&mut self, n: usize) {
        let (bot, address) = self.start(n).await;
        self.bots[n] = Some(bot);
        self.api.change(|world| world.targets[n] = address);
    }

    fn kill(&mut self, n: usize) {
        if let Some(bot) = self.bots[n].take() {
            bot.kill();
            self.kills.push(Instant::now());
        }
    }

    /// Starts again what ended by itself.
    async fn look_after(&mut self) {
        for n in 0..self.bots.len() {
            let alive = self.bots[n].as_ref().is_none_or(|bot| {
                let state = std::fs::read_to_string(format!("/proc/{}/stat", bot.id()));
                state.is_ok_and(|s| !s.contains(") Z "))
            });
            if !alive {
                self.restarts += 1;
                self.kill(n);
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.restart(n).await;
            }
        }
    }

    /// Asks on and on for so long.
    async fn trickle(&self, lasts: Duration) {
        let mut tick = tokio::time::interval(Duration::from_millis(1000 / RATE));
        let until = Instant::now() + lasts;
        while Instant::now() < until {
            tick.tick().await;
            let chat = {
                let mut asked = self.asked.lock().unwrap();
                let chat = FIRST_CHAT + asked.len() as i64;
                asked.push((chat, Instant::now()));
                chat
            };
            let question = QUESTIONS[usize::try_from(chat).unwrap() % QUESTIONS.len()];
            Resident::new(&self.api, chat, "居民").says(&format!("{question}{}", self.more));
        }
    }

    /// When a chat was answered: by the words it asked for.
    fn answers(&self, chat: i64) -> Vec<Instant> {
        let question = QUESTIONS[usize::try_from(chat).unwrap() % QUESTIONS.len()];
        let world = self.api.world();
        let answers = world.sends(chat).filter(|call| {
            let message = call.outcome.as_ref();
            message.is_ok_and(|m| !self.more.is_empty() || text_of(m).starts_with(question))
        });
        answers.map(|call| call.at).collect()
    }

    /// Waits until everything asked is answered, and says what came of it.
    async fn row(&mut self, from: Instant, to: Instant) -> Row {
        let deadline = Instant::now() + PATIENCE;
        let asked = self.asked.lock().unwrap().clone();
        loop {
            self.look_after().await;
            let left = asked
                .iter()
                .filter(|(chat, _)| self.answers(*chat).is_empty())
                .count();
            if left == 0 || Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        // What is sent twice comes within a lease.
        tokio::time::sleep(Duration::from_secs(17)).await;
        let all: Vec<(Instant, Vec<Instant>)> = asked
            .iter()
            .map(|(chat, at)| (*at, self.answers(*chat)))
            .collect();
        let firsts = || {
            all.iter()
                .filter_map(|(at, answers)| Some((*at, *answers.first()?)))
        };
        let in_fault = |at: &Instant| (from..=to).contains(at);
        let mut twice_not_in_flight = 0;
        for (_, answers) in &all {
            for pair in answers.windows(2) {
                let near = |at: &Instant| {
                    pair[0] < *at && *at < pair[1] + IN_FLIGHT && *at - pair[0] < IN_FLIGHT
                };
                let near = self.kills.iter().any(near)
                    || pair[0] + IN_FLIGHT >= from && pair[0] <= to + IN_FLIGHT;
                twice_not_in_flight += usize::from(!near);
            }
        }
        let asked_in_fault = all.iter().filter(|(at, _)| in_fault(at));
        let answered_in_fault = all
            .iter()
            .filter(|(at, a)| in_fault(at) && a.first().is_some_and(in_fault));
        Row {
            sent: all.len(),
            lost: all.iter().filter(|(_, answers)| answers.is_empty()).count(),
            twice: all
                .iter()
                .map(|(_, answers)| answers.len().saturating_sub(1))
                .sum(),
            twice_not_in_flight,
            during: (answered_in_fault.count(), asked_in_fault.count()),
            longest: firsts()
                .map(|(at, first)| first - at)
                .max()
                .unwrap_or_default(),
            first: firsts()
                .map(|(_, first)| first)
                .filter(|first| *first > to)
                .min()
                .map(|first| first - to),
            empty: firsts()
                .filter(|(at, _)| *at <= to)
                .map(|(_, first)| first.saturating_duration_since(to))
                .max(),
            restarts: self.restarts,
            panics: self
                .offices
                .iter()
                .map(|office| office.log().matches("panicked").count())
                .sum(),
        }
    }
}

fn sh(script: &str) -> Result<String, String> {
    let output = Command::new("sh").args(["-c", script]).output();
    let output = output.map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{script}: {said}")),
    }
}

/// The private PostgreSQL's folder.
fn server() -> PathBuf {
    std::env::var_os("QIJIN_CHAOS_SERVER")
        .unwrap_or_default()
        .into()
}

/// Stops or continues all processes of the server.
fn signal_server(name: &str) -> Result<(), String> {
    let script = format!(
        "p=$(head -1 {}/data/postmaster.pid); kill -{name} $p $(ps -o pid= --ppid $p)",
        server().display()
    );
    sh(&script).map(|_| ())
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");

/// One fault: its name, how many programs meet it (0: one on SQLite), and how it is brought about and mended.
struct Fault {
    name: &'static str,
    programs: usize,
    lasts: Duration,
}

const fn fault(name: &'static str, programs: usize, seconds: u64) -> Fault {
    Fault {
        name,
        programs,
        lasts: Duration::from_secs(seconds),
    }
}

const FAULTS: [Fault; 16] = [
    fault("replicas killed at random, 6 times", 2, 20),
    fault("PostgreSQL killed, started 5 s later", 2, 5),
    fault("PostgreSQL hangs for 15 s", 2, 15),
    fault("PostgreSQL hangs for 60 s", 2, 60),
    fault("Telegram refuses connections for 20 s", 2, 20),
    fault("Telegram says nothing for 20 s", 2, 20),
    fault("Telegram says nothing for 60 s", 2, 60),
    fault("SQLite: program killed 6 times", 0, 20),
    fault("SQLite: disk full for 60 s", 0, 60),
    fault("SQLite: database and log read-only for 60 s", 0, 60),
    fault("SQLite: all its files read-only for 60 s", 0, 60),
    fault("SQLite: clock a day ahead, then back", 0, 20),
    fault("a replica's clock a day ahead, then back", 2, 20),
    fault("index folder deleted", 0, 10),
    fault("index files overwritten with noise", 0, 10),
    fault("index files cut to nothing", 0, 10),
];

fn noise(folder: &Path, cut: bool) -> std::io::Result<()> {
    for item in std::fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() {
            noise(&path, cut)?;
        } else if cut {
            std::fs::OpenOptions::new()
                .write(true)
                .open(&path)?
                .set_len(0)?;
        } else {
            // In place: what is mapped into memory changes with it.
            use std::io::Write;
            let length = usize::try_from(path.metadata()?.len()).unwrap_or(0);
            let mut random = fastrand::Rng::with_seed(7);
            let bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            std::fs::OpenOptions::new()
                .write(true)
                .open(&path)?
                .write_all(&bytes)?;
        }
    }
    Ok(())
}

/// Brings one fault about, in a scene of its own.
async fn suffer(fault: &Fault) -> Result<Row, String> {
    let is = |words: &str| fault.name.contains(words);
    let own = tempfile::tempdir().map_err(|e| e.to_string())?;
    let data = own.path().join("data");
    let clock = own.path().join("clock");
    let mut env: Vec<(&str, String)> = Vec::new();
    if fault.programs == 0 {
        std::fs::create_dir_all(&data).map_err(|e| e.to_string())?;
        env.push(("QIJIN_DATA_DIR", data.display().to_string()));
        env.push((
            "QIJIN_DATABASE_URL",
            format!("sqlite:{}/qijin.sqlite", data.display()),
        ));
    }
    if is("clock") {
        if !Path::new(FAKETIME).exists() {
            return Err("libfaketime is not installed".to_owned());
        }
        std::fs::write(&clock, "+0").map_err(|e| e.to_string())?;
        env.push(("LD_PRELOAD", FAKETIME.to_owned()));
        env.push(("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()));
        env.push(("FAKETIME_NO_CACHE", "1".to_owned()));
        env.push(("DONT_FAKE_MONOTONIC", "1".to_owned()));
        env.push(("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()));
    }
    if is("disk full") {
        sh(&format!(
            "mount -t tmpfs -o size=48m tmpfs {}",
            data.display()
        ))?;
    }
    let mut scene = Scene::begin(fault.programs.max(1), &env).await;
    if is("replica's clock") {
        // Only the first: the second starts again without it.
        let held = std::mem::take(&mut scene.env);
        scene.env = held
            .into_iter()
            .filter(|(k, _)| k == "TELOXIDE_API_URL")
            .collect();
        scene.kill(1);
        scene.restart(1).await;
    }
    if is("disk full") {
        scene.more = "，事情是这样的".repeat(400);
    }
    scene.trickle(BEFORE).await;
    let index = scene.offices[0].index();
    let from = Instant::now();
    let mut to = None;
    if is("killed at random") || is("killed 6 times") {
        let mut random = fastrand::Rng::with_seed(20_261_125);
        let programs = scene.bots.len();
        for _ in 0..6 {
            scene
                .trickle(Duration::from_millis(random.u64(800..2500)))
                .await;
            let n = random.usize(..programs);
            scene.kill(n);
            scene.trickle(Duration::from_secs(1)).await;
            scene.restart(n).await;
        }
    } else if is("PostgreSQL killed") {
        let (folder, script) = (server(), SCRIPT);
        sh(&format!("bash {script} stop {}", folder.display()))?;
        scene.trickle(fault.lasts).await;
        sh(&format!("bash {script} start {}", folder.display()))?;
    } else if is("PostgreSQL hangs") {
        signal_server("STOP")?;
        scene.trickle(fault.lasts).await;
        signal_server("CONT")?;
    } else if is("refuses") {
        scene.wire.cut(true);
        scene.trickle(fault.lasts).await;
        scene.wire.cut(false);
    } else if is("says nothing") {
        scene.wire.hang(true);
        scene.trickle(fault.lasts).await;
        scene.wire.hang(false);
    } else if is("disk full") {
        let full = data.join("full");
        // Larger than what is left: every block is taken.
        let _ = std::fs::write(&full, vec![1; 64 << 20]);
        scene.trickle(fault.lasts).await;
        std::fs::remove_file(&full).map_err(|e| e.to_string())?;
    } else if is("read-only") {
        // With its shared memory (-shm) too the system ends the program: it is mapped, and written to.
        let files = match is("all its files") {
            true => format!(
                "{0}/qijin.sqlite {0}/qijin.sqlite-wal {0}/qijin.sqlite-shm",
                data.display()
            ),
            false => format!("{0}/qijin.sqlite {0}/qijin.sqlite-wal", data.display()),
        };
        sh(&format!("chattr +i {files}"))?;
        scene.trickle(fault.lasts).await;
        sh(&format!("chattr -i {files}"))?;
    } else if is("clock") {
        let jump = |by: &str| std::fs::write(&clock, by).map_err(|e| e.to_string());
        jump("+1d")?;
        scene.trickle(fault.lasts / 2).await;
        jump("+0")?;
        scene.trickle(fault.lasts / 2).await;
    } else {
        if is("deleted") {
            std::fs::remove_dir_all(&index).map_err(|e| e.to_string())?;
        } else {
            noise(&index, is("cut to nothing")).map_err(|e| e.to_string())?;
        }
        // Nobody mends it: it is over as soon as it happened.
        to = Some(Instant::now());
        scene.trickle(fault.lasts).await;
        scene.look_after().await;
        // And a start with what is left of it.
        scene.kill(0);
        scene.restart(0).await;
    }
    let to = to.unwrap_or_else(Instant::now);
    scene.look_after().await;
    scene.trickle(AFTER).await;
    let row = scene.row(from, to).await;
    for bot in scene.bots.drain(..).flatten() {
        bot.stop().await;
    }
    if row.lost > 0 || row.twice_not_in_flight > 0 || row.panics > 0 || row.restarts > 0 {
        let logs: String = scene.offices.iter().map(Office::log).collect();
        let file = format!(
            "chaos-{}.log",
            fault.name.replace([' ', ',', ':', '\''], "_")
        );
        let _ = std::fs::write(&file, logs);
        println!("the log of '{}' is in {file}", fault.name);
    }
    drop(scene);
    if is("disk full") {
        sh(&format!("umount {}", data.display()))?;
    }
    Ok(row)
}

/// Runs itself again beside a private PostgreSQL.
fn with_server() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    sh(&format!("chmod 755 {}", folder.path().display())).unwrap();
    let url = sh(&format!("bash {SCRIPT} start {}", folder.path().display())).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args().skip(1))
        .env("QIJIN_TEST_POSTGRES", url.trim())
        .env("QIJIN_CHAOS_SERVER", folder.path())
        .status();
    let _ = sh(&format!("bash {SCRIPT} stop {}", folder.path().display()));
    ExitCode::from(u8::from(!status.is_ok_and(|s| s.success())))
}

fn main() -> ExitCode {
    if test_server().is_none() || server().as_os_str().is_empty() {
        return with_server();
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut bad = false;
    println!(
        "| fault | programs | sent | lost | answered twice | not in flight | answered during it | longest wait | first answer after it | \
         backlog empty | restarted | panics |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for fault in FAULTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| fault.name.contains(&**word)) {
            continue;
        }
        let programs = match fault.programs {
            0 => "1, SQLite".to_owned(),
            n => format!("{n}, PostgreSQL"),
        };
        let seconds = |time: Option<Duration>| {
            time.map_or("-".to_owned(), |t| format!("{:.1} s", t.as_secs_f64()))
        };
        match runtime.block_on(suffer(&fault)) {
            Ok(row) => {
                bad |= row.lost > 0 || row.twice_not_in_flight > 0 || row.panics > 0;
                println!(
                    "| {} | {programs} | {} | {} | {} | {} | {} of {} | {} | {} | {} | {} | {} |",
                    fault.name,
                    row.sent,
                    row.lost,
                    row.twice,
                    row.twice_not_in_flight,
                    row.during.0,
                    row.during.1,
                    seconds(Some(row.longest)),
                    seconds(row.first),
                    seconds(row.empty),
                    row.restarts,
                    row.panics,
                );
            }
            Err(why) => println!("| {} | {programs} | not done: {why} |", fault.name),
        }
    }
    ExitCode::from(u8::from(bad))
}
