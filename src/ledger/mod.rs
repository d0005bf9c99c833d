//! Floor 5, the ledger's forms (台账表格): activities, duties and boards as staff write them, in words and in
//! Excel.
//!
//! One set of rules ([`read`]) judges a row of a sheet, the flags of a command and the fields of a page alike;
//! what passes is a [`crate::journal::Activity`], which the journal keeps.

mod board_form;
mod columns;
mod duties;
mod export;
mod form;
mod regions;
mod sheet;
mod template;

pub use board_form::{BOARD_NAME, BoardField, read_board};
pub use columns::Column;
pub use duties::{DutyColumn, SheetOfDuties, duty_sheet, duty_template, read_duty};
pub use export::{to_csv, to_xlsx};
pub use form::{cells, read};
pub use regions::{Region, Regions};
pub use sheet::{SheetOfActivities, sheet};
pub use template::template;
