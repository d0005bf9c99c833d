//! Taking updates in, however they come: judged, committed to the inbox, and only then acknowledged.
//!
//! While the inbox cannot be written nothing is acknowledged, and Telegram sends it again. When that
//! lasts, residents are answered all the same: first answered, then acknowledged, so that still
//! nothing is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use teloxide::prelude::*;
use teloxide::types::{Me, UpdateKind};
use tokio::time::Instant;

use super::CHANNEL;
use super::handlers;
use super::limits::{Limits, Verdict};
use super::worker::Worker;
use crate::journal::{Inbox, Incoming, JournalError};

/// An outage of the database that lasts longer than this is not waited for.
const WAIT_FOR_INBOX: Duration = Duration::from_secs(30);
/// Open updates of all programs together beyond which no more are taken in: Telegram keeps them.
const MOST_OPEN: i64 = 20_000;
/// Conversations answered at the same time without an inbox.
const DIRECTLY_AT_ONCE: usize = 32;

/// An update as it came: what teloxide writes it cannot always read again, so the inbox keeps the
/// platform's own words.
pub(super) struct Arrived {
    pub update: Update,
    raw: Vec<u8>,
}

impl Arrived {
    /// `None` for what is no update at all.
    pub fn read(raw: Vec<u8>) -> Option<Self> {
        match serde_json::from_slice(&raw) {
            Ok(update) => Some(Self { update, raw }),
            Err(_) => {
                // Never its words.
                tracing::warn!("an update that cannot be read was skipped");
                None
            }
        }
    }
}

/// Takes updates in. Shared by all who receive them.
pub(super) struct Intake {
    inbox: Inbox,
    me: Me,
    limits: Limits,
    worker: Arc<Worker>,
    /// Since when the inbox cannot be written.
    refusing: Mutex<Option<Instant>>,
}

/// Where an update belongs: its chat, or its sender when it has none.
fn conversation(update: &Update) -> String {
    match (update.chat(), update.from()) {
        (Some(chat), _) => chat.id.0.to_string(),
        (None, Some(user)) => user.id.0.to_string(),
        (None, None) => String::new(),
    }
}

impl Intake {
    pub fn new(inbox: Inbox, me: Me, worker: Arc<Worker>) -> Self {
        Self {
            inbox,
            me,
            limits: Limits::new(),
            worker,
            refusing: Mutex::new(None),
        }
    }

    /// Whether Telegram may be told that these arrived: they are committed, answered, or not for us.
    pub async fn accept(&self, updates: &[Arrived]) -> bool {
        let mut batch = Vec::new();
        let mut admitted = Vec::new();
        for arrived in updates {
            if let Some(incoming) = self.incoming(arrived) {
                batch.push(incoming);
                admitted.push(&arrived.update);
            }
        }
        let taken = batch.is_empty() || self.taken(&admitted, &batch).await;
        if taken {
            let ids = updates.iter().map(|u| i64::from(u.update.id.0));
            self.limits.settled(ids);
        }
        taken
    }

    /// Whether what was admitted is committed or answered.
    async fn taken(&self, admitted: &[&Update], batch: &[Incoming]) -> bool {
        if self.worker.open() >= MOST_OPEN {
            tracing::warn!(
                "待答的消息超过 {MOST_OPEN} 条，暂不再收：Telegram 会替我们留着，答完一些再收"
            );
            return false;
        }
        match self
            .inbox
            .database()
            .in_time(self.inbox.accept(batch))
            .await
        {
            Ok(_) => {
                if self.outage().take().is_some() {
                    tracing::info!("收件箱又能写了，恢复正常");
                }
                self.worker.arrived();
                true
            }
            Err(error) => self.without_inbox(admitted, batch, &error).await,
        }
    }

    fn outage(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // A poisoned lock only means that another thread panicked here: the value is whole.
        self.refusing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn incoming(&self, Arrived { update, raw }: &Arrived) -> Option<Incoming> {
        // What teloxide cannot read nobody can answer.
        if matches!(update.kind, UpdateKind::Error(_)) {
            tracing::warn!("an update of an unknown kind was skipped");
            return None;
        }
        // What a group's members say to each other is neither kept nor counted against them.
        if !handlers::concerns_us(update, &self.me) {
            return None;
        }
        let update_id = i64::from(update.id.0);
        let lane = self.inbox.lane(CHANNEL, &conversation(update));
        let is_tap = matches!(update.kind, UpdateKind::CallbackQuery(_));
        if let Verdict::Refused { tell } = self.limits.judge(update_id, &lane, is_tap) {
            metrics::counter!("qijin_updates_total", "result" => "refused").increment(1);
            if tell && let Some(chat) = update.chat().filter(|chat| chat.is_private()) {
                self.worker.say_too_fast(chat.id);
            }
            return None;
        }
        Some(Incoming {
            update_id,
            lane,
            payload: raw.clone(),
        })
    }

    async fn without_inbox(
        &self,
        updates: &[&Update],
        batch: &[Incoming],
        error: &JournalError,
    ) -> bool {
        let since = *self.outage().get_or_insert_with(Instant::now);
        if since.elapsed() < WAIT_FOR_INBOX {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "updates could not be stored; asking Telegram for them again（数据库写不进：硬盘满了、只读，\
                 还是 PostgreSQL 停了？）"
            );
            return false;
        }
        tracing::error!(
            error = error as &dyn std::error::Error,
            updates = updates.len(),
            "数据库一直写不进：先直接答复，答完才向 Telegram 确认；这段时间的提问不进日志"
        );
        let mut lanes: HashMap<&str, Vec<Update>> = HashMap::new();
        for (update, incoming) in updates.iter().zip(batch) {
            let lane = lanes.entry(&incoming.lane).or_default();
            lane.push((*update).clone());
        }
        let lanes: Vec<Vec<Update>> = lanes.into_values().collect();
        let answers = lanes.into_iter().map(|lane| {
            let worker = self.worker.clone();
            async move {
                for update in lane {
                    if !worker.directly(&update).await {
                        return false;
                    }
                }
                true
            }
        });
        all_of(answers).await
    }
}

/// Whether all are dealt with. All are seen to their end: one chat's trouble must not cut another's
/// answer off in the middle of being sent, or it would be sent again.
async fn all_of<F: Future<Output = bool>>(answers: impl Iterator<Item = F>) -> bool {
    futures::stream::iter(answers)
        .buffer_unordered(DIRECTLY_AT_ONCE)
        .fold(true, async |all, dealt| all && dealt)
        .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn one_chat_in_trouble_does_not_cut_the_others_off() {
        let ended = AtomicUsize::new(0);
        let answers = (0..5_u64).map(|n| {
            let ended = &ended;
            async move {
                tokio::time::sleep(Duration::from_millis(n)).await;
                ended.fetch_add(1, Ordering::Relaxed);
                n > 0
            }
        });
        assert!(!super::all_of(answers).await);
        assert_eq!(ended.into_inner(), 5);
    }
}
