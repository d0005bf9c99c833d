//! Residents and groups: what people do in the app, as updates for the bot.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::fake_bot_api::{FakeBotApi, USERNAME, World};
use super::fixtures::QUESTIONS;

/// The text of a message.
pub fn text_of(message: &Value) -> &str {
    message["text"].as_str().unwrap_or_default()
}

/// Which of [`QUESTIONS`] each chat was answered, by the title that an answer begins with, in order,
/// and when.
pub fn answered(api: &FakeBotApi) -> BTreeMap<i64, Vec<(usize, Instant)>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for call in api
        .world()
        .calls
        .iter()
        .filter(|c| c.method == "sendMessage")
    {
        let (Ok(message), Some(chat)) = (&call.outcome, call.chat()) else {
            continue;
        };
        let title = QUESTIONS
            .iter()
            .position(|q| text_of(message).starts_with(q));
        found
            .entry(chat)
            .or_default()
            .extend(title.map(|n| (n, call.at)));
    }
    found
}

/// A person in a chat: alone with the bot, or in a group.
pub struct Resident<'a> {
    api: &'a FakeBotApi,
    /// Where they write.
    pub chat: i64,
    /// Who they are.
    pub user: Value,
}

/// A group chat.
pub struct Group<'a> {
    api: &'a FakeBotApi,
    /// Its id, negative.
    pub id: i64,
}

/// What became of a tap.
pub struct Tapped {
    /// The words shown briefly, if any.
    pub toast: Option<String>,
}

fn user(id: i64, name: &str) -> Value {
    json!({
        "id": id,
        "is_bot": false,
        "first_name": name,
        "username": format!("resident_{id}"),
        "language_code": "zh-hans",
    })
}

/// What the server marks in a text: a leading command and a mention of the bot.
fn entities(text: &str) -> Vec<Value> {
    let units = |s: &str| s.encode_utf16().count();
    let mut found = Vec::new();
    if text.starts_with('/') && text.len() > 1 {
        let command = text.split_whitespace().next().unwrap_or(text);
        found.push(json!({"type": "bot_command", "offset": 0, "length": units(command)}));
    }
    let mention = format!("@{USERNAME}");
    if let Some(at) = text.find(&mention).filter(|_| !text.starts_with('/')) {
        let offset = units(&text[..at]);
        found.push(json!({"type": "mention", "offset": offset, "length": units(&mention)}));
    }
    found
}

impl<'a> Group<'a> {
    /// A group that the bot is a member of.
    pub fn new(api: &'a FakeBotApi, id: i64) -> Self {
        let chat = json!({"id": id, "type": "supergroup", "title": "青石村互助群"});
        api.change(|world| world.chats.insert(id, chat));
        Self { api, id }
    }

    /// One of its members.
    pub fn member(&self, id: i64, name: &str) -> Resident<'a> {
        Resident {
            api: self.api,
            chat: self.id,
            user: user(id, name),
        }
    }
}

impl<'a> Resident<'a> {
    /// Somebody who writes to the bot alone.
    pub fn new(api: &'a FakeBotApi, id: i64, name: &str) -> Self {
        let user = user(id, name);
        let chat = json!({
            "id": id, "type": "private", "first_name": name, "username": user["username"],
        });
        api.change(|world| world.chats.insert(id, chat));
        Self {
            api,
            chat: id,
            user,
        }
    }

    /// Puts a message of any kind into the chat; returns it and its update's id.
    pub fn posts(&self, content: Value) -> (Value, Option<i32>) {
        self.api.change(|world| {
            let message = self.compose(world, content);
            let update = world.push_update("message", message.clone());
            (message, update)
        })
    }

    fn compose(&self, world: &mut World, mut content: Value) -> Value {
        content["from"] = self.user.clone();
        if let Some(text) = content["text"].as_str() {
            let entities = entities(text);
            if !entities.is_empty() {
                content["entities"] = json!(entities);
            }
        } else if let Some(content) = content.as_object_mut() {
            // Looking for a text leaves an empty one behind.
            content.remove("text");
        }
        world.store(self.chat, content)
    }

