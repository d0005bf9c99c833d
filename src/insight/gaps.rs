//! What the library lacks (知识缺口): questions it could not answer well, gathered by meaning.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::meaning::{Meanings, Sense};
use super::{FEWEST_ASKERS, Fact, Mark, Outcome, Worded};
use crate::answer::Thresholds;
use crate::knowledge::EntryId;

/// Two questions belong together from this cosine on. On the library's own phrasings
/// (`insight::gaps::tests::the_threshold_is_the_measured_one`) it joins few that ask different things.
pub const SAME_MEANING: f64 = 0.35;
/// Example phrasings of a gap.
const EXAMPLES: usize = 3;

/// Why a question counts as not answered well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapReason {
    /// 未收录: the library did not hold it.
    Unknown,
    /// 没把握: choices were offered and none was opened, or the answer was hardly sure.
    Unsure,
    /// 👎
    Unhelpful,
    /// Staff marked the reply as wrong or incomplete.
    Marked,
}

impl GapReason {
    /// The reason that applies to a question, if one does. Danger and refusals are no gaps.
    pub fn of(fact: &Fact) -> Option<Self> {
        if matches!(fact.outcome, Outcome::Emergency | Outcome::Refused) {
            return None;
        }
        if matches!(fact.mark, Some(Mark::Wrong | Mark::Incomplete)) {
            Some(Self::Marked)
        } else if fact.helpful == Some(false) {
            Some(Self::Unhelpful)
        } else if fact.outcome == Outcome::Unknown {
            Some(Self::Unknown)
        } else if fact.outcome == Outcome::Open
            || fact.outcome == Outcome::HandedOn && fact.confidence < Thresholds::default().answer
        {
            Some(Self::Unsure)
        } else {
            None
        }
    }
}

/// A gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Questions in it.
    pub questions: u64,
    /// Distinct askers.
    pub askers: u64,
    /// Questions by reason.
    pub reasons: BTreeMap<GapReason, u64>,
    /// Redacted phrasings nearest to the middle of the gap, at most three; empty in what is published
    /// when there are fewer than five askers.
    pub examples: Vec<String>,
    /// The entry whose way of asking is nearest, with the cosine.
    pub nearest: Option<(EntryId, f64)>,
    /// Sub-topic most of its questions count under; `None` is 其他.
    pub topic: Option<String>,
    /// Day of the first question in it.
    pub since: NaiveDate,
    /// Day of the latest.
    pub latest: NaiveDate,
}

impl Gap {
    /// As it may leave the office: without phrasings when fewer than five people asked.
    #[must_use]
    pub fn published(mut self) -> Self {
        if self.askers < FEWEST_ASKERS {
            self.examples.clear();
        }
        self
    }

    /// Whether size and askers may be published.
    pub fn shows_counts(&self) -> bool {
        self.askers >= FEWEST_ASKERS
    }
}

/// Gathers senses by meaning: indices of each group, in a fixed order that depends on nothing but the
/// questions. Each joins the group whose middle is nearest, from [`SAME_MEANING`] on, else opens one;
/// then groups whose middles are that near are joined, nearest first.
pub(super) fn gather(senses: &[Sense]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut middles: Vec<Sense> = Vec::new();
    // Groups that hold a token: only those are compared.
    let mut holders: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for (at, sense) in senses.iter().enumerate() {
        let near: BTreeSet<usize> = sense
            .tokens()
            .filter_map(|token| holders.get(&token))
            .flatten()
            .copied()
            .collect();
        let best = near
            .into_iter()
            .map(|group| (group, middles[group].likeness(sense)))
            .filter(|(_, likeness)| *likeness >= SAME_MEANING)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let group = match best {
            Some((group, _)) => {
                groups[group].push(at);
                middles[group] = Sense::centre(groups[group].iter().map(|i| &senses[*i]));
                group
            }
            None => {
                groups.push(vec![at]);
                middles.push(sense.clone());
                groups.len() - 1
            }
        };
        for token in sense.tokens() {
            holders.entry(token).or_default().insert(group);
        }
    }
    join(senses, groups, middles, &holders)
}

