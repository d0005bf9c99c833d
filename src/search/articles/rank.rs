//! Finding articles for a question in everyday words.
//!
//! score = words + bigrams + single characters (BM25 each, summed: a wrong cut or a missing legal
//! term spoils one of them only)
//! + how often other law names the article (what is named often governs much)
//! + how often our entries cite the law (laws that people really ask about)
//! + votes of the entries nearest to the question for the articles they cite: they were written
//!   for people who asked the same thing
//! + a share of the best scores within the same chapter, because a chapter is about one thing.
//!
//! The weights are in `model.toml`, fitted by `qijin bench articles --fit`. Measured before
//! building (see the project's notes): stop words, idf pruning and law-name boosts do not help.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tantivy::collector::TopDocs;
use tantivy::{DocAddress, TantivyError};

use super::shelf::{ArticleText, Articles};
use crate::knowledge::{Citation, Entry, Library};
use crate::search::query::{Tokens, any_of};
use crate::search::searcher::Found;

/// How many articles are looked at more closely.
const CANDIDATES: usize = 250;

/// Learned figures of article ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleModel {
    /// BM25 of words.
    pub words: f32,
    /// BM25 of bigrams.
    pub bigrams: f32,
    /// BM25 of single characters.
    pub unigrams: f32,
    /// ln(1 + times that laws name the article).
    pub cited: f32,
    /// ln(1 + entries that cite the law).
    pub law: f32,
    /// ln(1 + entries that cite the article).
    pub article: f32,
    /// Votes of near entries, 0..about 1.
    pub votes: f32,
    /// The chapter's mean of the three best scores.
    pub chapter: f32,
    /// Bias and weights of the confidence: score of the first hit per letter of the
    /// question, votes for it, and the lead over the tenth hit.
    pub confidence: [f64; 4],
}

impl ArticleModel {
    /// The model that ships with the program.
    ///
    /// # Panics
    /// Never in a release: a test reads the same embedded file.
    pub fn shipped() -> Self {
        toml::from_str(include_str!("model.toml")).expect("the embedded model.toml is valid")
    }
}

/// A found article.
#[derive(Debug, Clone)]
pub struct ArticleHit {
    /// The article.
    pub article: ArticleText,
    /// Ranking score; comparable within one search only.
    pub score: f64,
    /// What the score is made of, in the order of [`ArticleModel`].
    pub features: [f64; 8],
    /// What the confidence is computed from; on the first hit only.
    pub certainty: [f64; 4],
}

/// What entries know about articles; made once per library.
#[derive(Debug, Default)]
pub struct EntryKnowledge {
    laws: HashMap<String, f64>,
    articles: HashMap<Citation, f64>,
}

impl EntryKnowledge {
    /// Counts the citations of all entries.
    pub fn new(library: &Library) -> Self {
        let mut laws: HashMap<String, f64> = HashMap::new();
        let mut articles: HashMap<Citation, f64> = HashMap::new();
        for basis in library.entries.iter().flat_map(|e| &e.basis) {
            *laws.entry(basis.citation.law.clone()).or_default() += 1.0;
            *articles.entry(basis.citation.clone()).or_default() += 1.0;
        }
        Self { laws, articles }
    }
}

/// How much the nearest entries speak for each article they cite.
fn votes(library: &Library, near: &Found) -> HashMap<Citation, f64> {
    let mut out: HashMap<Citation, f64> = HashMap::new();
    let best = near.hits.first().map_or(1.0, |h| h.score.max(1e-9));
    for hit in &near.hits {
        let Some(entry): Option<&Entry> = library.entry(&hit.entry) else {
            continue;
        };
        // An entry half as near says an eighth as much.
        let weight = (hit.score / best).powi(3) * hit.features.union_coverage;
        for (rank, basis) in entry.basis.iter().enumerate() {
            *out.entry(basis.citation.clone()).or_default() += weight / (1.0 + 0.35 * rank as f64);
        }
    }
    out
}

