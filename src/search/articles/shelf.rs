//! The article index on disk and exact look-ups in it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, Index, IndexReader, ReloadPolicy, TantivyDocument, TantivyError, Term};

use super::build::Shelf;
use super::schema::{ARTICLE_KEY, Fields, SCHEMA_VERSION, schema};
use crate::knowledge::Citation;
use crate::knowledge::statutes::{LawRegister, MoveTable, read_texts};
use crate::search::analysis::tokenizers;
use crate::search::store::{IndexError, Progress, opened, written_aside};
use crate::text::{ANALYSER_VERSION, Analyser};

/// An article with its official text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleText {
    /// Official name of the law.
    pub law: String,
    /// `第五条`, or `全文`.
    pub label: String,
    /// `第五编 婚姻家庭 › 第四章 离婚`; may be empty.
    pub path: String,
    /// Official text, verbatim.
    pub text: String,
    /// First day in force, `2021-01-01`; empty when unknown.
    pub since: String,
    /// Place within the law, from 0.
    pub ordinal: u64,
}

/// Where the content of an old article is now.
pub type Moved = Citation;

/// The open article index. Cheap to clone.
#[derive(Clone)]
pub struct Articles {
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) analyser: Analyser,
    moves: Arc<MoveTable>,
    addresses: Arc<HashMap<u64, DocAddress>>,
}

const MOVES: &str = "moves.json";

