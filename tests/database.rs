//! The database as operators see it: `qijin db`, backups of a running program, a server that goes away.

mod common;

use std::path::Path;
use std::process::Command;

use chrono::{Duration, Utc};
use common::fixtures::QUESTIONS;
use common::{Browser, FakeBotApi, Office, Resident, fresh_database, test_server};
use qijin::desk::{Desk, Paths, Question, prepare};
use qijin::journal::{
    Address, Asker, Database, Handovers, Inbox, Incoming, Journal, Keys, PastQuestion, Record,
    Role, Staff,
};
use sqlx::{AnyConnection, Connection};

/// A connection for a test to do things with that the program never does.
async fn connection(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

fn past(asker: &Asker, n: i64) -> PastQuestion {
    PastQuestion {
        record: Record {
            at: Utc::now() - Duration::minutes(n),
            channel: "telegram".into(),
            asker: Some(asker.clone()),
            region: (n % 3 == 0).then(|| format!("r{:02}", n % 7)),
            board: None,
            place: Some("village".into()),
            topic: Some("labor.wage_arrears".into()),
            topic_confidence: 1.0 / (n + 2) as f64,
            kind: "answer".into(),
            entry: None,
            rule: None,
            confidence: 0.1 + 0.2,
            reply: String::new(),
            latency_us: n,
            text: format!("工地不给钱，第“{n}”次😀\n'; DROP TABLE question; --"),
            parent: None,
            request: None,
        },
        helpful: (n % 2 == 0).then_some(true),
        picked: None,
        handed_over: false,
    }
}

/// A journal with something in most tables.
async fn filled(url: &str, folder: &Path, questions: i64) -> Journal {
    let keys = Keys::open_or_create(&folder.join("local.key")).unwrap();
    let database = Database::open(url).await.unwrap();
    let journal = Journal::new(database.clone(), keys.clone(), 30);
    let asker = keys.asker("telegram", "1");
    let questions: Vec<PastQuestion> = (0..questions).map(|n| past(&asker, n)).collect();
    journal.fill(&questions).await.unwrap();
    let row = journal.record(past(&asker, 0).record).await.unwrap();
    let address = Address {
        channel: "telegram",
        conversation: "1".into(),
    };
    let handovers = Handovers::of(&journal);
    let now = Utc::now();
    handovers.begin(row, &asker, &address, now).await.unwrap();
    let staff = Staff::new(database.clone());
    staff.add("王芳", Role::Admin, "hash", now).await.unwrap();
    let update = Incoming {
        update_id: 7,
        lane: "lane".into(),
        payload: b"sealed".to_vec(),
    };
    let inbox = Inbox::new(database, keys);
    inbox.accept(&[update]).await.unwrap();
    journal.roll_up(now, |_, _| {}).await.unwrap();
    journal
}

fn sqlite(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_there_and_back_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (from, to) = (
        sqlite(folder, "from.sqlite"),
        fresh_database(folder, "to.sqlite"),
    );
    let journal = filled(&from, folder, 2_500).await;
    journal.database().close().await;
    let mut last = (0, 0);
    let there = Database::copy(&from, &to, false, |p| last = (p.done, p.total)).await;
    let there = there.unwrap();
    let rows = |name: &str| there.iter().find(|t| t.name == name).unwrap().rows;
    assert_eq!(
        (rows("question"), rows("handover"), rows("inbox")),
        (2_501, 1, 1)
    );
    assert!(rows("rollup") > 0 && rows("staff") == 1);
    assert_eq!(last.0, last.1, "progress ends where it said it would");
    let back = sqlite(folder, "back.sqlite");
    let back = Database::copy(&to, &back, false, |_| {}).await.unwrap();
    assert_eq!(there, back);

    let again = Database::copy(&from, &to, false, |_| {}).await.unwrap_err();
    assert!(again.to_string().contains("不是空的"), "{again}");
    assert!(Database::copy(&from, &from, false, |_| {}).await.is_err());
    // The key opens there what was sealed here.
    let keys = Keys::open_or_create(&folder.join("local.key")).unwrap();
    let inbox = Inbox::new(Database::open(&to).await.unwrap(), keys);
    let pending = inbox.turn(&[], 9).await.unwrap();
    assert_eq!(pending[0].payload, b"sealed");
}

/// The target must be as it was when a copy fails half-way.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_copy_leaves_the_target_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (from, to) = (
        sqlite(folder, "from.sqlite"),
        fresh_database(folder, "to.sqlite"),
    );
    let journal = filled(&from, folder, 10).await;
    journal.database().close().await;
    Database::migrate(&to).await.unwrap();
    let mut connection = connection(&to).await;
    // The last table but one, so that others were written before.
    let narrow = "CREATE UNIQUE INDEX in_the_way ON question (channel)";
    sqlx::raw_sql(narrow)
        .execute(&mut connection)
        .await
        .unwrap();
    Database::copy(&from, &to, false, |_| {}).await.unwrap_err();
    for table in ["audit", "handover", "inbox", "question"] {
        let sql = format!("SELECT * FROM {table}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql));
        let rows = rows.fetch_all(&mut connection).await.unwrap();
        assert!(rows.is_empty(), "{table}");
    }
    sqlx::raw_sql("DROP INDEX in_the_way")
        .execute(&mut connection)
        .await
        .unwrap();
    Database::copy(&from, &to, false, |_| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_postgres_cannot_store_are_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (from, to) = (
        sqlite(folder, "from.sqlite"),
        fresh_database(folder, "to.sqlite"),
    );
    let journal = filled(&from, folder, 1).await;
    journal.database().close().await;
    let mut connection = connection(&from).await;
    sqlx::query("UPDATE question SET text = $1")
        .bind("欠\0薪")
        .execute(&mut connection)
        .await
        .unwrap();
    let copied = Database::copy(&from, &to, false, |_| {}).await.unwrap();
    let left_out: u64 = copied.iter().map(|t| t.left_out).sum();
    assert_eq!(left_out, if test_server().is_some() { 2 } else { 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_writing_is_whole_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = fresh_database(folder, "d.sqlite");
    let journal = filled(&url, folder, 500).await;
    let writer = tokio::spawn({
        let journal = journal.clone();
        async move {
            let asker = journal.keys().asker("telegram", "2");
            for n in 0..60 {
                // Ten at once: a backup with a part of them would not be consistent.
                let ten: Vec<PastQuestion> = (0..10).map(|m| past(&asker, 10 * n + m)).collect();
                journal.fill(&ten).await.unwrap();
            }
        }
    });
    let file = folder.join("backup.sqlite");
    Database::backup(&url, &file, |_| {}).await.unwrap();
    writer.await.unwrap();
    let there = Database::backup(&url, &file, |_| {}).await.unwrap_err();
    assert!(there.to_string().contains("没有覆盖"), "{there}");
    let bytes = std::fs::read(&file).unwrap();

    let restore = async |file: &Path, replace: bool| {
        Database::restore(&url, file, replace, folder, Utc::now(), |_| {}).await
    };
    let full = restore(&file, false).await.unwrap_err();
    assert!(full.to_string().contains("--replace"), "{full}");
    if test_server().is_none() {
        let in_use = restore(&file, true).await.unwrap_err();
        assert!(in_use.to_string().contains("正在使用"), "{in_use}");
    }
    assert_eq!(journal.count().await.unwrap(), 1_101);
    journal.database().close().await;
    for (name, damage) in [
        ("cut", &bytes[..bytes.len() / 2]),
        ("other", b"not a database"),
    ] {
        let damaged = folder.join(name);
        std::fs::write(&damaged, damage).unwrap();
        assert!(restore(&damaged, true).await.is_err(), "{name}");
    }
    let kept = restore(&file, true).await.unwrap().unwrap();
    assert_eq!(
        std::fs::read(&file).unwrap(),
        bytes,
        "the backup is only read"
    );
    let questions = async |url: &str| {
        let database = Database::open(url).await.unwrap();
        let keys = Keys::open_or_create(&folder.join("local.key")).unwrap();
        let journal = Journal::new(database.clone(), keys, 30);
        let count = journal.count().await.unwrap();
        database.close().await;
        count
    };
    let restored = questions(&url).await;
    assert!(
        (501..=1_101).contains(&restored) && restored % 10 == 1,
        "{restored}"
    );
    assert_eq!(
        questions(&format!("sqlite:{}", kept.display())).await,
        1_101
    );
    // Into an empty database nothing is in the way.
    let empty = fresh_database(folder, "empty.sqlite");
    let kept = Database::restore(&empty, &file, false, folder, Utc::now(), |_| {}).await;
    assert_eq!(kept.unwrap(), None);
    assert_eq!(questions(&empty).await, restored);
}

#[test]
fn the_command_line_says_what_it_did() {
    let office = Office::new();
    let run = |arguments: &[&str]| {
        let output = office.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (done, told) = run(&["db", "migrate"]);
    assert!(
        done && told.contains("已从第 0 版升到第") && told.contains("0001 journal"),
        "{told}"
    );
    let (done, told) = run(&["db", "migrate"]);
    assert!(done && told.contains("不用升级"), "{told}");
    let (done, told) = run(&["db", "backup", "b.sqlite"]);
    assert!(done && told.contains("local.key"), "{told}");
    let (done, told) = run(&[
        "db",
        "copy",
        "--from",
        "sqlite:b.sqlite",
        "--to",
        "sqlite:c.sqlite",
    ]);
    assert!(
        done && told.contains("核对一致") && told.contains("question"),
        "{told}"
    );
    let (done, told) = run(&[
        "db",
        "copy",
        "--from",
        "sqlite:none",
        "--to",
        "sqlite:e.sqlite",
    ]);
    assert!(!done && told.contains("没有 none"), "{told}");
    assert!(!office.folder().join("none").exists());
    let (done, told) = run(&[
        "db",
        "copy",
        "--from",
        "mysql://u:pass@h/d",
        "--to",
        "sqlite:e",
    ]);
    assert!(
        !done && told.contains("postgres://") && !told.contains("pass"),
        "{told}"
    );
}

/// Another program holds the one file for longer than a resident waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_does_not_wait_for_a_journal_that_is_held_up() {
    let office = Office::new();
    let url = sqlite(office.folder(), "held.sqlite");
    let keys = Keys::open_or_create(&office.folder().join("local.key")).unwrap();
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::new(database, keys, 30);
    let paths = Paths {
        library: office.library(),
        index: office.index(),
        preset: None,
        own: "local".into(),
    };
    let prepared = prepare(&paths, &Default::default(), false, |_| {}).unwrap();
    let desk = Desk::new(prepared.answerer, Some(journal.clone()));
    let question = || Question {
        channel: "web",
        visitor: None,
        text: QUESTIONS[0].into(),
        request: None,
    };
    let mut other = connection(&url).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let answered = desk.ask(question()).await;
    assert_eq!(
        (answered.reply.kind.as_str(), answered.row),
        ("answer", None)
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(desk.ask(question()).await.row.is_some());
    // The one that nobody waited for was written before it: the file has one writer.
    assert_eq!(journal.count().await.unwrap(), 2);
}

/// A private server of this test's own, to be stopped. `None` when tests run without PostgreSQL.
struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<(Self, String)> {
        let server = Self::prepare()?;
        let url = server.control("start");
        Some((server, url))
    }

    /// Not running yet.
    fn prepare() -> Option<Self> {
        test_server()?;
        let folder = tempfile::tempdir().unwrap();
        // The server's own user must get in.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let all = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(folder.path(), all).unwrap();
        }
        Some(Self { folder })
    }

    fn control(&self, what: &str) -> String {
        self.control_with(what, None)
    }

    fn control_with(&self, what: &str, port: Option<u16>) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres.sh");
        let output = Command::new("bash")
            .arg(script)
            .arg(what)
            .arg(self.folder.path())
            .args(port.map(|port| port.to_string()))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres.sh");
        let mut stop = Command::new("bash");
        let _ = stop
            .arg(script)
            .arg("stop")
            .arg(self.folder.path())
            .status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_and_comes_back_loses_nothing() {
    let Some((server, url)) = Server::start() else {
        return;
    };
    let office = Office::new();
    let api = FakeBotApi::start("database_away").await;
    let resident = Resident::new(&api, 4_001, "阿强");
    let bot = office.spawn_with(
        &api,
        common::fake_bot_api::TOKEN,
        &[("QIJIN_DATABASE_URL", url.as_str())],
    );
    resident.says(QUESTIONS[0]);
    resident.nth_message(0).await;

    server.control("stop");
    resident.says(QUESTIONS[1]);
    // Not stored, so Telegram is not told that it arrived: it asks for it again.
    office.until_logged("updates could not be stored").await;
    assert_eq!(api.world().unconfirmed(), 1);
    // Who needs no inbox is answered all the same, and the log says what is not journaled.
    let mut browser = Browser::new(&office.pages().await);
    let seen = browser.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
    assert!(seen.text.contains("怎么做"), "{}", seen.text);
    office.until_logged("the journal was not written").await;

    server.control("start");
    resident.nth_message(1).await;
    resident.says(QUESTIONS[2]);
    resident.nth_message(2).await;
    assert!(bot.stop().await.success());
    office.assert_calm();
    let keys = Keys::open_or_create(&office.folder().join("data/local.key")).unwrap();
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::new(database.clone(), keys.clone(), 30);
    assert_eq!(journal.count().await.unwrap(), 3, "each is journaled once");
    let inbox = Inbox::new(database.clone(), keys);
    assert!(inbox.turn(&[], 9).await.unwrap().is_empty());
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_started_before_its_server_waits_for_it() {
    let Some(server) = Server::prepare() else {
        return;
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("postgres://qijin@127.0.0.1:{port}/postgres");
    let office = Office::new();
    let api = FakeBotApi::start("database_later").await;
    let resident = Resident::new(&api, 4_002, "阿珍");
    let env = [("QIJIN_DATABASE_URL", url.as_str())];
    let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
    office.until_logged("连不上数据库").await;
    resident.says(QUESTIONS[0]);
    assert_eq!(server.control_with("start", Some(port)), url);
    resident.nth_message(0).await;
    assert!(bot.stop().await.success());
    office.assert_calm();

    // Told to stop while it waits, it stops; and what waiting cannot mend is said at once.
    server.control("stop");
    let waited = |log: &str| log.matches("连不上数据库").count();
    let before = waited(&office.log());
    let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
    office.until_log(|log| waited(log) > before).await;
    assert!(bot.stop().await.success());
    server.control("start");
    let nowhere = format!("postgres://qijin@127.0.0.1:{port}/no_such_database");
    let env = [("QIJIN_DATABASE_URL", nowhere.as_str())];
    let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
    assert_eq!(bot.ended().await.code(), Some(1));
}

/// Half a minute is how long an outage is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_does_not_keep_residents_waiting() {
    let Some((server, url)) = Server::start() else {
        return;
    };
    let office = Office::new();
    let api = FakeBotApi::start("database_stays_away").await;
    let resident = Resident::new(&api, 4_003, "阿国");
    let env = [
        ("QIJIN_DATABASE_URL", url.as_str()),
        ("QIJIN_ADMIN_LISTEN", "127.0.0.1:0"),
    ];
    let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
    resident.says(QUESTIONS[0]);
    resident.nth_message(0).await;
    server.control("stop");
    resident.says(QUESTIONS[1]);
    resident.nth_message(1).await;
    assert!(office.log().contains("先直接答复"), "{}", office.log());
    let admin = office.admin().await;
    let ready = reqwest::get(format!("{admin}/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503);
    let words = ready.text().await.unwrap();
    assert!(words.starts_with("not ready: database\n"), "{words}");
    assert!(words.contains("1 questions answered since"), "{words}");

    server.control("start");
    resident.says(QUESTIONS[2]);
    resident.nth_message(2).await;
    office.until_logged("收件箱又能写了").await;
    assert_eq!(resident.heard(), 3, "nothing is answered twice");
    // What was found is told for two seconds.
    let again = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while reqwest::get(format!("{admin}/readyz"))
        .await
        .unwrap()
        .status()
        != 200
    {
        assert!(
            std::time::Instant::now() < again,
            "it does not get ready again"
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let counted = reqwest::get(format!("{admin}/metrics")).await.unwrap();
    let counted = counted.text().await.unwrap();
    for line in [
        "qijin_journal_dropped_total 1",
        "qijin_updates_total{result=\"unstored\"} 1",
        "qijin_updates_total{result=\"answered\"} 2",
        "qijin_ready 1",
        "qijin_inbox_open 0",
    ] {
        assert!(counted.contains(line), "{line} is not in\n{counted}");
    }
    assert!(!counted.contains("4003") && !counted.contains(QUESTIONS[0]));
    assert!(bot.stop().await.success());
    office.assert_calm();
}

#[test]
fn another_local_key_is_refused_until_somebody_insists() {
    let office = Office::new();
    office.add_staff("李主任", "管理", "long enough 3");
    let run = |arguments: &[&str]| {
        let output = office.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let key = office.folder().join("data/local.key");
    std::fs::rename(&key, key.with_extension("old")).unwrap();
    for command in [&["serve"][..], &["staff", "list"]] {
        let (ok, said) = run(command);
        assert!(!ok && said.contains("另一把本机密钥"), "{said}");
        assert!(said.contains("qijin db rekey"), "{said}");
    }
    let (ok, said) = run(&["db", "rekey"]);
    assert!(ok && said.contains("从现在起认"), "{said}");
    assert!(run(&["staff", "list"]).1.contains("李主任"));
    std::fs::rename(key.with_extension("old"), &key).unwrap();
    assert!(!run(&["staff", "list"]).0);
}

async fn journal_rows(url: &str, data: &str) -> i64 {
    let keys = Keys::open_or_create(&Path::new(data).join("local.key")).unwrap();
    let journal = Journal::new(Database::open(url).await.unwrap(), keys, 30);
    journal.count().await.unwrap()
}

/// Needs a small file system of its own:
/// `mount -t tmpfs -o size=8m tmpfs DIR && QIJIN_SMALL_DISK=DIR cargo test --test database full_disk -- --ignored`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QIJIN_SMALL_DISK"]
async fn a_full_disk_does_not_keep_residents_waiting_and_mends_itself() {
    let disk = std::env::var("QIJIN_SMALL_DISK").expect("QIJIN_SMALL_DISK");
    let data = format!("{disk}/data");
    let url = format!("sqlite:{data}/qijin.sqlite");
    let office = Office::new();
    let api = FakeBotApi::start("full_disk").await;
    let resident = Resident::new(&api, 4_004, "阿敏");
    let env = [
        ("QIJIN_DATA_DIR", data.as_str()),
        ("QIJIN_DATABASE_URL", url.as_str()),
        ("QIJIN_ADMIN_LISTEN", "127.0.0.1:0"),
    ];
    let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
    resident.says(QUESTIONS[0]);
    resident.nth_message(0).await;
    let full = Path::new(&disk).join("full");
    let filled = std::fs::write(&full, vec![0; 64 << 20]);
    assert!(filled.is_err(), "the disk is not that small");
    // The write-ahead log has some room left: only much fills it.
    let began = std::time::Instant::now();
    let crowd: Vec<Resident<'_>> = (0..60)
        .map(|n| Resident::new(&api, 4_100 + n, "居民"))
        .collect();
    for question in QUESTIONS {
        for one in &crowd {
            one.says(&format!("{question}{}", "，事情是这样的".repeat(400)));
        }
    }
    office.until_logged("updates could not be stored").await;
    println!("nothing fits any more after {:.1?}", began.elapsed());
    let began = std::time::Instant::now();
    office.until_logged("先直接答复").await;
    for one in &crowd {
        one.nth_message(QUESTIONS.len() - 1).await;
    }
    println!("disk full: all answered {:.1?} later", began.elapsed());
    let admin = office.admin().await;
    let ready = reqwest::get(format!("{admin}/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503);
    let words = ready.text().await.unwrap();
    println!("{words}");
    assert!(words.contains("cannot be written to"), "{words}");
    std::fs::remove_file(&full).unwrap();
    let mended = std::time::Instant::now();
    resident.says(QUESTIONS[1]);
    resident.nth_message(1).await;
    office.until_logged("收件箱又能写了").await;
    println!("room again: answered after {:.1?}", mended.elapsed());
    let heard: usize = crowd.iter().map(Resident::heard).sum();
    assert_eq!(heard, 600, "each is answered once");
    println!("journaled: {} of 602", journal_rows(&url, &data).await);
    assert!(bot.stop().await.success());
    office.assert_calm();
}
