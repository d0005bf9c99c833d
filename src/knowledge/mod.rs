//! The library: everything under `knowledge/`, loaded and checked.

mod model;

pub use model::{Basis, Citation, Entry, EntryId, Hotline, Library, Origin, Place, Topic};
