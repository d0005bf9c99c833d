//! Input from somebody who means harm: spoiled updates to the webhook, spoiled requests to the pages.
//! Nothing may panic, nothing may be answered with a 5xx, and memory stays where it was.
//!
//! `QIJIN_HOSTILE=100000 cargo test --test hostile -- --nocapture` sends so many and shows figures.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::fixtures::QUESTIONS;
use common::mutate::{mutated_json, spoil};
use common::{FakeBotApi, Office, Resident, media, text_of};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECRET: &str = "only-telegram-knows-this";
/// More than this on top is a leak.
const MAY_GROW_MB: f64 = 150.0;

fn count() -> usize {
    let wanted = std::env::var("QIJIN_HOSTILE");
    wanted.ok().and_then(|n| n.parse().ok()).unwrap_or(3_000)
}

/// Memory of a process in MB, where the system tells.
fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// One of every kind of update that Telegram may bring.
fn updates() -> Vec<Value> {
    let user =
        json!({"id": 5_000_001, "is_bot": false, "first_name": "甲", "language_code": "zh-hans"});
    let chat = json!({"id": 5_000_001, "type": "private", "first_name": "甲"});
    let group = json!({"id": -100_500_001, "type": "supergroup", "title": "群"});
    let message = |chat: &Value, more: Value| {
        let mut message = json!({
            "message_id": 7, "date": 1_790_000_000, "from": user, "chat": chat,
        });
        for (key, value) in more.as_object().unwrap() {
            message[key] = value.clone();
        }
        message
    };
    let command = |text: &str| json!({"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": text.len()}]});
    let shown = {
        let mut shown = message(&chat, json!({"text": QUESTIONS[0]}));
        shown["from"] = json!({"id": 7_700_000_001_i64, "is_bot": true, "first_name": "普法"});
        shown["reply_markup"] =
            json!({"inline_keyboard": [[{"text": "👍", "callback_data": "v:1:1"}]]});
        shown
    };
    let tap = |data: &str| json!({"id": "4000000000000000001", "from": user, "message": shown, "chat_instance": "1", "data": data});
    let mention = "@qijin_test_bot 工资";
    let kinds = vec![
        ("message", message(&chat, json!({"text": QUESTIONS[0]}))),
        (
            "message",
            message(&chat, json!({"text": "他打我，还要杀我，怎么办"})),
        ),
        (
            "message",
            message(&chat, json!({"text": "《劳动法》第五十条"})),
        ),
        ("message", message(&chat, command("/start b_ab12"))),
        ("message", message(&chat, command("/topics"))),
        ("message", message(&chat, command("/forget"))),
        ("message", message(&chat, media::voice())),
        (
            "message",
            message(
                &chat,
                json!({"location": {"latitude": 30.5, "longitude": 104.0}}),
            ),
        ),
        (
            "message",
            message(
                &chat,
                json!({"caption": QUESTIONS[1], "photo": [
            {"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}]}),
            ),
        ),
        (
            "message",
            message(
                &group,
                json!({"text": mention,
            "entities": [{"type": "mention", "offset": 0, "length": 15}]}),
            ),
        ),
        (
            "message",
            message(&group, json!({"new_chat_members": [user]})),
        ),
        (
            "message",
            message(&group, json!({"text": "工资", "reply_to_message": shown})),
        ),
        (
            "edited_message",
            message(&chat, json!({"text": "工资", "edit_date": 1_790_000_001})),
        ),
        ("channel_post", message(&group, json!({"text": "工资"}))),
        ("callback_query", tap("v:1:1")),
        ("callback_query", tap("p:enterprise")),
        ("callback_query", tap("e:labor.wage_arrears-000000:")),
        ("callback_query", tap("f:1")),
        (
            "my_chat_member",
            json!({"chat": chat, "from": user, "date": 1_790_000_000,
            "old_chat_member": {"user": user, "status": "member"},
            "new_chat_member": {"user": user, "status": "kicked", "until_date": 0}}),
        ),
        (
            "poll",
            json!({"id": "1", "question": "?", "options": [], "total_voter_count": 0,
            "is_closed": false, "is_anonymous": true, "type": "regular", "allows_multiple_answers": false}),
        ),
        ("a_kind_of_tomorrow", json!({"x": 1})),
    ];
    let update = |(kind, content): (&str, Value)| json!({"update_id": 1, kind: content});
    kinds.into_iter().map(update).collect()
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
    let before = memory(bot.id());
    let began = Instant::now();
    let url = format!("{address}/telegram/hook");
    let client = reqwest::Client::new();
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let seeds = updates();
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
            most = most.max(memory(bot.id()));
        }
    }
    let took = began.elapsed();
    // Behind everything else it is answered all the same.
    let last = resident.asks(QUESTIONS[1]).await;
    assert!(text_of(&last).starts_with(QUESTIONS[1]));
    most = most.max(memory(bot.id()));
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
    let before = memory(bot.id());
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
            most = most.max(memory(bot.id()));
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
