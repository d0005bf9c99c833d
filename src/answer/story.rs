//! A long story reduced to what matters before it is searched: the clauses that say most in words
//! of the law or of our lexicon, and those that ask. The guard always hears the whole message.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use super::matters::asks;
use crate::knowledge::Library;

/// Up to so many clauses are no story.
const SHORT: usize = 5;
/// At least so many clauses are left.
const LEAST: usize = 4;

/// Finds what matters; made once for a library.
pub(super) struct Teller {
    terms: Option<AhoCorasick>,
}

impl Teller {
    /// Knows the legal terms of a library.
    pub fn new(library: &Library) -> Self {
        let terms = library.terms.iter().filter(|t| t.chars().count() > 1);
        Self {
            // Without a finder every clause says as little as the others.
            terms: AhoCorasick::new(terms).ok(),
        }
    }

    /// The half of a story's clauses that says most, in order; a shorter message as it is.
    pub fn gist(&self, library: &Library, normalized: &str) -> String {
        let ends = |c: char| c.is_whitespace() || ",。?!;".contains(c);
        let clauses: Vec<&str> = normalized.split(ends).filter(|c| !c.is_empty()).collect();
        if clauses.len() <= SHORT {
            return normalized.to_owned();
        }
        let mut order: Vec<usize> = (0..clauses.len()).collect();
        let says: Vec<f64> = clauses.iter().map(|c| self.says(library, c)).collect();
        order.sort_by(|a, b| says[*b].total_cmp(&says[*a]).then(a.cmp(b)));
        order.truncate(LEAST.max(clauses.len() / 2));
        order.sort_unstable();
        let kept: Vec<&str> = order.into_iter().map(|n| clauses[n]).collect();
        kept.join(",")
    }

    /// Bytes of known words to a byte of the clause; a clause that asks says one more.
    fn says(&self, library: &Library, clause: &str) -> f64 {
        let terms = self.terms.iter();
        let terms = terms.flat_map(|terms| terms.find_overlapping_iter(clause));
        let lay = library.lexicon.expand(clause).into_iter().map(|e| e.span);
        let known: HashSet<_> = terms.map(|found| found.range()).chain(lay).collect();
        let known: usize = known.iter().map(ExactSizeIterator::len).sum();
        known as f64 / clause.len() as f64 + f64::from(u8::from(asks(clause)))
    }
}

#[cfg(test)]
#[allow(clippy::field_reassign_with_default)] // some fields are private to another floor
mod tests {
    use super::*;

    #[test]
    fn a_story_is_told_by_what_it_says_and_asks() {
        let mut library = Library::default();
        library.terms = ["工资", "劳动合同", "家具厂"].map(str::to_owned).to_vec();
        let teller = Teller::new(&library);
        let short = "老板欠我工资,怎么办";
        assert_eq!(teller.gist(&library, short), short);
        let long =
            "今年天气热,我跟老乡出门,去了家具厂,没签劳动合同,天天下雨,娃要开学,欠我工资,我该怎么办";
        assert_eq!(
            teller.gist(&library, long),
            "去了家具厂,没签劳动合同,欠我工资,我该怎么办"
        );
    }
}
