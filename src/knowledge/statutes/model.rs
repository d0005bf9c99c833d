//! A statute in one of its versions, and which version is in force on a day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ArticleNumber;

/// What the source says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 有效
    InForce,
    /// 已修改: a later version has replaced it.
    Amended,
    /// 已废止
    Repealed,
    /// 尚未生效 when the source was made; its day decides.
    NotYet,
    /// 未知: decisions, ministry rules and the like; taken as in force.
    Unknown,
}

impl Status {
    /// Reads the source's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "有效" => Self::InForce,
            "已修改" => Self::Amended,
            "已废止" | "失效" => Self::Repealed,
            "尚未生效" => Self::NotYet,
            _ => Self::Unknown,
        }
    }
}

/// What sort of text it is; decides what can be cited and how much weight a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// 宪法
    Constitution,
    /// 法律
    Law,
    /// 行政法规、监察法规
    Regulation,
    /// 司法解释、法律解释
    Interpretation,
    /// 部门规章
    Rule,
    /// 有关法律问题和重大问题的决定: may hold articles of its own.
    Resolution,
    /// 修改、废止的决定 and 修正案: never in force as numbered articles, kept as whole documents.
    Decision,
}

impl Group {
    /// Reads the source's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "宪法" => Self::Constitution,
            "法律" => Self::Law,
            "行政法规" | "监察法规" => Self::Regulation,
            "司法解释" | "法律解释" => Self::Interpretation,
            "部门规章" => Self::Rule,
            "有关法律问题和重大问题的决定（部分）" => Self::Resolution,
            _ => Self::Decision,
        }
    }
}

/// A version of a statute, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The source's id of the version; the file's name when it has none.
    pub id: String,
    /// Official name as replies write it (see [`crate::knowledge::Citation`]).
    pub name: String,
    /// Issuing body.
    pub author: String,
    /// Day of publication.
    pub published: Option<NaiveDate>,
    /// First day in force; the day of publication when the source has none.
    pub effective: Option<NaiveDate>,
    /// What the source says of it.
    pub status: Status,
    /// What sort of text it is.
    pub group: Group,
    /// Number of articles; 0 for a whole document.
    pub articles: usize,
    /// Page of the official database, if the source names one.
    pub url: Option<String>,
}

/// An article: the unit that is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its number; `None` for the one article of a document that has none.
    pub number: Option<ArticleNumber>,
    /// Part, chapter and section, `第五编 婚姻家庭 › 第四章 离婚`; may be empty.
    pub path: String,
    /// Official text: paragraphs and items, a line each.
    pub text: String,
}

/// What the article of a document without articles is called.
pub const WHOLE: &str = "全文";

impl Article {
    /// `第五条`, or `全文`.
    pub fn label(&self) -> String {
        self.number
            .map_or_else(|| WHOLE.to_owned(), |number| number.to_string())
    }
}

/// A version with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statute {
    /// About it.
    pub version: Version,
    /// Its articles in order.
    pub articles: Vec<Article>,
}

/// The version in force on `day` among all `versions` of one name: the one that came into force
/// last, unless that one was repealed, or was amended by one that is not at hand.
///
/// At most one version is in force on any day.
pub fn in_force<'a>(
    versions: impl IntoIterator<Item = &'a Version>,
    day: NaiveDate,
) -> Option<&'a Version> {
    let mut begun: Vec<&Version> = versions
        .into_iter()
        .filter(|v| v.group != Group::Decision)
        .collect();
    // Without any day it came first.
    begun.sort_by_key(|v| (v.effective, v.published, v.id.clone()));
    let at = begun
        .iter()
        .rposition(|v| v.effective.is_none_or(|from| from <= day))?;
    let replaced = at + 1 < begun.len();
    match begun[at].status {
        Status::Repealed => None,
        Status::Amended if !replaced => None,
        Status::InForce | Status::Amended | Status::NotYet | Status::Unknown => Some(begun[at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, effective: &str, status: Status) -> Version {
        Version {
            id: id.to_owned(),
            name: "某法".to_owned(),
            author: String::new(),
            published: None,
            effective: effective.parse().ok(),
            status,
            group: Group::Law,
            articles: 1,
            url: None,
        }
    }

    fn on(versions: &[Version], day: &str) -> Option<String> {
        in_force(versions, day.parse().unwrap()).map(|v| v.id.clone())
    }

    #[test]
    fn exactly_one_version_is_in_force() {
        let versions = [
            version("old", "2013-01-01", Status::Amended),
            version("new", "2026-01-01", Status::InForce),
        ];
        assert_eq!(on(&versions, "2025-12-31"), Some("old".into()));
        assert_eq!(on(&versions, "2026-01-01"), Some("new".into()));
        assert_eq!(on(&versions, "2012-12-31"), None);
    }

    #[test]
    fn a_coming_law_comes_into_force_by_itself() {
        let versions = [version("code", "2026-08-15", Status::NotYet)];
        assert_eq!(on(&versions, "2026-08-14"), None);
        assert_eq!(on(&versions, "2026-08-15"), Some("code".into()));
    }

    #[test]
    fn repealed_or_amended_by_the_unknown_is_not_in_force() {
        assert_eq!(
            on(
                &[version("a", "2000-01-01", Status::Repealed)],
                "2026-01-01"
            ),
            None
        );
        assert_eq!(
            on(&[version("a", "2000-01-01", Status::Amended)], "2026-01-01"),
            None
        );
    }
}
