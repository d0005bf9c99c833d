//! Working off the lanes: many conversations at once, one update of each at a time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use teloxide::RequestError;
use teloxide::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::handlers::{self, Handler};
use super::lanes::{Admission, Lanes};
use super::outgoing::describe;
use super::texts;
use crate::journal::Inbox;

/// Conversations served at the same time; each is mostly waiting for Telegram.
const AT_ONCE: usize = 256;
/// An update that we ourselves failed on this often is given up with an apology.
const ATTEMPTS: i64 = 4;
/// Refused updates wiped from the inbox together.
const WIPED_AT_ONCE: usize = 200;
/// Pause before an update is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// An update with the lane it belongs to.
#[derive(Debug)]
pub(super) struct Arrival {
    pub lane: String,
    pub update: Update,
}

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
}

impl Worker {
    pub fn new(context: Context, inbox: Inbox, shutdown: CancellationToken) -> Self {
        Self {
            context,
            inbox,
            shutdown,
            tree: Arc::new(handlers::tree()),
        }
    }

    /// Serves until the queue is closed and what is under way is answered. After a stop signal
    /// nothing new is begun: it waits in the inbox for the next start.
    pub async fn run(self, mut queue: mpsc::Receiver<Arrival>) {
        let worker = Arc::new(self);
        let mut lanes: Lanes<Update> = Lanes::new();
        let mut under_way = FuturesUnordered::new();
        let mut tidy = tokio::time::interval(Duration::from_secs(300));
        let mut open = true;
        let mut refused: Vec<i64> = Vec::new();
        loop {
            // A flood is refused by the hundred: wiping each by itself would slow down the others.
            if !refused.is_empty() && (queue.is_empty() || refused.len() >= WIPED_AT_ONCE) {
                let (worker, ids) = (worker.clone(), std::mem::take(&mut refused));
                tokio::spawn(async move { worker.wipe(&ids).await });
            }
            while under_way.len() < AT_ONCE && !worker.shutdown.is_cancelled() {
                let Some((lane, update)) = lanes.next() else {
                    break;
                };
                let worker = worker.clone();
                // A task of its own: a slow handler must not hold up the others' turn.
                under_way.push(tokio::spawn(async move {
                    worker.serve(&update).await;
                    lane
                }));
            }
            if under_way.is_empty() && (!open || worker.shutdown.is_cancelled()) {
                return;
            }
            tokio::select! {
                arrival = queue.recv(), if open => match arrival {
                    Some(arrival) => refused.extend(worker.admit(&mut lanes, arrival)),
                    None => open = false,
                },
                // `serve` catches panics, so the task always returns its lane.
                Some(Ok(lane)) = under_way.next() => lanes.finished(&lane),
                _ = tidy.tick() => lanes.tidy(),
            }
        }
    }

    /// Queues an update; returns its id when its lane sends too fast.
    fn admit(self: &Arc<Self>, lanes: &mut Lanes<Update>, arrival: Arrival) -> Option<i64> {
        // Taps are answered at once by people's standards and never flood a chat with messages.
        let is_tap = matches!(
            arrival.update.kind,
            teloxide::types::UpdateKind::CallbackQuery(_)
        );
        if is_tap {
            lanes.enqueue(&arrival.lane, arrival.update);
            return None;
        }
        let Admission::Refused { item, tell } = lanes.push(&arrival.lane, arrival.update) else {
            return None;
        };
        if tell && let Some(chat) = item.chat().filter(|chat| chat.is_private()) {
            let (worker, chat) = (self.clone(), chat.id);
            tokio::spawn(async move {
                if let Err(error) = worker.context.outgoing.say(chat, texts::TOO_FAST).await {
                    tracing::warn!(error = describe(&error), "the notice was not delivered");
                }
            });
        }
        Some(i64::from(item.id.0))
    }

    /// Answers an update, again and again if need be, and wipes it from the inbox.
    async fn serve(&self, update: &Update) {
        loop {
            match self.attempt(update).await {
                Outcome::Answered => return self.wipe(&[i64::from(update.id.0)]).await,
                Outcome::Unanswerable(error) => {
                    tracing::info!(
                        error = describe(&error),
                        "an answer was not wanted any more"
                    );
                    return self.wipe(&[i64::from(update.id.0)]).await;
                }
                Outcome::Undelivered(error) => {
                    tracing::warn!(
                        error = describe(&error),
                        "an answer waits until Telegram takes it"
                    );
                }
                Outcome::Failed => {
                    let attempts = self.inbox.failed(i64::from(update.id.0)).await;
                    // A database that cannot count must not make us try for ever.
                    let attempts = attempts.unwrap_or(ATTEMPTS);
                    tracing::error!(update.attempts = attempts, "a handler panicked");
                    if attempts >= ATTEMPTS {
                        if let Some(chat) = update.chat().filter(|chat| chat.is_private()) {
                            let _ = self.context.outgoing.say(chat.id, texts::APOLOGY).await;
                        }
                        return self.wipe(&[i64::from(update.id.0)]).await;
                    }
                }
            }
            tokio::select! {
                // It stays in the inbox and is answered at the next start.
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(RETRY_PAUSE) => {}
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
                if super::outgoing::is_final(&error) {
                    Outcome::Unanswerable(error)
                } else {
                    Outcome::Undelivered(error)
                }
            }
            Err(_) => Outcome::Failed,
        }
    }

    async fn wipe(&self, updates: &[i64]) {
        if let Err(error) = self.inbox.all_done(updates).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "updates that are dealt with stay in the inbox and will be answered again"
            );
        }
    }
}
