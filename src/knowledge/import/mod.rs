//! Importers for staff: a sheet of entries, and drafts made from leaflets and web pages.
//!
//! A sheet goes into the library at once, because every row is judged by the checker first:
//!
//! ```text
//! template ─▶ (staff fill it in) ─▶ sheet ─▶ row ─▶ checker ─▶ local/<top>/<sub>.md
//! ```
//!
//! A leaflet or a page never does: it becomes a draft, and a person has to write the entry.
//!
//! ```text
//! docx │ page ─▶ drafts/*.md ─▶ (a person writes and checks it) ─▶ publish ─▶ local/…
//! ```

mod choices;
mod columns;
mod entries;
mod example;
mod local;
mod row;
mod sheet;
mod template;
mod trial;

pub use columns::Column;
pub use entries::{EntriesError, Import, entries};
pub use local::{LocalError, Planned, PlannedFile};
pub use sheet::{RowFault, SheetError};
pub use template::template;
