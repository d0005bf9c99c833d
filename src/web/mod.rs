//! Floor 7, the HTTP side of `serve`: for now only the health check that containers ask.

use std::io;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Serves on `listener` until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn run(listener: TcpListener, desk: Desk, shutdown: CancellationToken) -> io::Result<()> {
    let app = Router::new()
        .route("/healthz", get(health))
        .with_state(desk);
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

/// `200` with the number of entries as soon as questions can be answered.
async fn health(axum::extract::State(desk): axum::extract::State<Desk>) -> String {
    format!("ok {} entries\n", desk.library().entries.len())
}
