//! Floor 4, the journal (提问日志): what was asked, without who asked it. Alone knows SQL.
//!
//! Nothing personal reaches the disk in clear: words are [redacted](redact) before SQL sees
//! them, people become [keyed hashes](Asker), and what must be kept to answer later (the
//! [`Inbox`]) is sealed under the local key and wiped when done.

mod database;
mod error;
mod export;
mod inbox;
mod keys;
mod record;
mod redact;

pub use database::Database;
pub use error::JournalError;
pub use export::export_csv;
pub use inbox::{Inbox, Incoming, Pending};
pub use keys::{Asker, Keys};
pub use record::{AskerOrigin, Forgotten, Journal, Purged, Record, RowId};
pub use redact::redact;
