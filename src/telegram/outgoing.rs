//! Sending: paced, patient with Telegram's faults, one chat's trouble never another's.
//!
//! teloxide's `Throttle` is not used: when any chat gets a 429 it freezes its one queue for all
//! chats, with `no_retry` too. Here the pace is kept by governor, over all and per chat, and a
//! 429 makes only the chat that got it wait.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::*;
use teloxide::types::{
    CallbackQueryId, InlineKeyboardMarkup, LinkPreviewOptions, MessageId, ParseMode,
    ReplyParameters,
};
use teloxide::{ApiError, RequestError};

/// Telegram's published limit for one chat: about one message a second.
const CHAT_PER_SECOND: NonZeroU32 = NonZeroU32::new(1).expect("1 is not 0");
/// A short burst in one chat is tolerated.
const CHAT_BURST: NonZeroU32 = NonZeroU32::new(5).expect("5 is not 0");
/// Tries within one handling of an update; the inbox brings more later.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What can be shown in a chat.
#[derive(Clone)]
pub(super) struct Page {
    /// HTML within Telegram's limits.
    pub html: String,
    /// The same without mark-up, should Telegram not like the HTML.
    pub plain: String,
    /// Buttons.
    pub keyboard: Option<InlineKeyboardMarkup>,
}

/// Sends through a bot.
pub(super) struct Outgoing {
    bot: Bot,
    overall: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    chats: RateLimiter<ChatId, DefaultKeyedStateStore<ChatId>, DefaultClock>,
}

/// An error without anything a resident wrote, and without the token in its URL.
pub(super) fn describe(error: &RequestError) -> &'static str {
    match error {
        RequestError::RetryAfter(_) => "told to wait (429)",
        RequestError::Network(e) if e.is_timeout() => "timed out",
        RequestError::Network(e) if e.is_connect() => "cannot connect",
        RequestError::Network(_) => "network error",
        RequestError::InvalidJson { .. } => "the answer was no JSON",
        RequestError::Api(ApiError::BotBlocked) => "blocked by the user",
        RequestError::Api(ApiError::CantParseEntities(_)) => "HTML not accepted",
        RequestError::Api(_) if is_server_fault(error) => "Telegram's server failed (5xx)",
        RequestError::Api(_) => "refused by the API",
        RequestError::MigrateToChatId(_) => "the group has moved",
        RequestError::Io(_) => "input/output error",
    }
}

/// Whether the API refuses our token.
pub(super) fn is_bad_token(error: &RequestError) -> bool {
    match error {
        RequestError::Api(ApiError::InvalidToken) => true,
        RequestError::Api(ApiError::Unknown(text)) => {
            text.contains("Unauthorized") || text.contains("Not Found")
        }
        _ => false,
    }
}

fn is_server_fault(error: &RequestError) -> bool {
    match error {
        RequestError::Api(ApiError::Unknown(text)) => [
            "Internal Server Error",
            "Bad Gateway",
            "Gateway Timeout",
            "Service Unavailable",
        ]
        .iter()
        .any(|fault| text.contains(fault)),
        _ => false,
    }
}

/// Whether trying again may help.
fn is_passing(error: &RequestError) -> bool {
    match error {
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => true,
        RequestError::RetryAfter(_) => true,
        _ => is_server_fault(error),
    }
}

/// Whether no later attempt can succeed.
pub(super) fn is_final(error: &RequestError) -> bool {
    !is_passing(error)
}

/// The pause before try `n` (from 0): doubled each time, half of it by chance.
fn pause(n: u32) -> Duration {
    let full = FIRST_PAUSE
        .saturating_mul(1 << n.min(10))
        .min(LONGEST_PAUSE);
    let mut byte = [0_u8; 1];
    // Without randomness the pause is merely less spread out.
    let _ = getrandom::fill(&mut byte);
    full / 2 + (full / 2) * u32::from(byte[0]) / 255
}

