//! Floor 2, the library: everything under `knowledge/`, loaded and checked.
//!
//! [`load`] never stops at the first fault: it returns what could be read together with
//! *all* [`Finding`]s, and [`Loaded::accept`] refuses a library that has errors.

mod check_statutes;
mod citation;
mod entry_file;
mod finding;
mod load;
mod markdown;
mod model;
pub mod statutes;
mod tables;

pub use check_statutes::check_statutes;
pub use finding::{Finding, Severity, Sources};
pub use load::{LoadError, LoadOptions, Loaded, load};
pub use model::{
    Basis, Citation, Entry, EntryId, Hotline, Library, Origin, Place, SmallTalk, Topic,
};
pub use statutes::{ArticleNumber, numeral};
