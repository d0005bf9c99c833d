//! Long polling: an update is in the inbox before Telegram is told that it arrived.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use teloxide::payloads::{GetUpdates, GetUpdatesSetters};
use teloxide::prelude::*;
use teloxide::requests::{JsonRequest, Payload};
use teloxide::{ApiError, RequestError};
use tokio_util::sync::CancellationToken;

use super::WANTED;
use super::intake::{Arrived, Intake};
use super::outgoing::describe;

/// Seconds that Telegram holds an empty poll open.
const LONG_POLL: u32 = 25;

/// `getUpdates`, answered with the updates as they come.
#[derive(Serialize)]
struct AsTheyCome(GetUpdates);

impl Payload for AsTheyCome {
    type Output = Vec<Value>;
    const NAME: &'static str = GetUpdates::NAME;

    fn timeout_hint(&self) -> Option<Duration> {
        self.0.timeout_hint()
    }
}

/// Polls until `shutdown`.
pub(super) async fn run(bot: Bot, intake: Arc<Intake>, shutdown: CancellationToken) {
    let mut offset = 0_i32;
    let mut wait = Duration::from_millis(500);
    let mut polled_before = false;
    while !shutdown.is_cancelled() {
        let wanted = GetUpdates::new()
            .offset(offset)
            .timeout(LONG_POLL)
            .allowed_updates(WANTED);
        let request = JsonRequest::new(bot.clone(), AsTheyCome(wanted)).send();
        let polled = tokio::select! {
            () = shutdown.cancelled() => break,
            polled = request => polled,
        };
        let accepted = match polled {
            Ok(updates) => {
                polled_before = true;
                let id = |update: &Value| update["update_id"].as_i64();
                let last = updates.iter().filter_map(id).max();
                let read = |update| Arrived::read(serde_json::to_vec(&update).ok()?);
                let updates: Vec<Arrived> = updates.into_iter().filter_map(read).collect();
                let accepted = tokio::select! {
                    accepted = intake.accept(&updates) => accepted,
                    // Not acknowledged: Telegram sends it again.
                    () = shutdown.cancelled() => break,
                };
                if let Some(last) = last.filter(|_| accepted) {
                    offset = i32::try_from(last).map_or(offset, |id| id.saturating_add(1));
                }
                accepted
            }
            Err(error) => {
                explain(&error, polled_before);
                // Only at the start: later on somebody runs the bot by webhook now, and removing
                // theirs would be a fight that nobody wins.
                if is_webhook_in_the_way(&error)
                    && !polled_before
                    && let Err(error) = bot.delete_webhook().await
                {
                    tracing::warn!(error = describe(&error), "the webhook was not removed");
                }
                false
            }
        };
        if accepted {
            wait = Duration::from_millis(500);
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

/// Another program, or this one in another mode, had the updates sent to an address.
fn is_webhook_in_the_way(error: &RequestError) -> bool {
    matches!(error, RequestError::Api(ApiError::Unknown(text)) if text.contains("webhook is active"))
}

fn explain(error: &RequestError, polled_before: bool) {
    if matches!(
        error,
        RequestError::Api(ApiError::TerminatedByOtherGetUpdates)
    ) {
        tracing::error!(
            "另一个程序正用同一个令牌收消息（another program polls with the same token），两边会互相打断：\
             停掉一个，或者各用各的机器人。要几台一起跑，请用 webhook 方式，见 docs/operations.zh-CN.md"
        );
    } else if is_webhook_in_the_way(error) && polled_before {
        tracing::error!(
            "有人给这个机器人设了 webhook，消息不再到这里来。如果改成了 webhook 方式，请停掉这个程序；\
             如果不是，重启本程序就会取消那个 webhook"
        );
    } else if is_webhook_in_the_way(error) {
        tracing::warn!("这个机器人以前设过 webhook，消息送不到这里：现在取消它，改为主动收取");
    } else {
        tracing::warn!(error = describe(error), "polling failed; trying again");
    }
}
