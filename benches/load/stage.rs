//! A stage: one rate for some seconds, then quiet until everything is answered.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::book::{Outcome, PATIENCE};
use super::fake_telegram::FakeTelegram;
use super::programs::Running;
use super::residents::Residents;
use super::watch::{self, Use, Watch};

/// Without any answer for so long, what is open is lost.
const SILENCE: Duration = Duration::from_secs(15);
/// So is what is open this long after the last question.
const AT_MOST: Duration = Duration::from_secs(60);

/// What a stage came to.
#[derive(Debug, Clone)]
pub struct Stage {
    pub rate: f64,
    pub outcome: Outcome,
    /// The most that the programs used.
    pub peak: Use,
    /// Cores busy, on average: programs, database, this generator with its fake server.
    pub cores: [f64; 3],
    /// How often a webhook did not take an update at once.
    pub refused: usize,
    /// Broken off: it can no longer pass.
    pub broken_off: bool,
}

impl Stage {
    /// All answered once, 99 of 100 within a second.
    pub fn passed(&self) -> bool {
        let o = &self.outcome;
        let patience = PATIENCE.as_secs_f64() * 1000.0;
        !self.broken_off && o.lost == 0 && o.doubled == 0 && o.offered > 0 && o.p99 < patience
    }

    pub fn json(&self, name: &str, what: &str) -> Value {
        let o = &self.outcome;
        json!({
            "program": name, "what": what, "rate": self.rate, "passed": self.passed(),
            "offered": o.offered, "answered": o.answered, "lost": o.lost, "doubled": o.doubled,
            "refused": self.refused,
            "p50_ms": o.p50, "p95_ms": o.p95, "p99_ms": o.p99, "longest_ms": o.longest,
            "memory_mb": self.peak.memory, "files": self.peak.files, "threads": self.peak.threads,
            "cores": {"programs": self.cores[0], "database": self.cores[1], "generator": self.cores[2]},
        })
    }

    pub fn line(&self) -> String {
        let o = &self.outcome;
        format!(
            "{:7.1}/s  {:6} offered  p50 {:6.1}  p95 {:6.1}  p99 {:7.1} ms  lost {}  doubled {}  {:5.0} MB  \
             cores {:.2} + {:.2} + {:.2}  {}",
            self.rate,
            o.offered,
            o.p50,
            o.p95,
            o.p99,
            o.lost,
            o.doubled,
            self.peak.memory,
            self.cores[0],
            self.cores[1],
            self.cores[2],
            if self.passed() {
                "ok"
            } else if self.broken_off {
                "too fast, broken off"
            } else {
                "too fast"
            },
        )
    }
}

fn seconds(running: &Running) -> [f64; 3] {
    let database = running
        .postgres
        .as_ref()
        .map(|p| watch::of_family(p.process).cpu);
    [
        watch::of(&running.ids()).cpu,
        database.unwrap_or(0.0),
        watch::cpu(std::process::id()),
    ]
}

/// Runs one; with `give_up` it is broken off as soon as one in a hundred is late for good.
pub async fn run(
    fake: &FakeTelegram,
    residents: &mut Residents,
    running: &mut Running,
    watch: &Watch,
    (rate, lasts, give_up): (f64, Duration, bool),
) -> anyhow::Result<Stage> {
    fake.book(|book| book.begin());
    let (began, before, refused) = (Instant::now(), seconds(running), fake.refused());
    let allowed = rate * lasts.as_secs_f64() / 100.0;
    let too_late = |now| give_up && fake.book(|book| book.late(now)) as f64 > allowed;
    residents.ask(fake, rate, lasts, too_late).await;
    let took = began.elapsed().as_secs_f64();
    let after = seconds(running);
    let broken_off = too_late(Instant::now());
    drain(fake).await;
    running.check()?;
    let mut cores = [0.0; 3];
    for (n, core) in cores.iter_mut().enumerate() {
        *core = (after[n] - before[n]) / took;
    }
    Ok(Stage {
        rate,
        outcome: fake.book(|book| book.outcome()),
        peak: watch.peak(began),
        cores,
        refused: fake.refused() - refused,
        broken_off,
    })
}

/// Waits until all is answered, or nothing has been for long.
async fn drain(fake: &FakeTelegram) {
    let began = Instant::now();
    loop {
        let (waiting, last) = fake.book(|book| (book.waiting(), book.last_answer()));
        let quiet_since = last.map_or(began, |last| last.max(began));
        if waiting == 0 || quiet_since.elapsed() > SILENCE || began.elapsed() > AT_MOST {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
