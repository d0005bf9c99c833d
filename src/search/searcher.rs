//! Asking the index: candidates from two queries, re-ranked by how much of the question they share.

use std::collections::{HashMap, HashSet};

use tantivy::collector::TopDocs;
use tantivy::schema::Value;
use tantivy::{Index, IndexReader, ReloadPolicy, TantivyDocument, TantivyError, Term};

use super::analysis::tokenizers;
use super::confidence::{Features, Model};
use super::query::{Tokens, any_of};
use super::schema::{Fields, schema};
use crate::knowledge::EntryId;
use crate::text::Analyser;

/// How many phrasing documents are looked at; an entry has up to thirteen.
const PHRASING_CANDIDATES: usize = 120;
/// How many entry documents are looked at.
const ENTRY_CANDIDATES: usize = 40;

/// An entry that may hold the answer.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Which entry.
    pub entry: EntryId,
    /// Ranking score; comparable within one search only.
    pub score: f64,
    /// What the confidence is computed from.
    pub features: Features,
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Calibrated probability that the first hit is what was asked, 0 to 1; 0 without hits.
    pub confidence: f64,
}

/// An open index. Cheap to clone; searches run in parallel.
#[derive(Clone)]
pub struct Searcher {
    reader: IndexReader,
    fields: Fields,
    analyser: Analyser,
    model: Model,
}

/// Evidence gathered for one entry.
#[derive(Default)]
struct Candidate {
    whole: f32,
    phrasing: f32,
    /// Share of the question's information that the best phrasing holds.
    coverage: f64,
    /// Share of the best phrasing that the question holds.
    likeness: f64,
    /// All bigrams seen in its matching phrasings.
    grams: HashSet<String>,
}

impl Searcher {
    /// Opens a searcher over `index`.
    pub(super) fn new(
        mut index: Index,
        analyser: Analyser,
        model: Model,
    ) -> Result<Self, TantivyError> {
        index.set_tokenizers(tokenizers(&analyser));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let (_, fields) = schema();
        Ok(Self {
            reader,
            fields,
            analyser,
            model,
        })
    }

    /// The analyser that index and questions share.
    pub fn analyser(&self) -> &Analyser {
        &self.analyser
    }

    /// The entries nearest to `text`, at most `limit`, best first.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn search(&self, text: &str, limit: usize) -> Result<Found, TantivyError> {
        let normalized = self.analyser.normalize(text);
        let tokens = Tokens::of(&self.analyser, &normalized);
        if tokens.bigrams.is_empty() {
            return Ok(Found::default());
        }
        let searcher = self.reader.searcher();
        let mut candidates: HashMap<String, Candidate> = HashMap::new();

        let weights = &self.model.ranking;
        let whole = any_of(
            &tokens,
            &[
                (
                    self.fields.questions,
                    weights.question_words,
                    weights.question_bigrams,
                ),
                (self.fields.body, weights.body_words, weights.body_bigrams),
            ],
        );
        let top = TopDocs::with_limit(ENTRY_CANDIDATES).order_by_score();
        for (score, address) in searcher.search(&whole, &top)? {
            let document: TantivyDocument = searcher.doc(address)?;
            candidates
                .entry(self.entry_of(&document))
                .or_default()
                .whole = score;
        }

        let information = self.information(&searcher, &tokens)?;
        let total: f64 = information.values().sum();
        let phrasings = any_of(&tokens, &[(self.fields.phrasing, 1.0, 1.0)]);
        let top = TopDocs::with_limit(PHRASING_CANDIDATES).order_by_score();
        for (score, address) in searcher.search(&phrasings, &top)? {
            let document: TantivyDocument = searcher.doc(address)?;
            let candidate = candidates.entry(self.entry_of(&document)).or_default();
            candidate.phrasing = candidate.phrasing.max(score);
            let text = document
                .get_first(self.fields.stored)
                .and_then(|v| v.as_str())
                .unwrap_or_default();
            let grams: HashSet<String> = self
                .analyser
                .bigrams(text)
                .into_iter()
                .map(|w| w.text)
                .collect();
            let shared: f64 = grams.iter().filter_map(|g| information.get(g)).sum();
            let common = grams
                .iter()
                .filter(|g| information.contains_key(*g))
                .count();
            let coverage = shared / total.max(f64::MIN_POSITIVE);
            if coverage > candidate.coverage {
                candidate.coverage = coverage;
                candidate.likeness = common as f64 / grams.len().max(1) as f64;
            }
            candidate.grams.extend(grams);
        }

        let mut hits: Vec<Hit> = candidates
            .into_iter()
            .map(|(entry, c)| {
                let union: f64 = c.grams.iter().filter_map(|g| information.get(g)).sum();
                let features = Features {
                    coverage: c.coverage,
                    likeness: c.likeness,
                    union_coverage: union / total.max(f64::MIN_POSITIVE),
                    margin: 0.0,
                    information: (total / 10.0).min(4.0),
                };
                Hit {
                    score: f64::from(c.whole)
                        + f64::from(weights.phrasing * c.phrasing)
                        + f64::from(weights.coverage) * c.coverage
                        + f64::from(weights.likeness) * c.likeness,
                    entry: EntryId(entry),
                    features,
                }
            })
            .collect();
        // Ties by id, so that the same question always gets the same answer.
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| a.entry.cmp(&b.entry))
        });
        hits.truncate(limit.max(2));
        let second = hits.get(1).map_or(0.0, |h| h.score);
        let confidence = hits.first_mut().map_or(0.0, |first| {
            first.features.margin = (first.score - second) / first.score.max(f64::MIN_POSITIVE);
            self.model.confidence(&first.features)
        });
        hits.truncate(limit);
        Ok(Found { hits, confidence })
    }

    fn entry_of(&self, document: &TantivyDocument) -> String {
        document
            .get_first(self.fields.entry)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    /// How telling each bigram of the question is: its inverse document frequency among phrasings.
    fn information(
        &self,
        searcher: &tantivy::Searcher,
        tokens: &Tokens,
    ) -> Result<HashMap<String, f64>, TantivyError> {
        let documents = searcher.num_docs() as f64;
        tokens
            .bigrams
            .iter()
            .map(|(gram, _)| {
                let term = Term::from_field_text(self.fields.phrasing.bigrams, gram);
                let frequency = searcher.doc_freq(&term)? as f64;
                let idf = (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln();
                Ok((gram.clone(), idf))
            })
            .collect()
    }
}
