//! What is asked in which words, which articles are cited, which entries are used and which never.

use std::collections::{BTreeMap, BTreeSet};

use super::{FEWEST_ASKERS, Tally, Totals, Worded};
use crate::knowledge::{Citation, EntryId, Library};

/// Words that several people used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopPhrasing {
    /// As first sent, redacted.
    pub text: String,
    /// How often.
    pub questions: u64,
    /// By how many people; at least five.
    pub askers: u64,
}

/// The most frequent phrasings that at least five people used.
///
/// - Formula: questions with the same redacted words after `normalize` (punctuation and spelling of
///   characters evened out); by askers, then questions.
/// - Unit: questions, people. Source: journal while words are kept.
/// - Not to be read as: most frequent problems: one problem has many phrasings; see topics.
pub fn top_phrasings(
    questions: &[Worded],
    normalize: impl Fn(&str) -> String,
    most: usize,
) -> Vec<TopPhrasing> {
    let mut groups: BTreeMap<String, (&str, u64, BTreeSet<u64>)> = BTreeMap::new();
    for question in questions {
        let key: String = normalize(&question.text)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        let group = groups
            .entry(key)
            .or_insert((&question.text, 0, BTreeSet::new()));
        group.1 += 1;
        group.2.extend(question.fact.asker);
    }
    let mut out: Vec<TopPhrasing> = groups
        .into_values()
        .filter(|(_, _, askers)| askers.len() as u64 >= FEWEST_ASKERS)
        .map(|(text, questions, askers)| TopPhrasing {
            text: text.to_owned(),
            questions,
            askers: askers.len() as u64,
        })
        .collect();
    out.sort_by(|a, b| {
        (b.askers, b.questions)
            .cmp(&(a.askers, a.questions))
            .then_with(|| a.text.cmp(&b.text))
    });
    out.truncate(most);
    out
}

/// An article and the questions it was shown to.
#[derive(Debug, Clone, PartialEq)]
pub struct CitedArticle {
    /// The article.
    pub citation: Citation,
    /// Questions answered with an entry that rests on it, with their askers.
    pub shown: Tally,
}

/// Articles cited, the most shown first.
///
/// - Formula: for each question that an entry was shown to, every article the entry rests on *today*.
/// - Unit: questions. Source: roll-ups by entry, library. Look-ups of an article by number are not in.
/// - Not to be read as: number of times an article was applied or broken.
pub fn articles_cited(entries: &Totals, library: &Library) -> Vec<CitedArticle> {
    let mut cited: BTreeMap<Citation, Tally> = BTreeMap::new();
    for (id, tally) in entries {
        let entry = library.entry(&EntryId(id.clone()));
        let citations: BTreeSet<Citation> = entry.iter().flat_map(|e| e.citations()).collect();
        for citation in citations {
            cited.entry(citation).or_default().merge(tally);
        }
    }
    let mut out: Vec<CitedArticle> = cited
        .into_iter()
        .map(|(citation, shown)| CitedArticle { citation, shown })
        .collect();
    out.sort_by(|a, b| {
        let more = b.shown.questions.cmp(&a.shown.questions);
        more.then_with(|| a.citation.cmp(&b.citation))
    });
    out
}

/// Entries used, the most used first, and entries of the library that were never shown.
///
/// - Formula: questions that the entry was shown to, at once or after a choice.
/// - Unit: questions, people. Source: roll-ups by entry, library.
/// - Not to be read as: quality. A rarely used entry may be the one that somebody badly needs.
pub fn entries_used(entries: &Totals, library: &Library) -> (Vec<(EntryId, Tally)>, Vec<EntryId>) {
    let mut used: Vec<(EntryId, Tally)> = entries
        .iter()
        .map(|(id, tally)| (EntryId(id.clone()), tally.clone()))
        .collect();
    used.sort_by(|a, b| {
        b.1.questions
            .cmp(&a.1.questions)
            .then_with(|| a.0.cmp(&b.0))
    });
    let never = library.entries.iter().map(|entry| &entry.id);
    let never = never.filter(|id| !entries.contains_key(&id.0)).cloned();
    (used, never.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::{Fact, Outcome};
    use chrono::NaiveDate;

    fn asked(asker: u64, text: &str) -> Worded {
        Worded {
            fact: Fact {
                id: 1,
                at: 0,
                day: NaiveDate::default(),
                asker: Some(asker),
                topic: None,
                place: None,
                region: None,
                board: None,
                entry: None,
                outcome: Outcome::Answered,
                mark: None,
                approved: false,
                helpful: None,
                confidence: 1.0,
            },
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_what_five_people_say_is_listed() {
        let mut questions: Vec<Worded> = (0..5).map(|n| asked(n, "老板不给钱？")).collect();
        questions.push(asked(0, "老板不给钱"));
        questions.extend((0..9).map(|n| asked(n % 4, "只有四个人问")));
        let found = top_phrasings(&questions, crate::text::normalize, 10);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].questions, found[0].askers), (6, 5));
    }
}
