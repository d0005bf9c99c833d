//! What the library lacks (知识缺口): questions it could not answer well, gathered by meaning.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::meaning::{Meanings, Sense};
use super::{FEWEST_ASKERS, Fact, Mark, Outcome, Worded};
use crate::answer::Thresholds;
use crate::journal::RowId;
use crate::knowledge::EntryId;

/// Two questions belong together from this cosine on. Measured on the phrasings of every ninth
/// entry of the library, which are meant to differ in words: of the pairs that are joined 63 % are of
/// one sub-topic and 67 % of one top topic (by chance it would be about 1 and 8 %); of the pairs of one
/// entry 9 % are joined. So gaps are rather split than mixed.
pub const SAME_MEANING: f64 = 0.3;
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
    /// The word staff read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "未收录",
            Self::Unsure => "没把握",
            Self::Unhelpful => "👎 没用",
            Self::Marked => "复核说答错或要补充",
        }
    }

    /// The reason that applies to a question, if one does. Danger and refusals are no gaps.
    pub fn of(fact: &Fact) -> Option<Self> {
        if matches!(fact.outcome, Outcome::Emergency | Outcome::Refused) {
            return None;
        }
        if matches!(fact.mark, Some(Mark::Wrong | Mark::Incomplete)) {
            Some(Self::Marked)
        } else if fact.helpful == Some(false) && !fact.approved {
            Some(Self::Unhelpful)
        } else if fact.outcome == Outcome::Unknown {
            Some(Self::Unknown)
        } else if fact.approved {
            // Staff know better than a thumb or a figure.
            None
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
    /// Its questions, those nearest to the middle first; empty in what is published.
    pub members: Vec<RowId>,
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
        self.members.clear();
        self
    }

    /// Whether size and askers may be published.
    pub fn shows_counts(&self) -> bool {
        self.askers >= FEWEST_ASKERS
    }
}

/// Gathers senses by meaning: indices of each group, in a fixed order that depends on nothing but the
/// questions. Each joins the group whose middle is nearest, from the cosine `same` on, else opens one;
/// then groups whose middles are that near are joined, nearest first.
pub(super) fn gather(senses: &[Sense], same: f64) -> Vec<Vec<usize>> {
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
            .filter(|(_, likeness)| *likeness >= same)
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
    join(senses, groups, middles, &holders, same)
}

