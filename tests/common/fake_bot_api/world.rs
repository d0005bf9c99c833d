//! What the server knows: chats, messages, open taps, and all calls so far.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::traffic::Call;
use super::webhook::Webhook;
use super::{FaultPlan, USERNAME};

/// The state of the server.
pub struct World {
    /// The bot as a `User`.
    pub bot: Value,
    /// Chats that the bot may write to.
    pub chats: HashMap<i64, Value>,
    /// Chats whose owner blocked the bot.
    pub blocked: HashSet<i64>,
    /// All messages as they look now, by chat and message id.
    pub messages: BTreeMap<(i64, i64), Value>,
    /// Taps that are not answered yet.
    pub open_taps: HashSet<String>,
    /// Every call received.
    pub calls: Vec<Call>,
    /// Every update that went out, once each.
    pub delivered: Vec<Value>,
    /// When to fail.
    pub faults: FaultPlan,
    /// While set, no `sendMessage` is carried out: it waits.
    pub hold_sends: bool,
    /// How many had to wait so far.
    pub held_sends: usize,
    /// Between carrying out a `sendMessage` and answering it.
    pub send_latency: Duration,
    /// A webhook stands in the way of polling.
    pub webhook: Option<Webhook>,
    /// The machines behind the webhook's address, `http://127.0.0.1:…`, used in turn; when there are
    /// none updates go to the address itself.
    pub targets: Vec<String>,
    /// Times that an update was brought and not taken.
    pub refused_pushes: usize,
    /// Polls begun.
    pub polls: u64,
    pub(super) on_the_way: HashSet<i64>,
    pub(super) pushed: usize,
    pub(super) waiting: VecDeque<(i32, Value)>,
    pub(super) confirmed: Vec<Value>,
    pub(super) allowed: Option<Vec<String>>,
    pub(super) next_update: i32,
    next_message: i64,
    next_tap: u64,
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            bot: json!({
                "id": 7_700_000_001_i64,
                "is_bot": true,
                "first_name": "普法问答",
                "username": USERNAME,
            }),
            chats: HashMap::new(),
            blocked: HashSet::new(),
            messages: BTreeMap::new(),
            open_taps: HashSet::new(),
            calls: Vec::new(),
            delivered: Vec::new(),
            faults: FaultPlan::none(),
            hold_sends: false,
            held_sends: 0,
            send_latency: Duration::ZERO,
            webhook: None,
            targets: Vec::new(),
            refused_pushes: 0,
            on_the_way: HashSet::new(),
            pushed: 0,
            polls: 0,
            waiting: VecDeque::new(),
            confirmed: Vec::new(),
            allowed: None,
            next_update: 410_000_001,
            next_message: 0,
            next_tap: 0,
        }
    }

    /// Stores a message under a new id and returns it whole.
    pub fn store(&mut self, chat: i64, mut message: Value) -> Value {
        self.next_message += 1;
        message["message_id"] = json!(self.next_message);
        message["date"] = json!(now());
        message["chat"] = self.chats[&chat].clone();
        self.messages
            .insert((chat, self.next_message), message.clone());
        message
    }

    /// A new tap's id.
    pub fn open_tap(&mut self) -> String {
        self.next_tap += 1;
        let id = format!("{}", 4_000_000_000_000_000_000 + self.next_tap);
        self.open_taps.insert(id.clone());
        id
    }

    /// The bot's accepted messages in a chat, as they were sent, oldest first.
    pub fn sent_to(&self, chat: i64) -> Vec<Value> {
        self.sends(chat)
            .filter_map(|call| call.outcome.clone().ok())
            .collect()
    }

    /// The accepted `sendMessage` calls to a chat.
    pub fn sends(&self, chat: i64) -> impl Iterator<Item = &Call> {
        self.calls
            .iter()
            .filter(move |c| c.method == "sendMessage" && c.accepted() && c.chat() == Some(chat))
    }

    /// How many calls of a method were carried out.
    pub fn accepted(&self, method: &str) -> usize {
        self.calls
            .iter()
            .filter(|c| c.method == method && c.accepted())
            .count()
    }

    /// Updates that no poll has confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.waiting.len()
    }

    /// One line for a failed test.
    pub(super) fn summary(&self) -> String {
        let last: Vec<String> = self
            .calls
            .iter()
            .rev()
            .filter(|c| c.method != "getUpdates")
            .take(5)
            .map(|c| match &c.outcome {
                Ok(_) => format!("{} to {:?} accepted", c.method, c.chat()),
                Err(e) => format!("{} to {:?}: {}", c.method, c.chat(), e.description),
            })
            .collect();
        format!(
            "{} updates wait, {} polls, {} calls, the last: {}",
            self.waiting.len(),
            self.polls,
            self.calls.len(),
            last.join("; ")
        )
    }
}
