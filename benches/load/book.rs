//! The book: when each update was offered, when it was answered, what is missing, what came twice.
//!
//! A chat's answers come in the order of its updates, so the first answer belongs to the oldest
//! update without one. Every update is a question that gets exactly one message.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// An update that waits.
struct Open {
    stage: u32,
    offered: Instant,
}

/// What was offered and answered, since the start.
#[derive(Default)]
pub struct Book {
    open: HashMap<i64, VecDeque<Open>>,
    waiting: usize,
    stage: u32,
    /// Microseconds, of this stage's updates.
    latencies: Vec<u32>,
    offered: usize,
    late: usize,
    doubled: usize,
    /// All updates ever offered.
    pub total: usize,
    last_answer: Option<Instant>,
}

/// What became of the updates of a stage.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub offered: usize,
    pub answered: usize,
    /// Without an answer at the end.
    pub lost: usize,
    /// Messages that no update asked for.
    pub doubled: usize,
    /// Milliseconds.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub longest: f64,
}

/// What an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(1);

impl Book {
    /// Begins a new stage; updates of the one before no longer count.
    pub fn begin(&mut self) {
        self.stage += 1;
        self.latencies.clear();
        (self.offered, self.late, self.doubled) = (0, 0, 0);
    }

    pub fn offer(&mut self, chat: i64, offered: Instant) {
        let stage = self.stage;
        self.open
            .entry(chat)
            .or_default()
            .push_back(Open { stage, offered });
        self.waiting += 1;
        self.offered += 1;
        self.total += 1;
    }

    pub fn answered(&mut self, chat: i64, at: Instant) {
        let Some(open) = self.open.get_mut(&chat).and_then(VecDeque::pop_front) else {
            self.doubled += 1;
            return;
        };
        if self.open.get(&chat).is_some_and(VecDeque::is_empty) {
            self.open.remove(&chat);
        }
        self.waiting -= 1;
        self.last_answer = Some(at);
        if open.stage == self.stage {
            let took = at.saturating_duration_since(open.offered);
            self.late += usize::from(took > PATIENCE);
            let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
            self.latencies.push(micros);
        }
    }

    /// Updates without an answer, of all stages.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// When something was answered last.
    pub fn last_answer(&self) -> Option<Instant> {
        self.last_answer
    }

    /// Updates of this stage that took too long, or wait for too long already.
    pub fn late(&self, now: Instant) -> usize {
        let waits = |o: &&Open| {
            o.stage == self.stage && now.saturating_duration_since(o.offered) > PATIENCE
        };
        let waiting = self.open.values().flatten().filter(waits).count();
        self.late + waiting
    }

    pub fn outcome(&self) -> Outcome {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        // Nearest rank; 0 when nothing was answered.
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            let micros = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0);
            f64::from(micros) / 1000.0
        };
        Outcome {
            offered: self.offered,
            answered: sorted.len(),
            lost: self.offered - sorted.len(),
            doubled: self.doubled,
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            longest: at(1.0),
        }
    }
}
