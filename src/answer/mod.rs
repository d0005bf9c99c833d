//! Floor 4, answer: from a question to a [`Reply`]; channel-neutral, no I/O but the index.

mod answerer;
mod compose;
mod conversation;
mod explain;
pub mod guard;
mod lawbook;
mod lookup;
mod matters;
mod reply;
mod sense;
mod smalltalk;
mod story;
mod support;
mod think;
mod turn;
mod wanted;

pub use answerer::{Answerer, Thresholds};
pub use compose::NOTICE;
pub use conversation::Context;
pub use guard::Guard;
pub use lawbook::LawBook;
pub use reply::{ArticleRef, Block, Choice, Neighbours, Reply, ReplyKind, Source};
pub use think::{Beside, Thought, Why};
pub use turn::Signs;
pub use wanted::Wanted;

use serde::Deserialize;

/// What the office wants residents to reach; `[office]` in qijin.toml.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Office {
    /// As residents know it, `青石镇司法所`.
    pub name: String,
    /// Telephone, address and hours in one line, as shown; may be empty.
    pub contact: String,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            name: "司法所".to_owned(),
            contact: String::new(),
        }
    }
}

impl Office {
    /// One sentence that names a human being to turn to.
    pub fn turn_to(&self) -> String {
        if self.contact.is_empty() {
            format!(
                "想找人问：到{}窗口，或打 12348 公共法律服务热线（免费）。",
                self.name
            )
        } else {
            format!(
                "想找人问：{}（{}），或打 12348 公共法律服务热线（免费）。",
                self.name, self.contact
            )
        }
    }
}
