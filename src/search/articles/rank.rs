//! Finding articles for a question in everyday words.
//!
//! score = words + bigrams + single characters (BM25 each, summed: a wrong cut or a missing legal
//! term spoils one of them only)
//! + how often other law names the article (what is named often governs much)
//! + how often our entries cite the law and the article (what people really ask about)
//! + votes of the entries nearest to the question for the articles they cite: they were written
//!   for people who asked the same thing
//! + a share of the best scores within the same chapter, because a chapter is about one thing.
//!
//! The weights are in `model.toml`, fitted by `qijin bench articles --fit`. Stop words, pruning by
//! idf and boosts for law names were measured elsewhere and do not help.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tantivy::collector::TopDocs;
use tantivy::columnar::Column;
use tantivy::{DocAddress, TantivyError};

use super::schema::{ARTICLE_KEY, CHAPTER_KEY, CITED, LAW_KEY, key};
use super::shelf::{ArticleText, Articles};
use crate::knowledge::Library;
use crate::search::query::{Counted, Tokens, any_of, telling};
use crate::search::searcher::Found;

/// How many articles are looked at more closely.
const CANDIDATES: usize = 200;
/// How much a second meaning of a word counts beside the word itself.
const SECOND_MEANING: f32 = 0.4;
/// How many second meanings are looked for: the rest costs more time than it finds.
const MAX_EXPANSIONS: usize = 8;
/// How many words, bigrams and single characters of a question are looked for at most.
const MOST: [usize; 3] = [20, 28, 10];
/// Tokens in more than this share of articles tell none apart, and their postings are the
/// longest.
const TOO_COMMON: f64 = 0.15;
/// How many figures the linear score has.
pub(crate) const FEATURES: usize = 6;

/// Learned figures of article ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleModel {
    /// Weights of BM25 of words, of bigrams and of single characters.
    pub fields: [f32; 3],
    /// Weights of the linear score: BM25 sum per letter of the question, ln(1 + times that laws
    /// name the article), ln(1 + entries that cite the law), ln(1 + entries that cite the
    /// article), votes of near entries, votes for other articles of the chapter.
    pub linear: [f64; FEATURES],
    /// Share of the chapter's mean of the three best scores.
    pub chapter: f64,
    /// Weight of the prior of laws.
    pub prior: f64,
    /// Bias and weights of the confidence: score of the first hit, votes for it, and its lead
    /// over the tenth.
    pub confidence: [f64; 4],
    /// The prior: how often residents' questions are about a law, ln(1 + labelled questions).
    pub laws: BTreeMap<String, f64>,
}

impl ArticleModel {
    /// The model that ships with the program.
    ///
    /// # Panics
    /// Never in a release: a test reads the same embedded file.
    pub fn shipped() -> Self {
        toml::from_str(include_str!("model.toml")).expect("the embedded model.toml is valid")
    }

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
}

/// A found article.
#[derive(Debug, Clone)]
pub struct ArticleHit {
    /// The article.
    pub article: ArticleText,
    /// Ranking score; comparable within one search only.
    pub score: f64,
    /// What the confidence is computed from; the same on all hits of a search.
    pub certainty: [f64; 4],
}

/// An article under consideration, not read yet.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    at: DocAddress,
    /// Key of the article.
    pub(crate) article: u64,
    chapter: u64,
    law: u64,
    /// What the linear score is made of.
    pub(crate) features: [f64; FEATURES],
    /// The final score.
    pub(crate) score: f64,
}

/// What entries know about articles; made once per library.
#[derive(Debug, Default)]
pub struct EntryKnowledge {
    laws: HashMap<u64, f64>,
    articles: HashMap<u64, f64>,
}

impl EntryKnowledge {
    /// Counts the citations of all entries.
    pub fn new(library: &Library) -> Self {
        let mut knowledge = Self::default();
        for basis in library.entries.iter().flat_map(|e| &e.basis) {
            let cited = &basis.citation;
            *knowledge.laws.entry(key(&[&cited.law])).or_default() += 1.0;
            let article = key(&[&cited.law, &cited.article]);
            *knowledge.articles.entry(article).or_default() += 1.0;
        }
        knowledge
    }
}

/// How much the nearest entries speak for each article they cite, by key.
fn votes(library: &Library, near: &Found) -> HashMap<u64, f64> {
    let mut out: HashMap<u64, f64> = HashMap::new();
    let best = near.hits.first().map_or(1.0, |h| h.score.max(1e-9));
    for hit in &near.hits {
        let Some(entry) = library.entry(&hit.entry) else {
            continue;
        };
        // An entry half as near says an eighth as much.
        let weight = (hit.score / best).powi(3) * hit.features.union_coverage;
        for (rank, basis) in entry.basis.iter().enumerate() {
            let article = key(&[&basis.citation.law, &basis.citation.article]);
            *out.entry(article).or_default() += weight / (1.0 + 0.35 * rank as f64);
        }
    }
    out
}

