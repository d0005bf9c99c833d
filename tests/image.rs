//! The container, as `tests/image.sh` built it and as it is meant to run: it answers, keeps, stops, and
//! writes nowhere but into its volume and `/tmp`.

#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::fake_bot_api::TOKEN;
use common::{Browser, FakeBotApi, Resident, fresh_database, test_server, text_of};

const QUESTION: &str = "老板拖欠工资怎么办？";
const CITATION: &str = "《劳动法》第五十条";
const BOARD: &str = "文化广场宣传栏";
/// The image listens there: nothing is configured.
const PAGES: &str = "http://127.0.0.1:8080";

fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/image.sh"))
        .args(arguments);
    command
}

/// The running container. Dropping it kills it.
struct Container {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Container {
    async fn start(name: &str, folder: &Path, api: &FakeBotApi, more: &[String]) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let log = folder.join(&name).with_extension("log");
        let file = fs::File::create(&log).unwrap();
        let (polls, begun) = (api.world().polls, Instant::now());
        let child = script(&["start", &name, folder.join("volume").to_str().unwrap()])
            .arg(format!("TELOXIDE_TOKEN={TOKEN}"))
            .arg(format!("TELOXIDE_API_URL={}", api.url()))
            .arg("QIJIN_OFFICE_NAME=青石镇司法所")
            .args(more)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let container = Self { name, log, child };
        let what = format!("the first poll; the log is {}", container.log.display());
        api.until(&what, |world| (world.polls > polls).then_some(()))
            .await;
        eprintln!("{}: up after {:.1?}", container.name, begun.elapsed());
        container
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Runs a command in the container.
    fn exec(&self, arguments: &[&str]) -> Output {
        let all = [&["exec", &self.name], arguments].concat();
        script(&all).output().unwrap()
    }

    /// The same; what it said.
    fn told(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.bytes(arguments)).unwrap()
    }

    fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.exec(arguments);
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {why}");
        output.stdout
    }

    /// How many questions the journal holds.
    fn questions(&self) -> usize {
        self.told(&["qijin", "journal", "export", "--csv", "/tmp/journal.csv"]);
        let text = self.bytes(&["cat", "/tmp/journal.csv"]);
        csv::Reader::from_reader(text.as_slice()).records().count()
    }

    /// Nothing but what the container is meant to have, for the program and for who looks after it.
    fn assert_confined(&self) {
        for process in ["1", "self"] {
            let status = self.told(&["cat", &format!("/proc/{process}/status")]);
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                let words = line.unwrap_or_else(|| panic!("no {name} in {status}"));
                words.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(field("Uid:"), "10001 10001 10001 10001");
            assert_eq!(field("Gid:"), "10001 10001 10001 10001");
            for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
                assert_eq!(field(set), "0000000000000000", "{process} {set}");
            }
            assert_eq!(field("NoNewPrivs:"), "1", "{process}");
            eprintln!("{}: {} at most", field("Name:"), field("VmHWM:"));
        }
        for file in [
            "/etc/x",
            "/usr/local/bin/x",
            "/var/lib/x",
            "/var/tmp/x",
            "/x",
        ] {
            let refused = self.exec(&["touch", file]);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(said.contains("Read-only file system"), "{file}: {said}");
        }
        for file in ["/tmp/x", "/var/lib/qijin/x"] {
            self.told(&["sh", "-c", &format!("touch {file} && rm {file}")]);
        }
    }

    /// SIGTERM, as every stop is; then a look at what it left.
    fn stop(mut self) {
        assert!(
            script(&["kill", &self.name, "TERM"])
                .status()
                .unwrap()
                .success()
        );
        let deadline = Instant::now() + Duration::from_secs(40);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.log());
            // The system tells nobody when: ask now and then.
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(0), "{}", self.log());
        let log = self.log();
        assert!(!log.contains("panicked") && !log.contains(TOKEN), "{log}");
        let written = script(&["written", &self.name]).output().unwrap();
        assert!(written.status.success());
        assert_eq!(
            String::from_utf8_lossy(&written.stdout),
            "",
            "nothing is written outside the volume and /tmp"
        );
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Ended meanwhile is as good.
            let _ = script(&["kill", &self.name, "KILL"]).status();
            let _ = self.child.wait();
        }
        let _ = script(&["forget", &self.name]).status();
    }
}

