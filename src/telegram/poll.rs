//! Long polling: an update is in the inbox before Telegram is told that it arrived.

use std::collections::HashSet;
use std::time::Duration;

use teloxide::prelude::*;
use teloxide::types::{AllowedUpdate, Me, UpdateKind};
use teloxide::{ApiError, RequestError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::handlers;
use super::outgoing::describe;
use super::worker::Arrival;
use super::{CHANNEL, TelegramError};
use crate::journal::{Inbox, Incoming};

/// Seconds that Telegram holds an empty poll open.
const LONG_POLL: u32 = 25;

/// Where an update belongs: its chat, or its sender when it has none.
fn conversation(update: &Update) -> String {
    match (update.chat(), update.from()) {
        (Some(chat), _) => chat.id.0.to_string(),
        (None, Some(user)) => user.id.0.to_string(),
        (None, None) => String::new(),
    }
}

fn incoming(inbox: &Inbox, me: &Me, update: &Update) -> Option<Incoming> {
    // What teloxide cannot read nobody can answer.
    if matches!(update.kind, UpdateKind::Error(_)) {
        tracing::warn!("an update of an unknown kind was skipped");
        return None;
    }
    // What a group's members say to each other is neither kept nor counted against them.
    if !handlers::concerns_us(update, me) {
        return None;
    }
    Some(Incoming {
        update_id: i64::from(update.id.0),
        lane: inbox.lane(CHANNEL, &conversation(update)),
        payload: serde_json::to_vec(update).ok()?,
    })
}

/// Replays what was left unanswered, then polls until `shutdown`.
///
/// # Errors
/// When the inbox cannot be read at start.
pub(super) async fn run(
    bot: Bot,
    me: Me,
    inbox: Inbox,
    arrivals: mpsc::Sender<Arrival>,
    shutdown: CancellationToken,
) -> Result<(), TelegramError> {
    let left = inbox.pending().await?;
    if !left.is_empty() {
        tracing::info!(
            inbox.pending = left.len(),
            "answering what was left unanswered"
        );
    }
    for pending in left {
        let update = pending
            .payload
            .and_then(|bytes| serde_json::from_slice::<Update>(&bytes).ok());
        match update {
            Some(update) => {
                let arrival = Arrival {
                    lane: pending.lane,
                    update,
                };
                if arrivals.send(arrival).await.is_err() {
                    return Ok(());
                }
            }
            None => {
                tracing::error!("an update in the inbox cannot be read any more; it is dropped");
                inbox.done(pending.update_id).await?;
            }
        }
    }

    let mut offset = 0_i32;
    let mut wait = Duration::from_millis(500);
    while !shutdown.is_cancelled() {
        let request = bot
            .get_updates()
            .offset(offset)
            .timeout(LONG_POLL)
            .allowed_updates([AllowedUpdate::Message, AllowedUpdate::CallbackQuery]);
        let polled = tokio::select! {
            () = shutdown.cancelled() => break,
            polled = request => polled,
        };
        let accepted = match polled {
            Ok(updates) => accept(&inbox, &me, updates, &arrivals).await,
            Err(error) => {
                explain(&error);
                if is_webhook_in_the_way(&error)
                    && let Err(error) = bot.delete_webhook().await
                {
                    tracing::warn!(error = describe(&error), "the webhook was not removed");
                }
                None
            }
        };
        match accepted {
            Some(next) => {
                offset = next.unwrap_or(offset);
                wait = Duration::from_millis(500);
            }
            None => {
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = tokio::time::sleep(wait) => {}
                }
                wait = (wait * 2).min(Duration::from_secs(15));
            }
        }
    }
    Ok(())
}

/// Commits a batch and queues what is new. `None`: not committed, so the offset must not move;
/// `Some(next)`: the offset to ask for next, if any update came.
async fn accept(
    inbox: &Inbox,
    me: &Me,
    updates: Vec<Update>,
    arrivals: &mpsc::Sender<Arrival>,
) -> Option<Option<i32>> {
    let next = updates.iter().map(|u| u.id.0).max();
    let batch: Vec<Incoming> = updates
        .iter()
        .filter_map(|u| incoming(inbox, me, u))
        .collect();
    let mut new: HashSet<i64> = match inbox.accept(&batch).await {
        Ok(new) => new.into_iter().collect(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "updates could not be stored; asking Telegram for them again"
            );
            return None;
        }
    };
    for (update, lane) in updates.into_iter().filter_map(|update| {
        let taken = batch
            .iter()
            .find(|b| b.update_id == i64::from(update.id.0))?;
        // Taken out, so that an update that stands twice in the batch is answered once.
        new.remove(&taken.update_id)
            .then(|| (update, taken.lane.clone()))
    }) {
        // Closed only when stopping: the update waits in the inbox.
        if arrivals.send(Arrival { lane, update }).await.is_err() {
            break;
        }
    }
    Some(
        next.and_then(|id| i32::try_from(id).ok())
            .map(|id| id.saturating_add(1)),
    )
}

/// Another program, or this one in another mode, had the updates sent to an address.
fn is_webhook_in_the_way(error: &RequestError) -> bool {
    matches!(error, RequestError::Api(ApiError::Unknown(text)) if text.contains("webhook is active"))
}

fn explain(error: &RequestError) {
    if matches!(
        error,
        RequestError::Api(ApiError::TerminatedByOtherGetUpdates)
    ) {
        tracing::error!(
            "another program polls with the same token: stop it, or give each its own bot"
        );
    } else if is_webhook_in_the_way(error) {
        tracing::warn!("a webhook keeps updates away from here; removing it");
    } else {
        tracing::warn!(error = describe(error), "polling failed; trying again");
    }
}
