//! Failing on purpose: by a seeded plan, or once when told to.

use std::collections::VecDeque;
use std::time::Duration;

/// One way in which a call can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `retry_after` in seconds.
    TooManyRequests(u64),
    /// 500 or 502 with an HTML page, as a gateway in front of the API sends it.
    ServerError(u16),
    /// Carried out, but late.
    Slow(Duration),
    /// The connection breaks without an answer.
    Dropped,
    /// 200 with something that is no JSON, as from a captive portal.
    Malformed,
    /// 400 with these words of the API.
    Refused(&'static str),
    /// Carried out, and then the connection breaks: only when asked for by name.
    AnswerLost,
    /// Carried out, and answered in a shape that today's client cannot read, as after a change
    /// of the API: only when asked for by name.
    UnreadableAnswer,
}

impl Fault {
    /// For the records.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooManyRequests(_) => "429",
            Self::ServerError(_) => "5xx",
            Self::Slow(_) => "slow",
            Self::Dropped => "dropped",
            Self::Malformed => "malformed",
            Self::Refused(_) => "refused",
            Self::AnswerLost => "answer lost",
            Self::UnreadableAnswer => "unreadable answer",
        }
    }
}

/// When to fail.
pub struct FaultPlan {
    random: fastrand::Rng,
    /// Share of all calls that fail.
    pub rate: f64,
    /// Share of batches of updates in which something comes twice.
    pub repeated_updates: f64,
    /// Faults for the next calls of a method, before chance is asked.
    pub scripted: VecDeque<(&'static str, Fault)>,
}

impl FaultPlan {
    /// Never fails but by script.
    pub fn none() -> Self {
        Self::seeded(0, 0.0)
    }

    /// Fails in `rate` of all calls; the same seed fails alike.
    pub fn seeded(seed: u64, rate: f64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            rate,
            repeated_updates: 0.0,
            scripted: VecDeque::new(),
        }
    }

    /// What happens to the next call of `method`.
    pub(super) fn next(&mut self, method: &str) -> Option<Fault> {
        if let Some(at) = self.scripted.iter().position(|(m, _)| *m == method) {
            return self.scripted.remove(at).map(|(_, fault)| fault);
        }
        if !self.chance(self.rate) {
            return None;
        }
        // The client library waits ten seconds after a 5xx: fewer of these keep the test short.
        Some(match self.random.u8(0..12) {
            0..3 => Fault::TooManyRequests(self.random.u64(1..=2)),
            3 => Fault::ServerError(500),
            4 => Fault::ServerError(502),
            5..7 => Fault::Slow(Duration::from_millis(self.random.u64(200..1500))),
            7..10 => Fault::Dropped,
            _ => Fault::Malformed,
        })
    }

    /// Whether something comes twice in the next batch of updates.
    pub(super) fn repeats(&mut self) -> bool {
        self.chance(self.repeated_updates)
    }

    fn chance(&mut self, rate: f64) -> bool {
        rate > 0.0 && self.random.f64() < rate
    }
}
