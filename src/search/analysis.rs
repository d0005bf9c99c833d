//! tantivy's view of floor 1: tokenizers over text that is already normalised.

use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

use crate::text::{Analyser, Word, unigrams};

/// Name of the word tokenizer in the schema.
pub(super) const WORDS: &str = "qijin_words";
/// Name of the bigram tokenizer in the schema.
pub(super) const BIGRAMS: &str = "qijin_bigrams";

/// Name of the single-character tokenizer in the schema.
pub(super) const UNIGRAMS: &str = "qijin_unigrams";

#[derive(Clone, Copy)]
enum Cut {
    Words,
    Bigrams,
    Unigrams,
}

#[derive(Clone)]
struct OurTokenizer {
    analyser: Analyser,
    cut: Cut,
}

struct OurStream {
    words: std::vec::IntoIter<Word>,
    token: Token,
}

impl Tokenizer for OurTokenizer {
    type TokenStream<'a> = OurStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> OurStream {
        let words = match self.cut {
            Cut::Words => self.analyser.words(text),
            Cut::Bigrams => self.analyser.bigrams(text),
            Cut::Unigrams => unigrams(text),
        };
        OurStream {
            words: words.into_iter(),
            token: Token::default(),
        }
    }
}

impl TokenStream for OurStream {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else {
            return false;
        };
        self.token = Token {
            offset_from: word.start,
            offset_to: word.end,
            position: word.position,
            position_length: 1,
            text: word.text,
        };
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// All tokenizers, to be given to an index.
pub(super) fn tokenizers(analyser: &Analyser) -> TokenizerManager {
    let manager = TokenizerManager::default();
    for (name, cut) in [
        (WORDS, Cut::Words),
        (BIGRAMS, Cut::Bigrams),
        (UNIGRAMS, Cut::Unigrams),
    ] {
        let tokenizer = OurTokenizer {
            analyser: analyser.clone(),
            cut,
        };
        manager.register(name, TextAnalyzer::from(tokenizer));
    }
    manager
}
