//! What every handler needs.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::figures::FiguresOf;
use super::limits::Limits;
use crate::desk::Desk;
use crate::journal::{
    Audit, Handovers, Journal, JournalError, Keys, QuestionLog, Sessions, Staff, generate_password,
    hash_password,
};
use crate::ledger::Regions;

/// What the web side is made of.
pub struct Setup {
    /// Answers the chat.
    pub desk: Desk,
    /// The log that is looked at.
    pub journal: Journal,
    /// Whether a proxy with TLS stands in front: its header names the client then.
    pub behind_proxy: bool,
    /// What villages and communities are called.
    pub regions: Regions,
    /// What is configured, for the settings page: label and value.
    pub facts: Vec<(&'static str, String)>,
}

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(super) struct Site {
    pub desk: Desk,
    pub keys: Keys,
    pub staff: Staff,
    pub sessions: Sessions,
    pub audit: Audit,
    pub log: QuestionLog,
    pub handovers: Handovers,
    pub figures: Arc<FiguresOf>,
    pub behind_proxy: bool,
    pub facts: Arc<Vec<(&'static str, String)>>,
    pub limits: Arc<Limits>,
    /// Passwords are hashed two at a time: each takes 19 MiB and a core.
    pub hashing: Arc<Semaphore>,
    /// The hash of nobody's password: an unknown name is checked as slowly as a known one.
    pub nobody: Arc<String>,
}

impl Site {
    pub fn new(setup: Setup) -> Result<Self, JournalError> {
        let database = setup.journal.database().clone();
        let handovers = setup
            .desk
            .handovers()
            .cloned()
            .unwrap_or_else(|| Handovers::of(&setup.journal));
        let office = setup.desk.office().name.clone();
        Ok(Self {
            figures: Arc::new(FiguresOf::new(setup.journal.clone(), setup.regions, office)),
            staff: Staff::new(database.clone()),
            sessions: Sessions::new(database.clone()),
            audit: Audit::new(database.clone()),
            log: QuestionLog::new(database),
            keys: setup.journal.keys().clone(),
            handovers,
            desk: setup.desk,
            behind_proxy: setup.behind_proxy,
            facts: Arc::new(setup.facts),
            limits: Arc::new(Limits::new()),
            hashing: Arc::new(Semaphore::new(2)),
            nobody: Arc::new(hash_password(&generate_password()?)?),
        })
    }

    /// Does slow work on passwords without holding up anything else.
    pub async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JournalError> {
        let failed = |what: &dyn ToString| JournalError::Password(what.to_string());
        let _turn = self.hashing.acquire().await.map_err(|e| failed(&e))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| failed(&e))
    }
}
