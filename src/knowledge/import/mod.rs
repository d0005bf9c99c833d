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
mod draft;
mod entries;
mod example;
mod leaflet;
pub(super) mod local;
mod own_words;
pub mod page;
mod publish;
pub(super) mod row;
pub mod sheet;
mod template;
mod trial;

pub use choices::topic_choice;
pub use columns::Column;
pub use draft::{DraftError, Material, drafts, write_draft};
pub use entries::{EntriesError, Import, entries};
pub use leaflet::{LeafletError, leaflet};
pub use local::{LocalError, Planned, PlannedFile};
pub use publish::{Publication, PublishError, Refused, publication};
pub use sheet::{RowFault, SheetError};
pub use template::{header, template, text};