/// The name of the index: texts, what is in force on the day, changes, schema and analyser.
fn fingerprint(laws: &LawRegister, day: NaiveDate, dictionary: &str) -> Option<String> {
    let catalogue = laws.catalogue.as_ref()?;
    let mut hash = Sha256::new();
    hash.update(catalogue.digest.as_bytes());
    for version in laws.in_force(day) {
        hash.update(version.id.as_bytes());
        hash.update([0]);
    }
    hash.update(format!("{:?}", laws.changes));
    hash.update(dictionary);
    hash.update(format!(
        "schema {SCHEMA_VERSION} analyser {ANALYSER_VERSION}"
    ));
    let hex: String = hash.finalize()[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    Some(format!("articles-{hex}"))
}

/// Opens the article index under `root`, building it first when needed; `None` when no statutes
/// were imported. Returns also why it was built.
///
/// `dictionary` stands for the segmenter's legal terms: other terms make other words.
///
/// # Errors
/// When the imported texts are damaged, the disk refuses or tantivy fails.
pub fn open_or_build(
    root: &Path,
    library: &Path,
    laws: &LawRegister,
    day: NaiveDate,
    analyser: &Analyser,
    dictionary: &str,
    mut progress: impl FnMut(Progress),
) -> Result<Option<(Articles, Option<&'static str>)>, IndexError> {
    let (Some(catalogue), Some(name)) = (&laws.catalogue, fingerprint(laws, day, dictionary))
    else {
        return Ok(None);
    };
    let path = root.join(name);
    let (index, rebuilt) = match opened(&path) {
        Ok(index) => (index, None),
        Err(why) => {
            let mut statutes = Vec::new();
            read_texts(library, catalogue, |s| statutes.push(s))?;
            let moves = MoveTable::new(laws, day, &statutes);
            let shelf = Shelf::new(laws, day, statutes);
            let mut state = Progress {
                done: 0,
                total: shelf.articles(),
            };
            written_aside(root, &path, "articles-", |aside| {
                let table = serde_json::to_vec(&moves);
                let file = aside.join(MOVES);
                table
                    .map_err(std::io::Error::from)
                    .and_then(|table| std::fs::write(&file, table))
                    .map_err(|source| IndexError::Io { path: file, source })?;
                let directory =
                    tantivy::directory::MmapDirectory::open(aside).map_err(TantivyError::from)?;
                shelf.write(analyser, directory, || {
                    state.done += 1;
                    if state.done.is_multiple_of(256) || state.done == state.total {
                        progress(state);
                    }
                })?;
                Ok(())
            })?;
            (Index::open_in_dir(&path)?, Some(why))
        }
    };
    let moves = std::fs::read(path.join(MOVES))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    Ok(Some((
        Articles::new(index, analyser.clone(), moves)?,
        rebuilt,
    )))
}

impl Articles {
    fn new(mut index: Index, analyser: Analyser, moves: MoveTable) -> Result<Self, TantivyError> {
        index.set_tokenizers(tokenizers(&analyser));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let (_, fields) = schema();
        let mut addresses = HashMap::new();
        for (segment, segment_reader) in reader.searcher().segment_readers().iter().enumerate() {
            let keys = segment_reader.fast_fields().u64(ARTICLE_KEY)?;
            for doc in 0..segment_reader.max_doc() {
                if let Some(key) = keys.first(doc) {
                    // One segment in practice; tantivy numbers them in 32 bits.
                    addresses.insert(key, DocAddress::new(segment as u32, doc));
                }
            }
        }
        Ok(Self {
            reader,
            fields,
            analyser,
            moves: Arc::new(moves),
            addresses: Arc::new(addresses),
        })
    }

    /// How many articles there are.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn read(
        &self,
        searcher: &tantivy::Searcher,
        at: DocAddress,
    ) -> Result<ArticleText, TantivyError> {
        let document: TantivyDocument = searcher.doc(at)?;
        let text = |field| {
            document
                .get_first(field)
                .and_then(|v| v.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        Ok(ArticleText {
            law: text(self.fields.law),
            label: text(self.fields.label),
            path: text(self.fields.path),
            text: text(self.fields.text),
            since: text(self.fields.since),
            ordinal: document
                .get_first(self.fields.ordinal)
                .and_then(|v| v.as_u64())
                .unwrap_or(0),
        })
    }

    fn of_law(&self, law: &str, and: Option<Term>) -> Box<dyn Query> {
        let term =
            |term| -> Box<dyn Query> { Box::new(TermQuery::new(term, IndexRecordOption::Basic)) };
        let law = term(Term::from_field_text(self.fields.law, law));
        match and {
            None => law,
            Some(and) => Box::new(BooleanQuery::new(vec![
                (Occur::Must, law),
                (Occur::Must, term(and)),
            ])),
        }
    }

    /// Where an article stands in the index, by its [`key`].
    pub(super) fn address(&self, key: u64) -> Option<DocAddress> {
        self.addresses.get(&key).copied()
    }

    fn one(&self, query: &dyn Query) -> Result<Option<ArticleText>, TantivyError> {
        let searcher = self.reader.searcher();
        let top = searcher.search(query, &TopDocs::with_limit(1).order_by_score())?;
        top.first()
            .map(|(_, at)| self.read(&searcher, *at))
            .transpose()
    }

    /// The article in force, by official name and label (`第五条`).
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn get(&self, law: &str, label: &str) -> Result<Option<ArticleText>, TantivyError> {
        let label = Term::from_field_text(self.fields.label, label);
        self.one(&*self.of_law(law, Some(label)))
    }

    /// The article at a place within a law, from 0.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn at(&self, law: &str, ordinal: u64) -> Result<Option<ArticleText>, TantivyError> {
        let ordinal = Term::from_field_u64(self.fields.ordinal, ordinal);
        self.one(&*self.of_law(law, Some(ordinal)))
    }

    /// All articles of a law, in order.
    ///
    /// # Errors
    /// When the index files cannot be read.
    pub fn law(&self, law: &str) -> Result<Vec<ArticleText>, TantivyError> {
        let searcher = self.reader.searcher();
        let found = searcher.search(
            &*self.of_law(law, None),
            &TopDocs::with_limit(2_000).order_by_score(),
        )?;
        let mut articles = found
            .into_iter()
            .map(|(_, at)| self.read(&searcher, at))
            .collect::<Result<Vec<_>, _>>()?;
        articles.sort_by_key(|a| a.ordinal);
        Ok(articles)
    }

    /// Where the content of an article of a dead or older law is now.
    pub fn moved(&self, law: &str, label: &str) -> Option<&Moved> {
        self.moves.moved(law, label)
    }
}