fn join(
    senses: &[Sense],
    mut groups: Vec<Vec<usize>>,
    mut middles: Vec<Sense>,
    holders: &BTreeMap<u32, BTreeSet<usize>>,
) -> Vec<Vec<usize>> {
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for group in holders.values() {
        for a in group {
            pairs.extend(group.range(a + 1..).map(|b| (*a, *b)));
        }
    }
    let mut near: Vec<(f64, usize, usize)> = pairs
        .into_iter()
        .map(|(a, b)| (middles[a].likeness(&middles[b]), a, b))
        .filter(|(likeness, _, _)| *likeness >= SAME_MEANING)
        .collect();
    near.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    for (_, a, b) in near {
        // A joined group is empty; its middle has moved, so it is looked at again.
        if groups[a].is_empty() || groups[b].is_empty() {
            continue;
        }
        if middles[a].likeness(&middles[b]) >= SAME_MEANING {
            let more = std::mem::take(&mut groups[b]);
            groups[a].extend(more);
            groups[a].sort_unstable();
            middles[a] = Sense::centre(groups[a].iter().map(|i| &senses[*i]));
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Gaps, those with most askers first.
///
/// - Formula: questions that were unknown, left open, handed on without a sure answer, given 👎 or
///   marked by staff; gathered by cosine of tf-idf over words and character pairs, leader by leader in
///   order of time, then joined. The same questions always give the same gaps.
/// - Unit: questions and askers. Source: journal, while words are kept (30 days by default).
/// - Not to be read as: everything the library lacks. What nobody asks here, and what was answered
///   wrongly without anybody saying so, is not in it.
pub fn gaps(questions: &[Worded], meanings: &Meanings<'_>) -> Vec<Gap> {
    let open: Vec<(&Worded, GapReason)> = questions
        .iter()
        .filter_map(|q| Some((q, GapReason::of(&q.fact)?)))
        .collect();
    let senses = meanings.senses(open.iter().map(|(q, _)| q.text.as_str()));
    let mut gaps: Vec<Gap> = gather(&senses)
        .into_iter()
        .filter_map(|group| gap(&group, &open, &senses, meanings))
        .collect();
    gaps.sort_by(|a, b| {
        let key = |gap: &Gap| (gap.askers, gap.questions);
        key(b)
            .cmp(&key(a))
            .then_with(|| a.examples.cmp(&b.examples))
    });
    gaps
}

fn gap(
    group: &[usize],
    open: &[(&Worded, GapReason)],
    senses: &[Sense],
    meanings: &Meanings<'_>,
) -> Option<Gap> {
    let middle = Sense::centre(group.iter().map(|i| &senses[*i]));
    let members = || group.iter().map(|i| open[*i]);
    let mut reasons = BTreeMap::new();
    let mut topics: BTreeMap<&str, u64> = BTreeMap::new();
    for (question, reason) in members() {
        *reasons.entry(reason).or_default() += 1;
        *topics
            .entry(question.fact.topic.as_deref().unwrap_or(""))
            .or_default() += 1;
    }
    let askers: BTreeSet<u64> = members().filter_map(|(q, _)| q.fact.asker).collect();
    let mut order: Vec<usize> = group.to_vec();
    order.sort_by(|a, b| {
        let near = |i: &usize| middle.likeness(&senses[*i]);
        near(b).total_cmp(&near(a)).then(a.cmp(b))
    });
    let mut examples: Vec<String> = Vec::new();
    for i in order {
        if examples.len() < EXAMPLES && !examples.contains(&open[i].0.text) {
            examples.push(open[i].0.text.clone());
        }
    }
    let topic = topics
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))
        .map(|(topic, _)| topic.to_owned())
        .filter(|topic| !topic.is_empty());
    Some(Gap {
        questions: group.len() as u64,
        askers: askers.len() as u64,
        reasons,
        examples,
        nearest: meanings
            .nearest(&middle)
            .map(|(id, likeness)| (id.clone(), likeness)),
        topic,
        since: members().map(|(q, _)| q.fact.day).min()?,
        latest: members().map(|(q, _)| q.fact.day).max()?,
    })
}
