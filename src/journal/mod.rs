//! Floor 4, the journal (提问日志): what was asked, without who asked it. Alone knows SQL.
//!
//! Nothing personal reaches the disk in clear: words are [redacted](redact) before SQL sees
//! them, people become [keyed hashes](Asker), and what must be kept to answer later (the
//! [`Inbox`]) is sealed under the local key and wiped when done.

#[cfg(test)]
mod apart;
mod audit;
mod backup;
mod boards;
mod bulk;
mod calendar;
mod context;
mod copy;
mod database;
mod duty;
mod error;
mod export;
mod fact;
mod handover;
mod inbox;
mod key_match;
mod keys;
mod lease;
mod ledger;
mod log;
mod office;
mod password;
mod record;
mod redact;
mod review;
mod rollup;
mod rollup_month;
mod seen;
mod sessions;
mod sketch;
mod staff;
mod tables;
#[cfg(test)]
#[path = "../../tests/common/database.rs"]
pub(crate) mod test_database;
mod vitals;

pub use audit::{Audit, AuditLine};
pub use boards::{Asked, Board, Boards, NewBoard, canonical};
pub use bulk::PastQuestion;
pub use calendar::{day_start, local_day, local_time};
pub use context::Contexts;
pub use copy::{CopiedTable, CopyProgress};
pub use database::{Database, Migrated};
pub use duty::Duty;
pub use error::JournalError;
pub use export::{HEADINGS, cells, export_csv, harmless};
pub use fact::{Fact, Outcome, TOPIC_THRESHOLD, Worded};
pub use handover::{
    Address, Delivery, HANDOVER_DAYS, Handover, HandoverState, Handovers, MAX_REPLY,
};
pub use inbox::{Backlog, Inbox, Incoming, Pending};
pub use keys::{Asker, Keys, generate_secret};
pub use ledger::{Activity, ActivityId, Entered, Ledger, Medium};
pub use log::{Cursor, LoggedQuestion, QuestionFilter, QuestionLog};
pub use office::OfficeId;
pub use password::{
    MIN_PASSWORD, WeakPassword, generate_password, hash_password, is_password, judge_password,
};
pub use record::{AskerOrigin, Forgotten, Journal, Purged, Record, RowId, STAFF_CHANNEL};
pub use redact::redact;
pub use review::{Mark, Review};
pub use rollup::{Days, Facet, Repeats, Tally, Totals, tally};
pub use sessions::{IDLE_HOURS, SESSION_HOURS, Sessions};
pub use sketch::{AskerCount, AskerMark, Sketch};
pub use staff::{Credentials, FAILURES, LOCK_MINUTES, Member, Role, Staff};
pub use vitals::Vitals;