struct Columns {
    cited: Column<f64>,
    law: Column<u64>,
    chapter: Column<u64>,
    article: Column<u64>,
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
        let candidates = self.candidates(text, library, knowledge, near, model)?;
        let certainty = certainty(&candidates).unwrap_or_default();
        let searcher = self.reader.searcher();
        candidates
            .into_iter()
            .take(limit)
            .map(|candidate| {
                Ok(ArticleHit {
                    article: self.read(&searcher, candidate.at)?,
                    score: candidate.score,
                    certainty,
                })
            })
            .collect()
    }

    /// All candidates, scored and sorted, best first.
    pub(crate) fn candidates(
        &self,
        text: &str,
        library: &Library,
        knowledge: &EntryKnowledge,
        near: &Found,
        model: &ArticleModel,
    ) -> Result<Vec<Candidate>, TantivyError> {
        let normalized = library.lexicon.clean(&self.analyser.normalize(text));
        let mut expansions = library.lexicon.expand(&normalized);
        expansions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        expansions.truncate(MAX_EXPANSIONS);
        let tokens = Tokens::of(&self.analyser, &normalized).expanded(
            &self.analyser,
            &expansions,
            SECOND_MEANING,
        );
        if tokens.unigrams.is_empty() {
            return Ok(Vec::new());
        }
        let searcher = self.reader.searcher();
        let telling = |field, tokens: &Counted, most: usize| {
            telling(&searcher, field, tokens, most, TOO_COMMON)
        };
        let words = telling(self.fields.words, &tokens.words, MOST[0])?;
        let bigrams = telling(self.fields.bigrams, &tokens.bigrams, MOST[1])?;
        let unigrams = telling(self.fields.unigrams, &tokens.unigrams, MOST[2])?;
        let letters = normalized
            .chars()
            .filter(|c| c.is_alphanumeric())
            .count()
            .max(1) as f64;
        let query = any_of(&[
            (self.fields.words, &words, model.fields[0]),
            (self.fields.bigrams, &bigrams, model.fields[1]),
            (self.fields.unigrams, &unigrams, model.fields[2]),
        ]);
        let top = TopDocs::with_limit(CANDIDATES).order_by_score();
        let mut found: HashMap<DocAddress, f64> = searcher
            .search(&query, &top)?
            .into_iter()
            .map(|(score, at)| (at, f64::from(score)))
            .collect();
        let least = found.values().copied().fold(f64::INFINITY, f64::min);
        // Articles that near entries cite are candidates too, however they are worded.
        let votes = votes(library, near);
        for at in votes.keys().filter_map(|key| self.address(*key)) {
            found.entry(at).or_insert(least.min(1e6) * 0.8);
        }
        let columns = searcher
            .segment_readers()
            .iter()
            .map(|segment| {
                let fast = segment.fast_fields();
                Ok(Columns {
                    cited: fast.f64(CITED)?,
                    law: fast.u64(LAW_KEY)?,
                    chapter: fast.u64(CHAPTER_KEY)?,
                    article: fast.u64(ARTICLE_KEY)?,
                })
            })
            .collect::<Result<Vec<_>, TantivyError>>()?;
        let ln1 = |count: Option<&f64>| (1.0 + count.copied().unwrap_or(0.0)).ln();
        let mut candidates: Vec<Candidate> = found
            .into_iter()
            .map(|(at, bm25)| {
                let columns = &columns[at.segment_ord as usize];
                let number = |column: &Column<u64>| column.first(at.doc_id).unwrap_or(0);
                let article = number(&columns.article);
                Candidate {
                    at,
                    article,
                    chapter: number(&columns.chapter),
                    law: number(&columns.law),
                    features: [
                        bm25 / letters,
                        columns.cited.first(at.doc_id).unwrap_or(0.0),
                        ln1(knowledge.laws.get(&number(&columns.law))),
                        ln1(knowledge.articles.get(&article)),
                        votes.get(&article).copied().unwrap_or(0.0),
                        0.0,
                    ],
                    score: 0.0,
                }
            })
            .collect();
        share_votes(&mut candidates);
        model.rank(&mut candidates);
        Ok(candidates)
    }
}

/// What the confidence is computed from: 1, the first score, votes for the first, its lead over the
/// tenth.
pub(crate) fn certainty(candidates: &[Candidate]) -> Option<[f64; 4]> {
    let first = candidates.first()?;
    let tenth = candidates.get(9).map_or(0.0, |c| c.score);
    Some([1.0, first.score, first.features[4], first.score - tenth])
}

/// Votes for the other articles of a chapter count a little for each.
fn share_votes(candidates: &mut [Candidate]) {
    let mut chapters: HashMap<u64, f64> = HashMap::new();
    for candidate in candidates.iter() {
        *chapters.entry(candidate.chapter).or_default() += candidate.features[4];
    }
    for candidate in candidates {
        let all = chapters.get(&candidate.chapter).copied().unwrap_or(0.0);
        candidate.features[5] = all - candidate.features[4];
    }
}

impl ArticleModel {
    /// Scores and sorts candidates, best first.
    pub(crate) fn rank(&self, candidates: &mut [Candidate]) {
        let laws = self.laws.iter();
        let prior: HashMap<u64, f64> = laws.map(|(law, n)| (key(&[law]), *n)).collect();
        for candidate in candidates.iter_mut() {
            let pairs = self.linear.iter().zip(candidate.features);
            let linear: f64 = pairs.map(|(weight, value)| weight * value).sum();
            let asked = prior.get(&candidate.law).copied().unwrap_or(0.0);
            candidate.score = linear + self.prior * asked;
        }
        let mut best: HashMap<u64, [f64; 3]> = HashMap::new();
        for candidate in candidates.iter() {
            let mut score = candidate.score;
            for place in best.entry(candidate.chapter).or_default() {
                if score > *place {
                    std::mem::swap(place, &mut score);
                }
            }
        }
        for candidate in candidates.iter_mut() {
            let three = best.get(&candidate.chapter).copied().unwrap_or_default();
            candidate.score += self.chapter * three.iter().sum::<f64>() / 3.0;
        }
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.article.cmp(&b.article)));
    }
}

#[cfg(test)]
mod tests {
    use super::ArticleModel;

    #[test]
    fn the_shipped_model_is_readable() {
        assert!(ArticleModel::shipped().linear[0] > 0.0);
    }
}
