//! The fields of the index.

use tantivy::schema::{
    Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};

use super::analysis::{BIGRAMS, UNIGRAMS, WORDS};

/// Raised whenever the fields or what is put in them change, so that old indexes are rebuilt.
pub(super) const SCHEMA_VERSION: u32 = 8;

/// One text as the index sees it: as words, as bigrams and as single characters.
#[derive(Clone, Copy)]
pub(super) struct TextField {
    pub words: Field,
    pub bigrams: Field,
    pub unigrams: Field,
}

/// The handles of all fields.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// Entry id; on both kinds of documents.
    pub entry: Field,
    /// Entry id; on entry documents only.
    pub whole: Field,
    /// The normalised text of a phrasing or of an entry's heading, kept for measuring likeness.
    pub stored: Field,
    /// Phrasing documents: one way of asking.
    pub phrasing: TextField,
    /// Entry documents: all ways of asking.
    pub questions: TextField,
    /// Entry documents: words that people with this problem use.
    pub keywords: TextField,
    /// Entry documents: topic, heading and short answer.
    pub gist: TextField,
    /// Entry documents: steps, limits, basis, pitfalls.
    pub body: TextField,
}

/// The schema and its handles.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let mut text_field = |name: &str| {
        let mut field = |suffix: &str, tokenizer: &str| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_index_option(IndexRecordOption::WithFreqs);
            builder.add_text_field(
                &format!("{name}_{suffix}"),
                TextOptions::default().set_indexing_options(indexing),
            )
        };
        TextField {
            words: field("words", WORDS),
            bigrams: field("bigrams", BIGRAMS),
            unigrams: field("unigrams", UNIGRAMS),
        }
    };
    let phrasing = text_field("phrasing");
    let questions = text_field("questions");
    let keywords = text_field("keywords");
    let gist = text_field("gist");
    let body = text_field("body");
    let fields = Fields {
        phrasing,
        questions,
        keywords,
        gist,
        body,
        entry: builder.add_text_field("entry", STRING | STORED),
        whole: builder.add_text_field("whole", STRING),
        stored: builder.add_text_field("stored", STORED),
    };
    (builder.build(), fields)
}
