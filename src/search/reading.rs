//! How a question is read, word by word: for weighing a turn and for explaining an answer.
//!
//! It looks at the same cleaned text, words and second meanings that [`Searcher::search`] asks with.

use tantivy::TantivyError;

use super::query::Tokens;
use super::searcher::holders;
use super::{Hit, Model, Searcher};
use crate::knowledge::EntryId;
use crate::text::Expansion;

/// A question as the search understands it.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Typing errors mended, empty phrases left out.
    pub cleaned: String,
    /// What words of it mean too.
    pub expansions: Vec<Expansion>,
    /// Its telling words, in order, without those inside longer ones.
    pub words: Vec<Known>,
}

/// A word and who knows it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The word.
    pub word: String,
    /// The entries that say it, or surely mean it, in any field.
    pub entries: Vec<EntryId>,
    /// How telling it is, 0..1: inverse document frequency among entries; 1 when none knows it.
    pub weight: f64,
}

impl Searcher {
    /// The learned figures it ranks and doubts with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the score of a hit is made of: kinds of evidence by name, the weightiest first.
    pub fn reasons(&self, hit: &Hit) -> Vec<(&'static str, f64)> {
        self.model.reasons(&hit.evidence)
    }

    /// Reads `text` without searching for it.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn read(&self, text: &str) -> Result<Reading, TantivyError> {
        let cleaned = self.lexicon.clean(&self.analyser.normalize(text));
        let tokens = Tokens::of(&self.analyser, &cleaned);
        let expansions = self.lexicon.expand(&cleaned);
        let searcher = self.reader.searcher();
        let fields = [
            self.fields.questions.words,
            self.fields.gist.words,
            self.fields.body.words,
        ];
        let all = self.entries.len().max(1) as f64;
        let vocabulary = self.vocabulary(&cleaned, &tokens, &expansions);
        // A word inside a longer one says nothing more.
        let inside = |word: &String| {
            let mut others = vocabulary.iter().filter_map(|meanings| meanings.first());
            others.any(|other| other != word && other.contains(word.as_str()))
        };
        let mut words = Vec::new();
        for meanings in vocabulary.iter().filter(|m| !m.first().is_none_or(inside)) {
            let found = holders(&searcher, &fields, meanings)?;
            let entries: Vec<EntryId> = found
                .iter()
                .filter_map(|at| self.ids.get(at))
                .map(|id| EntryId(id.clone()))
                .collect();
            words.extend(meanings.first().map(|word| Known {
                word: word.clone(),
                weight: (1.0 + all / (1.0 + entries.len() as f64)).ln() / (1.0 + all).ln(),
                entries,
            }));
        }
        Ok(Reading {
            cleaned,
            expansions,
            words,
        })
    }
}
