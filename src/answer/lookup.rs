//! Direct look-up: a message that names an article gets that article's official text.
//!
//! Old law is never shown as current: a dead law's article leads to where its content is now, a
//! number that moved gets a line that says so, and a number that does not exist is said not to.

use tantivy::TantivyError;

use super::compose;
use super::{ArticleRef, LawBook, Office, Reply};
use crate::knowledge::Library;
use crate::knowledge::statutes::{Certainty, Mention, Standing};
use crate::search::{ArticleText, Articles};

/// More text than this beside the number is a question, not a look-up.
const MAX_REST: usize = 10;
/// How many articles one message may look up.
const MAX_SHOWN: usize = 5;

/// What is to be shown of a look-up.
pub(super) struct Shown {
    /// What came out, line by line, before the articles.
    pub notes: Vec<String>,
    /// The articles in force.
    pub articles: Vec<ArticleText>,
    /// Whether the source marks the law's standing as unknown.
    pub doubtful: bool,
}

impl LawBook {
    /// The reply to a message that looks articles up; `None` when it is something else.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn look_up(
        &self,
        library: &Library,
        office: &Office,
        normalized: &str,
    ) -> Result<Option<Reply>, TantivyError> {
        // Building the resolver costs more than a search: only a number can be a look-up.
        if !normalized
            .contains(|c: char| c.is_ascii_digit() || "零〇一二三四五六七八九十百千".contains(c))
        {
            return Ok(None);
        }
        let mentions = library.laws.resolver().mentions(normalized);
        let named: Vec<&Mention> = mentions.found.iter().filter(|m| m.law.is_some()).collect();
        if named.is_empty() || mentions.rest.chars().count() > MAX_REST {
            return Ok(None);
        }
        let mut shown = Shown {
            notes: Vec::new(),
            articles: Vec::new(),
            doubtful: false,
        };
        for mention in named {
            self.show(library, mention, &mut shown)?;
        }
        shown.articles.truncate(MAX_SHOWN);
        if shown.notes.is_empty() && shown.articles.is_empty() {
            return Ok(None);
        }
        Ok(Some(compose::statute(library, office, self, shown)))
    }

    /// One article, as a button asks for it; `None` when it is not in force or not imported.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn article(
        &self,
        library: &Library,
        office: &Office,
        article: &ArticleRef,
    ) -> Result<Option<Reply>, TantivyError> {
        let Some(articles) = &self.articles else {
            return Ok(None);
        };
        let Some(found) = articles.get(&article.law, &article.label)? else {
            return Ok(None);
        };
        let shown = Shown {
            notes: Vec::new(),
            doubtful: self.is_doubtful(library, &found.law),
            articles: vec![found],
        };
        Ok(Some(compose::statute(library, office, self, shown)))
    }

    fn is_doubtful(&self, library: &Library, law: &str) -> bool {
        use crate::knowledge::statutes::{Group, Status};
        matches!(
            library.laws.standing(law, self.day),
            Standing::InForce(version)
                if version.status == Status::Unknown && version.group == Group::Rule
        )
    }

    fn show(
        &self,
        library: &Library,
        mention: &Mention,
        shown: &mut Shown,
    ) -> Result<(), TantivyError> {
        let Some(law) = &mention.law else {
            return Ok(());
        };
        let name = &law.law;
        if law.certainty == Certainty::Mistyped {
            shown.notes.push(format!("您说的是《{name}》吧？"));
        }
        let Some(articles) = &self.articles else {
            if let Standing::Replaced(repealed) = library.laws.standing(name, self.day) {
                shown.notes.push(dead(name, &repealed.by, &repealed.note));
            }
            shown.notes.push(format!(
                "这里没有导入《{name}》的条文。官方文本请查国家法律法规数据库 flk.npc.gov.cn。"
            ));
            return Ok(());
        };
        match library.laws.standing(name, self.day) {
            Standing::InForce(version) => {
                shown.doubtful |= self.is_doubtful(library, name);
                for number in &mention.articles {
                    let label = number.to_string();
                    match articles.get(name, &label)? {
                        Some(article) => {
                            shown.articles.push(article);
                            moved_line(articles, name, &label, shown);
                        }
                        None => shown.notes.push(missing(name, &label, version.articles)),
                    }
                }
            }
            Standing::Replaced(repealed) => {
                for number in &mention.articles {
                    let label = number.to_string();
                    let Some(now) = articles.moved(name, &label) else {
                        shown.notes.push(format!(
                            "{}没有找到与旧法{label}对应的现行条文。",
                            dead(name, &repealed.by, &repealed.note)
                        ));
                        continue;
                    };
                    shown.notes.push(format!(
                        "《{name}》已失效，它的{label}已由《{}》{}取代。",
                        now.law, now.article
                    ));
                    shown.articles.extend(articles.get(&now.law, &now.article)?);
                }
            }
            Standing::Coming(version) => {
                let from = version
                    .effective
                    .map_or_else(|| "以后".to_owned(), |day| format!("{day} 起"));
                shown
                    .notes
                    .push(format!("《{name}》还没有生效，{from}施行，现在不能作依据。"));
            }
            Standing::Dead => shown.notes.push(format!(
                "《{name}》已不是现行有效的法律，这里没有它的现行文本。请查国家法律法规数据库 flk.npc.gov.cn。"
            )),
            Standing::NotHeld => shown.notes.push(format!(
                "没有找到《{name}》的条文，法条库里没有这部法。"
            )),
        }
        Ok(())
    }
}

fn dead(law: &str, by: &[String], note: &str) -> String {
    let by: Vec<String> = by.iter().map(|law| format!("《{law}》")).collect();
    match (by.is_empty(), note.is_empty()) {
        (true, _) => format!("《{law}》已失效。"),
        (false, true) => format!("《{law}》已失效，内容现在在{}。", by.join("")),
        (false, false) => format!("《{law}》已失效，内容现在在{}（{note}）。", by.join("")),
    }
}

fn missing(law: &str, label: &str, count: usize) -> String {
    format!("《{law}》没有{label}：现行文本一共 {count} 条，请核对条号。")
}

/// In a revised law: where the content that used to have this number is now.
fn moved_line(articles: &Articles, law: &str, label: &str, shown: &mut Shown) {
    if let Some(now) = articles.moved(law, label) {
        shown.notes.push(format!(
            "注意：这部法修订过，条号有变动。修订前的{label}，内容现在在{}。",
            now.article
        ));
    }
}
