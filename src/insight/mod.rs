//! Floor 5, insight (成效分析): figures over the journal and the ledger of activities.
//!
//! Every figure is a pure function over values; its doc comment says formula, unit, source and what
//! it must not be read as. [`gather`] alone reads: it fills a [`Material`] from the journal, and
//! [`Figures::of`] makes all figures of it, so that dashboard and report can never differ.
//! What leaves the office goes through [`suppress`] first.

pub mod balance;
pub mod boards;
pub mod burst;
pub mod close_up;
pub mod closed_loop;
mod county;
pub mod demo;
pub mod effect;
pub mod figures;
pub mod gaps;
pub mod meaning;
pub mod period;
mod publication;
pub mod region_topics;
pub mod shares;
pub mod stats;
pub mod suppress;
pub mod trend;
pub mod usage;
pub mod volume;

pub use balance::{Balance, BalanceRow, balance};
pub use boards::{ActivityBoards, BoardFigure, activity_boards, boards};
pub use burst::{Burst, bursts};
pub use close_up::{CloseUp, close_up};
pub use closed_loop::{ClosedLoop, closed_loops};
pub use county::{County, CountyRow, OfficeTally};
pub use effect::{Activity, Effect, EffectCounts, Part, Span, Verdict, effect};
pub use figures::{Figures, Material, gather, gather_words};
pub use gaps::{Gap, GapReason, SAME_MEANING, gaps};
pub use meaning::Meanings;
pub use period::Period;
pub use publication::{
    activity_cell, before_cell, day_cell, last_year_cell, region_top_cell, top_cell,
};
pub use region_topics::{REST, RegionTopics, region_topics};
pub use shares::{KindShare, Share, helpful, kinds, repeated};
pub use suppress::{Hidden, Publication, cell_id};
pub use trend::{Direction, Trend, trends};
pub use usage::{CitedArticle, TopPhrasing, articles_cited, entries_used, top_phrasings};
pub use volume::{DayVolume, Volume, volume};

pub use crate::journal::{
    AskerCount, Days, Facet, Fact, Mark, Outcome, Review, TOPIC_THRESHOLD, Tally, Totals, Worded,
};

/// Askers that a cell must have to be shown outside the office.
pub const FEWEST_ASKERS: u64 = 5;
