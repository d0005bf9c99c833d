//! Writing the documents of a library into a tantivy directory, as one segment.

use tantivy::directory::Directory;
use tantivy::{Index, TantivyDocument, TantivyError};

use super::analysis::tokenizers;
use super::schema::{TextField, schema};
use crate::knowledge::{Entry, Library};
use crate::text::Analyser;

/// Enough for a library of thousands of entries; tantivy spills to disk beyond it.
const WRITER_BYTES: usize = 64 << 20;

/// What an entry is about, as one text.
fn gist_of(entry: &Entry, library: &Library) -> String {
    let topic = library.topic(&entry.topic).map_or("", |t| t.name.as_str());
    [topic, &entry.question, &entry.answer].join("\n")
}

/// Everything else an entry says, as one text.
fn body_of(entry: &Entry) -> String {
    let steps = entry.steps.iter().map(String::as_str);
    let parts: Vec<&str> = steps
        .chain(entry.basis.iter().map(|b| b.says.as_str()))
        .chain(entry.limits.iter().map(String::as_str))
        .chain(entry.pitfalls.iter().map(String::as_str))
        .collect();
    parts.join("\n")
}

fn add(document: &mut TantivyDocument, field: TextField, text: &str) {
    for field in [field.words, field.bigrams, field.unigrams] {
        document.add_text(field, text);
    }
}

/// Writes all of `library` into `directory`; `tick` is called after every entry.
///
/// `withheld(entry, n)` leaves out the n-th way of asking of an entry (0 is the heading):
/// nothing for the real index, one each for leave-one-out measurements.
pub(super) fn write(
    library: &Library,
    analyser: &Analyser,
    directory: impl Into<Box<dyn Directory>>,
    withheld: impl Fn(&Entry, usize) -> bool,
    mut tick: impl FnMut(),
) -> Result<Index, TantivyError> {
    let (schema, fields) = schema();
    let mut writer = Index::builder()
        .schema(schema)
        .tokenizers(tokenizers(analyser))
        .single_segment_index_writer(directory, WRITER_BYTES)?;
    for entry in &library.entries {
        let mut whole = TantivyDocument::default();
        whole.add_text(fields.entry, &entry.id.0);
        whole.add_text(fields.whole, &entry.id.0);
        whole.add_text(fields.stored, analyser.normalize(&entry.question));
        let ways = std::iter::once(&entry.question).chain(&entry.phrasings);
        for (n, way) in ways.enumerate() {
            if withheld(entry, n) {
                continue;
            }
            let text = analyser.normalize(way);
            let mut phrasing = TantivyDocument::default();
            phrasing.add_text(fields.entry, &entry.id.0);
            phrasing.add_text(fields.stored, &text);
            add(&mut phrasing, fields.phrasing, &text);
            writer.add_document(phrasing)?;
            add(&mut whole, fields.questions, &text);
            // An entry without 关键词 must not lose against those that have them.
            if entry.keywords.is_empty() {
                add(&mut whole, fields.keywords, &text);
            }
        }
        let keywords = analyser.normalize(&entry.keywords.join("\n"));
        add(&mut whole, fields.keywords, &keywords);
        let gist = analyser.normalize(&gist_of(entry, library));
        add(&mut whole, fields.gist, &gist);
        let body = analyser.normalize(&body_of(entry));
        add(&mut whole, fields.body, &body);
        writer.add_document(whole)?;
        tick();
    }
    writer.finalize()
}
