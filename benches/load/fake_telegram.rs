//! A Bot API server that costs little, so that the bot is what is measured: it offers updates, by
//! long polling or to webhooks, and takes messages. It is not strict: `tests/common/fake_bot_api`
//! is, and keeps every word of everything, which under load costs more than the bot.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::book::Book;

pub const TOKEN: &str = "7700000002:AAFakeTokenOfTheLoadBench_0123456789a";
/// Updates in one answer to `getUpdates`, as the real server's most.
const BATCH: usize = 100;
/// Connections that Telegram opens to a webhook unless told otherwise.
const CONNECTIONS: usize = 40;
/// Before a webhook that did not take an update is tried again.
const AGAIN: Duration = Duration::from_millis(250);

struct Waiting {
    id: i64,
    json: Arc<str>,
}

#[derive(Default)]
struct World {
    book: Book,
    waiting: VecDeque<Waiting>,
    next_update: i64,
    next_message: i64,
    polls: usize,
    webhooks: usize,
    secret: String,
}

struct Shared {
    world: Mutex<World>,
    /// Something waits.
    arrived: Notify,
    /// Updates that a webhook did not take at once.
    refused: AtomicUsize,
}

/// The running server. Dropping it stops it.
pub struct FakeTelegram {
    shared: Arc<Shared>,
    pub url: String,
    tasks: JoinSet<()>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere fails the run anyway.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeTelegram {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            world: Mutex::default(),
            arrived: Notify::new(),
            refused: AtomicUsize::new(0),
        });
        let app = Router::new()
            .route("/{bot}/{method}", any(call))
            .layer(DefaultBodyLimit::disable())
            .with_state(shared.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends with the run.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { shared, url, tasks })
    }

    /// Offers a question of a chat; `at` is when it was to be offered.
    pub fn offer(&self, chat: i64, text: &str, at: Instant) {
        let mut world = self.shared.world();
        let id = world.next_update + 1;
        world.next_update = id;
        world.next_message += 1;
        let update = json!({"update_id": id, "message": {
            "message_id": world.next_message,
            "date": now(),
            "chat": {"id": chat, "type": "private", "first_name": "居民"},
            "from": {"id": chat, "is_bot": false, "first_name": "居民", "language_code": "zh-hans"},
            "text": text,
        }});
        let json = update.to_string().into();
        world.waiting.push_back(Waiting { id, json });
        world.book.offer(chat, at);
        drop(world);
        self.shared.arrived.notify_one();
    }

    /// From now on brings updates to these, in turn.
    pub fn bring_to(&mut self, targets: Vec<String>) {
        let next = Arc::new(AtomicUsize::new(0));
        let targets: Arc<[String]> = targets.into();
        let client = reqwest::Client::new();
        for _ in 0..CONNECTIONS {
            let bringing = bring(
                self.shared.clone(),
                client.clone(),
                targets.clone(),
                next.clone(),
            );
            self.tasks.spawn(bringing);
        }
    }

    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.shared.world().book)
    }

    /// Calls of `getUpdates` and `setWebhook` so far.
    pub fn arrivals(&self) -> (usize, usize) {
        let world = self.shared.world();
        (world.polls, world.webhooks)
    }

    /// How often a webhook did not take an update.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

fn now() -> u64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    now.unwrap_or_default().as_secs()
}

