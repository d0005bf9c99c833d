//! Asking the index: candidates from two queries, re-ranked by how much of the question they share.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tantivy::collector::TopDocs;
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::{
    DocAddress, DocSet, Index, IndexReader, ReloadPolicy, TERMINATED, TantivyDocument,
    TantivyError, Term,
};

use super::analysis::tokenizers;
use super::confidence::{Evidence, Features, Model};
use super::intent::Intent;
use super::likely;
use super::query::{Tokens, any_of, telling};
use super::schema::{Fields, schema};
use super::topic::{self, TopicGuess};
use crate::knowledge::EntryId;
use crate::text::{Analyser, Expansion, Lexicon};

/// How many phrasing documents are looked at for each kind of token; an entry has up to thirteen.
const PHRASING_CANDIDATES: usize = 40;
/// How many tokens of a kind are looked for at most, the rarest first.
const MOST: usize = 24;
/// How many entry documents are looked at for each field.
const ENTRY_CANDIDATES: usize = 30;
/// How much a second meaning of a word counts beside the word itself.
const SECOND_MEANING: f32 = 0.4;
/// From this weight on a second meaning counts as knowing the word.
const SURE_MEANING: f32 = 0.5;

/// An entry that may hold the answer.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Which entry.
    pub entry: EntryId,
    /// Ranking score; comparable within one search only.
    pub score: f64,
    /// What the confidence is computed from.
    pub features: Features,
    /// What the score is made of.
    pub(super) evidence: Evidence,
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Calibrated probability that the first hit is what was asked, 0 to 1; 0 without hits.
    pub confidence: f64,
    /// What the question is about; `None` without hits.
    pub topic: Option<TopicGuess>,
}

/// An open index. Cheap to clone; searches run in parallel.
#[derive(Clone)]
pub struct Searcher {
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) analyser: Analyser,
    pub(super) lexicon: Arc<Lexicon>,
    pub(super) model: Model,
    pub(super) intent: Option<Arc<Intent>>,
    /// Where the entry documents stand.
    pub(super) entries: Arc<HashMap<String, DocAddress>>,
    /// The same the other way round.
    pub(super) ids: Arc<HashMap<DocAddress, String>>,
    /// The words of every entry's heading, each with how telling it is.
    headings: Arc<HashMap<String, Vec<(String, f64)>>>,
}

/// The documents that hold any of the words in any of the fields.
pub(super) fn holders(
    searcher: &tantivy::Searcher,
    fields: &[Field],
    words: &[String],
) -> Result<HashSet<DocAddress>, TantivyError> {
    let mut out = HashSet::new();
    for (segment, reader) in searcher.segment_readers().iter().enumerate() {
        for field in fields {
            let index = reader.inverted_index(*field)?;
            for word in words {
                let term = Term::from_field_text(*field, word);
                let postings = index.read_postings(&term, IndexRecordOption::Basic)?;
                let Some(mut postings) = postings else {
                    continue;
                };
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    // One segment in practice; tantivy numbers them in 32 bits.
                    out.insert(DocAddress::new(segment as u32, doc));
                    doc = postings.advance();
                }
            }
        }
    }
    Ok(out)
}

/// Evidence gathered for one entry.
#[derive(Default)]
struct Candidate {
    evidence: Evidence,
    /// Scores of its matching ways of asking, words and bigrams together.
    ways: Vec<f64>,
    /// All bigrams of the question seen in its matching ways of asking, in order: sums of floats
    /// depend on it.
    grams: BTreeSet<String>,
}

impl Searcher {
    /// Opens a searcher over `index`.
    pub(super) fn new(
        mut index: Index,
        analyser: Analyser,
        lexicon: Arc<Lexicon>,
        model: Model,
    ) -> Result<Self, TantivyError> {
        index.set_tokenizers(tokenizers(&analyser));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let (_, fields) = schema();
        let mut entries = HashMap::new();
        let searcher = reader.searcher();
        for (segment, segment_reader) in searcher.segment_readers().iter().enumerate() {
            let index = segment_reader.inverted_index(fields.whole)?;
            let mut terms = index.terms().stream()?;
            while let Some((id, info)) = terms.next() {
                let postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
                let doc = postings.doc();
                if doc != TERMINATED {
                    let id = String::from_utf8_lossy(id).into_owned();
                    entries.insert(id, DocAddress::new(segment as u32, doc));
                }
            }
        }
        let ids = entries.iter().map(|(id, at)| (*at, id.clone())).collect();
        let mut headings: HashMap<String, Vec<(String, f64)>> = HashMap::new();
        for (id, at) in &entries {
            let document: TantivyDocument = searcher.doc(*at)?;
            let stored = document.get_first(fields.stored).and_then(|v| v.as_str());
            let mut words = Vec::new();
            for word in analyser.words(stored.unwrap_or_default()) {
                let term = Term::from_field_text(fields.questions.words, &word.text);
                let holders = searcher.doc_freq(&term)? as f64;
                let telling = (1.0 + entries.len() as f64 / (1.0 + holders)).ln();
                if !lexicon.is_stop_word(&word.text) {
                    words.push((word.text, telling));
                }
            }
            headings.insert(id.clone(), words);
        }
        Ok(Self {
            reader,
            fields,
            analyser,
            lexicon,
            model,
            intent: None,
            ids: Arc::new(ids),
            headings: Arc::new(headings),
            entries: Arc::new(entries),
        })
    }

