//! Who asked, small enough to keep for every day and cell, and addable over days.
//!
//! Distinct askers of days cannot be added up: the same person comes again. So each cell keeps the
//! smallest [`KEPT`] of its askers' pseudonyms (48 bits each; pseudonyms are keyed hashes, thus
//! evenly spread). Merged over days this is exact up to [`KEPT`] askers, which is what the
//! rule of five needs, and beyond that an estimate with a standard error of 1/√(KEPT − 2) = 3.1 %
//! (bottom-k sketch; Bar-Yossef et al. 2002, Cohen & Kaplan 2007).

use super::Asker;

/// How many askers a sketch holds.
pub(super) const KEPT: usize = 1024;
/// Bits kept of a pseudonym. Two of 100,000 askers share them once in 50,000 cases.
const BITS: u32 = 48;
/// Six bits a letter.
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// An asker as sketches and facts know them: the first 48 bits of the pseudonym.
pub type AskerMark = u64;

/// The mark of a pseudonym; `None` when it is none.
pub(super) fn mark_of(asker: &str) -> Option<AskerMark> {
    u64::from_str_radix(asker.get(..BITS as usize / 4)?, 16).ok()
}

impl Asker {
    /// The mark under which figures count this asker.
    pub fn mark(&self) -> AskerMark {
        mark_of(&self.0).unwrap_or_default()
    }
}

/// How many distinct askers, and whether that was counted or estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct AskerCount {
    /// Distinct askers.
    pub count: u64,
    /// `false`: an estimate with a standard error of 3.1 %, to be shown as 约.
    pub exact: bool,
}

/// A set of askers, exact up to 1,024 of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sketch {
    /// Ascending, distinct, at most [`KEPT`].
    marks: Vec<AskerMark>,
    /// Whether larger marks were dropped.
    full: bool,
}

impl Sketch {
    /// Adds an asker.
    pub fn add(&mut self, mark: AskerMark) {
        if self.full && self.marks.last().is_some_and(|last| mark > *last) {
            return;
        }
        if let Err(at) = self.marks.binary_search(&mark) {
            self.marks.insert(at, mark);
            self.shrink();
        }
    }

    /// Adds all askers of another.
    pub fn merge(&mut self, other: &Self) {
        if other.marks.is_empty() {
            return;
        }
        let mut merged = Vec::with_capacity(self.marks.len() + other.marks.len());
        let (mut a, mut b) = (self.marks.iter().peekable(), other.marks.iter().peekable());
        while let Some(mark) = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => {
                b.next();
                a.next()
            }
            (Some(x), Some(y)) if x < y => a.next(),
            (Some(_), None) => a.next(),
            _ => b.next(),
        } {
            merged.push(*mark);
        }
        self.marks = merged;
        self.full |= other.full;
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.marks.len() > KEPT {
            self.marks.truncate(KEPT);
            self.full = true;
        }
    }

    /// Distinct askers.
    pub fn count(&self) -> AskerCount {
        match (self.full, self.marks.last()) {
            (true, Some(last)) => {
                // The k-th smallest of n even marks lies near k/n of the range.
                let range = (1_u64 << BITS) as f64;
                let estimate = (self.marks.len() - 1) as f64 * range / (*last as f64).max(1.0);
                AskerCount {
                    count: estimate.round() as u64,
                    exact: false,
                }
            }
            _ => AskerCount {
                count: self.marks.len() as u64,
                exact: true,
            },
        }
    }

    /// As text: eight letters an asker, `+` in front when some were dropped.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.marks.len() * 8 + 1);
        if self.full {
            text.push('+');
        }
        for mark in &self.marks {
            for place in (0..8).rev() {
                text.push(LETTERS[(mark >> (place * 6) & 63) as usize] as char);
            }
        }
        text
    }

    /// Reads [`Sketch::to_text`]; what is no letter of it is taken as 0.
    pub(super) fn from_text(text: &str) -> Self {
        let (full, text) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let value = |letter: &u8| -> u64 {
            u64::from(match letter {
                b'0'..=b'9' => letter - b'0',
                b'A'..=b'Z' => letter - b'A' + 10,
                b'a'..=b'z' => letter - b'a' + 36,
                b'-' => 62,
                b'_' => 63,
                _ => 0,
            })
        };
        let marks = text.as_bytes().chunks_exact(8);
        Self {
            marks: marks
                .map(|mark| mark.iter().fold(0, |sum, l| sum << 6 | value(l)))
                .collect(),
            full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn sketch(marks: impl IntoIterator<Item = u64>) -> Sketch {
        let mut sketch = Sketch::default();
        marks.into_iter().for_each(|m| sketch.add(m));
        sketch
    }

    proptest! {
        #[test]
        fn is_exact_for_few_and_merges_like_a_set(
            a in prop::collection::vec(0u64..1 << 48, 0..600),
            b in prop::collection::vec(0u64..1 << 48, 0..600),
        ) {
            let both: BTreeSet<u64> = a.iter().chain(&b).copied().collect();
            let mut merged = sketch(a.iter().copied());
            merged.merge(&sketch(b.iter().copied()));
            prop_assert_eq!(&merged, &sketch(a.iter().chain(&b).copied()));
            prop_assert_eq!(&merged, &Sketch::from_text(&merged.to_text()));
            if both.len() <= KEPT {
                prop_assert_eq!(merged.count(), AskerCount { count: both.len() as u64, exact: true });
            }
        }
    }

    #[test]
    fn estimates_many_within_its_error() {
        // Marks are hashes: spread evenly by a multiplicative generator.
        let mut state = 7_u64;
        let marks = (0..50_000).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 16
        });
        let count = sketch(marks).count();
        assert!(!count.exact);
        // Four standard errors.
        assert!(
            (count.count as f64 / 50_000.0 - 1.0).abs() < 0.125,
            "{count:?}"
        );
    }
}
