//! Where the content of an old article is now, found by comparing texts.
//!
//! Two articles are alike when they share most of their character pairs, rare pairs counting
//! more (idf-weighted overlap, divided by the larger side). Laws are revised in order, so among
//! equals the one whose neighbours moved along is right; in practice the likeness alone decides.

use std::collections::{HashMap, HashSet};

use crate::knowledge::statutes::{Article, ArticleNumber};

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
pub(super) fn moves(old: &[Article], new: &[&Article]) -> Vec<(ArticleNumber, usize)> {
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
        assert_eq!(moves(&old, &new), [(ArticleNumber::new(1), 1)]);
    }
}
