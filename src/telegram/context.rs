//! What every handler needs.

use std::sync::Arc;

use teloxide::types::{Me, User};

use super::CHANNEL;
use super::outgoing::Outgoing;
use crate::desk::{Desk, Visitor};

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(super) struct Context {
    pub outgoing: Arc<Outgoing>,
    pub desk: Desk,
    pub me: Me,
    /// Codes of the regions that links may name.
    pub regions: Arc<[String]>,
}

/// The desk's visitor behind a Telegram user.
pub(super) fn visitor(user: &User) -> Visitor {
    Visitor {
        channel: CHANNEL,
        platform_id: user.id.0.to_string(),
    }
}
