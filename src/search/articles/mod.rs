//! The index of statute articles in force: exact look-up, neighbours, and retrieval.
//!
//! It depends on the imported statutes and the day only, not on the entries, so that saving an
//! entry never rebuilds it. What entries know about articles comes in when a question is asked
//! ([`rank`]).

mod build;
mod rank;
mod schema;
mod shelf;
mod tune;

pub use rank::{ArticleHit, ArticleModel, EntryKnowledge};
pub use shelf::{ArticleText, Articles, Moved, open_or_build};
pub use tune::{ArticleFigures, Case, cases, cross_validate, fit, fit_confidence, measure};
