//! A small strict Bot API server in the test's own process, modelled on the real one: its
//! methods, limits, error texts and the bookkeeping of updates. What a client gets wrong here it
//! gets wrong there.
//!
//! It can fail on purpose ([`FaultPlan`]). A fault on a call means that the call was *not* carried
//! out, but for [`Fault::AnswerLost`] and [`Fault::UnreadableAnswer`], which are only ever asked
//! for by name: no client of the Bot API can tell a lost answer from a lost request.

mod faults;
mod html;
mod keyboard;
mod methods;
mod server;
mod traffic;
mod updates;
mod webhook;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use faults::{Fault, FaultPlan};
pub use traffic::Call;
pub use world::World;

/// The one token that this server knows.
pub const TOKEN: &str = "7700000001:AAFakeTokenOfTheTestBot_0123456789abc";
/// The bot's own user name.
pub const USERNAME: &str = "qijin_test_bot";
/// Longer than any wait of the program that a test relies on.
const PATIENCE: Duration = Duration::from_secs(100);

/// The running server. Dropping it stops it and writes down what was said.
pub struct FakeBotApi {
    name: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    pusher: JoinHandle<()>,
}

/// What the server's tasks and the test look at.
struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        // Another thread's failed assertion does not make the records wrong.
        self.world
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Changes the world and wakes everybody who waits for something.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.world());
        self.changed.notify_waiters();
        result
    }

    /// Waits until `look` finds what it looks for; `None` when `patience` runs out.
    async fn wait<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&mut World) -> Option<T>,
    ) -> Option<T> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no change slips in between.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.world()) {
                return Some(found);
            }
            tokio::time::timeout_at(deadline, changed).await.ok()?;
        }
    }
}

impl FakeBotApi {
    /// Starts a server on a free port. `name` names the file of its recorded traffic.
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new()),
            changed: Notify::new(),
        });
        let server = tokio::spawn(server::run(listener, shared.clone()));
        let pusher = tokio::spawn(webhook::run(shared.clone()));
        Self {
            name,
            address,
            shared,
            server,
            pusher,
        }
    }

    /// For `TELOXIDE_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A look at the records.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Changes something and wakes the waiting.
    pub fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.change(act)
    }

    /// Waits until `look` finds what it looks for.
    ///
    /// # Panics
    /// When it does not come: `what` says what was waited for.
    pub async fn until<T>(&self, what: &str, look: impl FnMut(&mut World) -> Option<T>) -> T {
        match self.shared.wait(PATIENCE, look).await {
            Some(found) => found,
            None => panic!("waited in vain for {what}; {}", self.world().summary()),
        }
    }

    /// A message as it looks now, after all edits.
    pub fn message(&self, chat: i64, message: i64) -> Value {
        let world = self.world();
        let found = world.messages.get(&(chat, message));
        found.expect("a message of this chat").clone()
    }
}

impl Drop for FakeBotApi {
    fn drop(&mut self) {
        self.server.abort();
        self.pusher.abort();
        self.world().write_traffic(self.name);
    }
}
