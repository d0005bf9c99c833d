//! What the integration tests share: a strict fake of Telegram, residents who talk to it, and an
//! office that runs the real program.

// Every test program compiles this module and uses its own part of it.
#![allow(dead_code, unused_imports)]

pub mod bot;
pub mod browser;
pub mod conversation;
pub mod database;
pub mod fake_bot_api;
pub mod files;
pub mod fixtures;
pub mod media;
pub mod mutate;
pub mod process;
pub mod recorded;
pub mod secrets;
pub mod wire;

pub use bot::{Bot, Office};
pub use browser::Browser;
pub use conversation::{Group, Resident, answered, text_of};
pub use database::{fresh_database, test_server};
pub use fake_bot_api::{FakeBotApi, Fault, FaultPlan};
pub use wire::Wire;
