//! How often one address may try: passwords, and questions in the chat.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

const LOG_INS: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");
const QUESTIONS: NonZeroU32 = NonZeroU32::new(60).expect("60 is not 0");
/// From everywhere together: a core answers several times as many.
const ALL_QUESTIONS: NonZeroU32 = NonZeroU32::new(50).expect("50 is not 0");
/// Keys kept before those not seen lately are dropped.
const TIDY_AT: usize = 10_000;

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

pub(super) struct Limits {
    /// Ten passwords at once, then one in half a minute.
    addresses: Keyed<IpAddr>,
    /// The same for one name, from wherever it is tried.
    names: Keyed<String>,
    /// An office or a village behind one address: 60 questions at once, then one a second.
    questions: Keyed<IpAddr>,
    /// So that many addresses together leave room for Telegram: 50 a second.
    all_questions: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
}

/// Longer names are no names: they share a bucket.
const MAX_NAME: usize = 32;

impl Limits {
    pub fn new() -> Self {
        let log_ins = Quota::with_period(Duration::from_secs(30))
            .unwrap_or(Quota::per_minute(LOG_INS))
            .allow_burst(LOG_INS);
        Self {
            addresses: RateLimiter::keyed(log_ins),
            names: RateLimiter::keyed(log_ins),
            questions: RateLimiter::keyed(Quota::per_minute(QUESTIONS)),
            all_questions: RateLimiter::direct(Quota::per_second(ALL_QUESTIONS)),
        }
    }

    /// Whether a password for `name` may be tried from `address` now.
    pub fn may_log_in(&self, address: IpAddr, name: &str) -> bool {
        let name = name.trim().chars().take(MAX_NAME).collect();
        // Both are counted, whatever the first says.
        let here = allowed(&self.addresses, home(address));
        allowed(&self.names, name) && here
    }

    /// Whether a question may be asked from `address` now.
    pub fn may_ask(&self, address: IpAddr) -> bool {
        // Who asks too often himself takes nothing from the others.
        allowed(&self.questions, home(address)) && self.all_questions.check().is_ok()
    }
}

fn allowed<K: std::hash::Hash + Eq + Clone>(limiter: &Keyed<K>, key: K) -> bool {
    if limiter.len() > TIDY_AT {
        limiter.retain_recent();
    }
    limiter.check_key(&key).is_ok()
}

/// With IPv6 everybody has billions of addresses: their network counts.
fn home(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_counted_each() {
        let limits = Limits::new();
        let from = |n: u16| IpAddr::from([0x2001, 0xdb8, n, 0, 1, 2, 3, n]);
        for n in 0..10 {
            assert!(limits.may_log_in(from(n), "王芳"), "{n}");
        }
        assert!(
            !limits.may_log_in(from(99), "王芳"),
            "one name from everywhere"
        );
        for n in 0..9 {
            assert!(limits.may_log_in(from(1), &n.to_string()));
        }
        assert!(!limits.may_log_in(from(1), "x"), "one network, every name");
        let asked = |network: u16| (0..100).filter(|_| limits.may_ask(from(network))).count();
        let all: usize = (1..100).map(asked).sum();
        assert!(
            (50..120).contains(&all),
            "{all} questions at once from everywhere"
        );
        assert_eq!(
            home("::ffff:10.1.2.3".parse().unwrap()),
            IpAddr::from([10, 1, 2, 3])
        );
    }
}
