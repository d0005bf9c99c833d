//! The statutes as the answer sees them: the register (which law is in force) and, when texts
//! were imported, their index.

use chrono::NaiveDate;
use tantivy::TantivyError;

use crate::knowledge::Library;
use crate::search::{ArticleHit, ArticleModel, Articles, EntryKnowledge, Found};

/// Everything about statutes that an answerer needs.
pub struct LawBook {
    pub(super) articles: Option<Articles>,
    knowledge: EntryKnowledge,
    model: ArticleModel,
    /// The day that "in force" is meant for.
    pub day: NaiveDate,
}

impl LawBook {
    /// A law book for `library` on `day`; without `articles` nothing was imported.
    pub fn new(library: &Library, articles: Option<Articles>, day: NaiveDate) -> Self {
        Self {
            articles,
            knowledge: EntryKnowledge::new(library),
            model: ArticleModel::shipped(),
            day,
        }
    }

    /// The index of articles, when texts were imported.
    pub fn articles(&self) -> Option<&Articles> {
        self.articles.as_ref()
    }

    /// Articles for a question in everyday words; none without imported texts.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn search(
        &self,
        text: &str,
        limit: usize,
        library: &Library,
        near: &Found,
    ) -> Result<Vec<ArticleHit>, TantivyError> {
        match &self.articles {
            Some(articles) => {
                articles.search(text, limit, library, &self.knowledge, near, &self.model)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Probability that one of the first three articles bears on the question; `None` without hits.
    pub fn confidence(&self, hits: &[ArticleHit]) -> Option<f64> {
        self.model.confidence(hits)
    }
}
