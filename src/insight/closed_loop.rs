//! Whether the loop closes: gap → new entry → are such questions answered now?

use chrono::{DateTime, Utc};

use super::gaps::SAME_MEANING;
use super::meaning::Meanings;
use super::{FEWEST_ASKERS, Outcome, Share, Worded};
use crate::knowledge::EntryId;

/// A new entry and the questions it was written for.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedLoop {
    /// The new entry.
    pub entry: EntryId,
    /// When the library first held it.
    pub since: DateTime<Utc>,
    /// Of such questions before that: answered, at once or after a choice.
    pub before: Share,
    /// The same from then on.
    pub after: Share,
    /// Askers of such questions from then on.
    pub askers_after: u64,
    /// Whether the loop is closed; `None` when fewer than five people asked since.
    pub closed: Option<bool>,
}

/// Closed loops of the entries in `new`, in their order.
///
/// - Formula: "such questions" are those whose words are near one of the entry's ways of asking
///   (cosine of at least [`SAME_MEANING`]), or that were answered with it. Answered share before and after it
///   appeared, with Wilson's interval. Closed: the share after is above one half and above the
///   share before; not judged with fewer than five askers after.
/// - Unit: shares of questions. Source: journal while words are kept, and the moment at which the
///   program first saw the entry.
/// - Not to be read as: proof that the answer is right or that it helped; see the helpful share.
pub fn closed_loops(
    questions: &[Worded],
    meanings: &Meanings,
    new: &[(EntryId, DateTime<Utc>)],
) -> Vec<ClosedLoop> {
    if new.is_empty() {
        return Vec::new();
    }
    let senses = meanings.senses(questions.iter().map(|q| q.text.as_str()));
    new.iter()
        .map(|(entry, since)| {
            let ways: Vec<_> = meanings.ways_of(entry).collect();
            let (mut counts, mut askers) = ([[0_u64; 2]; 2], std::collections::BTreeSet::new());
            for (question, sense) in questions.iter().zip(&senses) {
                let fact = &question.fact;
                let by_it = fact.entry.as_deref() == Some(entry.0.as_str());
                if !by_it && !ways.iter().any(|way| way.likeness(sense) >= SAME_MEANING) {
                    continue;
                }
                let answered = matches!(fact.outcome, Outcome::Answered | Outcome::Resolved);
                let after = fact.at >= since.timestamp_millis();
                counts[usize::from(after)][0] += u64::from(answered);
                counts[usize::from(after)][1] += 1;
                if after {
                    askers.extend(fact.asker);
                }
            }
            let [before, after] = counts.map(|[of, out_of]| Share::new(of, out_of));
            let enough = askers.len() as u64 >= FEWEST_ASKERS;
            let better = after.share > Some(0.5) && after.share > before.share;
            ClosedLoop {
                entry: entry.clone(),
                since: *since,
                before,
                after,
                askers_after: askers.len() as u64,
                closed: enough.then_some(better),
            }
        })
        .collect()
}
