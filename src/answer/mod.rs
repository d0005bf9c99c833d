//! From a question to a [`Reply`]; channel-neutral, no I/O.

mod reply;

pub use reply::{Block, Choice, Reply, ReplyKind};
