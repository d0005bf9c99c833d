//! Floor 2, the library: everything under `knowledge/`, loaded and checked.
//!
//! [`load`] never stops at the first fault: it returns what could be read together with
//! *all* [`Finding`]s, and [`Loaded::accept`] refuses a library that has errors.

mod bounded;
mod calendar;
mod check_statutes;
mod citation;
mod docx;
pub mod edit;
mod entry_file;
mod finding;
mod front_matter;
pub mod import;
mod load;
mod markdown;
mod model;
mod near_duplicates;
pub mod risk;
pub mod statutes;
mod tables;

pub use bounded::read_bounded;
pub use calendar::{FixedDay, When};
pub use check_statutes::check_statutes;
pub use docx::DocxError;
pub use finding::{Finding, Severity, Sources};
pub use load::{DRAFTS, LOCAL, LoadError, LoadOptions, Loaded, OFFICES, is_own, load, load_with};
pub use model::{
    Basis, Citation, Entry, EntryId, Hotline, Library, Origin, Place, Preset, SmallTalk, Topic,
};
pub use near_duplicates::{Pair, SAME_QUESTION, near_duplicates};
pub use statutes::{ArticleNumber, numeral};