    /// The analyser that index and questions share.
    pub fn analyser(&self) -> &Analyser {
        &self.analyser
    }

    /// What sort of message a normalised text is; `None` when the library teaches nothing of that.
    pub fn intent(&self) -> Option<&Intent> {
        self.intent.as_deref()
    }

    /// The same index with what was learned about sorts of messages.
    #[must_use]
    pub fn with_intent(self, intent: Option<Intent>) -> Self {
        Self {
            intent: intent.map(Arc::new),
            ..self
        }
    }

    /// The same index asked with other learned figures.
    #[must_use]
    pub fn with_model(&self, model: Model) -> Self {
        Self {
            model,
            ..self.clone()
        }
    }

    /// The entries nearest to `text`, at most `limit`, best first.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn search(&self, text: &str, limit: usize) -> Result<Found, TantivyError> {
        let normalized = self.lexicon.clean(&self.analyser.normalize(text));
        let own = Tokens::of(&self.analyser, &normalized);
        if own.bigrams.is_empty() {
            return Ok(Found::default());
        }
        let expansions = self.lexicon.expand(&normalized);
        let searcher = self.reader.searcher();
        let information = self.information(&searcher, &own)?;
        let words = self.vocabulary(&normalized, &own, &expansions);
        let tokens = own.expanded(&self.analyser, &expansions, SECOND_MEANING);
        let total = information.values().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut candidates: HashMap<String, Candidate> = HashMap::new();
        self.entry_evidence(&searcher, &tokens, total, &mut candidates)?;
        self.phrasing_evidence(&searcher, &tokens, &information, &mut candidates)?;
        self.known_words(&searcher, &words, &mut candidates)?;
        self.heading_evidence(&normalized, &expansions, &mut candidates);
        for c in candidates.values_mut() {
            let union: f64 = c.grams.iter().filter_map(|g| information.get(g)).sum();
            c.evidence.0[Evidence::UNION] = union / total;
            c.ways.sort_by(|a, b| b.total_cmp(a));
            c.evidence.0[Evidence::THREE] = c.ways.iter().take(3).sum::<f64>() / 3.0;
        }
        self.topic_evidence(&mut candidates);

