//! The fields of the article index.

use sha2::{Digest, Sha256};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};

use crate::search::analysis::{BIGRAMS, UNIGRAMS, WORDS};

/// Raised whenever the fields or what is put in them change, so that old indexes are rebuilt.
pub(super) const SCHEMA_VERSION: u32 = 2;

/// The handles of all fields.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// Official name of the law.
    pub law: Field,
    /// `第五条`, or `全文`.
    pub label: Field,
    /// Part › chapter › section.
    pub path: Field,
    /// Official text.
    pub text: Field,
    /// First day in force, `2021-01-01`; empty when unknown.
    pub since: Field,
    /// Place within the law, from 0.
    pub ordinal: Field,
    /// ln(1 + how often other laws name the article).
    pub cited: Field,
    /// [`key`] of the law, of law and chapter, of law and article: enough to rank without reading
    /// a stored text.
    pub law_key: Field,
    pub chapter_key: Field,
    pub article_key: Field,
    /// Name, path and text as words, as bigrams and as single characters.
    pub words: Field,
    pub bigrams: Field,
    pub unigrams: Field,
}

/// Names of the columns that ranking reads.
pub(super) const CITED: &str = "cited";
pub(super) const LAW_KEY: &str = "law_key";
pub(super) const CHAPTER_KEY: &str = "chapter_key";
pub(super) const ARTICLE_KEY: &str = "article_key";

/// 64 bits that stand for a law, a chapter or an article in a column.
pub(super) fn key(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let bytes = hash.finalize();
    // The first eight of 32 bytes.
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let mut indexed = |name: &str, tokenizer: &str| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(IndexRecordOption::WithFreqs);
        builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let words = indexed("words", WORDS);
    let bigrams = indexed("bigrams", BIGRAMS);
    let unigrams = indexed("unigrams", UNIGRAMS);
    let fields = Fields {
        words,
        bigrams,
        unigrams,
        law: builder.add_text_field("law", STRING | STORED),
        label: builder.add_text_field("label", STRING | STORED),
        path: builder.add_text_field("path", STORED),
        text: builder.add_text_field("text", STORED),
        since: builder.add_text_field("since", STORED),
        ordinal: builder.add_u64_field("ordinal", INDEXED | STORED | FAST),
        cited: builder.add_f64_field(CITED, FAST),
        law_key: builder.add_u64_field(LAW_KEY, FAST),
        chapter_key: builder.add_u64_field(CHAPTER_KEY, FAST),
        article_key: builder.add_u64_field(ARTICLE_KEY, FAST),
    };
    (builder.build(), fields)
}
