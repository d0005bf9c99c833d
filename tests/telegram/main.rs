//! Conversations with the real program through the fake Bot API: what a resident sees, and how
//! the program starts and stops.

#[path = "../common/mod.rs"]
mod common;

mod conversation;
mod lifecycle;
mod odd_messages;

use common::{Bot, FakeBotApi, Office};

/// An office whose bot polls the fake server.
async fn open(name: &'static str) -> (Office, FakeBotApi, Bot) {
    let office = Office::new();
    let api = FakeBotApi::start(name).await;
    let bot = office.start(&api).await;
    (office, api, bot)
}

/// Stops the program in order and looks through its log.
async fn close(office: &Office, bot: Bot) {
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}
