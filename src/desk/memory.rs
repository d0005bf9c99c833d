//! What the desk remembers of conversations under way: for a short time, in memory only.
//!
//! Lost when the program stops, on purpose: an asker's words are never written to disk in clear.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::Context;

/// A conversation that rests this long is over.
const EXPIRES: Duration = Duration::from_secs(15 * 60);
/// How many askers are remembered; beyond that the one silent for longest is dropped.
const MOST: usize = 10_000;

struct Kept {
    at: Instant,
    context: Context,
}

/// The conversations under way, by asker.
#[derive(Default)]
pub(super) struct Memory {
    kept: Mutex<HashMap<String, Kept>>,
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

    /// Forgets an asker.
    pub fn forget(&self, asker: &str) {
        self.kept().remove(asker);
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
