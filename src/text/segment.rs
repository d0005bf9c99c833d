//! Words: jieba in search mode with our legal terms as user dictionary.

use std::collections::HashSet;
use std::sync::Arc;

use jieba_rs::{Jieba, TokenizeMode};

use super::{Word, bigrams, normalize};

/// Letters from which on a term inside a longer term is looked for.
const INNER: usize = 4;
/// No term is longer.
const MAX_TERM: usize = 16;

/// Normalises and cuts text. Cheap to clone; loading the dictionary takes a quarter of a second.
#[derive(Clone)]
pub struct Analyser {
    jieba: Arc<Jieba>,
    /// Legal terms of four letters and more: search mode gives only the shorter words in a word.
    inner: Arc<HashSet<String>>,
}

impl Analyser {
    /// Loads the general dictionary and adds `legal_terms` to it.
    ///
    /// Terms should be normalised (simplified, half width): the segmenter sees normalised text.
    pub fn new<'a>(legal_terms: impl IntoIterator<Item = &'a str>) -> Self {
        let mut jieba = Jieba::new();
        let mut inner = HashSet::new();
        for term in legal_terms {
            if term.chars().count() >= INNER {
                inner.insert(term.to_owned());
            }
            // jieba's own estimate of a frequency that makes the term win over its parts.
            jieba.add_word(term, None, None);
        }
        Self {
            jieba: Arc::new(jieba),
            inner: Arc::new(inner),
        }
    }

    /// One spelling for every way of typing the same thing; idempotent.
    pub fn normalize(&self, text: &str) -> String {
        normalize::normalize(text)
    }

    /// Words of normalised text, long words followed by the shorter ones inside them;
    /// punctuation and white space are left out.
    pub fn words(&self, normalized: &str) -> Vec<Word> {
        // jieba counts in characters, the index in bytes.
        let offsets: Vec<usize> = normalized
            .char_indices()
            .map(|(at, _)| at)
            .chain([normalized.len()])
            .collect();
        self.jieba
            .tokenize(normalized, TokenizeMode::Search, true)
            .into_iter()
            .filter(|t| t.word.chars().any(char::is_alphanumeric))
            .flat_map(|t| {
                let word = |start: usize, end: usize| Word {
                    text: normalized[offsets[start]..offsets[end]].to_owned(),
                    start: offsets[start],
                    end: offsets[end],
                    position: start,
                };
                let mut words = vec![word(t.start, t.end)];
                for length in INNER..(t.end - t.start).min(MAX_TERM) {
                    for start in t.start..=t.end - length {
                        let inner = word(start, start + length);
                        if self.inner.contains(&inner.text) {
                            words.push(inner);
                        }
                    }
                }
                words
            })
            .collect()
    }

    /// Overlapping character pairs of normalised text.
    pub fn bigrams(&self, normalized: &str) -> Vec<Word> {
        bigrams(normalized)
    }
}

#[cfg(test)]
mod tests {
    use super::Analyser;

    #[test]
    fn user_terms_win_and_offsets_are_bytes() {
        let analyser = Analyser::new(["人身安全保护令"]);
        let text = "申请人身安全保护令！";
        let words = analyser.words(text);
        let term = words.iter().find(|w| w.text == "人身安全保护令").unwrap();
        assert_eq!(&text[term.start..term.end], "人身安全保护令");
        assert!(words.iter().all(|w| w.text != "！"));
        assert!(words.iter().any(|w| w.text == "安全"), "search mode");
    }

    #[test]
    fn terms_within_terms_are_words_too() {
        let analyser = Analyser::new(["法律援助", "法律援助中心"]);
        let words = analyser.words("去法律援助中心");
        assert!(words.iter().any(|w| w.text == "法律援助中心"));
        assert!(words.iter().any(|w| w.text == "法律援助"));
    }
}
