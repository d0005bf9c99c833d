//! Bringing officers' answers to the residents who asked for a human being.
//!
//! An answer is committed before it is sent and wiped after Telegram took it: a crash between the
//! two sends it once more at the next start, and loses none. Of several programs on one database each
//! delivers what it has taken, and goes on holding it while Telegram does not take it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use teloxide::types::ChatId;
use tokio_util::sync::CancellationToken;

use super::outgoing::{Outgoing, describe, is_final};
use super::render::words;
use super::{CHANNEL, DRAIN, texts};
use crate::journal::{Delivery, Handovers, JournalError};

/// Another process may have committed an answer: look at least this often. Leases last longer.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// Pause before an answer is tried again that Telegram did not take.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Delivers until `shutdown`, then finishes what is under way.
pub(super) async fn run(
    handovers: Handovers,
    outgoing: Arc<Outgoing>,
    office: String,
    shutdown: CancellationToken,
) {
    if let Err(error) = handovers
        .database()
        .in_time(handovers.begin_deliveries())
        .await
    {
        log(&error);
    }
    let mut under_way = FuturesUnordered::new();
    let mut ids = HashSet::new();
    while !shutdown.is_cancelled() {
        match handovers.database().in_time(handovers.take(CHANNEL)).await {
            Ok(deliveries) => {
                for delivery in deliveries {
                    // Side by side: one chat's trouble is not another's.
                    if ids.insert(delivery.id) {
                        under_way.push(deliver(&handovers, &outgoing, &office, delivery));
                    }
                }
            }
            Err(error) => log(&error),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(id) = under_way.next() => { ids.remove(&id); }
            () = handovers.answer_committed() => {}
            () = tokio::time::sleep(AT_LEAST_EVERY) => {}
        }
        if !ids.is_empty()
            && let Err(error) = handovers.database().in_time(handovers.renew()).await
        {
            log(&error);
        }
    }
    let rest = async {
        loop {
            tokio::select! {
                ended = under_way.next() => {
                    if ended.is_none() {
                        break;
                    }
                }
                // Held until the end, or another program would send it too.
                () = tokio::time::sleep(AT_LEAST_EVERY) => {
                    if let Err(error) = handovers.database().in_time(handovers.renew()).await {
                        log(&error);
                    }
                }
            }
        }
    };
    if tokio::time::timeout(DRAIN, rest).await.is_err() {
        tracing::warn!("some answers of staff were under way; they are sent at the next start");
    }
    if let Err(error) = handovers.database().in_time(handovers.release()).await {
        log(&error);
    }
}

/// Tries once, patiently; returns the id.
async fn deliver(
    handovers: &Handovers,
    outgoing: &Outgoing,
    office: &str,
    delivery: Delivery,
) -> i64 {
    let reached = match delivery.conversation.parse().map(ChatId) {
        Ok(chat) => {
            let text = texts::from_staff(office, delivery.question.as_deref(), &delivery.text);
            match outgoing.send(chat, None, &words(&text, Vec::new())).await {
                Ok(()) => true,
                Err(error) if is_final(&error) => {
                    tracing::info!(
                        error = describe(&error),
                        "an answer of staff was not wanted"
                    );
                    false
                }
                Err(error) => {
                    tracing::warn!(
                        error = describe(&error),
                        "an answer of staff waits until Telegram takes it"
                    );
                    tokio::time::sleep(RETRY_PAUSE).await;
                    return delivery.id;
                }
            }
        }
        // Sealed by us as a number: only a defect could bring anything else here.
        Err(_) => false,
    };
    // Telegram has it: until that is written down it is ours, and must not be sent again.
    while let Err(error) = handovers
        .database()
        .in_time(handovers.delivered(delivery.id, reached))
        .await
    {
        log(&error);
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    delivery.id
}

fn log(error: &JournalError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "answers of staff cannot be read or marked; tried again"
    );
}
