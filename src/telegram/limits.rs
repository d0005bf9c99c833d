//! How much one conversation may send, so that a flood in one never costs the others anything.
//!
//! A conversation may send a burst and then a steady trickle. What is above that is refused as it
//! arrives and not even stored; the sender is told, but not every time. Each program counts what it
//! receives itself.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// Messages a conversation may send at once.
const BURST: NonZeroU32 = NonZeroU32::new(20).expect("20 is not 0");
/// Messages a conversation may send a minute in the long run.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).expect("30 is not 0");
/// Taps cost less, and people who leaf through a menu make many.
const TAPS_AT_ONCE: NonZeroU32 = NonZeroU32::new(40).expect("40 is not 0");
const TAPS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("120 is not 0");
/// A sender who goes on too fast is told again after this long at the earliest.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Conversations and updates that are kept in mind before the oldest are dropped.
const TIDY_AT: usize = 10_000;

/// What becomes of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is answered.
    Admitted,
    /// Too many. The sender is to be told when `tell` is set.
    Refused {
        /// The sender was not told lately.
        tell: bool,
    },
}

type Keyed<C> =
    RateLimiter<String, DefaultKeyedStateStore<String>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limits of all conversations.
pub(super) struct Limits<C: Clock = DefaultClock> {
    messages: Keyed<C>,
    taps: Keyed<C>,
    told: Mutex<HashMap<String, C::Instant>>,
    /// Verdicts on updates that could not be stored: they come again, and count once.
    judged: Mutex<HashMap<i64, Verdict>>,
    clock: C,
}

impl Limits {
    pub fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limits<C> {
    pub fn with_clock(clock: C) -> Self {
        let limiter = |per_minute, burst| {
            let quota = Quota::per_minute(per_minute).allow_burst(burst);
            RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone())
        };
        Self {
            messages: limiter(PER_MINUTE, BURST),
            taps: limiter(TAPS_PER_MINUTE, TAPS_AT_ONCE),
            told: Mutex::default(),
            judged: Mutex::default(),
            clock,
        }
    }

    /// Judges an update of a lane, once: asked again before [`Limits::settled`], it says the same.
    pub fn judge(&self, update_id: i64, lane: &str, is_tap: bool) -> Verdict {
        let mut judged = held(&self.judged);
        if let Some(verdict) = judged.get(&update_id) {
            // Told once is enough.
            return match verdict {
                Verdict::Admitted => Verdict::Admitted,
                Verdict::Refused { .. } => Verdict::Refused { tell: false },
            };
        }
        let limiter = if is_tap { &self.taps } else { &self.messages };
        if limiter.len() > TIDY_AT {
            limiter.retain_recent();
        }
        let verdict = if limiter.check_key(&lane.to_owned()).is_ok() {
            Verdict::Admitted
        } else {
            Verdict::Refused {
                tell: !is_tap && self.may_tell(lane),
            }
        };
        if judged.len() > TIDY_AT {
            judged.clear();
        }
        judged.insert(update_id, verdict);
        verdict
    }

    /// These are stored, or refused for good: they are not asked about again.
    pub fn settled(&self, update_ids: impl IntoIterator<Item = i64>) {
        let mut judged = held(&self.judged);
        for id in update_ids {
            judged.remove(&id);
        }
    }

    fn may_tell(&self, lane: &str) -> bool {
        let now = self.clock.now();
        let mut told = held(&self.told);
        let lately = |at: &C::Instant| Duration::from(now.duration_since(*at)) < TELL_EVERY;
        if told.get(lane).is_some_and(lately) {
            return false;
        }
        if told.len() > TIDY_AT {
            told.retain(|_, at| lately(at));
        }
        told.insert(lane.to_owned(), now);
        true
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock only means that another thread panicked here: the map is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    #[test]
    fn a_flood_is_refused_and_told_once_a_minute() {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(clock.clone());
        let ids = std::cell::Cell::new(0);
        let push = |lane: &str| {
            ids.set(ids.get() + 1);
            limits.judge(ids.get(), lane, false)
        };
        let mut told = 0;
        let mut admitted = 0;
        for _ in 0..300 {
            match push("flood") {
                Verdict::Admitted => admitted += 1,
                Verdict::Refused { tell } => told += usize::from(tell),
            }
        }
        assert_eq!((admitted, told), (20, 1));
        assert_eq!(push("other"), Verdict::Admitted);
        clock.advance(Duration::from_secs(10));
        assert_eq!(push("flood"), Verdict::Admitted, "a pause gives room again");
        for _ in 0..30 {
            clock.advance(Duration::from_millis(500));
            if let Verdict::Refused { tell } = push("flood") {
                assert!(!tell, "told again although a few were let through");
            }
        }
        clock.advance(Duration::from_secs(60));
        assert!((0..100).any(|_| push("flood") == Verdict::Refused { tell: true }));
    }

    #[test]
    fn what_comes_again_because_it_was_not_stored_counts_once() {
        let limits = Limits::with_clock(FakeRelativeClock::default());
        for _ in 0..100 {
            for id in 0..20 {
                assert_eq!(limits.judge(id, "a", false), Verdict::Admitted);
            }
        }
        assert_eq!(
            limits.judge(20, "a", false),
            Verdict::Refused { tell: true }
        );
        assert_eq!(
            limits.judge(20, "a", false),
            Verdict::Refused { tell: false }
        );
        assert_eq!(limits.judge(21, "a", true), Verdict::Admitted, "a tap");
        limits.settled(0..22);
        assert!(held(&limits.judged).is_empty());
    }
}
