//! Throws mutated updates at the real bot by webhook, with a fake Telegram that takes its answers.
//!
//!     cargo build && TMPDIR=/dev/shm cargo run --example fuzz_updates -- 100000 1
//!
//! The first number says how many, the second is the seed. Seeds are an update of every kind and a short
//! conversation recorded at the start, buttons included; they are mutated as JSON and as bytes. Watched
//! are the program's log (no panic), its answers (only 200; 503 while it says that too much waits, and
//! then Telegram brings it again), its memory, and whether sound questions in between and afterwards are
//! answered. What offends is made smaller and written to a file; the exit code is 1 then.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::fake_bot_api::USERNAME;
use common::fixtures::{QUESTIONS, UNCLEAR};
use common::mutate::mutated_json;
use common::process::{Memory, memory};
use common::recorded::every_kind;
use common::{Bot, FakeBotApi, Group, Office, Resident, media, text_of};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

const SECRET: &str = "only-telegram-knows-this";
/// More than this on top is a leak.
const MAY_GROW_MB: f64 = 300.0;
/// People that spoiled updates come from: each may send 30 messages a minute.
const PEOPLE: i64 = 20_000;
const FIRST_PERSON: i64 = 6_000_000;
const FIRST_SOUND: i64 = 8_000_000;
/// A sound question among so many spoiled updates.
const SOUND_EVERY: usize = 200;
/// Updates between two looks at the log.
const BATCH: usize = 500;
const AT_ONCE: usize = 32;

/// What a program's log holds that should not be there.
struct Watch {
    file: std::path::PathBuf,
    read: u64,
    panics: usize,
    waits: usize,
}

impl Watch {
    /// Reads on; returns whether something panicked since.
    fn panicked(&mut self) -> bool {
        let before = self.panics;
        let mut new = Vec::new();
        if let Ok(mut file) = std::fs::File::open(&self.file)
            && file.seek(SeekFrom::Start(self.read)).is_ok()
            && file.read_to_end(&mut new).is_ok()
        {
            self.read += new.len() as u64;
            let new = String::from_utf8_lossy(&new);
            self.panics += new.matches("panicked").count();
            self.waits += new.matches("待答的消息超过").count();
        }
        self.panics > before
    }
}

/// The running bot and everything around it.
struct Storm {
    office: Office,
    api: FakeBotApi,
    bot: Bot,
    url: String,
    client: reqwest::Client,
    watch: Watch,
    seeds: Vec<Value>,
    seed: u64,
}

/// What a look of a resident at the bot leaves behind, as updates: words, commands, taps.
async fn recorded(api: &FakeBotApi) -> Vec<Value> {
    let resident = Resident::new(api, 5_000_000, "常人");
    let mut shown = Vec::new();
    for text in [
        QUESTIONS[0],
        UNCLEAR[0],
        UNCLEAR[4],
        "/topics",
        "/start",
        "《劳动法》第五十条",
    ] {
        shown.push(resident.asks(text).await);
    }
    let group = Group::new(api, -100_500_001);
    let member = group.member(5_000_000, "常人");
    shown.push(member.asks(&format!("@{USERNAME} {}", QUESTIONS[1])).await);
    resident.posts(media::sticker());
    let mut updates = api.world().delivered.clone();
    // Every button there was, as it would be tapped.
    let tapped = |message: &Value, data: String| {
        json!({"update_id": 1, "callback_query": {"id": "4000000000000000001", "from": resident.user,
            "message": message, "chat_instance": "1", "data": data}})
    };
    for message in &shown {
        for (_, data) in common::conversation::buttons(message) {
            updates.push(tapped(message, data));
        }
    }
    println!("{} updates recorded as seeds", updates.len());
    updates
}

impl Storm {
    async fn begin(seed: u64) -> Self {
        let office = Office::new();
        office.add_staff("李主任", "管理", "long enough 3");
        let api = FakeBotApi::start("fuzz_updates").await;
        let secret = [("QIJIN_WEBHOOK_SECRET", SECRET)];
        let (bot, address) = office.start_webhook(&api, &secret).await;
        api.change(|world| {
            world.targets = vec![address.clone()];
            for id in FIRST_PERSON..FIRST_PERSON + PEOPLE {
                let chat = json!({"id": id, "type": "private", "first_name": "甲"});
                world.chats.insert(id, chat);
            }
        });
        let mut seeds = every_kind();
        seeds.extend(recorded(&api).await);
        let file = office.folder().join("serve.log");
        Self {
            url: format!("{address}/telegram/hook"),
            client: reqwest::Client::new(),
            watch: Watch {
                file,
                read: 0,
                panics: 0,
                waits: 0,
            },
            office,
            api,
            bot,
            seeds,
            seed,
        }
    }

