//! Questions of different entries that say nearly the same: two entries then compete for one
//! question, and which of them a resident gets is chance.
//!
//! Likeness is the Dice coefficient over character pairs, each weighted by its inverse document
//! frequency among all ways of asking: 1 for the same words, 0 for nothing in common.

use std::collections::HashMap;

use super::Library;
use crate::text::{bigrams, normalize};

/// From here on two ways of asking count as one question.
///
/// Read on the whole library: between 0.7 and 0.9 pairs differ by the one word that matters
/// (离婚能申请法律援助吗, 网上能申请法律援助吗: who may, and how); above 0.9 only by a particle or the
/// order of words, and no searcher can tell them apart.
pub const SAME_QUESTION: f64 = 0.9;

/// Pairs that more ways of asking hold than this are no clue that two are alike.
const COMMON: usize = 400;

/// What is compared: punctuation says nothing.
fn letters(way: &str) -> String {
    let normalized = normalize(way);
    normalized.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Two ways of asking of different entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<'a> {
    /// Place in [`Library::entries`] and words.
    pub one: (usize, &'a str),
    /// The same for the other.
    pub other: (usize, &'a str),
    /// 0 to 1.
    pub likeness: f64,
}

/// The pairs at least `least` alike, most alike first.
pub fn near_duplicates(library: &Library, least: f64) -> Vec<Pair<'_>> {
    pairs(library, least, None)
}

/// All pairs, or those of one entry, whose ways of asking then come first.
fn pairs(library: &Library, least: f64, of: Option<usize>) -> Vec<Pair<'_>> {
    let mut ways: Vec<(usize, &str)> = Vec::new();
    for (at, entry) in library.entries.iter().enumerate() {
        let asked = std::iter::once(&entry.question).chain(&entry.phrasings);
        ways.extend(asked.map(|way| (at, way.as_str())));
    }
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut holders: Vec<Vec<usize>> = Vec::new();
    let mut grams: Vec<Vec<usize>> = Vec::with_capacity(ways.len());
    let texts: Vec<String> = ways.iter().map(|(_, way)| letters(way)).collect();
    for text in &texts {
        let n = grams.len();
        let mut own: Vec<usize> = Vec::new();
        for gram in bigrams(text) {
            let next = holders.len();
            let id = *numbers.entry(gram.text).or_insert(next);
            if id == next {
                holders.push(Vec::new());
            }
            own.push(id);
        }
        own.sort_unstable();
        own.dedup();
        for id in &own {
            holders[*id].push(n);
        }
        grams.push(own);
    }
    let all = ways.len() as f64;
    let telling = |id: &usize| (1.0 + all / (1.0 + holders[*id].len() as f64)).ln();
    let weight: Vec<f64> = grams.iter().map(|g| g.iter().map(telling).sum()).collect();
    let mut out = Vec::new();
    let mut shared: HashMap<usize, f64> = HashMap::new();
    for (n, own) in grams.iter().enumerate() {
        if of.is_some_and(|at| ways[n].0 != at) {
            continue;
        }
        shared.clear();
        for id in own.iter().filter(|id| holders[**id].len() <= COMMON) {
            let later = match of {
                Some(_) => 0,
                None => holders[*id].partition_point(|other| *other <= n),
            };
            for other in &holders[*id][later..] {
                *shared.entry(*other).or_default() += telling(id);
            }
        }
        for other in shared.keys().copied() {
            // The very same words are an error of their own when the library is loaded.
            if ways[other].0 == ways[n].0 || texts[other] == texts[n] {
                continue;
            }
            let common = grams[other]
                .iter()
                .filter(|id| own.binary_search(id).is_ok());
            let likeness = 2.0 * common.map(telling).sum::<f64>() / (weight[n] + weight[other]);
            if likeness >= least {
                out.push(Pair {
                    one: ways[n],
                    other: ways[other],
                    likeness,
                });
            }
        }
    }
    out.sort_by(|a, b| {
        let order = b.likeness.total_cmp(&a.likeness);
        order.then_with(|| (a.one, a.other).cmp(&(b.one, b.other)))
    });
    out
}

/// Ways of asking of the entry at place `at` that are at least `least` like one of another entry: its own,
/// the other's place in [`Library::entries`], the other's.
pub(super) fn ways_like(library: &Library, at: usize, least: f64) -> Vec<(&str, usize, &str)> {
    let pairs = pairs(library, least, Some(at)).into_iter();
    pairs
        .map(|pair| (pair.one.1, pair.other.0, pair.other.1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::{LoadOptions, load};

    #[test]
    fn what_is_like_one_entry_is_what_is_like_it_among_all() {
        let options = LoadOptions {
            preset: None,
            today: chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap_or_default(),
            own: "local".into(),
        };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/library");
        let library = load(&root, &options).unwrap().library;
        // Far below what counts as one question, so that there is something to compare.
        let all = near_duplicates(&library, 0.2);
        assert!(all.len() > 3, "{all:?}");
        for at in 0..library.entries.len() {
            let mut own = ways_like(&library, at, 0.2);
            let mut expected: Vec<(&str, usize, &str)> = all
                .iter()
                .filter_map(|pair| match (pair.one, pair.other) {
                    ((n, way), (other, theirs)) if n == at => Some((way, other, theirs)),
                    ((other, theirs), (n, way)) if n == at => Some((way, other, theirs)),
                    _ => None,
                })
                .collect();
            own.sort_unstable();
            expected.sort_unstable();
            assert_eq!(own, expected);
        }
    }
}
