//! What became of old law: `law_changes.toml` (repealed laws and their successors) and
//! `law_names.toml` (how people call laws).

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::ArticleNumber;

/// A law that another one has taken the place of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repealed {
    /// The old law's official name.
    pub law: String,
    /// The law or laws that hold its content now; empty when there is none.
    #[serde(default)]
    pub by: Vec<String>,
    /// First day on which the old law is no longer in force.
    pub from: NaiveDate,
    /// Where in the new law, or what else people should know.
    #[serde(default)]
    pub note: String,
    /// Articles that are known to have moved: `["32 1079", "120 120之1"]`, checked by a person.
    /// What is not listed is found by comparing the texts.
    #[serde(default)]
    pub articles: Vec<String>,
}

/// An article that moved within a revised law, checked by a person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renumbered {
    /// The law's official name.
    pub law: String,
    /// First day of the new numbers.
    pub from: NaiveDate,
    /// `["42 50", "43 51"]`.
    pub articles: Vec<String>,
}

/// The content of `law_changes.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LawChanges {
    /// Laws that are dead.
    pub repealed: Vec<Repealed>,
    /// Laws whose numbers moved.
    pub renumbered: Vec<Renumbered>,
}

/// The content of `law_names.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LawNames {
    /// What people say → official name.
    pub short: HashMap<String, String>,
    /// Official name → page in the official database, for offices that have imported no texts.
    pub page: HashMap<String, String>,
}

/// Reads `"42 50"` or `"120 120之1"`.
pub fn moved(pair: &str) -> Option<(ArticleNumber, ArticleNumber)> {
    let number = |text: &str| -> Option<ArticleNumber> {
        let (number, inserted) = text.split_once('之').unwrap_or((text, "0"));
        Some(ArticleNumber {
            number: number.parse().ok().filter(|n| *n > 0)?,
            inserted: inserted.parse().ok()?,
        })
    };
    let (old, new) = pair.trim().split_once(' ')?;
    Some((number(old)?, number(new.trim())?))
}

impl LawChanges {
    /// What became of a law that is dead on `day`.
    pub fn repealed_on(&self, law: &str, day: NaiveDate) -> Option<&Repealed> {
        self.repealed.iter().find(|r| r.law == law && r.from <= day)
    }
}
