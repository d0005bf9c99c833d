//! The admin address, for the machine that watches: `/readyz` in detail, and `/metrics` for Prometheus.
//!
//! Numbers only, over everybody; labels come from the program, never from what people send.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use super::health::Health;
use crate::http;

const CONNECTIONS: usize = 32;
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// What was measured is put into its buckets at least this often.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0,
];

/// Begins to count. Without it nothing is counted and nothing costs anything.
///
/// # Errors
/// When something counts already in this process.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .install_recorder()?;
    for (name, what) in [
        ("qijin_answer_seconds", "Time to find and word an answer"),
        (
            "qijin_update_seconds",
            "From an update's arrival to its answer being accepted by Telegram",
        ),
        (
            "qijin_journal_seconds",
            "Time to write a question to the journal",
        ),
    ] {
        describe_histogram!(name, Unit::Seconds, what);
    }
    for (name, what) in [
        ("qijin_answers_total", "Answers by channel and kind"),
        (
            "qijin_updates_total",
            "Updates from Telegram by what became of them",
        ),
        ("qijin_webhook_total", "Calls of the webhook by result"),
        (
            "qijin_telegram_calls_total",
            "Calls of the Bot API by method and result; every result but ok and refused is tried again",
        ),
        (
            "qijin_journal_dropped_total",
            "Questions answered without a row in the journal",
        ),
    ] {
        describe_counter!(name, what);
    }
    for (name, what) in [
        (
            "qijin_inbox_open",
            "Updates that wait for an answer, of all programs on the database",
        ),
        (
            "qijin_inbox_oldest_seconds",
            "Since when the oldest of them waits",
        ),
        ("qijin_ready", "1 while this program can answer and write"),
        ("qijin_library_entries", "Entries in the library"),
        ("qijin_index_age_seconds", "Since the index was built"),
        ("process_resident_memory_bytes", "Memory in use"),
        ("process_open_fds", "Open files and connections"),
    ] {
        describe_gauge!(name, what);
    }
    Ok(handle)
}

#[derive(Clone)]
struct Watched {
    health: Health,
    index: PathBuf,
    counted: PrometheusHandle,
}

/// Serves the admin address until `shutdown`; `index` is the folder of the indexes.
pub async fn watched(
    listener: TcpListener,
    health: Health,
    index: PathBuf,
    counted: PrometheusHandle,
    shutdown: CancellationToken,
) {
    let upkeep = {
        let counted = counted.clone();
        async move {
            let mut every = tokio::time::interval(UPKEEP);
            loop {
                every.tick().await;
                counted.run_upkeep();
            }
        }
    };
    let app = Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIME_LIMIT,
        ))
        .with_state(Watched {
            health,
            index,
            counted,
        });
    tokio::select! {
        () = http::serve(listener, app, CONNECTIONS, shutdown) => {}
        () = upkeep => {}
    }
}

async fn ready(State(watched): State<Watched>) -> (StatusCode, String) {
    let state = watched.health.look().await;
    (state.status(), state.details())
}

async fn metrics(State(watched): State<Watched>) -> impl IntoResponse {
    let state = watched.health.look().await;
    gauge!("qijin_ready").set(u8::from(state.status().is_success()));
    gauge!("qijin_library_entries").set(state.entries as f64);
    if let Some(backlog) = state.backlog {
        gauge!("qijin_inbox_open").set(backlog.open as f64);
        gauge!("qijin_inbox_oldest_seconds").set(backlog.oldest_ms as f64 / 1e3);
    }
    if let Some(age) = age(&watched.index) {
        gauge!("qijin_index_age_seconds").set(age.as_secs_f64());
    }
    if let Some((memory, files)) = process() {
        gauge!("process_resident_memory_bytes").set(memory);
        gauge!("process_open_fds").set(files);
    }
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4");
    ([kind], watched.counted.render())
}

/// A new index is renamed into the folder, and the folder's own time changes with it.
fn age(index: &std::path::Path) -> Option<Duration> {
    let built = std::fs::metadata(index).and_then(|m| m.modified()).ok()?;
    SystemTime::now().duration_since(built).ok()
}

/// Memory in bytes and open files, where the system tells.
fn process() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some((kilobytes * 1024.0, files as f64))
}