impl Outgoing {
    /// Sends at most `per_second` messages a second over all.
    pub fn new(bot: Bot, per_second: NonZeroU32) -> Self {
        let per_chat = Quota::per_second(CHAT_PER_SECOND).allow_burst(CHAT_BURST);
        Self {
            bot,
            overall: RateLimiter::direct(Quota::per_second(per_second)),
            chats: RateLimiter::keyed(per_chat),
        }
    }

    /// Sends a page as a new message, in a group as a reply to what it answers.
    pub async fn send(
        &self,
        chat: ChatId,
        answers: Option<MessageId>,
        page: &Page,
    ) -> Result<(), RequestError> {
        self.pace(chat).await;
        let message = |text: &str| {
            let mut request = self
                .bot
                .send_message(chat, text)
                .link_preview_options(no_preview());
            if let Some(id) = answers {
                let reply = ReplyParameters::new(id).allow_sending_without_reply();
                request = request.reply_parameters(reply);
            }
            if let Some(keyboard) = &page.keyboard {
                request = request.reply_markup(keyboard.clone());
            }
            request
        };
        let sent = patiently("sendMessage", || {
            message(&page.html).parse_mode(ParseMode::Html).send()
        })
        .await;
        match sent {
            Err(RequestError::Api(ApiError::CantParseEntities(_))) => {
                patiently("sendMessage", || message(&page.plain).send()).await
            }
            other => other,
        }
    }

    /// Turns an own message into another page.
    pub async fn edit(
        &self,
        chat: ChatId,
        message: MessageId,
        page: &Page,
    ) -> Result<(), RequestError> {
        self.pace(chat).await;
        let request = |text: &str| {
            let mut request = self
                .bot
                .edit_message_text(chat, message, text)
                .link_preview_options(no_preview());
            if let Some(keyboard) = &page.keyboard {
                request = request.reply_markup(keyboard.clone());
            }
            request
        };
        let edited = patiently("editMessageText", || {
            request(&page.html).parse_mode(ParseMode::Html).send()
        })
        .await;
        let edited = match edited {
            Err(RequestError::Api(ApiError::CantParseEntities(_))) => {
                patiently("editMessageText", || request(&page.plain).send()).await
            }
            other => other,
        };
        match edited {
            // Tapped twice, or repeated after a crash: it already shows what was wanted.
            Ok(()) | Err(RequestError::Api(ApiError::MessageNotModified)) => Ok(()),
            // Too old or deleted: a new message is as good.
            Err(RequestError::Api(
                ApiError::MessageToEditNotFound | ApiError::MessageCantBeEdited,
            )) => self.send(chat, None, page).await,
            Err(error) => Err(error),
        }
    }

    /// Replaces the buttons under an own message.
    pub async fn edit_keyboard(
        &self,
        chat: ChatId,
        message: MessageId,
        keyboard: InlineKeyboardMarkup,
    ) -> Result<(), RequestError> {
        let edited = patiently("editMessageReplyMarkup", || {
            self.bot
                .edit_message_reply_markup(chat, message)
                .reply_markup(keyboard.clone())
                .send()
        })
        .await;
        match edited {
            // Cosmetic: the vote is journaled whether or not the buttons change.
            Err(error) if is_final(&error) => Ok(()),
            other => other,
        }
    }

    /// Sends plain words.
    pub async fn say(&self, chat: ChatId, text: &str) -> Result<(), RequestError> {
        self.pace(chat).await;
        patiently("sendMessage", || self.bot.send_message(chat, text).send()).await
    }

    /// Answers a tap, so that the button stops turning; with words to show briefly, or none.
    ///
    /// It cannot fail: what the tap asked for is done by now and must not be done again because
    /// this small sign got lost.
    pub async fn toast(&self, tap: CallbackQueryId, text: Option<&str>) {
        let answered = patiently("answerCallbackQuery", || {
            let request = self.bot.answer_callback_query(tap.clone());
            match text {
                Some(text) => request.text(text).send(),
                None => request.send(),
            }
        })
        .await;
        if let Err(error) = answered {
            tracing::debug!(error = describe(&error), "a tap was not confirmed");
        }
    }

