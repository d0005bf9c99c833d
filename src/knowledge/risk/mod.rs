//! `risk.toml`: what the guard listens for and what it says, as staff wrote it.
//!
//! A rule describes a cause, not a sentence: groups of signals that must all be there, signals
//! that lift it, and the reply. Lists of words are shared between rules by name.
//! A section of `docs/writing-entries.zh-CN.md` explains the file to staff.

pub(super) mod examples;
mod model;
mod read;
mod signal;

pub use model::{Example, RiskKind, RiskRule, RiskTable, When, WordList};
pub(super) use read::{Known, read};
pub use signal::{Piece, Signal};
