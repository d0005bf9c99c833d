//! What became of the questions: shares by kind, helpful share, repeats.

use super::stats::wilson;
use super::{Outcome, Tally};

/// A share of a whole with its 95 % interval (Wilson).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// How many.
    pub of: u64,
    /// Out of how many.
    pub out_of: u64,
    /// The share, 0 to 1; `None` out of nothing.
    pub share: Option<f64>,
    /// Ends of the 95 % interval; `None` out of nothing.
    pub interval: Option<(f64, f64)>,
}

/// Out of fewer than this, or with a side smaller than this, a share of which no askers are known is
/// not told.
const FEWEST_TOLD: u64 = 20;

impl Share {
    /// Whether a share of which nobody knows the askers may leave the office, without its counts: neither
    /// side is about a few.
    pub fn may_be_told(&self) -> bool {
        let enough = |n: u64| n == 0 || n >= FEWEST_TOLD;
        self.out_of >= FEWEST_TOLD && enough(self.of) && enough(self.out_of - self.of)
    }

    /// A share with its interval.
    pub fn new(of: u64, out_of: u64) -> Self {
        Self {
            of,
            out_of,
            share: (out_of > 0).then(|| of as f64 / out_of as f64),
            interval: wilson(of, out_of),
        }
    }
}

/// Questions with one outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindShare {
    /// What became of them.
    pub outcome: Outcome,
    /// Out of all questions.
    pub share: Share,
}

/// Shares by kind: answered, resolved after a choice, choices left open, handed on, unknown, refused,
/// emergency.
///
/// - Formula: questions with the outcome ÷ all questions; each question has one outcome, so the shares
///   add up to 1. A correction by staff takes the place of the program's outcome.
/// - Unit: share of questions. Source: journal and reviews.
/// - Not to be read as: share of *right* answers. "Answered" says that the library held something
///   fitting, not that the resident's problem was solved.
pub fn kinds(all: &Tally) -> Vec<KindShare> {
    Outcome::ALL
        .into_iter()
        .map(|outcome| KindShare {
            outcome,
            share: Share::new(all.of(outcome), all.questions),
        })
        .collect()
}

/// Helpful share.
///
/// - Formula: 👍 ÷ (👍 + 👎), with Wilson's 95 % interval.
/// - Unit: share of questions *with feedback*. Source: the buttons under answers.
/// - Not to be read as: satisfaction of residents (满意度): few press, and those who do are no sample.
pub fn helpful(all: &Tally) -> Share {
    Share::new(all.helpful, all.helpful + all.unhelpful)
}

/// Repeat-question share.
///
/// - Formula: questions that the same asker asked on the same topic within the 24 hours before ÷ all
///   questions. Repeats across a period's border count in the period of the later question.
/// - Unit: share of questions. Source: journal.
/// - Not to be read as: share of answers that failed. Many people ask on to learn more.
pub fn repeated(all: &Tally) -> Share {
    Share::new(all.repeats, all.questions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::{Period, volume};
    use chrono::NaiveDate;
    use std::collections::BTreeMap;

    #[test]
    fn shares_add_up_and_askers_do_not() {
        let mut one = Tally {
            questions: 10,
            repeats: 2,
            outcomes: [5, 2, 1, 1, 1, 0, 0],
            helpful: 3,
            unhelpful: 1,
            ..Tally::default()
        };
        (0..4_u64).for_each(|n| one.askers.add(n));
        let shares = kinds(&one);
        assert_eq!(shares.iter().map(|k| k.share.of).sum::<u64>(), 10);
        assert_eq!(shares[0].share.share, Some(0.5));
        assert_eq!(helpful(&one).share, Some(0.75));
        assert_eq!(repeated(&one).share, Some(0.2));
        assert_eq!(helpful(&Tally::default()).share, None);
        let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let next = first.succ_opt().unwrap();
        let days = BTreeMap::from([(first, one.clone()), (next, one)]);
        let found = volume(&days, Period::new(first, next.succ_opt().unwrap()));
        assert_eq!(
            (found.questions, found.askers.count),
            (20, 4),
            "the same four people"
        );
        assert_eq!(found.days.len(), 3);
        assert_eq!(found.days[2].questions, 0);
    }
}