    async fn pace(&self, chat: ChatId) {
        self.chats.until_key_ready(&chat).await;
        self.overall.until_ready().await;
        if self.chats.len() > 10_000 {
            self.chats.retain_recent();
        }
    }
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// Whether the call was carried out although its result cannot be read, as after a change of the
/// API: sending it again would repeat it.
fn is_accepted(error: &RequestError) -> bool {
    matches!(error, RequestError::InvalidJson { raw, .. } if raw.starts_with("{\"ok\":true"))
}

/// A call's result as metrics count it: few, and the same for everybody.
fn result_of(error: &RequestError) -> &'static str {
    match error {
        RequestError::RetryAfter(_) => "told_to_wait",
        _ if is_server_fault(error) => "server_fault",
        RequestError::Network(_) | RequestError::Io(_) => "network",
        RequestError::InvalidJson { .. } => "unreadable",
        _ => "refused",
    }
}

/// Tries until it is accepted or refused for good, obeying `retry_after`.
async fn patiently<T, F>(
    method: &'static str,
    mut attempt: impl FnMut() -> F,
) -> Result<(), RequestError>
where
    F: IntoFuture<Output = Result<T, RequestError>>,
{
    let mut tries = 0;
    loop {
        let outcome = match attempt().await {
            Err(error) if !is_accepted(&error) => Err(error),
            _ => Ok(()),
        };
        let result = outcome.as_ref().map_or_else(result_of, |()| "ok");
        metrics::counter!("qijin_telegram_calls_total", "method" => method, "result" => result)
            .increment(1);
        let Err(error) = outcome else {
            return Ok(());
        };
        tries += 1;
        if !is_passing(&error) || tries >= TRIES {
            return Err(error);
        }
        let wait = match &error {
            RequestError::RetryAfter(seconds) => seconds.duration() + pause(0),
            _ => pause(tries - 1),
        };
        tracing::debug!(error = describe(&error), "sending again");
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn pauses_grow_to_a_ceiling() {
        for n in 0..40 {
            let p = pause(n);
            assert!(p >= FIRST_PAUSE / 2 && p <= LONGEST_PAUSE, "{n}: {p:?}");
        }
        assert!(pause(30) >= LONGEST_PAUSE / 2);
    }

    #[test]
    fn an_accepted_call_is_known_by_its_first_words() {
        let unreadable = |raw: &str| {
            let source = serde_json::from_str::<bool>("?").expect_err("no JSON");
            is_accepted(&RequestError::InvalidJson {
                source: source.into(),
                raw: raw.into(),
            })
        };
        assert!(unreadable(r#"{"ok":true,"result":{"message_id":"new"}}"#));
        assert!(!unreadable("<html>502</html>"));
        assert!(!unreadable(r#"{"ok":false,"new":1}"#));
    }

    #[tokio::test(start_paused = true)]
    async fn passing_faults_are_retried_and_final_ones_not() {
        let fault = |text: &str| RequestError::Api(ApiError::Unknown(text.to_owned()));
        let tries = Cell::new(0);
        let result: Result<(), _> = patiently("sendMessage", || {
            tries.set(tries.get() + 1);
            let n = tries.get();
            let error = fault("Bad Gateway");
            async move { if n < 4 { Err(error) } else { Ok(()) } }
        })
        .await;
        assert!(result.is_ok() && tries.get() == 4);
        tries.set(0);
        let result: Result<(), _> = patiently("sendMessage", || {
            tries.set(tries.get() + 1);
            async { Err::<(), _>(RequestError::Api(ApiError::BotBlocked)) }
        })
        .await;
        assert!(result.is_err() && tries.get() == 1);
    }
}
