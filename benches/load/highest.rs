//! The highest rate that a program sustains: upward by halves until it fails, then between.

use std::time::{Duration, Instant};

use super::fake_telegram::FakeTelegram;
use super::programs::Running;
use super::residents::Residents;
use super::stage::{self, Stage};
use super::watch::Watch;

/// Between stages, so that one does not pay for the other.
const SETTLE: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_secs(5);
/// Upper and lower bound this near to each other are the same on a busy machine.
const NEAR: f64 = 1.08;
/// Slower than this is not looked for.
const SLOWEST: f64 = 1.0;

/// How to look for it.
pub struct Plan {
    pub from: f64,
    /// Not faster than this: what a limiter of the program's own allows.
    pub ceiling: Option<f64>,
    /// Of each stage.
    pub lasts: Duration,
    /// No stage is begun after this.
    pub budget: Duration,
}

/// The fastest stage that passed, if one did; `tell` hears of every one.
pub async fn highest(
    plan: &Plan,
    fake: &FakeTelegram,
    residents: &mut Residents,
    running: &mut Running,
    watch: &Watch,
    mut tell: impl FnMut(&str, &Stage),
) -> anyhow::Result<Option<Stage>> {
    let began = Instant::now();
    let cap = |rate: f64| plan.ceiling.map_or(rate, |most| rate.min(most));
    let warm = (cap(plan.from) / 2.0, WARM_UP, false);
    let warm = stage::run(fake, residents, running, watch, warm).await?;
    tell("warm-up", &warm);
    let mut best: Option<Stage> = None;
    let mut too_fast: Option<f64> = None;
    let mut rate = cap(plan.from);
    while began.elapsed() < plan.budget {
        tokio::time::sleep(SETTLE).await;
        let stage = stage::run(fake, residents, running, watch, (rate, plan.lasts, true)).await?;
        tell("search", &stage);
        if stage.passed() {
            best = Some(stage);
        } else {
            too_fast = Some(rate);
        }
        let slower = best.as_ref().map(|stage| stage.rate);
        rate = match (slower, too_fast) {
            (Some(low), Some(high)) if high / low < NEAR => break,
            (Some(low), Some(high)) => (low * high).sqrt(),
            (Some(low), None) if cap(low * 1.5) <= low => break,
            (Some(low), None) => cap(low * 1.5),
            (None, _) => rate / 1.5,
        };
        if rate < SLOWEST {
            break;
        }
    }
    Ok(best)
}
