//! Writing the articles in force into a tantivy directory.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::Regex;
use tantivy::directory::Directory;
use tantivy::{Index, TantivyDocument, TantivyError};

use super::schema::{key, schema};
use crate::knowledge::statutes::{ArticleNumber, LawRegister, Statute, numeral};
use crate::search::analysis::tokenizers;
use crate::text::Analyser;

/// 86,000 articles in one go; tantivy spills to disk beyond it.
const WRITER_BYTES: usize = 256 << 20;

/// `《民法典》第一百八十八条` and the numbers that follow in the same breath.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    // A constant pattern; every build compiles it.
    Regex::new(r"《((?:[^《》]|《[^《》]*》)+)》((?:第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?[、和及或至]?)+)")
        .expect("a constant pattern")
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    // As above.
    Regex::new(r"第([零一二三四五六七八九十百千]+)条(?:之([一二三四五六七八九十]+))?")
        .expect("a constant pattern")
});
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    // As above.
    Regex::new(r"本(?:法|条例|规定|解释|办法)((?:第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?[、和及或至]?)+)")
        .expect("a constant pattern")
});

/// How often each article is named, by other laws and by its own.
fn citations(statutes: &[&Statute]) -> HashMap<(String, ArticleNumber), u32> {
    let mut out: HashMap<(String, ArticleNumber), u32> = HashMap::new();
    let mut count = |law: &str, numbers: &str| {
        for found in NUMBER.captures_iter(numbers) {
            let part = |n: usize| found.get(n).and_then(|m| numeral(m.as_str()));
            if let Some(number) = part(1) {
                let inserted = part(2).unwrap_or(0);
                let key = (law.to_owned(), ArticleNumber { number, inserted });
                *out.entry(key).or_default() += 1;
            }
        }
    };
    for statute in statutes {
        for article in &statute.articles {
            for found in NAMED.captures_iter(&article.text) {
                count(&found[1].replace("中华人民共和国", ""), &found[2]);
            }
            for found in OWN.captures_iter(&article.text) {
                count(&statute.version.name, &found[1]);
            }
        }
    }
    out
}

/// The statutes in force on a day.
pub(super) struct Shelf {
    current: Vec<Statute>,
}

impl Shelf {
    /// Keeps those of `statutes` that are in force.
    pub fn new(laws: &LawRegister, day: NaiveDate, statutes: Vec<Statute>) -> Self {
        let in_force: HashSet<String> = laws
            .in_force(day)
            .into_iter()
            .map(|v| v.id.clone())
            .collect();
        let current = statutes
            .into_iter()
            .filter(|s| in_force.contains(&s.version.id))
            .collect();
        Self { current }
    }

    /// How many articles will be indexed.
    pub fn articles(&self) -> usize {
        self.current.iter().map(|s| s.articles.len()).sum()
    }

    /// Writes the index; `tick` is called after every article.
    pub fn write(
        &self,
        analyser: &Analyser,
        directory: impl Into<Box<dyn Directory>>,
        mut tick: impl FnMut(),
    ) -> Result<Index, TantivyError> {
        let (schema, fields) = schema();
        let mut writer = Index::builder()
            .schema(schema)
            .tokenizers(tokenizers(analyser))
            .single_segment_index_writer(directory, WRITER_BYTES)?;
        let statutes: Vec<&Statute> = self.current.iter().collect();
        let cited = citations(&statutes);
        for statute in statutes {
            let version = &statute.version;
            let since = version.effective.map_or(String::new(), |d| d.to_string());
            for (ordinal, article) in statute.articles.iter().enumerate() {
                let times = article
                    .number
                    .and_then(|n| cited.get(&(version.name.clone(), n)))
                    .copied()
                    .unwrap_or(0);
                let whole = format!("{}\n{}\n{}", version.name, article.path, article.text);
                let whole = analyser.normalize(&whole);
                let mut document = TantivyDocument::default();
                document.add_text(fields.law, &version.name);
                document.add_text(fields.label, article.label());
                document.add_text(fields.path, &article.path);
                document.add_text(fields.text, &article.text);
                document.add_text(fields.since, &since);
                document.add_u64(fields.ordinal, ordinal as u64);
                document.add_f64(fields.cited, f64::from(1 + times).ln());
                document.add_u64(fields.law_key, key(&[&version.name]));
                document.add_u64(fields.chapter_key, key(&[&version.name, &article.path]));
                document.add_u64(fields.article_key, key(&[&version.name, &article.label()]));
                document.add_text(fields.words, &whole);
                document.add_text(fields.bigrams, &whole);
                document.add_text(fields.unigrams, &whole);
                writer.add_document(document)?;
                tick();
            }
        }
        writer.finalize()
    }
}
