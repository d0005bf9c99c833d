//! From a normalised question to tantivy queries.
//!
//! tantivy's own parser makes one exact phrase of an unspaced Chinese question and finds
//! nothing, so the query is built from tokens: any of them may match, rare ones count more.

use std::collections::HashMap;

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::text::{Analyser, Word, unigrams};

/// Tokens of one kind, each with how often it occurs.
pub(super) type Counted = Vec<(String, usize)>;

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
            order[i].1 += 1;
        } else {
            at.insert(text.clone(), order.len());
            order.push((text, 1));
        }
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
}

fn clauses(field: Field, tokens: &Counted, boost: f32) -> Vec<(Occur, Box<dyn Query>)> {
    tokens
        .iter()
        .map(|(text, count)| {
            let term = TermQuery::new(
                Term::from_field_text(field, text),
                IndexRecordOption::WithFreqs,
            );
            // A word said twice in a long story is hardly twice as telling.
            let weight = boost * (*count as f32).sqrt();
            let boosted: Box<dyn Query> = Box::new(BoostQuery::new(Box::new(term), weight));
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
