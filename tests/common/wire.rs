//! A wire between the program and a server, that can be disturbed: hung, cut, or silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Everything that comes to its address goes on to another, unless it is disturbed.
pub struct Wire {
    /// Where the program is to connect to.
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    to: String,
    /// Nothing passes while set, and nobody is told.
    hung: watch::Sender<bool>,
    /// While set, connections end, and new ones as soon as they are made.
    cut: watch::Sender<bool>,
    /// Connections up to this number say nothing any more, for ever.
    silent: AtomicU64,
    /// Whether the next `COMMIT` silences all connections there are.
    trap: AtomicBool,
    sprung: Notify,
    made: AtomicU64,
}

impl Wire {
    /// A wire to `to`, `host:port`.
    pub async fn to(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            to: to.to_owned(),
            hung: watch::Sender::new(false),
            cut: watch::Sender::new(false),
            silent: AtomicU64::new(0),
            trap: AtomicBool::new(false),
            sprung: Notify::new(),
            made: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, state.clone()));
        Self {
            address,
            state,
            task,
        }
    }

    /// Nothing passes either way until `false`: connections stay open, new ones are taken.
    pub fn hang(&self, hung: bool) {
        self.state.hung.send_replace(hung);
    }

    /// All connections end, and new ones at once, until `false`.
    pub fn cut(&self, cut: bool) {
        self.state.cut.send_replace(cut);
    }

    /// Waits for the next `COMMIT` and swallows it: it and all connections there are then say nothing
    /// any more, for ever. New ones work: a server that failed over, and nobody told.
    pub async fn silence_at_commit(&self) {
        let sprung = self.state.sprung.notified();
        self.state.trap.store(true, Ordering::SeqCst);
        sprung.await;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((near, _)) = listener.accept().await {
        let number = state.made.fetch_add(1, Ordering::SeqCst) + 1;
        let state = state.clone();
        tokio::spawn(async move {
            let mut cut = state.cut.subscribe();
            let passing = async {
                let Ok(far) = TcpStream::connect(&state.to).await else {
                    return;
                };
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                tokio::join!(
                    pass(&state, number, near_in, far_out, true),
                    pass(&state, number, far_in, near_out, false),
                );
            };
            tokio::select! {
                () = passing => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        });
    }
}

async fn pass(
    state: &State,
    number: u64,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    upward: bool,
) {
    let mut hung = state.hung.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer).await {
        if length == 0 {
            break;
        }
        let piece = &buffer[..length];
        if upward
            && piece.windows(6).any(|w| w == b"COMMIT")
            && state.trap.swap(false, Ordering::SeqCst)
        {
            let made = state.made.load(Ordering::SeqCst);
            state.silent.store(made, Ordering::SeqCst);
            state.sprung.notify_waiters();
        }
        if number <= state.silent.load(Ordering::SeqCst) {
            // Held open, and never heard of again.
            std::future::pending::<()>().await;
        }
        if hung.wait_for(|hung| !hung).await.is_err() || to.write_all(piece).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
