//! Input from somebody who means harm: spoiled updates to the webhook, spoiled requests to the pages.
//! Nothing may panic, nothing may be answered with a 5xx, and memory stays where it was.
//!
//! `QIJIN_HOSTILE=100000 cargo test --test hostile -- --nocapture` sends so many and shows figures.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::files::{raw_xlsx, raw_xlsx_with};
use common::fixtures::QUESTIONS;
use common::mutate::{mutated_json, spoil};
use common::process::memory;
use common::recorded::every_kind;
use common::{Browser, FakeBotApi, Office, Resident, text_of};
use futures::StreamExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECRET: &str = "only-telegram-knows-this";
/// More than this on top is a leak.
const MAY_GROW_MB: f64 = 150.0;

fn count() -> usize {
    let wanted = std::env::var("QIJIN_HOSTILE");
    wanted.ok().and_then(|n| n.parse().ok()).unwrap_or(3_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_updates_do_no_harm() {
    let office = Office::new();
    let api = FakeBotApi::start("hostile_updates").await;
    let secret = [("QIJIN_WEBHOOK_SECRET", SECRET)];
    let (bot, address) = office.start_webhook(&api, &secret).await;
    api.change(|world| world.targets = vec![address.clone()]);
    let resident = Resident::new(&api, 5_000_000, "常人");
    resident.asks(QUESTIONS[0]).await;
    // The people of the spoiled updates, so that answers are taken.
    let _known: Vec<Resident<'_>> = (5_000_001..5_000_051)
        .map(|id| Resident::new(&api, id, "甲"))
        .collect();
    let before = memory(bot.id()).resident;
    let began = Instant::now();
    let url = format!("{address}/telegram/hook");
    let client = reqwest::Client::new();
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let seeds = every_kind();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut most = before;
    for n in 0..count() {
        // Ids that differ, and people in turn: else all but the first would be repeats and floods.
        let mut seeds = seeds.clone();
        for seed in &mut seeds {
            seed["update_id"] = json!(700_000_000 + n);
            let person = json!(5_000_001 + (n % 50));
            for path in [
                "/message/chat/id",
                "/message/from/id",
                "/callback_query/from/id",
            ] {
                if let Some(id) = seed.pointer_mut(path).filter(|id| id.as_i64() > Some(0)) {
                    *id = person.clone();
                }
            }
        }
        let body = mutated_json(&mut random, &seeds);
        let answer = client
            .post(&url)
            .header("X-Telegram-Bot-Api-Secret-Token", SECRET);
        let answer = answer.body(body).send().await.unwrap();
        *statuses.entry(answer.status().as_u16()).or_default() += 1;
        if n % 500 == 0 {
            most = most.max(memory(bot.id()).resident);
        }
    }
    let took = began.elapsed();
    // Behind everything else it is answered all the same.
    let last = resident.asks(QUESTIONS[1]).await;
    assert!(text_of(&last).starts_with(QUESTIONS[1]));
    most = most.max(memory(bot.id()).resident);
    println!(
        "updates: {} in {took:.0?}, statuses {statuses:?}, {} calls of the API, memory {before:.0} MB \
         before, {most:.0} MB at most",
        count(),
        api.world().calls.len()
    );
    assert_eq!(statuses.into_keys().collect::<Vec<u16>>(), [200]);
    assert!(
        most < before + MAY_GROW_MB,
        "{before:.0} MB grew to {most:.0} MB"
    );
    // What only Telegram's side does not take is given up, so stopping is quick.
    assert!(bot.stop().await.success());
    office.assert_calm();
}

/// Workbooks that are small on the wire and large in memory, with a word of what is said to each.
fn bombs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let corner =
        "<row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>角</t></is></c></row>";
    let endless: String = (1..150_000)
        .map(|n| {
            format!("<row r=\"{n}\"><c r=\"A{n}\" t=\"inlineStr\"><is><t>字</t></is></c></row>")
        })
        .collect();
    let billion = "<row r=\"1000000000\"><c r=\"A1000000000\"><v>1</v></c></row>";
    let strings = |said: usize, words: usize| {
        let xml = format!(
            "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
             count=\"{said}\" uniqueCount=\"{said}\">{}</sst>",
            "<si><t>a</t></si>".repeat(words)
        );
        raw_xlsx_with("", &[("xl/sharedStrings.xml", &xml)])
    };
    vec![
        (
            "unfolds to 201 MB",
            raw_xlsx(&" ".repeat(201 << 20)),
            "解开后超过",
        ),
        ("a cell in the last corner", raw_xlsx(corner), "表头"),
        ("rows without end", raw_xlsx(&endless), "表头"),
        ("row number a billion", raw_xlsx(billion), "表头"),
        (
            "says four billion words",
            strings(4_000_000_000, 3),
            "不是完好的",
        ),
        (
            "three million words",
            strings(3_000_000, 3_000_000),
            "解开后超过",
        ),
        ("as many words as may be", strings(900_000, 900_000), "表头"),
        (
            "half a file",
            raw_xlsx(corner)[..300].to_vec(),
            "不是完好的",
        ),
    ]
}

/// What an import may take for a moment on top.
const MAY_TAKE_MB: f64 = 120.0;

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_by_every_importer_and_by_the_library() {
    let office = Office::new();
    office.add_staff("李主任", "管理", "long enough 3");
    let run = |arguments: &[&str]| {
        let output = office.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let (bot, base) = office.serve_pages(&[]).await;
    let mut staff = Browser::new(&base);
    staff.log_in("李主任", "long enough 3").await;
    let before = memory(bot.id()).peak;
    for (name, bomb, words) in bombs() {
        let file = office.folder().join("炸弹.xlsx");
        std::fs::write(&file, &bomb).unwrap();
        for import in [
            &["activity", "import", "炸弹.xlsx"][..],
            &["import", "entries", "炸弹.xlsx"],
        ] {
            let (ok, said) = run(import);
            assert!(!ok && said.contains(words), "{name}, {import:?}: {said}");
        }
        for page in ["/activities/import", "/activities/duties"] {
            let to = if page == "/activities/duties" {
                "/activities/duties/import"
            } else {
                page
            };
            let seen = staff
                .upload(page, to, &[("check", "1"), ("year", "2026")], &bomb)
                .await;
            assert!(
                !seen.status.is_server_error(),
                "{name} to {to}: {}",
                seen.text
            );
            let large = bomb.len() > 2 << 20;
            assert!(
                large || seen.text.contains(words),
                "{name} to {to}: {}",
                seen.text
            );
        }
        println!(
            "{name}: {} KB, memory at most {:.0} MB",
            bomb.len() >> 10,
            memory(bot.id()).peak
        );
    }
    let most = memory(bot.id()).peak;
    assert!(
        most < before + MAY_TAKE_MB,
        "{before:.0} MB grew to {most:.0} MB"
    );

    // A file of a terabyte in the library that is served: refused, and the old one goes on.
    let huge = office.library().join("huge.md");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    office.until_logged("the changed library is refused").await;
    assert!(office.log().contains("huge.md"), "{}", office.log());
    let seen = staff.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
    assert!(seen.text.contains(QUESTIONS[0]), "{}", seen.text);
    let after = memory(bot.id()).peak;
    assert!(
        after < most + MAY_TAKE_MB,
        "{most:.0} MB grew to {after:.0} MB"
    );
    assert!(bot.stop().await.success());
    office.assert_calm();
}

/// Requests as browsers send them, whole.
fn requests(cookie: &str, token: &str) -> Vec<Vec<u8>> {
    let get = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
    };
    let post = |path: &str, form: &str| {
        let form = format!("_csrf={token}&{form}");
        format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    let mut all: Vec<String> = [
        "/",
        "/healthz",
        "/readyz",
        "/login",
        "/ask",
        "/questions",
        "/settings",
        "/handovers",
        "/law?law=%E5%8A%B3%E5%8A%A8%E6%B3%95&article=%E7%AC%AC%E4%BA%94%E5%8D%81%E6%9D%A1",
        "/questions?from=2026-01-01&to=2026-12-31&q=%E5%B7%A5%E8%B5%84&page=2",
        "/questions/123456789",
        "/questions/export.csv",
        "/assets/qijin.css",
        "/handovers/1",
    ]
    .iter()
    .map(|path| get(path))
    .collect();
    all.push(post(
        "/ask",
        "q=%E8%80%81%E6%9D%BF%E6%8B%96%E6%AC%A0%E5%B7%A5%E8%B5%84",
    ));
    all.push(post("/ask/open", "entry=labor.wage_arrears-000000&row=1"));
    all.push(post("/ask/vote", "row=1&helpful=1"));
    all.push(post("/ask/new", ""));
    all.push(post("/ask/forget", ""));
    all.push(post("/settings/staff/1", "role=admin"));
    all.into_iter().map(String::into_bytes).collect()
}

/// Sends bytes as they are; returns the status, if any came.
async fn send(address: &str, request: &[u8]) -> Option<u16> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        // A server that has heard enough may close while we are still speaking.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.take(4096).read_to_end(&mut answer).await;
        let line = String::from_utf8_lossy(&answer);
        line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()
    };
    // Who does not finish is not answered; the log tells of failures that come later.
    tokio::time::timeout(Duration::from_secs(1), exchange)
        .await
        .ok()
        .flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_requests_do_no_harm() {
    let office = Office::new();
    let (bot, base) = office.serve_pages(&[]).await;
    let address = base.strip_prefix("http://").unwrap().to_owned();
    // A visitor's cookie and the token that goes with it.
    let page = reqwest::get(format!("{base}/ask")).await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let token = page.split("name=\"_csrf\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let seeds = requests(&cookie, token);
    for seed in &seeds {
        let status = send(&address, seed).await;
        assert!(
            status.is_some_and(|s| s < 500),
            "{}",
            String::from_utf8_lossy(seed)
        );
    }
    let before = memory(bot.id()).resident;
    let mut most = before;
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(20_261_126);
    let mut statuses: BTreeMap<Option<u16>, usize> = BTreeMap::new();
    let spoiled = (0..count()).map(|_| {
        let mut request = random.choice(&seeds).cloned().unwrap();
        spoil(&mut random, &mut request);
        let address = address.clone();
        async move { send(&address, &request).await }
    });
    let mut answers = futures::stream::iter(spoiled).buffer_unordered(64);
    let mut n = 0;
    while let Some(status) = answers.next().await {
        *statuses.entry(status).or_default() += 1;
        n += 1;
        if n % 500 == 0 {
            most = most.max(memory(bot.id()).resident);
        }
    }
    let took = began.elapsed();
    println!(
        "requests: {} in {took:.0?}, statuses {statuses:?}, memory {before:.0} MB before, {most:.0} MB \
         at most",
        count()
    );
    assert!(
        statuses.keys().all(|s| s.is_none_or(|s| s < 500)),
        "{statuses:?}"
    );
    assert!(
        most < before + MAY_GROW_MB,
        "{before:.0} MB grew to {most:.0} MB"
    );
    let healthy = reqwest::get(format!("{base}/readyz")).await.unwrap();
    assert_eq!(healthy.text().await.unwrap(), "ready\n");
    assert!(bot.stop().await.success());
    office.assert_calm();
    assert!(!office.log().contains("a page failed"), "{}", office.log());
}