    /// Spoiled update number `n`: the same for the same seed.
    fn spoiled(&self, n: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000_003) ^ n as u64);
        let mut one = random.choice(&self.seeds).cloned().unwrap_or_default();
        one["update_id"] = json!(700_000_000 + n);
        let person = json!(FIRST_PERSON + n as i64 % PEOPLE);
        for path in [
            "/message/chat/id",
            "/message/from/id",
            "/callback_query/from/id",
            "/callback_query/message/chat/id",
        ] {
            if let Some(id) = one.pointer_mut(path).filter(|id| id.as_i64() > Some(0)) {
                *id = person.clone();
            }
        }
        mutated_json(&mut random, &[one])
    }

    /// Brings an update as Telegram does: again while it is told that too much waits.
    async fn bring(&self, body: Vec<u8>) -> (Option<u16>, usize) {
        let mut again = 0;
        loop {
            let request = self.client.post(&self.url);
            let request = request.header("X-Telegram-Bot-Api-Secret-Token", SECRET);
            let status = match request.body(body.clone()).send().await {
                Ok(answer) => answer.status().as_u16(),
                Err(_) => return (None, again),
            };
            if status != 503 || again == 600 {
                return (Some(status), again);
            }
            again += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Whether an update alone makes the program panic, die, or fail.
    async fn offends(&mut self, body: &[u8], number: &mut i64) -> bool {
        // Another id, where it still has one: else it would be one that came before.
        *number += 1;
        let body = match serde_json::from_slice::<Value>(body) {
            Ok(mut value) if value["update_id"].is_i64() => {
                value["update_id"] = json!(*number);
                value.to_string().into_bytes()
            }
            _ => body.to_vec(),
        };
        self.watch.panicked();
        let (status, _) = self.bring(body).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        self.watch.panicked() || !matches!(status, Some(200))
    }

    /// The first of these that offends by itself, made as small as it goes.
    async fn smallest(&mut self, suspects: Vec<Vec<u8>>) -> Option<Vec<u8>> {
        let mut number = 900_000_000;
        let mut found = None;
        for body in suspects {
            if self.offends(&body, &mut number).await {
                found = Some(body);
                break;
            }
        }
        let mut body = found?;
        let mut piece = body.len() / 2;
        while piece > 0 {
            let mut at = 0;
            while at < body.len() {
                let end = (at + piece).min(body.len());
                let shorter = [&body[..at], &body[end..]].concat();
                let sound = serde_json::from_slice::<Value>(&shorter).is_ok();
                if sound && self.offends(&shorter, &mut number).await {
                    body = shorter;
                } else {
                    at = end;
                }
            }
            piece /= 2;
        }
        Some(body)
    }

    /// Forgets what was said to the people of spoiled updates: memory of ours, not of the bot.
    fn tidy(&self) {
        self.api.change(|world| {
            world.calls.retain(|call| call.chat() >= Some(FIRST_SOUND));
            world.messages.retain(|(chat, _), _| *chat >= FIRST_SOUND);
            world.delivered.clear();
        });
    }
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let template = "{msg} [{bar:30}] {pos}/{len} {elapsed}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message("spoiled updates")
}

/// Waits until each of these chats has its answer; returns those that have none in the end.
async fn unanswered(api: &FakeBotApi, chats: &[i64], patience: Duration) -> Vec<i64> {
    let deadline = Instant::now() + patience;
    loop {
        let left: Vec<i64> = {
            let world = api.world();
            let has = |chat: &i64| world.sends(*chat).next().is_some();
            chats.iter().copied().filter(|chat| !has(chat)).collect()
        };
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let seed: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut storm = Storm::begin(seed).await;
    let before = memory(storm.bot.id());
    let began = Instant::now();
    let bar = bar(count);
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    let mut brought_again = 0;
    let mut sound: Vec<i64> = Vec::new();
    let mut offending = None;
    let mut n = 0;
    while n < count && offending.is_none() {
        let numbers: Vec<usize> = (n..count.min(n + BATCH)).collect();
        for number in &numbers {
            if number.is_multiple_of(SOUND_EVERY) {
                let chat = FIRST_SOUND + sound.len() as i64;
                Resident::new(&storm.api, chat, "常人").says(QUESTIONS[number % QUESTIONS.len()]);
                sound.push(chat);
            }
        }
        let (shared, bar) = (&storm, &bar);
        let bodies = numbers.iter().map(|number| async move {
            let body = shared.spoiled(*number);
            let (status, again) = shared.bring(body.clone()).await;
            bar.inc(1);
            (body, status, again)
        });
        let brought: Vec<_> = futures::stream::iter(bodies)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut bodies = Vec::new();
        let mut failed = Vec::new();
        for (body, status, again) in brought {
            brought_again += again;
            let name = status.map_or("no answer".to_owned(), |s| s.to_string());
            *statuses.entry(name).or_default() += 1;
            // A body that is too large may be cut off while it is still being sent.
            let large = body.len() > 1 << 20 && matches!(status, None | Some(413));
            if status != Some(200) && !large {
                failed.push(body.clone());
            }
            bodies.push(body);
        }
        if !failed.is_empty() || storm.watch.panicked() {
            let suspects = if failed.is_empty() { bodies } else { failed };
            let found = storm.smallest(suspects.clone()).await;
            offending = Some(found.unwrap_or_else(|| suspects.concat()));
        }
        storm.tidy();
        n += numbers.len();
    }
    bar.finish_and_clear();
    let storm_took = began.elapsed();
    let lost = unanswered(&storm.api, &sound, Duration::from_secs(1200)).await;
    let drained = began.elapsed();
    // Behind everything else: questions, a tap, and a command of people who were not there before.
    let mut after = Vec::new();
    for chat in 0..20 {
        let chat = 9_000_000 + chat;
        Resident::new(&storm.api, chat, "后来的人")
            .says(QUESTIONS[chat as usize % QUESTIONS.len()]);
        after.push(chat);
    }
    let late = unanswered(&storm.api, &after, Duration::from_secs(120)).await;
    let titles = after.iter().filter(|chat| {
        let first = storm
            .api
            .world()
            .sends(**chat)
            .next()
            .and_then(|c| c.outcome.clone().ok());
        first.is_some_and(|m| text_of(&m).starts_with(QUESTIONS[**chat as usize % QUESTIONS.len()]))
    });
    let titles = titles.count();
    if storm.watch.panicked() && offending.is_none() {
        offending = Some(b"a panic after the last batch: see the log".to_vec());
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let Memory { resident, peak } = memory(storm.bot.id());
    println!(
        "{n} updates of seed {seed} in {storm_took:.0?} (all answered after {drained:.0?}); statuses {statuses:?}; \
         brought again after 503 because too much waited: {brought_again} (the log says so {} times); \
         panics {}; sound questions in between {} of {} answered, afterwards {titles} of {}; memory {:.0} MB before, \
         {peak:.0} MB at most, {resident:.0} MB after",
        storm.watch.waits,
        storm.watch.panics,
        sound.len() - lost.len(),
        sound.len(),
        after.len(),
        before.resident,
    );
    let mut failures = Vec::new();
    if let Some(body) = offending {
        let file = format!("fuzz_updates-offending-{seed}.json");
        let _ = std::fs::write(&file, body);
        let _ = std::fs::write("fuzz_updates-offending.log", storm.office.log());
        failures.push(format!("an input offends: {file}"));
    }
    if !lost.is_empty() || !late.is_empty() || titles < after.len() {
        failures.push(format!(
            "without an answer: {} and {}",
            lost.len(),
            late.len()
        ));
    }
    if brought_again > 0 && storm.watch.waits == 0 {
        failures.push("503 without a reason in the log".to_owned());
    }
    if peak > before.resident + MAY_GROW_MB {
        failures.push("memory grew".to_owned());
    }
    let Storm { bot, office, .. } = storm;
    if !bot.stop().await.success() {
        failures.push("the program did not stop in order".to_owned());
    }
    office.assert_calm();
    for failure in &failures {
        eprintln!("{failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
