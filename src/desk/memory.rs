//! What the desk remembers of conversations under way, for a short time.
//!
//! In memory, and lost when the program stops, on purpose: an asker's words are never written to disk
//! in clear. Only where several programs answer the same people on one database it is kept there,
//! sealed, because the next turn may come to another of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::Context;
use crate::journal::{Asker, Contexts, JournalError};

/// A conversation that rests this long is over.
const EXPIRES: Duration = Duration::from_secs(15 * 60);
/// How many askers are remembered; beyond that the one silent for longest is dropped.
const MOST: usize = 10_000;

struct Kept {
    at: Instant,
    context: Context,
}

/// An answer waits this long for what was said before, if that is not in memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// The conversations under way, by asker.
#[derive(Default)]
pub(super) struct Memory {
    kept: Mutex<HashMap<String, Kept>>,
}

/// The conversations that several programs share.
pub(super) struct Shared(pub Contexts);

impl Shared {
    /// As [`Memory::of`]; nothing when the database does not say in time.
    pub async fn of(&self, asker: &Asker) -> Context {
        let bytes = in_time("read", self.0.read(asker)).await.flatten();
        // Of another version it may not be readable: then it is over.
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// As [`Memory::keep`].
    pub async fn keep(&self, asker: &Asker, context: &Context) {
        if context.is_empty() {
            return self.forget(asker).await;
        }
        if let Ok(bytes) = serde_json::to_vec(context) {
            in_time("keep", self.0.keep(asker, &bytes, EXPIRES.as_secs())).await;
        }
    }

    async fn forget(&self, asker: &Asker) {
        in_time("forget", self.0.forget(asker)).await;
    }
}

async fn in_time<T>(
    what: &'static str,
    work: impl Future<Output = Result<T, JournalError>>,
) -> Option<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::error!(
                context.step = what,
                error = &error as &dyn std::error::Error,
                "what was said before is not known"
            );
            None
        }
        Err(_) => {
            tracing::warn!(
                context.step = what,
                "what was said before was waited for in vain"
            );
            None
        }
    }
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // A poisoned lock only means that another thread panicked here: the map is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of an asker; empty when nothing is, or not any more.
    pub fn of(&self, asker: &str) -> Context {
        let mut kept = self.kept();
        match kept.get(asker) {
            Some(k) if k.at.elapsed() < EXPIRES => k.context.clone(),
            Some(_) => {
                kept.remove(asker);
                Context::default()
            }
            None => Context::default(),
        }
    }

    /// Remembers `context` from now on instead of what was.
    pub fn keep(&self, asker: String, context: Context) {
        let mut kept = self.kept();
        if context.is_empty() {
            kept.remove(&asker);
            return;
        }
        if kept.len() >= MOST && !kept.contains_key(&asker) {
            kept.retain(|_, k| k.at.elapsed() < EXPIRES);
        }
        if kept.len() >= MOST && !kept.contains_key(&asker) {
            let oldest = kept.iter().min_by_key(|(_, k)| k.at);
            if let Some(oldest) = oldest.map(|(asker, _)| asker.clone()) {
                kept.remove(&oldest);
            }
        }
        let at = Instant::now();
        kept.insert(asker, Kept { at, context });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::EntryId;

    fn context(entry: &str) -> Context {
        Context::picked(EntryId(entry.to_owned()), entry)
    }

    #[tokio::test(start_paused = true)]
    async fn a_conversation_is_over_after_a_quarter_of_an_hour() {
        let memory = Memory::default();
        memory.keep("a".into(), context("x"));
        tokio::time::advance(EXPIRES - Duration::from_secs(1)).await;
        assert_eq!(memory.of("a"), context("x"));
        assert!(memory.of("b").is_empty(), "two askers do not mix");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(memory.of("a").is_empty());
        assert!(memory.kept().is_empty(), "what expired is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_is_dropped_when_there_are_too_many() {
        let memory = Memory::default();
        for n in 0..=MOST {
            memory.keep(n.to_string(), context("x"));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(memory.kept().len(), MOST);
        assert!(memory.of("0").is_empty());
        assert!(!memory.of("1").is_empty());
    }
}
