//! Floor 3, search: from the library to a tantivy index and from words to ranked entries.
//!
//! Two kinds of documents stand in the index. A *phrasing* document holds one way of asking
//! (the heading or a 问法), because people who asked the same thing before are the best evidence
//! there is. An *entry* document holds all of an entry's ways of asking and its body, for
//! questions nobody asked that way yet. Every text is indexed as words and as character bigrams:
//! words are precise, bigrams survive a wrong cut and half a typo.

mod analysis;
mod articles;
mod build;
mod confidence;
mod intent;
mod likely;
mod logistic;
mod query;
mod reading;
mod schema;
mod searcher;
mod store;
mod topic;
mod tune;

pub use articles::open_or_build as open_or_build_articles;
/// Measuring and fitting article ranking.
pub mod article_tuning {
    pub use super::articles::{
        ArticleFigures, Case, cases, cross_validate, fit, fit_confidence, measure,
    };
}
pub use articles::{ArticleHit, ArticleModel, ArticleText, Articles, EntryKnowledge, Moved};
pub use confidence::{Evidence, Features, Model};
pub use intent::{Intent, Leaning, Sort};
pub use likely::likelihoods;
pub use reading::{Known, Reading};
pub use searcher::{Found, Hit, Searcher};
pub use store::{IndexError, IndexInfo, Opened, Progress, fingerprint, open_or_build, usable};
pub use topic::TopicGuess;
pub use tune::{
    Bin, Judged, Labelled, PhrasingReport, bench_phrasings, fit_confidence, fit_ranking, fit_topic,
    judge, reliability,
};

/// What a search can fail with: the index files cannot be read.
pub use tantivy::TantivyError as SearchError;
