//! Bringing updates to a webhook, as the real server does: a chat's next one only after the one before
//! was taken, and again what was not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::traffic::Refusal;
use super::{Shared, World};

/// Updates on their way at the same time.
const CONNECTIONS: usize = 40;
/// The real server waits longer; a test need not.
const AGAIN_AFTER: Duration = Duration::from_millis(150);

/// What a client set.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where updates go.
    pub url: String,
    /// Sent in the header, if one was given.
    pub secret: Option<String>,
}

impl From<&str> for Webhook {
    fn from(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            secret: None,
        }
    }
}

fn bad(text: &str) -> Refusal {
    Refusal::new(400, format!("Bad Request: bad webhook: {text}"))
}

impl World {
    pub(super) fn set_webhook(&mut self, body: &Value) -> Result<Value, Refusal> {
        let url = body["url"].as_str().unwrap_or_default();
        if url.is_empty() {
            self.webhook = None;
            return Ok(json!(true));
        }
        if !url.starts_with("https://") {
            return Err(bad("An HTTPS URL must be provided for webhook"));
        }
        let port = url[8..].split('/').next().and_then(|h| h.split_once(':'));
        if port.is_some_and(|(_, port)| !["443", "80", "88", "8443"].contains(&port)) {
            return Err(bad(
                "Webhook can be set up only on ports 80, 88, 443 or 8443",
            ));
        }
        let secret = body["secret_token"].as_str().map(str::to_owned);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if let Some(secret) = &secret
            && (secret.len() > 256 || !secret.bytes().all(allowed))
        {
            let words = "Bad Request: secret token contains unallowed characters";
            return Err(Refusal::new(400, words));
        }
        self.allow(body.get("allowed_updates"));
        let url = url.to_owned();
        self.webhook = Some(Webhook { url, secret });
        Ok(json!(true))
    }

    pub(super) fn webhook_info(&self) -> Value {
        let url = self.webhook.as_ref().map_or("", |hook| &hook.url);
        json!({
            "url": url,
            "has_custom_certificate": false,
            "pending_update_count": self.unconfirmed(),
        })
    }

    /// The next update that may go, with where to.
    fn next_push(&mut self) -> Option<(i32, i64, Value, Webhook, String)> {
        let hook = self.webhook.clone()?;
        if self.on_the_way.len() >= CONNECTIONS {
            return None;
        }
        let mut behind = std::collections::HashSet::new();
        let found = self.waiting.iter().find(|(_, update)| {
            let chat = conversation(update);
            // In order: whatever stands behind another of its chat waits for it.
            behind.insert(chat) && !self.on_the_way.contains(&chat)
        });
        let (id, update) = found.cloned()?;
        let chat = conversation(&update);
        let path = hook.url[8..]
            .find('/')
            .map_or("/", |at| &hook.url[8 + at..]);
        let target = if self.targets.is_empty() {
            hook.url.clone()
        } else {
            self.pushed += 1;
            format!("{}{path}", self.targets[self.pushed % self.targets.len()])
        };
        self.on_the_way.insert(chat);
        if !self.delivered.contains(&update) {
            self.delivered.push(update.clone());
        }
        Some((id, chat, update, hook, target))
    }

    fn pushed(&mut self, id: i32, chat: i64, taken: bool) {
        self.on_the_way.remove(&chat);
        if !taken {
            self.refused_pushes += 1;
            return;
        }
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            self.confirmed
                .extend(self.waiting.remove(at).map(|(_, u)| u));
        }
    }
}

fn conversation(update: &Value) -> i64 {
    let chat = |value: &Value| value["chat"]["id"].as_i64();
    let tap = &update["callback_query"];
    chat(&update["message"])
        .or_else(|| chat(&tap["message"]))
        .or_else(|| tap["from"]["id"].as_i64())
        .unwrap_or(0)
}

/// Brings updates as long as the server runs.
pub(super) async fn run(shared: Arc<Shared>) {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client");
    loop {
        let hour = Duration::from_secs(3600);
        let Some((id, chat, update, hook, target)) = shared.wait(hour, World::next_push).await
        else {
            continue;
        };
        let (shared, client) = (shared.clone(), client.clone());
        tokio::spawn(async move {
            let mut request = client.post(target).json(&update);
            if let Some(secret) = &hook.secret {
                request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
            }
            let taken = request.send().await.is_ok_and(|r| r.status().is_success());
            if !taken {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            shared.change(|world| world.pushed(id, chat, taken));
        });
    }
}
