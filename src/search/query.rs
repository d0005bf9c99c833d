//! From a normalised question to tantivy queries.
//!
//! tantivy's own parser makes one exact phrase of an unspaced Chinese question and finds
//! nothing, so the query is built from tokens: any of them may match, rare ones count more.

use std::collections::HashMap;

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::text::{Analyser, Expansion, Word, unigrams};

/// Tokens of one kind, each with its weight: the root of how often it occurs (a word said twice in
/// a long story is hardly twice as telling), less for what a word only means too.
pub(super) type Counted = Vec<(String, f32)>;

/// A question cut in all ways.
pub(super) struct Tokens {
    pub words: Counted,
    pub bigrams: Counted,
    pub unigrams: Counted,
}

fn counted(texts: impl Iterator<Item = String>) -> Counted {
    let mut order: Counted = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for text in texts {
        if let Some(&i) = at.get(&text) {
            order[i].1 += 1.0;
        } else {
            at.insert(text.clone(), order.len());
            order.push((text, 1.0));
        }
    }
    for (_, count) in &mut order {
        *count = count.sqrt();
    }
    order
}

/// Longer questions are cut here: what matters is said by then, and the query stays bounded.
const MAX_TOKENS: usize = 256;

impl Tokens {
    pub fn of(analyser: &Analyser, normalized: &str) -> Self {
        let cut = |words: Vec<Word>| counted(words.into_iter().map(|w| w.text).take(MAX_TOKENS));
        Self {
            words: cut(analyser.words(normalized)),
            bigrams: cut(analyser.bigrams(normalized)),
            unigrams: cut(unigrams(normalized)),
        }
    }

    /// Adds what words of the question mean too, at a share of its weight.
    pub fn expanded(mut self, analyser: &Analyser, expansions: &[Expansion], share: f32) -> Self {
        let mut add = |into: fn(&mut Self) -> &mut Counted, words: Vec<Word>, weight: f32| {
            let tokens = into(&mut self);
            for word in words {
                if !tokens.iter().any(|(text, _)| *text == word.text) {
                    tokens.push((word.text, weight));
                }
            }
        };
        for expansion in expansions {
            let weight = share * expansion.weight;
            add(|t| &mut t.words, analyser.words(&expansion.to), weight);
            add(|t| &mut t.bigrams, analyser.bigrams(&expansion.to), weight);
        }
        self
    }
}

fn clauses(field: Field, tokens: &Counted, boost: f32) -> Vec<(Occur, Box<dyn Query>)> {
    tokens
        .iter()
        .map(|(text, count)| {
            let term = TermQuery::new(
                Term::from_field_text(field, text),
                IndexRecordOption::WithFreqs,
            );
            let boosted: Box<dyn Query> = Box::new(BoostQuery::new(Box::new(term), boost * count));
            (Occur::Should, boosted)
        })
        .collect()
}

/// Any of the tokens in their fields, each field with its weight.
pub(super) fn any_of(fields: &[(Field, &Counted, f32)]) -> BooleanQuery {
    let all = fields
        .iter()
        .flat_map(|(field, tokens, weight)| clauses(*field, tokens, *weight));
    BooleanQuery::new(all.collect())
}

/// The most telling tokens of a question for a field: those that some documents hold, but not more
/// than the share `common` of all; the rarest first, at most `most`. A story's common words add
/// time, not evidence.
pub(super) fn telling(
    searcher: &tantivy::Searcher,
    field: Field,
    tokens: &Counted,
    most: usize,
    common: f64,
) -> Result<Counted, tantivy::TantivyError> {
    let common = (searcher.num_docs() as f64 * common) as u64;
    let mut found = Vec::new();
    for (token, weight) in tokens {
        let holders = searcher.doc_freq(&Term::from_field_text(field, token))?;
        if (1..=common).contains(&holders) {
            found.push((holders, token.clone(), *weight));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    found.truncate(most);
    Ok(found
        .into_iter()
        .map(|(_, token, weight)| (token, weight))
        .collect())
}
