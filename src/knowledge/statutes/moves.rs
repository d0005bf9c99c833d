//! Where the content of an old article is now, found by comparing texts.
//!
//! Two articles are alike when they share most of their character pairs, rare pairs counting
//! more (idf-weighted overlap, divided by the larger side). Laws are revised in order, so among
//! equals the one whose neighbours moved along is right; in practice the likeness alone decides.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Article, ArticleNumber, LawRegister, Status, Statute, moved};
use crate::knowledge::Citation;

/// Old article → where its content is now, by law.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct MoveTable {
    /// Dead law, or the law itself (its previous version) → old number → (law, number) now.
    pub by_law: BTreeMap<String, BTreeMap<String, Citation>>,
}

/// Below this likeness an article counts as gone or rewritten, and nothing is said.
const ALIKE: f64 = 0.45;

type Pair = (char, char);

fn pairs(text: &str) -> HashSet<Pair> {
    let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    chars.windows(2).map(|w| (w[0], w[1])).collect()
}

/// For every old article the new one that says the same; `new` names the law of each.
///
/// Returned as (old, index into `new`); articles that are alike to none are left out.
fn alike(old: &[Article], new: &[&Article]) -> Vec<(ArticleNumber, usize)> {
    let new_pairs: Vec<HashSet<Pair>> = new.iter().map(|a| pairs(&a.text)).collect();
    let mut holders: HashMap<Pair, Vec<usize>> = HashMap::new();
    for (at, set) in new_pairs.iter().enumerate() {
        for pair in set {
            holders.entry(*pair).or_default().push(at);
        }
    }
    let weight = |pair: &Pair| {
        let holders = holders.get(pair).map_or(0, Vec::len) as f64;
        (1.0 + new.len() as f64 / (1.0 + holders)).ln()
    };
    let size =
        |set: &HashSet<Pair>| -> f64 { set.iter().map(weight).sum::<f64>().max(f64::MIN_POSITIVE) };
    let new_sizes: Vec<f64> = new_pairs.iter().map(size).collect();
    let mut out = Vec::new();
    for article in old {
        let Some(number) = article.number else {
            continue;
        };
        let set = pairs(&article.text);
        let own = size(&set);
        let mut shared: HashMap<usize, f64> = HashMap::new();
        for pair in &set {
            let w = weight(pair);
            for at in holders.get(pair).into_iter().flatten() {
                *shared.entry(*at).or_default() += w;
            }
        }
        let best = shared
            .into_iter()
            .map(|(at, both)| (both / own.max(new_sizes[at]), at))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((likeness, at)) = best
            && likeness >= ALIKE
        {
            out.push((number, at));
        }
    }
    out
}

impl MoveTable {
    /// Compares the latest old version of every law with what is in force on `day`; moves that a
    /// person has checked (`law_changes.toml`) go over those found.
    pub fn new(laws: &LawRegister, day: NaiveDate, statutes: &[Statute]) -> Self {
        let in_force: HashSet<&str> = laws
            .in_force(day)
            .into_iter()
            .map(|v| v.id.as_str())
            .collect();
        let is_current = |s: &&Statute| in_force.contains(s.version.id.as_str());
        let current: HashMap<&str, &Statute> = statutes
            .iter()
            .filter(is_current)
            .map(|s| (s.version.name.as_str(), s))
            .collect();
        // The latest old version of each name.
        let mut last: HashMap<&str, &Statute> = HashMap::new();
        for old in statutes.iter().filter(|s| !is_current(s)) {
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
            let found = alike(&old.articles, &articles);
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

    /// Where the content of an article of a dead or older law is now.
    pub fn moved(&self, law: &str, label: &str) -> Option<&Citation> {
        self.by_law.get(law)?.get(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(number: u32, text: &str) -> Article {
        Article {
            number: Some(ArticleNumber::new(number)),
            path: String::new(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn follows_content_not_numbers() {
        let old = [
            article(1, "殴打他人的，处五日以上十日以下拘留。"),
            article(2, "早已删去的内容，与谁都不像。"),
        ];
        let new = [
            article(1, "为了维护社会治安秩序，制定本法。"),
            article(2, "殴打他人的，处五日以上十日以下拘留，并处罚款。"),
        ];
        let new: Vec<&Article> = new.iter().collect();
        assert_eq!(alike(&old, &new), [(ArticleNumber::new(1), 1)]);
    }
}