fn join(
    senses: &[Sense],
    mut groups: Vec<Vec<usize>>,
    mut middles: Vec<Sense>,
    holders: &BTreeMap<u32, BTreeSet<usize>>,
    same: f64,
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
        .filter(|(likeness, _, _)| *likeness >= same)
        .collect();
    near.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    for (_, a, b) in near {
        // A joined group is empty; its middle has moved, so it is looked at again.
        if groups[a].is_empty() || groups[b].is_empty() {
            continue;
        }
        if middles[a].likeness(&middles[b]) >= same {
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
pub fn gaps(questions: &[Worded], meanings: &Meanings) -> Vec<Gap> {
    let open: Vec<(&Worded, GapReason)> = questions
        .iter()
        .filter_map(|q| Some((q, GapReason::of(&q.fact)?)))
        .collect();
    let senses = meanings.senses(open.iter().map(|(q, _)| q.text.as_str()));
    let mut gaps: Vec<Gap> = gather(&senses, SAME_MEANING)
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
    meanings: &Meanings,
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
    for i in &order {
        if examples.len() < EXAMPLES && !examples.contains(&open[*i].0.text) {
            examples.push(open[*i].0.text.clone());
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
        members: order.iter().map(|i| open[*i].0.fact.id).collect(),
        nearest: meanings
            .nearest(&middle)
            .map(|(id, likeness)| (id.clone(), likeness)),
        topic,
        since: members().map(|(q, _)| q.fact.day).min()?,
        latest: members().map(|(q, _)| q.fact.day).max()?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::knowledge::{Library, LoadOptions, load};
    use crate::text::Analyser;

    fn library() -> (Library, Analyser) {
        let options = LoadOptions {
            preset: None,
            today: NaiveDate::from_ymd_opt(2026, 11, 25).unwrap(),
            own: "local".into(),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
        let library = load(&root, &options).unwrap().library;
        let analyser = Analyser::new(library.terms.iter().map(String::as_str));
        (library, analyser)
    }

    /// Of the pairs that are joined: the share on the same top topic, on the same sub-topic; and the
    /// share of pairs of one entry that are joined.
    fn judged(library: &Library, meanings: &Meanings, same: f64) -> [f64; 3] {
        let texts: Vec<(&str, &str, &str)> = library
            .entries
            .iter()
            .step_by(9)
            .flat_map(|e| {
                let ways = e.phrasings.iter().map(String::as_str);
                ways.map(|way| (way, e.id.0.as_str(), e.topic.as_str()))
            })
            .collect();
        let senses = meanings.senses(texts.iter().map(|t| t.0));
        let top = |topic: &str| topic.split('.').next().map(str::to_owned);
        let (mut joined, mut same_top, mut same_topic, mut same_entry) = (0, 0, 0, 0);
        for group in gather(&senses, same) {
            for (n, a) in group.iter().enumerate() {
                for b in &group[n + 1..] {
                    joined += 1;
                    same_top += usize::from(top(texts[*a].2) == top(texts[*b].2));
                    same_topic += usize::from(texts[*a].2 == texts[*b].2);
                    same_entry += usize::from(texts[*a].1 == texts[*b].1);
                }
            }
        }
        let pairs: usize = library
            .entries
            .iter()
            .step_by(9)
            .map(|e| e.phrasings.len() * (e.phrasings.len().max(1) - 1) / 2)
            .sum();
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        [
            share(same_top, joined),
            share(same_topic, joined),
            share(same_entry, pairs),
        ]
    }

    #[test]
    fn the_threshold_keeps_what_was_measured() {
        let (library, analyser) = library();
        let meanings = Meanings::new(&library, &analyser);
        let [top, topic, entry] = judged(&library, &meanings, SAME_MEANING);
        assert!(
            top > 0.6 && topic > 0.55 && entry > 0.07,
            "{top} {topic} {entry}"
        );
    }

    fn asked(n: i64, asker: u64, text: &str, outcome: Outcome) -> Worded {
        let day = NaiveDate::from_ymd_opt(2026, 10, 1).unwrap() + chrono::Days::new(n as u64 / 4);
        Worded {
            fact: Fact {
                id: n,
                at: crate::journal::day_start(day) + n,
                day,
                asker: Some(asker),
                topic: None,
                place: None,
                region: None,
                board: None,
                entry: None,
                outcome,
                mark: None,
                approved: false,
                helpful: None,
                confidence: 0.05,
            },
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_same_trouble_in_other_words_is_one_gap() {
        let (library, analyser) = library();
        let meanings = Meanings::new(&library, &analyser);
        let texts = [
            "无人机飞到我家窗户外面拍，归谁管",
            "屋顶装光伏板漏雨谁负责",
            "邻居家无人机老在院子上头飞",
            "光伏板把屋顶压漏了",
            "无人机偷拍我家院子怎么办",
        ];
        let mut questions: Vec<Worded> = (0..40)
            .map(|n| asked(n, n as u64 % 9, texts[n as usize % 5], Outcome::Unknown))
            .collect();
        questions.push(asked(41, 1, "无人机伤人", Outcome::Answered));
        questions.push(asked(42, 2, "无人机炸人", Outcome::Refused));
        let found = gaps(&questions, &meanings);
        assert_eq!(found, gaps(&questions, &meanings));
        let drones = &found[0];
        assert_eq!((drones.questions, drones.askers), (24, 9), "{found:#?}");
        assert!(drones.examples.iter().all(|text| text.contains("无人机")));
        assert_eq!(drones.examples.len(), 3);
        assert_eq!(drones.members.len(), 24);
        assert_eq!(drones.reasons[&GapReason::Unknown], 24);
        assert!(drones.since < drones.latest);
        let mut few = drones.clone();
        few.askers = 4;
        let told = few.clone().published();
        assert!(!few.shows_counts() && told.examples.is_empty() && told.members.is_empty());
    }

    #[test]
    fn a_question_is_a_gap_for_a_reason() {
        let reason = |change: fn(&mut Fact)| {
            let mut question = asked(1, 1, "", Outcome::Answered);
            change(&mut question.fact);
            GapReason::of(&question.fact)
        };
        assert_eq!(reason(|_| ()), None);
        assert_eq!(
            reason(|f| f.helpful = Some(false)),
            Some(GapReason::Unhelpful)
        );
        assert_eq!(
            reason(|f| f.mark = Some(Mark::Wrong)),
            Some(GapReason::Marked)
        );
        assert_eq!(
            reason(|f| f.outcome = Outcome::Open),
            Some(GapReason::Unsure)
        );
        assert_eq!(
            reason(|f| f.outcome = Outcome::HandedOn),
            Some(GapReason::Unsure)
        );
        assert_eq!(
            reason(|f| (f.outcome, f.confidence) = (Outcome::HandedOn, 0.9)),
            None
        );
        assert_eq!(
            reason(|f| (f.outcome, f.helpful) = (Outcome::Emergency, Some(false))),
            None
        );
        // What staff read and found right is none, unless the library held nothing.
        assert_eq!(
            reason(|f| (f.outcome, f.approved) = (Outcome::Open, true)),
            None
        );
        assert_eq!(
            reason(|f| (f.helpful, f.approved) = (Some(false), true)),
            None
        );
        assert_eq!(
            reason(|f| (f.outcome, f.approved) = (Outcome::Unknown, true)),
            Some(GapReason::Unknown)
        );
    }

    #[test]
    fn a_new_entry_closes_the_loop() {
        let (library, analyser) = library();
        let meanings = Meanings::new(&library, &analyser);
        let entry = &library.entries[0];
        let way = entry.phrasings[0].as_str();
        let questions: Vec<Worded> = (0..40)
            .map(|n| {
                let after = n >= 18;
                let outcome = if after {
                    Outcome::Answered
                } else {
                    Outcome::Unknown
                };
                asked(n, n as u64 % 9, way, outcome)
            })
            .collect();
        // In the middle of a day: those earlier on it count as before.
        let at = questions[18].fact.at;
        let since = chrono::DateTime::from_timestamp_millis(at).unwrap();
        let new = [(entry.id.clone(), since)];
        let loops = crate::insight::closed_loops(&questions, &meanings, &new);
        assert_eq!((loops[0].before.of, loops[0].before.out_of), (0, 18));
        assert_eq!((loops[0].after.of, loops[0].after.out_of), (22, 22));
        assert_eq!(loops[0].closed, Some(true));
        let few = crate::insight::closed_loops(&questions[..22], &meanings, &new);
        assert_eq!(few[0].closed, None, "four askers since");
    }
}