        let mut hits: Vec<Hit> = candidates
            .into_iter()
            .map(|(entry, c)| {
                let score = self.model.score(&c.evidence);
                Hit {
                    entry: EntryId(entry),
                    score,
                    features: Features {
                        coverage: c.evidence.0[Evidence::COVERAGE],
                        likeness: c.evidence.0[Evidence::LIKENESS],
                        union_coverage: c.evidence.0[Evidence::UNION],
                        score,
                        information: (total / 10.0).min(4.0),
                        ..Features::default()
                    },
                    evidence: c.evidence,
                }
            })
            .collect();
        // Ties by id, so that the same question always gets the same answer.
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| a.entry.cmp(&b.entry))
        });
        likely::weigh(&mut hits);
        let confidence = hits
            .first()
            .map_or(0.0, |first| self.model.confidence(&first.features));
        let topic = topic::guess(&self.model, &hits);
        hits.truncate(limit);
        Ok(Found {
            hits,
            confidence,
            topic,
        })
    }

    /// How much of every candidate's heading the question says.
    fn heading_evidence(
        &self,
        normalized: &str,
        expansions: &[Expansion],
        candidates: &mut HashMap<String, Candidate>,
    ) {
        for (entry, candidate) in candidates.iter_mut() {
            let Some(words) = self.headings.get(entry) else {
                continue;
            };
            let said = |word: &str| {
                normalized.contains(word) || expansions.iter().any(|e| e.to.contains(word))
            };
            let total: f64 = words.iter().map(|(_, telling)| telling).sum();
            let known = words.iter().filter(|(word, _)| said(word));
            let known: f64 = known.map(|(_, telling)| telling).sum();
            candidate.evidence.0[Evidence::HEADING] = known / total.max(f64::MIN_POSITIVE);
        }
    }

    /// What the neighbours of every candidate say: a question that many entries of a topic answer
    /// a little is about that topic.
    fn topic_evidence(&self, candidates: &mut HashMap<String, Candidate>) {
        let topic_of = |entry: &str| -> usize { entry.rfind('-').unwrap_or(0) };
        let mut topics: HashMap<&str, Vec<(f64, &str)>> = HashMap::new();
        for (entry, candidate) in candidates.iter() {
            let own = self.model.score(&candidate.evidence);
            let topic = &entry[..topic_of(entry)];
            topics.entry(topic).or_default().push((own, entry));
        }
        for entries in topics.values_mut() {
            entries.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
        // The best of each topic, by top topic: nearly every entry is a candidate, and looking through
        // all topics for each of them took a fifth of the whole search.
        let top = |topic: &'_ str| topic.find('.').unwrap_or(topic.len());
        let mut tops: HashMap<&str, Vec<(&str, f64)>> = HashMap::new();
        for (topic, entries) in &topics {
            if let Some((best, _)) = entries.first() {
                let topics = tops.entry(&topic[..top(topic)]).or_default();
                topics.push((topic, *best));
            }
        }
        let neighbours: Vec<[f64; 2]> = candidates
            .keys()
            .map(|entry| {
                let own = &entry[..topic_of(entry)];
                let others = topics[own].iter().filter(|(_, id)| id != entry);
                let of_topic = others.take(2).map(|(score, _)| score).sum::<f64>() / 2.0;
                let others = tops[&own[..top(own)]].iter().filter(|(t, _)| *t != own);
                let of_top = others.map(|(_, best)| *best).fold(0.0, f64::max);
                [of_topic, of_top]
            })
            .collect();
        // The same order: nothing was put in or taken out.
        for (candidate, [of_topic, of_top]) in candidates.values_mut().zip(neighbours) {
            candidate.evidence.0[Evidence::TOPIC] = of_topic;
            candidate.evidence.0[Evidence::TOP_TOPIC] = of_top;
        }
    }

    /// BM25 of the question over whole entries, field by field.
    fn entry_evidence(
        &self,
        searcher: &tantivy::Searcher,
        tokens: &Tokens,
        total: f64,
        candidates: &mut HashMap<String, Candidate>,
    ) -> Result<(), TantivyError> {
        let Fields {
            questions,
            keywords,
            gist,
            body,
            ..
        } = self.fields;
        let fields = [
            (Evidence::QUESTION_WORDS, questions.words, &tokens.words),
            (
                Evidence::QUESTION_BIGRAMS,
                questions.bigrams,
                &tokens.bigrams,
            ),
            (
                Evidence::QUESTION_UNIGRAMS,
                questions.unigrams,
                &tokens.unigrams,
            ),
            (Evidence::KEYWORD_WORDS, keywords.words, &tokens.words),
            (Evidence::KEYWORD_BIGRAMS, keywords.bigrams, &tokens.bigrams),
            (
                Evidence::KEYWORD_UNIGRAMS,
                keywords.unigrams,
                &tokens.unigrams,
            ),
            (Evidence::GIST_WORDS, gist.words, &tokens.words),
            (Evidence::GIST_BIGRAMS, gist.bigrams, &tokens.bigrams),
            (Evidence::GIST_UNIGRAMS, gist.unigrams, &tokens.unigrams),
            (Evidence::BODY_WORDS, body.words, &tokens.words),
            (Evidence::BODY_BIGRAMS, body.bigrams, &tokens.bigrams),
            (Evidence::BODY_UNIGRAMS, body.unigrams, &tokens.unigrams),
        ];
        for (kind, field, tokens) in fields {
            let tokens = telling(searcher, field, tokens, MOST, 1.0)?;
            let top = TopDocs::with_limit(ENTRY_CANDIDATES).order_by_score();
            for (score, at) in searcher.search(&any_of(&[(field, &tokens, 1.0)]), &top)? {
                // Every hit in these fields is an entry document.
                if let Some(entry) = self.ids.get(&at) {
                    let candidate = candidates.entry(entry.clone()).or_default();
                    candidate.evidence.0[kind] = f64::from(score) / total;
                }
            }
        }
        Ok(())
    }

    /// The best ways of asking of every entry, and how much they share with the question.
    fn phrasing_evidence(
        &self,
        searcher: &tantivy::Searcher,
        tokens: &Tokens,
        information: &BTreeMap<String, f64>,
        candidates: &mut HashMap<String, Candidate>,
    ) -> Result<(), TantivyError> {
        let total = information.values().sum::<f64>().max(f64::MIN_POSITIVE);
        let phrasing = self.fields.phrasing;
        let mut ways: HashMap<DocAddress, [f64; 3]> = HashMap::new();
        let fields = [
            (phrasing.words, &tokens.words),
            (phrasing.bigrams, &tokens.bigrams),
            (phrasing.unigrams, &tokens.unigrams),
        ];
        for (kind, (field, tokens)) in fields.into_iter().enumerate() {
            let tokens = telling(searcher, field, tokens, MOST, 1.0)?;
            let top = TopDocs::with_limit(PHRASING_CANDIDATES).order_by_score();
            for (score, at) in searcher.search(&any_of(&[(field, &tokens, 1.0)]), &top)? {
                ways.entry(at).or_default()[kind] = f64::from(score) / total;
            }
        }
        for (at, scores) in ways {
            let document: TantivyDocument = searcher.doc(at)?;
            let candidate = candidates.entry(self.entry_of(&document)).or_default();
            let kinds = [
                Evidence::PHRASING_WORDS,
                Evidence::PHRASING_BIGRAMS,
                Evidence::PHRASING_UNIGRAMS,
            ];
            for (kind, score) in kinds.into_iter().zip(scores) {
                let best = &mut candidate.evidence.0[kind];
                *best = best.max(score);
            }
            candidate.ways.push(scores[0] + scores[1]);
            let text = document
                .get_first(self.fields.stored)
                .and_then(|v| v.as_str())
                .unwrap_or_default();
            let mut grams: Vec<String> = self
                .analyser
                .bigrams(text)
                .into_iter()
                .map(|w| w.text)
                .collect();
            grams.sort_unstable();
            grams.dedup();
            let all = grams.len().max(1);
            grams.retain(|gram| information.contains_key(gram));
            let shared: f64 = grams.iter().filter_map(|g| information.get(g)).sum();
            // Of two ways that say as much of the question, the one that says less beside it: ways
            // come in no order, and the first of them would be another one each time.
            let way = (shared / total, grams.len() as f64 / all as f64);
            let evidence = &mut candidate.evidence.0;
            if way > (evidence[Evidence::COVERAGE], evidence[Evidence::LIKENESS]) {
                (evidence[Evidence::COVERAGE], evidence[Evidence::LIKENESS]) = way;
            }
            candidate.grams.extend(grams);
        }
        Ok(())
    }

    /// The question's words, each with what it means too; words that say nothing are left out.
    pub(super) fn vocabulary(
        &self,
        normalized: &str,
        tokens: &Tokens,
        expansions: &[Expansion],
    ) -> Vec<Vec<String>> {
        let telling = tokens.words.iter().map(|(word, _)| word);
        telling
            .filter(|word| !self.lexicon.is_stop_word(word))
            .map(|word| {
                let mut meanings = vec![word.clone()];
                for expansion in expansions.iter().filter(|e| e.weight >= SURE_MEANING) {
                    if normalized[expansion.span.clone()].contains(word.as_str()) {
                        meanings.push(expansion.to.clone());
                    }
                }
                meanings
            })
            .collect()
    }

    /// How much of the question's vocabulary every candidate knows.
    fn known_words(
        &self,
        searcher: &tantivy::Searcher,
        vocabulary: &[Vec<String>],
        candidates: &mut HashMap<String, Candidate>,
    ) -> Result<(), TantivyError> {
        let ways = [self.fields.questions.words, self.fields.keywords.words];
        let all = [
            self.fields.questions.words,
            self.fields.keywords.words,
            self.fields.gist.words,
            self.fields.body.words,
        ];
        let entries = self.entries.len().max(1) as f64;
        let mut total = f64::MIN_POSITIVE;
        let mut known: HashMap<DocAddress, [f64; 2]> = HashMap::new();
        for meanings in vocabulary {
            let by_all = holders(searcher, &all, meanings)?;
            let idf = (1.0 + entries / (1.0 + by_all.len() as f64)).ln();
            total += idf;
            for at in by_all {
                known.entry(at).or_default()[1] += idf;
            }
            for at in holders(searcher, &ways, meanings)? {
                known.entry(at).or_default()[0] += idf;
            }
        }
        for (entry, candidate) in candidates {
            let share = self.entries.get(entry).and_then(|at| known.get(at));
            let share = share.copied().unwrap_or_default();
            candidate.evidence.0[Evidence::KNOWN_WAYS] = share[0] / total;
            candidate.evidence.0[Evidence::KNOWN] = share[1] / total;
        }
        Ok(())
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
    ) -> Result<BTreeMap<String, f64>, TantivyError> {
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