impl Articles {
    /// The articles nearest to `text`, best first. `near` is what a search among the entries
    /// found for the same text.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn search(
        &self,
        text: &str,
        limit: usize,
        library: &Library,
        knowledge: &EntryKnowledge,
        near: &Found,
        model: &ArticleModel,
    ) -> Result<Vec<ArticleHit>, TantivyError> {
        let normalized = self.analyser.normalize(text);
        let tokens = Tokens::of(&self.analyser, &normalized);
        if tokens.unigrams.is_empty() {
            return Ok(Vec::new());
        }
        let searcher = self.reader.searcher();
        let fields = [
            (self.fields.words, &tokens.words, model.words),
            (self.fields.bigrams, &tokens.bigrams, model.bigrams),
            (self.fields.unigrams, &tokens.unigrams, model.unigrams),
        ];
        let query = any_of(&fields);
        let top = TopDocs::with_limit(CANDIDATES.max(limit)).order_by_score();
        let mut candidates: Vec<(f64, DocAddress)> = searcher
            .search(&query, &top)?
            .into_iter()
            .map(|(score, at)| (f64::from(score), at))
            .collect();
        let floor = candidates.last().map_or(0.0, |(score, _)| *score);

        // Articles that near entries cite are candidates too, however they are worded.
        let votes = votes(library, near);
        let mut known: std::collections::HashSet<DocAddress> =
            candidates.iter().map(|(_, at)| *at).collect();
        for citation in votes.keys() {
            if let Some(at) = self.address(&searcher, citation)?
                && known.insert(at)
            {
                candidates.push((floor * 0.8, at));
            }
        }

        let cited_columns: Vec<_> = searcher
            .segment_readers()
            .iter()
            .map(|segment| segment.fast_fields().f64("cited"))
            .collect::<Result<_, _>>()?;
        let mut hits = Vec::with_capacity(candidates.len());
        for (bm25, at) in candidates {
            let article = self.read(&searcher, at)?;
            let cited = cited_columns[at.segment_ord as usize]
                .first(at.doc_id)
                .unwrap_or(0.0);
            let citation = Citation {
                law: article.law.clone(),
                article: article.label.clone(),
            };
            let ln1 = |count: Option<&f64>| (1.0 + count.copied().unwrap_or(0.0)).ln();
            let features = [
                bm25,
                0.0,
                0.0,
                cited,
                ln1(knowledge.laws.get(&article.law)),
                ln1(knowledge.articles.get(&citation)),
                votes.get(&citation).copied().unwrap_or(0.0),
                0.0,
            ];
            hits.push(ArticleHit {
                score: model.score(&features),
                article,
                features,
                certainty: [0.0; 4],
            });
        }
        add_chapters(&mut hits, model);
        hits.sort_by(|a, b| {
            b.score.total_cmp(&a.score).then_with(|| {
                let key = |h: &ArticleHit| (h.article.law.clone(), h.article.ordinal);
                key(a).cmp(&key(b))
            })
        });
        let tenth = hits.get(9).map_or(0.0, |h| h.score);
        let letters = tokens.unigrams.iter().map(|(_, n)| n).sum::<usize>() as f64;
        if let Some(first) = hits.first_mut() {
            first.certainty = [
                1.0,
                first.score / letters,
                first.features[6],
                (first.score - tenth) / first.score.max(f64::MIN_POSITIVE),
            ];
        }
        hits.truncate(limit);
        Ok(hits)
    }
}

impl ArticleModel {
    /// Probability in 0..1 that one of the first three hits bears on the question.
    pub fn confidence(&self, hits: &[ArticleHit]) -> Option<f64> {
        let first = hits.first()?;
        let z: f64 = self
            .confidence
            .iter()
            .zip(first.certainty)
            .map(|(w, v)| w * v)
            .sum();
        Some(1.0 / (1.0 + (-z).exp()))
    }

    /// The linear part; the BM25 sum is already weighted by field.
    fn score(&self, features: &[f64; 8]) -> f64 {
        features[0]
            + f64::from(self.cited) * features[3]
            + f64::from(self.law) * features[4]
            + f64::from(self.article) * features[5]
            + f64::from(self.votes) * features[6]
            + f64::from(self.chapter) * features[7]
    }
}

/// Adds to every hit a share of the best scores in its chapter.
fn add_chapters(hits: &mut [ArticleHit], model: &ArticleModel) {
    let mut best: HashMap<(String, String), [f64; 3]> = HashMap::new();
    let chapter = |hit: &ArticleHit| (hit.article.law.clone(), hit.article.path.clone());
    for hit in hits.iter() {
        let scores = best.entry(chapter(hit)).or_default();
        let mut score = hit.score;
        for place in scores.iter_mut() {
            if score > *place {
                std::mem::swap(place, &mut score);
            }
        }
    }
    for hit in hits {
        let mean = best
            .get(&chapter(hit))
            .map_or(0.0, |scores| scores.iter().sum::<f64>() / 3.0);
        hit.features[7] = mean;
        hit.score += f64::from(model.chapter) * mean;
    }
}
