//! What every handler needs.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::WebError;
use super::figures::FiguresOf;
use super::gate::Visit;
use super::health::Health;
use super::limits::Limits;
use super::meanings::MeaningsOf;
use crate::config::{Config, Edit};
use crate::desk::{Desk, Paths};
use crate::journal::{
    Audit, Boards, Handovers, Journal, JournalError, Keys, Ledger, OfficeId, QuestionLog, Sessions,
    Staff, generate_password, hash_password,
};
use crate::ledger::Regions;

/// Who waits longer for others' heavy work is told to try again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the web side is made of.
pub struct Setup {
    /// Answers the chat.
    pub desk: Desk,
    /// The log that is looked at.
    pub journal: Journal,
    /// Whether this program can answer now.
    pub health: Health,
    /// Whether a proxy with TLS stands in front: its header names the client then.
    pub behind_proxy: bool,
    /// What is configured, for the settings page: label and value.
    pub facts: Vec<(&'static str, String)>,
    /// The configuration that the program runs with.
    pub config: Config,
    /// Whether a token is set.
    pub telegram: bool,
    /// Of a county: the names and journals of its offices.
    pub county: Option<Vec<(String, Journal)>>,
}

/// What all offices of a program have in common. Cheap to clone.
#[derive(Clone)]
pub(super) struct Common {
    /// Whether offices are named: then none may look at, or change, what belongs to all.
    pub several: bool,
    /// Reports and check-ups take seconds of a core and read much: one at a time.
    turns: Arc<Semaphore>,
    pub limits: Arc<Limits>,
    /// Passwords are hashed two at a time: each takes 19 MiB and a core.
    hashing: Arc<Semaphore>,
    /// The hash of nobody's password: an unknown name is checked as slowly as a known one.
    pub nobody: Arc<String>,
}

impl Common {
    pub fn new(several: bool) -> Result<Self, JournalError> {
        Ok(Self {
            several,
            turns: Arc::new(Semaphore::new(1)),
            limits: Arc::new(Limits::new()),
            hashing: Arc::new(Semaphore::new(2)),
            nobody: Arc::new(hash_password(&generate_password()?)?),
        })
    }
}

/// An office, as all handlers have it; cheap to clone.
#[derive(Clone)]
pub(super) struct Site {
    common: Common,
    pub desk: Desk,
    /// Where the library is that entries are written into.
    pub paths: Arc<Paths>,
    pub keys: Keys,
    pub staff: Staff,
    pub sessions: Sessions,
    pub audit: Audit,
    pub log: QuestionLog,
    pub handovers: Handovers,
    pub journal: Journal,
    pub ledger: Ledger,
    pub boards: Boards,
    config: Arc<RwLock<Arc<Config>>>,
    pub telegram: bool,
    pub figures: Arc<FiguresOf>,
    pub health: Health,
    pub behind_proxy: bool,
    pub facts: Arc<Vec<(&'static str, String)>>,
    /// Of a county: the names and journals of its offices.
    pub county: Option<Arc<[(String, Journal)]>>,
    /// The library's ways of asking, made when they are first needed and again for another library.
    pub meanings: Arc<MeaningsOf>,
}

impl Deref for Site {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Site {
    pub fn new(setup: Setup, common: &Common) -> Self {
        let database = setup.journal.database().clone();
        let handovers = setup
            .desk
            .handovers()
            .cloned()
            .unwrap_or_else(|| Handovers::of(&setup.journal));
        let office = setup.desk.office().name.clone();
        let meanings = Arc::<MeaningsOf>::default();
        let figures = FiguresOf::new(setup.journal.clone(), office, meanings.clone());
        Self {
            common: common.clone(),
            figures: Arc::new(figures),
            staff: Staff::new(database.clone()),
            sessions: Sessions::new(database.clone()),
            audit: Audit::new(database.clone()),
            ledger: Ledger::new(database.clone()),
            boards: Boards::new(database.clone()),
            log: QuestionLog::new(database),
            paths: Arc::new(setup.config.paths()),
            config: Arc::new(RwLock::new(Arc::new(setup.config))),
            telegram: setup.telegram,
            keys: setup.journal.keys().clone(),
            journal: setup.journal,
            handovers,
            desk: setup.desk,
            health: setup.health,
            behind_proxy: setup.behind_proxy,
            facts: Arc::new(setup.facts),
            county: setup.county.map(Into::into),
            meanings,
        }
    }

    /// Which office it is.
    pub fn id(&self) -> &OfficeId {
        self.journal.database().office()
    }

    /// What is configured, with what was saved on the settings page and needs no restart.
    pub fn config(&self) -> Arc<Config> {
        // A poisoned lock only means that another thread panicked while swapping: the value is whole.
        let held = self.config.read();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what was saved into use, as far as only pages use it: regions, and the bot of QR codes.
    pub fn take_up(&self, saved: &Edit) {
        let held = self.config.write();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        let mut config = Config::clone(&held);
        config.regions = Regions {
            township: saved.township.clone(),
            list: saved.regions.clone(),
        };
        if config.origin.decided_by("telegram", "bot").is_none() {
            config.telegram.bot.clone_from(&saved.bot);
        }
        *held = Arc::new(config);
    }

    /// Writes down who did what to what.
    pub async fn noted(&self, visit: &Visit, action: &str, what: &str) -> Result<(), WebError> {
        Ok(self.audit.note(&visit.member()?.name, action, what).await?)
    }

    /// Waits for the turn of heavy work.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, WebError> {
        let busy = || WebError::Bad("正在给别人做报告或读文件，请过一会儿再试。".to_owned());
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        turn.map_err(|_| busy())?.map_err(|_| busy())
    }

    /// Does heavy work in turn. The turn lasts as long as the work does, also when nobody waits for
    /// it any more.
    pub async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WebError> {
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        Ok(done.await?)
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

/// Slow work takes a core each: more at a time would only take more memory, which a thread of its own
/// keeps for long.
static SLOW: Semaphore = Semaphore::const_new(4);

/// Does slow work where it holds up nobody but other slow work.
pub(super) async fn slow<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WebError> {
    let failed = |e: tokio::sync::AcquireError| WebError::Journal(std::io::Error::other(e).into());
    let turn = SLOW.acquire().await.map_err(failed)?;
    let done = tokio::task::spawn_blocking(move || {
        // The turn lasts as long as the work does, also when nobody waits for it any more.
        let _turn = turn;
        work()
    })
    .await;
    done.map_err(|e| WebError::Journal(std::io::Error::other(e).into()))
}
