//! The dashboard and the web chat of the real program, spoken to as a browser speaks.

#[path = "../common/mod.rs"]
mod common;

mod activities;
mod chat;
mod doors;
mod entries;
mod handover;
mod log;
mod login;
mod overview;
mod reports;
mod review;
mod settings;
mod staff;

use common::{Bot, Browser, Office};

/// Account names and passwords of the tests, by role.
const STAFF: [(&str, &str, &str); 3] = [
    ("看日志的", "查看", "long enough 1"),
    ("审核员", "审核", "long enough 2"),
    ("李主任", "管理", "long enough 3"),
];

/// An office with an account of each role, not serving yet.
fn staffed() -> Office {
    let office = Office::new();
    for (name, role, password) in STAFF {
        office.add_staff(name, role, password);
    }
    office
}

/// An office with an account of each role, serving pages.
async fn open() -> (Office, Bot, String) {
    let office = staffed();
    let (bot, base) = office.serve_pages(&[]).await;
    (office, bot, base)
}

/// A browser logged in with the role number `n`.
async fn logged_in(base: &str, n: usize) -> Browser {
    let mut browser = Browser::new(base);
    let seen = browser.log_in(STAFF[n].0, STAFF[n].2).await;
    assert_eq!(seen.location.as_deref(), Some("/"), "{}", seen.text);
    browser
}

/// Stops the program in order and looks through its log.
async fn close(office: &Office, bot: Bot) {
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}
