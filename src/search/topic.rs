//! What a question is about, also when nothing answers it: the topic of the nearest entry, and how
//! surely that is right.
//!
//! The probability is a logistic regression over what the first hits share with the question and
//! whether they agree on the topic. It is fitted by `qijin bench phrasings --fit` on our own phrasings,
//! each asked twice: withheld from its entry, and with its whole entry gone, which is the case of
//! an unanswered question. Right means: the nearest entry's sub-topic is that of the entry asked for.

use super::confidence::Model;
use super::searcher::Hit;
use crate::knowledge::EntryId;

/// How many hits are asked for their topic.
const LOOKED_AT: usize = 5;
/// Bias and one weight a feature.
pub(super) const WEIGHTS: usize = 8;

/// The topic of a question, as far as it can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicGuess {
    /// Sub-topic id.
    pub topic: String,
    /// Calibrated probability that it is right, 0 to 1.
    pub confidence: f64,
}

/// The sub-topic of an entry: ids are its topic and a hash of its question.
pub(super) fn topic_of(entry: &EntryId) -> &str {
    entry
        .0
        .rsplit_once('-')
        .map_or(&entry.0, |(topic, _)| topic)
}

/// What the probability is computed from; `None` without hits.
pub(super) fn features(hits: &[Hit]) -> Option<[f64; WEIGHTS]> {
    let first = hits.first()?;
    let topic = topic_of(&first.entry);
    let near = &hits[..hits.len().min(LOOKED_AT)];
    let same = near.iter().filter(|h| topic_of(&h.entry) == topic).count();
    let rival = near.iter().find(|h| topic_of(&h.entry) != topic);
    let rival = rival.map_or(0.0, |h| h.score);
    let f = &first.features;
    Some([
        1.0,
        f.coverage,
        f.likeness,
        f.union_coverage,
        (first.score - rival) / first.score.max(f64::MIN_POSITIVE),
        f.score,
        same as f64 / near.len() as f64,
        f.information,
    ])
}

/// The nearest topic; `None` without hits.
pub(super) fn guess(model: &Model, hits: &[Hit]) -> Option<TopicGuess> {
    let x = features(hits)?;
    Some(TopicGuess {
        topic: topic_of(&hits.first()?.entry).to_owned(),
        confidence: model.topic_confidence(&x),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Evidence, Features};

    fn hit(entry: &str, score: f64) -> Hit {
        Hit {
            entry: EntryId(entry.to_owned()),
            score,
            features: Features {
                coverage: 0.6,
                likeness: 0.6,
                union_coverage: 0.8,
                score,
                information: 2.0,
                ..Features::default()
            },
            evidence: Evidence::default(),
        }
    }

    #[test]
    fn neighbours_that_agree_make_a_topic_surer() {
        let model = Model::shipped();
        let pay = |n: u32| format!("labor.wage_arrears-{n:06}");
        let agreeing = [hit(&pay(1), 9.0), hit(&pay(2), 8.5), hit(&pay(3), 8.0)];
        let split = [
            hit(&pay(1), 9.0),
            hit("debt.interest-000000", 8.9),
            hit("land.boundary-000000", 8.8),
        ];
        let (sure, unsure) = (
            guess(&model, &agreeing).unwrap(),
            guess(&model, &split).unwrap(),
        );
        assert_eq!(sure.topic, "labor.wage_arrears");
        assert!(sure.confidence > unsure.confidence);
        assert_eq!(guess(&model, &[]), None);
    }
}
