//! From a normalised question to tantivy queries.
//!
//! tantivy's own parser makes one exact phrase of an unspaced Chinese question and finds
//! nothing, so the query is built from tokens: any of them may match, rare ones count more.

use std::collections::HashMap;

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::schema::TextField;
use crate::text::Analyser;

/// A question cut both ways, each token with how often it occurs.
pub(super) struct Tokens {
    pub words: Vec<(String, usize)>,
    pub bigrams: Vec<(String, usize)>,
}

fn counted(texts: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut order: Vec<(String, usize)> = Vec::new();
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
        let words = analyser.words(normalized).into_iter();
        let bigrams = analyser.bigrams(normalized).into_iter();
        Self {
            words: counted(words.map(|w| w.text).take(MAX_TOKENS)),
            bigrams: counted(bigrams.map(|w| w.text).take(MAX_TOKENS)),
        }
    }
}

fn clauses(field: Field, tokens: &[(String, usize)], boost: f32) -> Vec<(Occur, Box<dyn Query>)> {
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

/// Any token of the question in any of the fields; each field with its weights for words and bigrams.
pub(super) fn any_of(tokens: &Tokens, fields: &[(TextField, f32, f32)]) -> BooleanQuery {
    let mut all = Vec::new();
    for (field, words, bigrams) in fields {
        all.extend(clauses(field.words, &tokens.words, *words));
        all.extend(clauses(field.bigrams, &tokens.bigrams, *bigrams));
    }
    BooleanQuery::new(all)
}
