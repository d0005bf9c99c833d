//! Answering what is in the inbox: many conversations at once, one update of each at a time.
//!
//! The inbox says what comes next; of several programs on one database each takes what it has room
//! for, and goes on holding it until it is answered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt;
use teloxide::RequestError;
use teloxide::prelude::*;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::handlers::{self, Handler};
use super::outgoing::{describe, is_final};
use super::texts;
use crate::journal::{Inbox, JournalError, Pending};

/// Conversations served at the same time; each is mostly waiting for Telegram.
const AT_ONCE: usize = 256;
/// An update that we ourselves failed on this often is given up with an apology.
const ATTEMPTS: i64 = 4;
/// Pause before an update is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Another program may have left something to do: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is under way is held on to this often; leases last three times as long.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Updates answered without the inbox that are remembered: they may be in it all the same.
const REMEMBERED: usize = 10_000;

/// What an attempt came to.
enum Outcome {
    Answered,
    /// Telegram will never accept an answer (blocked, chat gone).
    Unanswerable(RequestError),
    /// Telegram does not take the answer now: that passes.
    Undelivered(RequestError),
    /// The fault is ours.
    Failed,
}

pub(super) struct Worker {
    context: Context,
    inbox: Inbox,
    shutdown: CancellationToken,
    tree: Arc<Handler>,
    arrived: Notify,
    /// Open updates of all programs, as counted last.
    open: AtomicI64,
    /// Answered without the inbox, the latest at the end.
    direct: Mutex<VecDeque<i64>>,
}

/// What is under way in this program.
#[derive(Default)]
struct Hand {
    tasks: JoinSet<(i64, bool)>,
    running: HashMap<i64, AbortHandle>,
    by_task: HashMap<Id, i64>,
}

impl Hand {
    /// Puts a finished task away; returns its update when that is dealt with.
    fn put_away(&mut self, ended: Result<(Id, (i64, bool)), JoinError>) -> Option<i64> {
        let (task, dealt) = match ended {
            Ok((task, (update, dealt))) => (task, dealt.then_some(update)),
            // Cut off, or it panicked outside the handler: it is given back and taken again.
            Err(error) => (error.id(), None),
        };
        if let Some(update) = self.by_task.remove(&task) {
            self.running.remove(&update);
        }
        dealt
    }
}

impl Worker {
    pub fn new(context: Context, inbox: Inbox, shutdown: CancellationToken) -> Self {
        Self {
            context,
            inbox,
            shutdown,
            tree: Arc::new(handlers::tree()),
            arrived: Notify::new(),
            open: AtomicI64::new(0),
            direct: Mutex::default(),
        }
    }

    /// Something new is in the inbox.
    pub fn arrived(&self) {
        self.arrived.notify_one();
    }

    /// Open updates of all programs on the database, as of a few seconds ago.
    pub fn open(&self) -> i64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Serves until told to stop and what is under way is answered. After a stop signal nothing
    /// new is begun: it waits in the inbox for the next start, or for another program.
    pub async fn run(self: Arc<Self>) {
        let mut hand = Hand::default();
        let mut dealt: Vec<i64> = Vec::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut renew = tokio::time::interval(RENEW_EVERY);
        for interval in [&mut look, &mut renew] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut away = false;
        if let Err(error) = self.inbox.database().in_time(self.inbox.begin()).await {
            refused(&error, &mut away);
        }
        loop {
            let stopping = self.shutdown.is_cancelled();
            let room = if stopping {
                0
            } else {
                AT_ONCE - hand.running.len()
            };
            if room > 0 || !dealt.is_empty() {
                match self
                    .inbox
                    .database()
                    .in_time(self.inbox.turn(&dealt, room))
                    .await
                {
                    Ok(taken) => {
                        dealt.clear();
                        away = false;
                        for pending in taken {
                            self.begin(&mut hand, pending);
                        }
                    }
                    Err(error) => refused(&error, &mut away),
                }
            }
            if stopping && hand.tasks.is_empty() {
                break;
            }
            tokio::select! {
                () = self.shutdown.cancelled(), if !stopping => {}
                Some(ended) = hand.tasks.join_next_with_id() => {
                    dealt.extend(hand.put_away(ended));
                    // What ended meanwhile is wiped with it: one commit for many under load.
                    while let Some(ended) = hand.tasks.try_join_next_with_id() {
                        dealt.extend(hand.put_away(ended));
                    }
                }
                () = self.arrived.notified(), if room > 0 => {}
                _ = look.tick() => {}
                _ = renew.tick() => {
                    if let Err(error) = self.hold(&mut hand, &dealt).await {
                        refused(&error, &mut away);
                    }
                }
            }
        }
        if let Err(error) = self.inbox.database().in_time(self.inbox.release()).await {
            refused(&error, &mut away);
        }
    }

    /// Goes on holding what is in hand, and nothing else: what the database gave us while its answer
    /// was lost, or whose task broke, would otherwise be held for ever and its chat with it.
    async fn hold(&self, hand: &mut Hand, dealt: &[i64]) -> Result<(), JournalError> {
        let ours = self.inbox.database().in_time(self.inbox.renew()).await?;
        drop_lost(hand, &ours);
        let strays: Vec<i64> = ours
            .into_iter()
            .filter(|id| !hand.running.contains_key(id) && !dealt.contains(id))
            .collect();
        if !strays.is_empty() {
            tracing::warn!(
                updates = strays.len(),
                "taken, but in nobody's hand: given back"
            );
        }
        self.inbox
            .database()
            .in_time(self.inbox.give_back(&strays))
            .await
    }

