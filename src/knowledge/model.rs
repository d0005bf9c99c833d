//! The library as values: places, topics, hotlines, entries and their citations.
//!
//! Everything keeps the file and line it came from, so that a finding can point at it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::calendar::FixedDay;
use super::risk::RiskTable;
use super::statutes::LawRegister;
use crate::text::Lexicon;

/// Where something stands: a file of the library and a line counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Path relative to the library folder.
    pub file: Arc<PathBuf>,
    /// Line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// One of the seven audiences (七进场所), or a local one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Stable id that the journal keeps, `village`.
    pub id: String,
    /// What residents and staff read, `乡村`.
    pub name: String,
    /// Other names of the same place.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Who is meant.
    #[serde(default)]
    pub audience: String,
}

/// A named choice of places, as `places.preset` in qijin.toml picks one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// `sichuan_7`
    pub id: String,
    /// What staff read.
    pub name: String,
    /// The ids of its places, in order.
    pub places: Vec<String>,
}

/// One of the 16 top topics or one of their sub-topics.
#[derive(Debug, Clone)]
pub struct Topic {
    /// `labor` or `labor.wage_arrears`.
    pub id: String,
    /// Chinese name, `拖欠工资`.
    pub name: String,
    /// What the topic is about; only top topics have one.
    pub description: String,
    /// Figures never tell it by village or community (violence at home, abuse, drugs, faith).
    pub sensitive: bool,
}

impl Topic {
    /// The id of the top topic this belongs to (itself for a top topic).
    pub fn top(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }

    /// Whether this is one of the top topics.
    pub fn is_top(&self) -> bool {
        !self.id.contains('.')
    }
}

/// A telephone number that replies may name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotline {
    /// As dialled, `12348`.
    pub number: String,
    /// `公共法律服务`.
    pub name: String,
    /// What to call it for.
    pub use_for: String,
    /// Whether somebody checked that it is in service everywhere.
    #[serde(default = "yes")]
    pub verified: bool,
}

fn yes() -> bool {
    true
}

/// Words that are no question, and what to say to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallTalk {
    /// `greeting`, `thanks`, `help`.
    pub id: String,
    /// What people send, compared without punctuation.
    pub says: Vec<String>,
    /// The reply; `{office}` and `{contact}` are filled in.
    pub reply: String,
}

/// A (law, article) pair that an entry or a reply rests on.
///
/// `law` is the official name without outer 《》 and without 中华人民共和国;
/// `article` is written as the law writes it, `第一千零七十九条`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Citation {
    /// `民法典`
    pub law: String,
    /// `第一千零七十九条`
    pub article: String,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "《{}》{}", self.law, self.article)
    }
}

/// A citation with the plain-words sentence that explains it.
#[derive(Debug, Clone)]
pub struct Basis {
    /// What is cited.
    pub citation: Citation,
    /// One sentence in plain words.
    pub says: String,
    /// Where it stands.
    pub origin: Origin,
}

/// Stable id of an entry: its topic and a short hash of its question,
/// `labor.wage_arrears-3fa2c1`. It changes only when the question's wording does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One question with its answer (普法问答).
#[derive(Debug, Clone)]
pub struct Entry {
    /// Stable id.
    pub id: EntryId,
    /// Sub-topic id.
    pub topic: String,
    /// Place ids, the most typical one first.
    pub places: Vec<String>,
    /// Day of the last check against the statutes.
    pub reviewed: NaiveDate,
    /// The heading.
    pub question: String,
    /// 来源: the leaflet or page that it was written after.
    pub source: Option<String>,
    /// 替代: entries that this one of the office's stands in for.
    pub replaces: Vec<EntryId>,
    /// 问法: other ways people ask it.
    pub phrasings: Vec<String>,
    /// 关键词: words that people with this problem use and no phrasing holds.
    pub keywords: Vec<String>,
    /// The first paragraph: the short answer.
    pub answer: String,
    /// 怎么做, in order.
    pub steps: Vec<String>,
    /// 依据, the most direct first.
    pub basis: Vec<Basis>,
    /// 时限.
    pub limits: Vec<String>,
    /// 找谁.
    pub contacts: Vec<String>,
    /// 别踩坑.
    pub pitfalls: Vec<String>,
    /// Where the heading stands.
    pub origin: Origin,
    /// Lines of answer, steps and limits whose figures must stand in a cited article: those
    /// without a `<!-- figure: reason -->`.
    pub(super) figure_lines: Vec<FigureLine>,
}

/// A line whose legal figures are checked.
#[derive(Debug, Clone)]
pub(super) struct FigureLine {
    /// The line as written.
    pub text: String,
    /// Where it stands in the file, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Entry {
    /// The citations in the order shown.
    pub fn citations(&self) -> Vec<Citation> {
        self.basis.iter().map(|b| b.citation.clone()).collect()
    }
}

/// Everything under `knowledge/`, loaded. Construct it with [`crate::knowledge::load`].
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The enabled places, in the order of the chosen preset.
    pub places: Vec<Place>,
    /// The choices of places that an office has.
    pub presets: Vec<Preset>,
    /// Days of publicity that come back every year, in the order of the file.
    pub calendar: Vec<FixedDay>,
    /// Top topics, each followed by its sub-topics.
    pub topics: Vec<Topic>,
    /// The numbers replies may name.
    pub hotlines: Vec<Hotline>,
    /// All entries, in file order.
    pub entries: Vec<Entry>,
    /// Greetings and the like.
    pub smalltalk: Vec<SmallTalk>,
    /// What the guard listens for.
    pub risk: Arc<RiskTable>,
    /// Legal terms for the segmenter.
    pub terms: Vec<String>,
    /// Typing errors, empty phrases, lay words.
    pub lexicon: Arc<Lexicon>,
    /// Laws: in force, dead, and how they are called.
    pub laws: Arc<LawRegister>,
    /// SHA-256 over the content of all files, in hex: the library's fingerprint.
    pub digest: String,
    pub(super) by_id: HashMap<EntryId, usize>,
}

impl Library {
    /// Looks an entry up by id.
    pub fn entry(&self, id: &EntryId) -> Option<&Entry> {
        self.by_id.get(id).map(|&i| &self.entries[i])
    }

    /// Looks a topic up by id.
    pub fn topic(&self, id: &str) -> Option<&Topic> {
        self.topics.iter().find(|t| t.id == id)
    }

    /// Looks a place up by id.
    pub fn place(&self, id: &str) -> Option<&Place> {
        self.places.iter().find(|p| p.id == id)
    }

    /// The entries of a sub-topic that are written for a place, in file order.
    pub fn entries_of<'a>(
        &'a self,
        place: &'a str,
        topic: &'a str,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .iter()
            .filter(move |e| e.topic == topic && e.places.iter().any(|p| p == place))
    }
}
