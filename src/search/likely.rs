//! How likely each hit is to be the right entry, among those found.

use super::topic::topic_of;
use super::{Features, Hit};

/// So many of the best hits are weighed against each other.
const WEIGHED: usize = 20;
/// Log odds beyond this say no more.
const SURE: f64 = 6.0;

/// How likely each of the best hits is to be the right one, if one is; the rest are not. Scores of
/// ranking are fitted as logits of just that (`fit_ranking`), so it is their softmax.
pub fn likelihoods(hits: &[Hit]) -> Vec<f64> {
    let hits = &hits[..hits.len().min(WEIGHED)];
    let best = hits.iter().map(|h| h.score).fold(f64::MIN, f64::max);
    let weights: Vec<f64> = hits.iter().map(|h| (h.score - best).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// Fills in what the first hit's confidence needs of its rivals.
pub(super) fn weigh(hits: &mut [Hit]) {
    let likely = likelihoods(hits);
    let (Some(first), Some(p)) = (hits.first(), likely.first()) else {
        return;
    };
    let own = topic_of(&first.entry);
    let same = hits.iter().zip(&likely);
    let same = same.filter(|(hit, _)| topic_of(&hit.entry) == own);
    let features = Features {
        lead: (p / (1.0 - p).max(f64::MIN_POSITIVE))
            .ln()
            .clamp(-SURE, SURE),
        of_topic: same.map(|(_, p)| p).sum(),
        ..first.features
    };
    hits[0].features = features;
}

#[cfg(test)]
mod tests {
    use super::{likelihoods, weigh};
    use crate::knowledge::EntryId;
    use crate::search::{Evidence, Features, Hit};

    fn hit(entry: &str, score: f64) -> Hit {
        Hit {
            entry: EntryId(entry.to_owned()),
            score,
            features: Features::default(),
            evidence: Evidence::default(),
        }
    }

    #[test]
    fn equal_scores_are_equally_likely_and_topics_add_up() {
        let mut hits = [hit("a.b-1", 3.0), hit("a.c-2", 3.0), hit("a.b-3", 3.0)];
        let likely = likelihoods(&hits);
        assert!(likely.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-12));
        weigh(&mut hits);
        assert!((hits[0].features.of_topic - 2.0 / 3.0).abs() < 1e-12);
        assert!((hits[0].features.lead - 0.5_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_single_hit_is_certain_and_none_is_no_matter() {
        let mut one = [hit("a.b-1", -2.0)];
        weigh(&mut one);
        assert_eq!((one[0].features.lead, one[0].features.of_topic), (6.0, 1.0));
        weigh(&mut []);
    }
}
