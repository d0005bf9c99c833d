//! Floor 6, listening: an HTTP server that gives strangers no more than their share.
//!
//! axum's own `serve` bounds neither the number of connections nor the time that one may take to say
//! what it wants. Here both are bounded, and a stop signal lets what is under way finish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A connection that has said nothing whole for this long is closed. Longer than proxies keep
/// theirs open (nginx: 60 s), so that none sends into one that is just closing.
const SILENCE: Duration = Duration::from_secs(75);
/// How long what is under way may go on after a stop signal.
const DRAIN: Duration = Duration::from_secs(10);
/// Heads of requests beyond this are refused.
const MAX_HEAD: usize = 64 * 1024;

/// Serves `app` on `listener` with at most `connections` at a time until `shutdown`, then finishes
/// what is under way. More connections wait until one ends. Handlers find the peer in
/// [`ConnectInfo<SocketAddr>`].
pub async fn serve(
    listener: TcpListener,
    app: Router,
    connections: usize,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .max_buf_size(MAX_HEAD);
    loop {
        let accepted = async {
            // Never closed, so a place always comes.
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                rest_after(&error).await;
                continue;
            }
        };
        // Small answers go out at once; when that cannot be had it is merely slower.
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request: Request = request.map(Body::new);
            request
                .extensions_mut()
                .insert(ConnectInfo::<SocketAddr>(peer));
            app.clone().oneshot(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Broken connections are the peer's affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("a download was cut off by stopping");
    }
}

/// Out of file handles: the connections that are open must end first.
async fn rest_after(error: &io::Error) {
    let of_the_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !of_the_peer {
        tracing::error!(%error, "no connection can be accepted now");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn connections_beyond_the_bound_wait_and_a_stop_lets_work_finish() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (began, begun) = tokio::sync::oneshot::channel::<()>();
        let began = Arc::new(std::sync::Mutex::new(Some(began)));
        let app = Router::new()
            .route(
                "/",
                get(|peer: ConnectInfo<SocketAddr>| async move { peer.0.ip().to_string() }),
            )
            .route(
                "/slow",
                get(move || async move {
                    let began = began.lock().unwrap().take();
                    let _ = began.map(|began| began.send(()));
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    "done"
                }),
            );
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, app, 1, shutdown.clone()));
        // Somebody who says nothing has the only place.
        let silent = TcpStream::connect(address).await.unwrap();
        let mut waiting = tokio::spawn(ask(address));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
        assert!(early.is_err(), "served beyond the bound");
        drop(silent);
        let answer = waiting.await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"),
            "{answer}"
        );

        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        begun.await.unwrap();
        shutdown.cancel();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("done"), "{answer}");
        serving.await.unwrap();
        assert!(
            TcpStream::connect(address).await.is_err(),
            "still listening"
        );
    }
}
