//! The dashboard and the chat in headless Chromium: `walk.cjs` does what a person would do,
//! while a resident waits for an answer in the fake Bot API.

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;

use chrono::{Duration, Utc};
use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS, asked};
use common::{Browser, FakeBotApi, Office, Resident, text_of};
use qijin::journal::{Boards, Journal, NewBoard, PastQuestion, Record};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and packages of npm: tests/run.sh brings them and runs it"]
async fn a_day_of_staff_in_a_real_browser() {
    let office = Office::new();
    office.add_staff("审核员", "审核", "long enough 2");
    office.add_staff("李主任", "管理", "long enough 3");
    let api = FakeBotApi::start("browser").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, 880_070, "王秀兰");
    for question in [QUESTIONS[3], QUESTIONS[9], NOT_IN_LIBRARY] {
        resident.asks(question).await;
    }
    let answer = resident.asks(QUESTIONS[0]).await;
    let told = resident.heard();
    resident.taps(&answer, "找人问").await;
    resident.nth_message(told).await;
    let base = office.pages().await;
    let mut visitor = Browser::new(&base);
    let long = "我".repeat(300) + "averylongwordwithoutanyspaces".repeat(8).as_str();
    for words in [
        long.as_str(),
        "<script>alert(1)</script>",
        "我老公打我，快救命",
    ] {
        visitor.submit("/ask", "/ask", &[("q", words)]).await;
    }

    walk("walk.cjs", &base).await;
    let reply = resident.nth_message(told + 1).await;
    assert!(
        text_of(&reply).contains("请带工资条到 3 号窗口。"),
        "{}",
        text_of(&reply)
    );
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and packages of npm: tests/run.sh brings them and runs it"]
async fn activities_boards_and_reports_in_a_real_browser() {
    let office = Office::new();
    office.add_staff("李主任", "管理", "long enough 3");
    // In a file, so that the settings page has something to change.
    let file = "[regions]\ntownship = \"青石镇\"\nlist = [{ code = \"r01\", name = \"青石村\" }]\n\n\
                [telegram]\nbot = \"qingshi_pufa_bot\"\n";
    std::fs::write(office.folder().join("qijin.toml"), file).unwrap();
    let (bot, base) = office.serve_pages(&[]).await;
    for question in QUESTIONS.iter().take(6) {
        let mut resident = Browser::new(&base);
        resident.submit("/ask", "/ask", &[("q", question)]).await;
    }
    walk("activities.cjs", &base).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and packages of npm: tests/run.sh brings them and runs it"]
async fn the_overview_in_a_real_browser() {
    let office = Office::new();
    office.add_staff("看日志的", "查看", "long enough 1");
    let villages = ["青石村", "河东社区", "石桥村"];
    let list = (1..).zip(villages);
    let list = list.map(|(n, name)| format!("{{ code = \"r0{n}\", name = \"{name}\" }}"));
    let list: Vec<String> = list.collect();
    let regions = format!("[regions]\nlist = [{}]\n", list.join(", "));
    std::fs::write(office.folder().join("qijin.toml"), regions).unwrap();
    let journal = office.open_journal().await;
    let boards = Boards::new(journal.database().clone());
    let mut codes = Vec::new();
    for village in villages {
        let about = NewBoard {
            name: format!("{village}宣传栏"),
            ..NewBoard::default()
        };
        codes.push(boards.add(about, Utc::now()).await.unwrap().code);
    }
    let topics = ["labor.pay", "marriage.bride_price", "neighbor.dog"];
    let places = ["village", "community", "enterprise", "school", "religion"];
    let past = (0..900_usize).map(|n| {
        let kind = ["answer", "answer", "choices", "unknown", "answer"][n % 5];
        PastQuestion {
            record: Record {
                at: Utc::now() - Duration::hours(24 + (n * n % 2160) as i64),
                channel: "telegram".into(),
                asker: Some(journal.keys().asker("telegram", &(n * 7 % 400).to_string())),
                region: (n % 4 > 0).then(|| format!("r0{}", n % 4)),
                board: (n % 6 == 0).then(|| codes[n / 6 % 3].clone()),
                place: Some(places[(n * n) % 41 % 5].into()),
                topic: Some(topics[(n * 3 + n / 7) % 11 % 3].into()),
                topic_confidence: 0.9,
                kind: kind.into(),
                entry: None,
                rule: None,
                confidence: 0.9,
                reply: String::new(),
                latency_us: 1500,
                text: format!("{}第 {n} 次", QUESTIONS[n % QUESTIONS.len()]),
                parent: None,
                request: None,
            },
            helpful: (n % 7 == 0).then_some(n % 21 != 0),
            picked: None,
            handed_over: n % 31 == 0,
        }
    });
    let past: Vec<PastQuestion> = past.collect();
    journal.fill(&past).await.unwrap();
    journal.database().close().await;
    let (bot, base) = office.serve_pages(&[]).await;
    walk("overview.cjs", &base).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and packages of npm: tests/run.sh brings them and runs it"]
async fn reviewing_and_closing_a_gap_in_a_real_browser() {
    let office = Office::new();
    office.add_staff("审核员", "审核", "long enough 2");
    let (bot, base) = office.serve_pages(&[]).await;
    let mut visitor = Browser::new(&base);
    let long = "卫星".repeat(150) + "averylongwordwithoutanyspaces".repeat(8).as_str();
    for words in [
        QUESTIONS[0],
        QUESTIONS[9],
        NOT_IN_LIBRARY,
        "轨道卫星",
        "卫星轨道高度",
        long.as_str(),
    ] {
        visitor.submit("/ask", "/ask", &[("q", words)]).await;
    }
    walk("review.cjs", &base).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and packages of npm: tests/run.sh brings them and runs it"]
async fn a_county_in_a_real_browser() {
    let office = Office::new();
    let mut config = "[[counties]]\nid = \"xian\"\nname = \"某县司法局\"\n".to_owned();
    let offices = [
        ("main", "青石镇司法所"),
        ("bai-he", "白鹤镇司法所"),
        ("shi", "石桥街道司法所"),
    ];
    for (id, name) in offices {
        config += &format!("[[offices]]\nid = \"{id}\"\nname = \"{name}\"\ncounty = \"xian\"\n");
    }
    std::fs::write(office.folder().join("qijin.toml"), config).unwrap();
    let mut add = office.command(&[
        "staff",
        "add",
        "县里的",
        "--role",
        "管理",
        "--office",
        "xian",
    ]);
    let mut child = add.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"long enough 3\n").unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
    let journal = office.open_journal().await;
    for ((id, _), people) in offices.into_iter().zip([60, 3, 25]) {
        let database = journal.database().of(&id.parse().unwrap());
        let own = Journal::new(database, journal.keys().clone(), 30);
        let kind = |n: usize| ["answer", "choices", "answer", "unknown"][n % 4];
        let past = (0..people * 2).map(|n| PastQuestion {
            record: Record {
                kind: kind(n).into(),
                asker: Some(journal.keys().asker("telegram", &format!("{}", n % people))),
                ..asked(
                    &journal.keys().asker("telegram", "x"),
                    Utc::now(),
                    "labor.pay",
                )
            },
            helpful: (n % 2 == 0).then_some(n % 3 > 0),
            picked: None,
            handed_over: false,
        });
        own.fill(&past.collect::<Vec<_>>()).await.unwrap();
        own.roll_up(Utc::now(), |_, _| ()).await.unwrap();
    }
    journal.database().close().await;
    let (bot, base) = office.serve_pages(&[]).await;
    walk("county.cjs", &base).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// Runs a script of this folder against the dashboard at `base`.
async fn walk(script: &str, base: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("node")
        .arg(root.join("tests/browser").join(script))
        .arg(base)
        .arg(root.join("target/screenshots"))
        .env("NODE_PATH", root.join("target/browser/node_modules"))
        .status()
        .await
        .expect("node is installed by tests/run.sh");
    assert!(status.success(), "{script} failed; see above");
}