    fn begin(self: &Arc<Self>, hand: &mut Hand, pending: Pending) {
        let id = pending.update_id;
        // Our own lease ran out while the database was away: we still work on it.
        if hand.running.contains_key(&id) {
            return;
        }
        let worker = self.clone();
        // A task of its own: a slow handler must not hold up the others' turn.
        let task = hand.tasks.spawn(async move {
            let dealt = worker.serve(&pending).await;
            (id, dealt)
        });
        hand.by_task.insert(task.id(), id);
        hand.running.insert(id, task);
    }

    /// Answers an update, again and again if need be; `false` when it is to stay in the inbox.
    async fn serve(&self, pending: &Pending) -> bool {
        let id = pending.update_id;
        let Ok(update) = serde_json::from_slice::<Update>(&pending.payload) else {
            // Refused by the database it stays in our hand, is given back, and comes here again.
            if let Err(error) = self
                .inbox
                .database()
                .in_time(self.inbox.set_aside(id))
                .await
            {
                refused(&error, &mut false);
            }
            return false;
        };
        if self.was_answered_directly(id) {
            return true;
        }
        loop {
            match self.attempt(&update).await {
                Outcome::Answered => {
                    let waited = Utc::now() - pending.received;
                    metrics::histogram!("qijin_update_seconds")
                        .record(waited.to_std().unwrap_or_default());
                    metrics::counter!("qijin_updates_total", "result" => "answered").increment(1);
                    return true;
                }
                Outcome::Unanswerable(error) => {
                    tracing::info!(
                        error = describe(&error),
                        "an answer was not wanted any more"
                    );
                    metrics::counter!("qijin_updates_total", "result" => "unwanted").increment(1);
                    return true;
                }
                Outcome::Undelivered(error) => {
                    tracing::warn!(
                        error = describe(&error),
                        "an answer waits until Telegram takes it"
                    );
                }
                Outcome::Failed => {
                    // A database that cannot count must not make us try for ever.
                    let attempts = self
                        .inbox
                        .database()
                        .in_time(self.inbox.failed(id))
                        .await
                        .unwrap_or(ATTEMPTS);
                    tracing::error!(update.attempts = attempts, "a handler panicked");
                    if attempts >= ATTEMPTS {
                        self.apologise(&update).await;
                        metrics::counter!("qijin_updates_total", "result" => "failed").increment(1);
                        return true;
                    }
                }
            }
            tokio::select! {
                // It stays in the inbox and is answered at the next start.
                () = self.shutdown.cancelled() => return false,
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }

    async fn apologise(&self, update: &Update) {
        if let Some(chat) = update.chat().filter(|chat| chat.is_private()) {
            let _ = self.context.outgoing.say(chat.id, texts::APOLOGY).await;
        }
    }

    /// Answers an update that could not be stored, once; whether it is dealt with.
    pub async fn directly(&self, update: &Update) -> bool {
        let id = i64::from(update.id.0);
        if self.was_answered_directly(id) {
            return true;
        }
        let dealt = match self.attempt(update).await {
            Outcome::Answered | Outcome::Unanswerable(_) => true,
            Outcome::Undelivered(_) => false,
            // Without a database that counts it would be tried for ever, and hold up everybody.
            Outcome::Failed => {
                tracing::error!("a handler panicked");
                self.apologise(update).await;
                true
            }
        };
        if dealt {
            metrics::counter!("qijin_updates_total", "result" => "unstored").increment(1);
            let mut direct = self.direct.lock().unwrap_or_else(PoisonError::into_inner);
            if direct.len() >= REMEMBERED {
                direct.pop_front();
            }
            direct.push_back(id);
        }
        dealt
    }

    fn was_answered_directly(&self, id: i64) -> bool {
        let direct = self.direct.lock().unwrap_or_else(PoisonError::into_inner);
        direct.contains(&id)
    }

    /// Tells a chat that it sends too fast, without waiting for it.
    pub fn say_too_fast(self: &Arc<Self>, chat: ChatId) {
        let worker = self.clone();
        tokio::spawn(async move {
            if let Err(error) = worker.context.outgoing.say(chat, texts::TOO_FAST).await {
                tracing::warn!(error = describe(&error), "the notice was not delivered");
            }
        });
    }

    /// Counts what waits, every few seconds, until told to stop.
    pub async fn count(&self) {
        let mut every = tokio::time::interval(RENEW_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                _ = every.tick() => {}
            }
            // The database's trouble is told by those who need it.
            if let Ok(backlog) = self.inbox.database().in_time(self.inbox.backlog()).await {
                self.open.store(backlog.open, Ordering::Relaxed);
            }
        }
    }

    async fn attempt(&self, update: &Update) -> Outcome {
        let dependencies = dptree::deps![
            update.clone(),
            update.id,
            self.context.clone(),
            self.context.me.clone()
        ];
        let handled = AssertUnwindSafe(self.tree.dispatch(dependencies))
            .catch_unwind()
            .await;
        match handled {
            Ok(std::ops::ControlFlow::Break(Ok(())) | std::ops::ControlFlow::Continue(_)) => {
                Outcome::Answered
            }
            Ok(std::ops::ControlFlow::Break(Err(error))) => {
                if is_final(&error) {
                    Outcome::Unanswerable(error)
                } else {
                    Outcome::Undelivered(error)
                }
            }
            Err(_) => Outcome::Failed,
        }
    }
}

/// What somebody else has taken since is theirs.
fn drop_lost(hand: &mut Hand, ours: &HashSet<i64>) {
    for (update, task) in &hand.running {
        if !ours.contains(update) && !task.is_finished() {
            tracing::warn!("another program has taken over an update that took too long here");
            task.abort();
        }
    }
}

/// Says once in an outage that the inbox cannot be read or written.
fn refused(error: &JournalError, away: &mut bool) {
    if !std::mem::replace(away, true) {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the inbox cannot be read or marked; what is dealt with is wiped as soon as it can"
        );
    }
}
