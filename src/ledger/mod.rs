//! Floor 5, the ledger's forms (台账表格): activities as staff write them, in words and in Excel.
//!
//! One set of rules ([`read`]) judges a row of a sheet and the flags of a command alike; what passes is
//! a [`crate::journal::Activity`], which the journal keeps.

mod columns;
mod form;
mod regions;
mod sheet;
mod template;

pub use columns::Column;
pub use form::{cells, read};
pub use regions::{Region, Regions};
pub use sheet::{SheetOfActivities, sheet};
pub use template::template;