/// One connection to a webhook.
async fn bring(
    shared: Arc<Shared>,
    client: reqwest::Client,
    targets: Arc<[String]>,
    next: Arc<AtomicUsize>,
) {
    loop {
        let arrived = shared.arrived.notified();
        let (update, secret) = {
            let mut world = shared.world();
            let update = world.waiting.pop_front();
            // Several may have come for one waking.
            if !world.waiting.is_empty() {
                shared.arrived.notify_one();
            }
            (update, world.secret.clone())
        };
        let Some(update) = update else {
            arrived.await;
            continue;
        };
        loop {
            let target = &targets[next.fetch_add(1, Ordering::Relaxed) % targets.len()];
            let taken = client
                .post(target)
                .header("X-Telegram-Bot-Api-Secret-Token", &secret)
                .header(header::CONTENT_TYPE, "application/json")
                .body(update.json.to_string())
                .send()
                .await;
            if taken.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                break;
            }
            shared.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// What is read of any call.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Parameters {
    chat_id: Option<i64>,
    text: String,
    offset: i64,
    timeout: u64,
    secret_token: String,
}

/// As JSON or as a form: clients differ.
fn parameters(headers: &HeaderMap, body: &[u8]) -> Option<Parameters> {
    if body.is_empty() {
        return Some(Parameters::default());
    }
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return serde_json::from_slice(body).ok();
    }
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
        // teloxide's way for calls that may carry a file; of those only the secret matters here.
        let text = String::from_utf8_lossy(body);
        let secret = text.split_once("name=\"secret_token\"\r\n\r\n");
        let secret = secret.and_then(|(_, rest)| rest.split_once("\r\n"));
        return Some(Parameters {
            secret_token: secret
                .map(|(secret, _)| secret.to_owned())
                .unwrap_or_default(),
            ..Parameters::default()
        });
    }
    serde_urlencoded::from_bytes(body).ok()
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path((_, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(said) = parameters(&headers, &body) else {
        return (StatusCode::BAD_REQUEST, "cannot be read").into_response();
    };
    match method.to_ascii_lowercase().as_str() {
        "getupdates" => answer(updates(&shared, &said).await),
        "sendmessage" => match said.chat_id {
            Some(chat) => answer(message(&shared, chat, &said.text)),
            None => (StatusCode::BAD_REQUEST, "no chat").into_response(),
        },
        "getme" => answer(me()),
        "setwebhook" => {
            let mut world = shared.world();
            world.webhooks += 1;
            world.secret = said.secret_token;
            answer("true".to_owned())
        }
        "getwebhookinfo" => answer(
            json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0})
                .to_string(),
        ),
        _ => answer("true".to_owned()),
    }
}

fn answer(result: String) -> Response {
    let body = format!("{{\"ok\":true,\"result\":{result}}}");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn me() -> String {
    let mut me = json!({"id": 7_700_000_002_i64, "is_bot": true, "first_name": "七进",
        "username": "qijin_load_bot"});
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[name] = json!(value);
    }
    me.to_string()
}

/// Long polling: what is below the offset is gone, the rest comes, again if need be.
async fn updates(shared: &Shared, said: &Parameters) -> String {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(said.timeout.min(50));
    {
        let mut world = shared.world();
        world.polls += 1;
        while world.waiting.front().is_some_and(|w| w.id < said.offset) {
            world.waiting.pop_front();
        }
    }
    loop {
        let arrived = shared.arrived.notified();
        {
            let world = shared.world();
            if !world.waiting.is_empty() {
                let batch = world.waiting.iter().take(BATCH);
                let batch: Vec<&str> = batch.map(|w| &*w.json).collect();
                return format!("[{}]", batch.join(","));
            }
        }
        if tokio::time::timeout_at(deadline, arrived).await.is_err() {
            return "[]".to_owned();
        }
    }
}

fn message(shared: &Shared, chat: i64, text: &str) -> String {
    let at = Instant::now();
    let mut world = shared.world();
    world.book.answered(chat, at);
    world.next_message += 1;
    let id = world.next_message;
    drop(world);
    let text = serde_json::Value::from(text);
    // By hand: the answer to a message is most of what this server does.
    format!(
        "{{\"message_id\":{id},\"date\":{date},\"chat\":{{\"id\":{chat},\"type\":\"private\",\
         \"first_name\":\"居民\"}},\"from\":{{\"id\":7700000002,\"is_bot\":true,\"first_name\":\
         \"七进\",\"username\":\"qijin_load_bot\"}},\"text\":{text}}}",
        date = now(),
    )
}
