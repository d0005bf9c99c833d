//! Half an hour or more at one rate: does anything grow, does anything get lost?

use std::time::{Duration, Instant};

use super::fake_telegram::FakeTelegram;
use super::postgres::folder_bytes;
use super::programs::Running;
use super::residents::Residents;
use super::stage::{self, Stage};
use super::watch::{Use, Watch};

/// A row of the table.
const ROW: Duration = Duration::from_secs(300);

/// MB an hour by least squares, and the standard error; `None` for too few samples.
pub fn slope(samples: &[(Instant, Use)]) -> Option<(f64, f64)> {
    let first = samples.first()?.0;
    let points: Vec<(f64, f64)> = samples
        .iter()
        .map(|(at, used)| ((*at - first).as_secs_f64() / 3600.0, used.memory))
        .collect();
    let n = points.len() as f64;
    if n < 30.0 {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let slope = sxy / sxx;
    let rest: f64 = points
        .iter()
        .map(|p| (p.1 - y - slope * (p.0 - x)).powi(2))
        .sum();
    Some((slope, (rest / (n - 2.0) / sxx).sqrt()))
}

/// MB of the database and of its write-ahead log.
fn on_disk(running: &Running) -> (f64, f64) {
    if let Some(postgres) = &running.postgres {
        let (tables, log) = postgres.bytes();
        return (tables as f64 / 1e6, log as f64 / 1e6);
    }
    let data = running.data.path().join("data");
    let of = |name: &str| std::fs::metadata(data.join(name)).map_or(0, |m| m.len());
    let log = of("qijin.sqlite-wal");
    let all = folder_bytes(&data);
    (all.saturating_sub(log) as f64 / 1e6, log as f64 / 1e6)
}

/// Runs for `lasts`, and prints a row every five minutes and what it came to.
pub async fn run(
    (rate, lasts): (f64, Duration),
    fake: &FakeTelegram,
    residents: &mut Residents,
    running: &mut Running,
    watch: &Watch,
    mut tell: impl FnMut(&Stage),
) -> anyhow::Result<()> {
    println!(
        "| minutes | questions | p50 ms | p95 ms | p99 ms | longest ms | lost | doubled | memory MB | files | threads | database MB | log MB |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    let began = Instant::now();
    let mut rows: Vec<Stage> = Vec::new();
    while began.elapsed() < lasts {
        let left = lasts.saturating_sub(began.elapsed());
        let row = (rate, ROW.min(left), false);
        let stage = stage::run(fake, residents, running, watch, row).await?;
        let (database, log) = on_disk(running);
        let (o, p) = (&stage.outcome, &stage.peak);
        println!(
            "| {:.0} | {} | {:.1} | {:.1} | {:.1} | {:.0} | {} | {} | {:.1} | {} | {} | {database:.1} | {log:.1} |",
            began.elapsed().as_secs_f64() / 60.0,
            o.offered,
            o.p50,
            o.p95,
            o.p99,
            o.longest,
            o.lost,
            o.doubled,
            p.memory,
            p.files,
            p.threads,
        );
        tell(&stage);
        rows.push(stage);
    }
    // Conversations of the last quarter of an hour fill up first.
    let warm = began + lasts / 2;
    println!();
    match slope(&watch.since(warm)) {
        Some((slope, error)) => println!(
            "Memory after the first half: {slope:+.2} MB an hour (standard error {error:.2}), by least squares."
        ),
        None => println!("Too short to say whether memory grows."),
    }
    let sum = |of: fn(&Stage) -> usize| rows.iter().map(of).sum::<usize>();
    println!(
        "{} questions offered, {} lost, {} doubled.",
        sum(|s| s.outcome.offered),
        sum(|s| s.outcome.lost),
        sum(|s| s.outcome.doubled)
    );
    Ok(())
}
