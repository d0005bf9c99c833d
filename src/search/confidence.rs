//! How sure we are that the first hit is what was asked.
//!
//! A BM25 score says nothing by itself: it grows with the length of the question. So the
//! confidence is a logistic regression over five figures that do not depend on that length
//! ([`Features`]). Its weights stand in `model.toml`, fitted by `qijin tune` on our own
//! phrasings: each is withheld once and asked (label: was its entry first?), and asked once more
//! with its whole entry gone (label: wrong by construction, a question the library does not
//! hold). So 0.8 means: of ten such answers, eight were right.

use serde::{Deserialize, Serialize};

/// What the confidence is computed from; each in 0..1 but the last, which is in 0..4.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Features {
    /// Share of the question's information (summed idf of bigrams) found in the best phrasing.
    pub coverage: f64,
    /// Share of the best phrasing's bigrams found in the question.
    pub likeness: f64,
    /// Share of the question's information found in any matching phrasing of the entry.
    pub union_coverage: f64,
    /// (score of this hit − score of the next) / score of this hit.
    pub margin: f64,
    /// Information of the whole question, in tens of nats: short vague questions are doubtful.
    pub information: f64,
}

impl Features {
    pub(super) fn vector(&self) -> [f64; 6] {
        [
            1.0,
            self.coverage,
            self.likeness,
            self.union_coverage,
            self.margin,
            self.information,
        ]
    }
}

/// Weights of the ranking score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// BM25 of words over all ways of asking.
    pub question_words: f32,
    /// BM25 of bigrams over all ways of asking.
    pub question_bigrams: f32,
    /// BM25 of words over the body.
    pub body_words: f32,
    /// BM25 of bigrams over the body.
    pub body_bigrams: f32,
    /// BM25 of the best single phrasing.
    pub phrasing: f32,
    /// Points for [`Features::coverage`].
    pub coverage: f32,
    /// Points for [`Features::likeness`].
    pub likeness: f32,
}

/// The learned figures: ranking weights and the logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Weights of the ranking score.
    pub ranking: Ranking,
    /// Bias and weights of the confidence, in the order of [`Features`].
    pub confidence: [f64; 6],
}

impl Model {
    /// The model that ships with the program.
    ///
    /// # Panics
    /// Never in a release: a test reads the same embedded file.
    pub fn shipped() -> Self {
        toml::from_str(include_str!("model.toml")).expect("the embedded model.toml is valid")
    }

    /// Probability in 0..1 that a first hit with these features is right.
    pub fn confidence(&self, features: &Features) -> f64 {
        let z: f64 = self
            .confidence
            .iter()
            .zip(features.vector())
            .map(|(w, x)| w * x)
            .sum();
        1.0 / (1.0 + (-z).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Model};

    #[test]
    fn shipped_model_prefers_what_shares_more() {
        let model = Model::shipped();
        let good = Features {
            coverage: 1.0,
            likeness: 1.0,
            union_coverage: 1.0,
            margin: 0.6,
            information: 3.0,
        };
        let bad = Features {
            coverage: 0.1,
            likeness: 0.1,
            union_coverage: 0.2,
            margin: 0.05,
            information: 3.0,
        };
        assert!(model.confidence(&good) > 0.9);
        assert!(model.confidence(&bad) < 0.2);
    }
}
