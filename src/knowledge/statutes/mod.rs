//! Statutes: their versions and articles, imported from the user's copy of the public texts.
//!
//! The texts are never part of the project: `qijin import statutes DIR` puts them into a
//! git-ignored folder of the library. Which version is in force is decided by the day
//! ([`in_force`]), never at import.

mod changes;
mod figures;
mod model;
mod moves;
mod number;
mod parse;
mod register;
mod resolve;
mod source;
mod store;

pub use changes::{LawChanges, LawNames, Renumbered, Repealed, moved};
pub use figures::{Figure, Unit, figures, occurs};
pub use model::{Article, Group, Status, Statute, Version, WHOLE, in_force};
pub use moves::MoveTable;
pub use number::{ArticleNumber, NotAnArticleNumber, numeral};
pub use parse::Remark;
pub use register::{LawRegister, Standing, law_code};
pub use resolve::{Certainty, LawMatch, Mention, Mentions, Resolver};
pub use source::{Parsed, SourceError, read as read_source};
pub(super) use store::read_texts_with;
pub use store::{
    Catalogue, FOLDER, ImportProgress, ImportReport, StatuteError, import, read_texts,
};