    /// Writes a text; returns its update's id.
    pub fn says(&self, text: &str) -> i32 {
        self.posts(json!({"text": text}))
            .1
            .expect("messages are asked for")
    }

    /// Writes a text in answer to a message.
    pub fn replies(&self, to: &Value, text: &str) {
        let mut original = to.clone();
        original
            .as_object_mut()
            .map(|m| m.remove("reply_to_message"));
        self.posts(json!({"text": text, "reply_to_message": original}));
    }

    /// Writes a text and waits for the bot's next message in this chat.
    pub async fn asks(&self, text: &str) -> Value {
        self.expects(|| {
            self.says(text);
        })
        .await
    }

    /// Does something and waits for the bot's next message in this chat.
    pub async fn expects(&self, act: impl FnOnce()) -> Value {
        let before = self.heard();
        act();
        self.nth_message(before).await
    }

    /// How many messages the bot has sent to this chat.
    pub fn heard(&self) -> usize {
        self.api.world().sends(self.chat).count()
    }

    /// Waits for the bot's message number `n` (from 0) in this chat.
    pub async fn nth_message(&self, n: usize) -> Value {
        let what = format!("message {n} to chat {}", self.chat);
        self.api
            .until(&what, |world| world.sent_to(self.chat).into_iter().nth(n))
            .await
    }

    /// The button of a message whose label contains `label`.
    fn data_of(&self, message: &Value, label: &str) -> String {
        let labels = buttons(&self.current(message));
        let found = labels.iter().find(|(text, _)| text.contains(label));
        let (_, data) = found.unwrap_or_else(|| panic!("no button {label} in {labels:?}"));
        data.clone()
    }

    /// Taps the button whose label contains `label` and waits until the tap is answered.
    pub async fn taps(&self, message: &Value, label: &str) -> Tapped {
        let data = self.data_of(message, label);
        self.sends_data(message, &data).await
    }

    /// Taps without waiting; returns the tap's id.
    pub fn tap_without_waiting(&self, message: &Value, label: &str) -> String {
        let data = self.data_of(message, label);
        self.push_tap(json!({"message": self.current(message), "data": data}))
    }

    /// Taps a button with the given data and waits until the tap is answered.
    pub async fn sends_data(&self, message: &Value, data: &str) -> Tapped {
        let id = self.push_tap(json!({"message": self.current(message), "data": data}));
        self.answer_to(&id).await
    }

    /// Taps a button of a message too old for the server to still have it.
    pub async fn taps_vanished(&self, data: &str) -> Tapped {
        let chat = self.api.world().chats[&self.chat].clone();
        let message = json!({"chat": chat, "message_id": 1_000_000, "date": 0});
        let id = self.push_tap(json!({"message": message, "data": data}));
        self.answer_to(&id).await
    }

    fn current(&self, message: &Value) -> Value {
        let id = message["message_id"].as_i64().expect("a message");
        self.api.message(self.chat, id)
    }

    fn push_tap(&self, mut query: Value) -> String {
        self.api.change(|world| {
            let id = world.open_tap();
            query["id"] = json!(id);
            query["from"] = self.user.clone();
            query["chat_instance"] = json!("-6077001234567890123");
            world.push_update("callback_query", query);
            id
        })
    }

    /// Waits until a tap is answered.
    pub async fn answer_to(&self, id: &str) -> Tapped {
        self.api
            .until(&format!("the answer to tap {id}"), |world| {
                let call = world.calls.iter().find(|c| {
                    c.method == "answerCallbackQuery"
                        && c.accepted()
                        && c.body["callback_query_id"] == id
                })?;
                Some(Tapped {
                    toast: call.body["text"].as_str().map(str::to_owned),
                })
            })
            .await
    }

    /// A message of this chat as it looks now.
    pub fn sees(&self, message: &Value) -> Value {
        self.current(message)
    }
}

/// Labels and data of a message's buttons.
pub fn buttons(message: &Value) -> Vec<(String, String)> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array();
    rows.into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .map(|button| {
            let field = |name: &str| button[name].as_str().unwrap_or_default().to_owned();
            (field("text"), field("callback_data"))
        })
        .collect()
}
