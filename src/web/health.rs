//! Whether this program can answer now: library, index, database, inbox.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::Mutex;

use crate::desk::Desk;
use crate::journal::{Backlog, Database};
use crate::knowledge::Library;

/// Somebody who asks all the time gets the same answer for so long.
const KEPT: Duration = Duration::from_secs(2);
/// A database that takes longer is as good as away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks after everything that answering needs. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    /// One of each office.
    desks: Arc<[Desk]>,
    database: Database,
    last: Arc<Mutex<Option<(Instant, State)>>>,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Entries in the library; in the smallest, of several.
    pub entries: usize,
    /// Whether the index can be searched.
    pub index: bool,
    /// How long the database took to write something; `None` when it did not.
    pub database: Option<Duration>,
    /// What waits; `None` when it cannot be told.
    pub backlog: Option<Backlog>,
    /// Questions answered since the start without a row in the journal.
    pub unwritten: u64,
}

impl Health {
    /// Of what `desks` answer with and where they write.
    pub fn new(desks: Vec<Desk>, database: Database) -> Self {
        Self {
            desks: desks.into(),
            database,
            last: Arc::default(),
        }
    }

    /// What is the matter now, or was a moment ago.
    pub(super) async fn look(&self) -> State {
        let mut last = self.last.lock().await;
        if let Some((at, state)) = &*last
            && at.elapsed() < KEPT
        {
            return state.clone();
        }
        let state = self.look_now().await;
        *last = Some((Instant::now(), state.clone()));
        state
    }

    async fn look_now(&self) -> State {
        // Each library once: most offices share one.
        let mut libraries: Vec<(Arc<Library>, &Desk)> = Vec::new();
        for desk in self.desks.iter() {
            let library = desk.library();
            if !libraries
                .iter()
                .any(|(known, _)| Arc::ptr_eq(known, &library))
            {
                libraries.push((library, desk));
            }
        }
        let searched = |(library, desk): &(Arc<Library>, &Desk)| {
            let question = library.entries.first().map(|entry| entry.question.clone());
            question.is_some_and(|q| desk.rehearse(&q).is_some())
        };
        let began = Instant::now();
        let written = tokio::time::timeout(PATIENCE, self.database.probe()).await;
        let database = matches!(written, Ok(Ok(()))).then(|| began.elapsed());
        let backlog = tokio::time::timeout(PATIENCE, self.database.backlog()).await;
        State {
            entries: libraries
                .iter()
                .map(|(l, _)| l.entries.len())
                .min()
                .unwrap_or(0),
            index: libraries.iter().all(searched),
            database,
            backlog: backlog.ok().and_then(Result::ok),
            unwritten: self.desks.iter().map(Desk::unwritten).sum(),
        }
    }
}

impl State {
    fn lacking(&self) -> Vec<&'static str> {
        let parts = [
            ("library", self.entries > 0),
            ("index", self.index),
            ("database", self.database.is_some()),
        ];
        let lacking = parts.into_iter().filter(|(_, fine)| !fine);
        lacking.map(|(part, _)| part).collect()
    }

    pub fn status(&self) -> StatusCode {
        if self.lacking().is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }

    /// One line for anybody.
    pub fn summary(&self) -> String {
        let lacking = self.lacking();
        if lacking.is_empty() {
            "ready\n".to_owned()
        } else {
            format!("not ready: {}\n", lacking.join(", "))
        }
    }

    /// A line for each part.
    pub fn details(&self) -> String {
        let database = match self.database {
            Some(took) => format!("written to in {} ms", took.as_millis()),
            None => "cannot be written to".to_owned(),
        };
        let inbox = match self.backlog {
            Some(b) => format!("{} open, the oldest for {} s", b.open, b.oldest_ms / 1000),
            None => "cannot be read".to_owned(),
        };
        format!(
            "{}library: {} entries\nindex: {}\ndatabase: {database}\ninbox: {inbox}\n\
             journal: {} questions answered since the start are missing in it\n",
            self.summary(),
            self.entries,
            if self.index {
                "searched"
            } else {
                "cannot be read"
            },
            self.unwritten,
        )
    }
}
