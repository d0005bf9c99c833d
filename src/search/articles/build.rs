//! Writing the articles in force into a tantivy directory, with what became of old numbers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::Regex;
use serde::{Deserialize, Serialize};
use tantivy::directory::Directory;
use tantivy::{Index, TantivyDocument, TantivyError};

use super::moves::moves;
use super::schema::schema;
use crate::knowledge::Citation;
use crate::knowledge::statutes::{
    Article, ArticleNumber, Group, LawRegister, Status, Statute, moved, numeral,
};
use crate::search::analysis::tokenizers;
use crate::text::Analyser;

/// 86,000 articles in one go; tantivy spills to disk beyond it.
const WRITER_BYTES: usize = 256 << 20;

/// Old article → where its content is now, by law; written beside the index.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct MoveTable {
    /// Dead law or the law itself (older version) → old number → (law, number) now.
    pub by_law: BTreeMap<String, BTreeMap<String, Citation>>,
}

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

/// All statutes of the register, split into those in force on `day` and the rest.
pub(super) struct Shelf {
    current: Vec<Statute>,
    old: Vec<Statute>,
}

impl Shelf {
    /// Sorts `statutes` by whether they are in force.
    pub fn new(laws: &LawRegister, day: NaiveDate, statutes: Vec<Statute>) -> Self {
        let in_force: HashSet<String> = laws
            .in_force(day)
            .into_iter()
            .map(|v| v.id.clone())
            .collect();
        let (current, old) = statutes
            .into_iter()
            .filter(|s| s.version.group != Group::Decision)
            .partition(|s| in_force.contains(&s.version.id));
        Self { current, old }
    }

    /// How many articles will be indexed.
    pub fn articles(&self) -> usize {
        self.current.iter().map(|s| s.articles.len()).sum()
    }

    /// The move table: hand-checked moves over those found by comparing texts.
    pub fn moves(&self, laws: &LawRegister, day: NaiveDate) -> MoveTable {
        let current: HashMap<&str, &Statute> = self
            .current
            .iter()
            .map(|s| (s.version.name.as_str(), s))
            .collect();
        // The latest old version of each name.
        let mut last: HashMap<&str, &Statute> = HashMap::new();
        for old in &self.old {
            if old.version.status == Status::NotYet
                || old.version.effective.is_some_and(|d| d > day)
            {
                continue;
            }
            let seen = last.entry(&old.version.name).or_insert(old);
            if (seen.version.effective, seen.version.published)
                < (old.version.effective, old.version.published)
            {
                *seen = old;
            }
        }
        let mut table = MoveTable::default();
        for (name, old) in last {
            let repealed = laws.changes.repealed_on(name, day);
            let successors: Vec<&str> = match repealed {
                Some(repealed) => repealed.by.iter().map(String::as_str).collect(),
                None => vec![name],
            };
            let mut new: Vec<(&str, &Article)> = Vec::new();
            for successor in &successors {
                if let Some(statute) = current.get(successor) {
                    let articles = statute.articles.iter().filter(|a| a.number.is_some());
                    new.extend(articles.map(|a| (statute.version.name.as_str(), a)));
                }
            }
            let articles: Vec<&Article> = new.iter().map(|(_, a)| *a).collect();
            let found = moves(&old.articles, &articles);
            let into = table.by_law.entry(name.to_owned()).or_default();
            for (number, at) in found {
                let (law, article) = new[at];
                // A number that stayed needs no line.
                if repealed.is_none() && article.number == Some(number) {
                    continue;
                }
                into.insert(
                    number.to_string(),
                    Citation {
                        law: law.to_owned(),
                        article: article.label(),
                    },
                );
            }
        }
        let checked = laws
            .changes
            .repealed
            .iter()
            .filter_map(|r| Some((&r.law, r.by.first()?, &r.articles)))
            .chain(
                laws.changes
                    .renumbered
                    .iter()
                    .map(|r| (&r.law, &r.law, &r.articles)),
            );
        for (old, new, pairs) in checked {
            let into = table.by_law.entry(old.clone()).or_default();
            for (from, to) in pairs.iter().filter_map(|pair| moved(pair)) {
                into.insert(
                    from.to_string(),
                    Citation {
                        law: new.clone(),
                        article: to.to_string(),
                    },
                );
            }
        }
        table.by_law.retain(|_, moves| !moves.is_empty());
        table
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
