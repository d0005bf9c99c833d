//! The smallest bot that teloxide makes, as its own examples have it: what `benches/load` measures
//! Qijin against. It answers with the same words, keeps nothing, and tells Telegram that an update
//! arrived before it is answered.
//!
//!     TELOXIDE_TOKEN=… cargo run --release --example echo_bot

use teloxide::prelude::*;

#[tokio::main]
async fn main() {
    let bot = Bot::from_env();
    let handler = Update::filter_message().endpoint(async |bot: Bot, message: Message| {
        if let Some(text) = message.text() {
            bot.send_message(message.chat.id, text).await?;
        }
        respond(())
    });
    Dispatcher::builder(bot, handler).build().dispatch().await;
}