async fn assert_answers(api: &FakeBotApi, container: &Container) {
    let resident = Resident::new(api, 880_501, "王秀兰");
    let answer = resident.asks(QUESTION).await;
    let text = text_of(&answer);
    assert!(
        text.starts_with(QUESTION) && text.contains(CITATION),
        "{text}"
    );
    let mut browser = Browser::new(PAGES);
    assert_eq!(browser.get("/healthz").await.status, 200);
    assert_eq!(browser.get("/readyz").await.text, "ready\n");
    let seen = browser.submit("/ask", "/ask", &[("q", QUESTION)]).await;
    assert!(seen.text.contains(CITATION), "{}", seen.text);
    let health = script(&["health", &container.name]).output().unwrap();
    assert!(health.status.success(), "{health:?}");
}

/// A poster made in the container, with a Chinese font of the image's own.
fn assert_poster(container: &Container) {
    let said = container.told(&["qijin", "board", "add", BOARD, "--place", "乡村"]);
    let code = said.strip_prefix("已新设宣传点 ").expect("a board");
    let code = code.split('：').next().unwrap();
    let inside = "/tmp/poster.pdf";
    let poster = [
        "qijin",
        "board",
        "poster",
        code,
        "--bot",
        "qingshi_pufa_bot",
        "--out",
        inside,
    ];
    container.told(&poster);
    // Left for people to look at.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image/poster.pdf");
    fs::write(&file, container.bytes(&["cat", inside])).unwrap();
    let read = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let output = output.expect("a program of poppler-utils");
        String::from_utf8(output.stdout).unwrap()
    };
    let file = file.to_str().unwrap();
    let fonts = read("pdffonts", &[file]);
    assert!(fonts.contains("MicroHei"), "{fonts}");
    let text = read("pdftotext", &[file, "-"]);
    assert!(
        text.contains(BOARD) && text.contains("青石镇司法所"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: tests/image.sh builds it and runs this"]
async fn the_container_answers_keeps_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let api = FakeBotApi::start("image").await;
    let first = Container::start("first", folder.path(), &api, &[]).await;
    eprint!("{}", first.told(&["qijin", "--version"]));
    assert_answers(&api, &first).await;
    first.assert_confined();
    assert_poster(&first);
    assert_eq!(first.questions(), 2, "one by Telegram, one by the page");
    first.stop();

    let second = Container::start("second", folder.path(), &api, &[]).await;
    assert_eq!(second.questions(), 2, "the volume keeps the journal");
    assert!(second.told(&["qijin", "board", "list"]).contains(BOARD));
    assert_answers(&api, &second).await;
    assert_eq!(second.questions(), 4);
    second.stop();
}

/// As `deploy/compose.yaml` runs it, with nothing in `.env` but what must be, and then behind a proxy.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: tests/image.sh builds it and runs this"]
async fn the_container_runs_beside_postgresql() {
    assert!(test_server().is_some(), "tests/image.sh starts a server");
    let folder = tempfile::tempdir().unwrap();
    let database = fresh_database(folder.path(), "database");
    let api = FakeBotApi::start("image_postgres").await;
    let mut kept = 0;
    for (name, listen, behind_proxy) in [
        ("composed", "127.0.0.1:8080", "false"),
        ("proxied", "0.0.0.0:8080", "true"),
    ] {
        let env = [
            format!("QIJIN_DATABASE_URL={database}"),
            "QIJIN_OFFICE_CONTACT=".to_owned(),
            "QIJIN_PROXY=".to_owned(),
            format!("QIJIN_LISTEN={listen}"),
            format!("QIJIN_BEHIND_PROXY={behind_proxy}"),
        ];
        let container = Container::start(name, folder.path(), &api, &env).await;
        assert_eq!(
            container.questions(),
            kept,
            "the database keeps the journal"
        );
        assert_answers(&api, &container).await;
        kept += 2;
        assert_eq!(container.questions(), kept);
        container.stop();
    }
    let data = folder.path().join("volume/data");
    assert!(data.join("local.key").exists() && !data.join("qijin.sqlite").exists());
}
