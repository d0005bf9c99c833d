//! Fairness: who is served next. Pure bookkeeping, no clocks but the one given.
//!
//! A lane is one conversation. Within a lane order is kept and one item is out at a time; between
//! lanes service goes round, so that a flood in one never delays another. A lane may send a burst
//! and then a steady trickle; what is above that is refused when it arrives.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// Messages a conversation may send at once.
const BURST: NonZeroU32 = NonZeroU32::new(20).expect("20 is not 0");
/// Messages a conversation may send a minute in the long run.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).expect("30 is not 0");

/// A sender who goes on too fast is told again after this long at the earliest.
const TELL_EVERY: Duration = Duration::from_secs(60);

struct Lane<T, I> {
    waiting: VecDeque<T>,
    out: bool,
    told: Option<I>,
}

impl<T, I> Default for Lane<T, I> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            out: false,
            told: None,
        }
    }
}

/// What became of an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission<T> {
    /// It waits its turn.
    Queued,
    /// Too many: give it back, and tell the sender, but not every time, when `tell` is set.
    Refused {
        /// The item.
        item: T,
        /// The sender was not told lately.
        tell: bool,
    },
}

/// The lanes with what waits in them.
pub(super) struct Lanes<T, C: Clock = DefaultClock> {
    lanes: HashMap<String, Lane<T, C::Instant>>,
    ready: VecDeque<String>,
    clock: C,
    limiter: RateLimiter<String, DefaultKeyedStateStore<String>, C, NoOpMiddleware<C::Instant>>,
}

impl<T> Lanes<T> {
    pub fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<T, C: Clock + Clone> Lanes<T, C> {
    pub fn with_clock(clock: C) -> Self {
        let quota = Quota::per_minute(PER_MINUTE).allow_burst(BURST);
        Self {
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()),
            clock,
        }
    }

    /// Puts an item behind the others of its lane, unless the lane sends too fast.
    pub fn push(&mut self, lane: &str, item: T) -> Admission<T> {
        if self.limiter.check_key(&lane.to_owned()).is_err() {
            let state = self.lanes.entry(lane.to_owned()).or_default();
            let now = self.clock.now();
            let lately = |told: C::Instant| Duration::from(now.duration_since(told)) < TELL_EVERY;
            let tell = !state.told.is_some_and(lately);
            if tell {
                state.told = Some(now);
            }
            return Admission::Refused { item, tell };
        }
        self.enqueue(lane, item);
        Admission::Queued
    }

    /// Puts an item behind the others of its lane whatever the rate: it was admitted before.
    pub fn enqueue(&mut self, lane: &str, item: T) {
        let state = self.lanes.entry(lane.to_owned()).or_default();
        state.waiting.push_back(item);
        if !state.out && state.waiting.len() == 1 {
            self.ready.push_back(lane.to_owned());
        }
    }

    /// The next item whose lane is free, lanes in turn.
    pub fn next(&mut self) -> Option<(String, T)> {
        let lane = self.ready.pop_front()?;
        let state = self.lanes.get_mut(&lane)?;
        let item = state.waiting.pop_front()?;
        state.out = true;
        Some((lane, item))
    }

    /// The item that was out is dealt with: the lane's next one goes to the end of the round.
    pub fn finished(&mut self, lane: &str) {
        let Some(state) = self.lanes.get_mut(lane) else {
            return;
        };
        state.out = false;
        if !state.waiting.is_empty() {
            self.ready.push_back(lane.to_owned());
        } else if state.told.is_none() {
            self.lanes.remove(lane);
        }
    }

    /// Forgets lanes that have been quiet.
    pub fn tidy(&mut self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.lanes
            .retain(|_, lane| lane.out || !lane.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::time::Duration;

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut lanes = Lanes::new();
        for n in 0..3 {
            lanes.push("a", n);
        }
        lanes.push("b", 10);
        assert_eq!(lanes.next(), Some(("a".into(), 0)));
        assert_eq!(lanes.next(), Some(("b".into(), 10)));
        assert_eq!(
            lanes.next(),
            None,
            "a's next waits until its first is finished"
        );
        lanes.finished("a");
        lanes.push("c", 20);
        assert_eq!(lanes.next(), Some(("a".into(), 1)));
        lanes.finished("a");
        assert_eq!(lanes.next(), Some(("c".into(), 20)), "a goes behind c");
        assert_eq!(lanes.next(), Some(("a".into(), 2)));
    }

    #[test]
    fn a_flood_is_refused_and_told_once_a_minute() {
        let clock = FakeRelativeClock::default();
        let mut lanes = Lanes::with_clock(clock.clone());
        let mut told = 0;
        let mut queued = 0;
        for n in 0..300 {
            match lanes.push("flood", n) {
                Admission::Queued => queued += 1,
                Admission::Refused { tell, .. } => told += usize::from(tell),
            }
        }
        assert_eq!((queued, told), (20, 1));
        assert_eq!(lanes.push("other", 1), Admission::Queued);
        clock.advance(Duration::from_secs(10));
        assert_eq!(
            lanes.push("flood", 301),
            Admission::Queued,
            "a pause gives room again"
        );
        for n in 0..30 {
            clock.advance(Duration::from_millis(500));
            if let Admission::Refused { tell, .. } = lanes.push("flood", n) {
                assert!(!tell, "told again although a few were let through");
            }
        }
        clock.advance(Duration::from_secs(60));
        let told_again = (0..100).any(|n| {
            matches!(
                lanes.push("flood", n),
                Admission::Refused { tell: true, .. }
            )
        });
        assert!(told_again);
    }
}
