//! The learned figures: how evidence adds up to a ranking, and how sure we are of the first hit.
//!
//! Ranking is a weighted sum of [`Evidence`]. A BM25 score says nothing by itself: it grows with
//! the length of the question. So every figure is divided by how much the question says (the sum of
//! its bigrams' idf), and the confidence is a logistic regression over [`Features`] that do not
//! depend on that length. Both are fitted by `qijin bench phrasings --fit`: our own phrasings are
//! withheld once and asked (right: the first hit rests on the same law as its own entry), and
//! labelled messages are asked as they are, with those that no entry should answer among them. So
//! 0.8 means: of ten such answers, eight were right. The figures stand in `model.toml`.

use serde::{Deserialize, Serialize};

use super::logistic::probability;
use super::topic;

/// How many kinds of evidence there are.
pub(super) const EVIDENCE: usize = 24;

/// What speaks for an entry, per nat of the question's information unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence(pub [f64; EVIDENCE]);

impl Evidence {
    /// BM25 of words over all ways of asking.
    pub(super) const QUESTION_WORDS: usize = 0;
    /// BM25 of bigrams over all ways of asking.
    pub(super) const QUESTION_BIGRAMS: usize = 1;
    /// BM25 of single characters over all ways of asking.
    pub(super) const QUESTION_UNIGRAMS: usize = 2;
    /// BM25 of words over steps, limits, basis and pitfalls.
    pub(super) const BODY_WORDS: usize = 3;
    /// BM25 of bigrams over the same.
    pub(super) const BODY_BIGRAMS: usize = 4;
    /// BM25 of single characters over the same.
    pub(super) const BODY_UNIGRAMS: usize = 5;
    /// BM25 of the best single way of asking, words.
    pub(super) const PHRASING_WORDS: usize = 6;
    /// The same, bigrams.
    pub(super) const PHRASING_BIGRAMS: usize = 7;
    /// The same, single characters.
    pub(super) const PHRASING_UNIGRAMS: usize = 8;
    /// Share of the question's information found in the best way of asking, 0..1.
    pub(super) const COVERAGE: usize = 9;
    /// Share of that way of asking found in the question, 0..1.
    pub(super) const LIKENESS: usize = 10;
    /// Share of the question's information found in any way of asking, 0..1.
    pub(super) const UNION: usize = 11;
    /// Mean BM25 of the three best ways of asking, words and bigrams.
    pub(super) const THREE: usize = 12;
    /// BM25 of words over topic, heading and short answer.
    pub(super) const GIST_WORDS: usize = 13;
    /// The same, bigrams.
    pub(super) const GIST_BIGRAMS: usize = 14;
    /// The same, single characters.
    pub(super) const GIST_UNIGRAMS: usize = 15;
    /// Share of the question's words, by idf, that the entry's ways of asking know, 0..1: a word
    /// said once counts as much as one repeated.
    pub(super) const KNOWN_WAYS: usize = 16;
    /// The same for everything that the entry says.
    pub(super) const KNOWN: usize = 17;
    /// BM25 of words over 关键词.
    pub(super) const KEYWORD_WORDS: usize = 18;
    /// The same, bigrams.
    pub(super) const KEYWORD_BIGRAMS: usize = 19;
    /// The same, single characters.
    pub(super) const KEYWORD_UNIGRAMS: usize = 20;
    /// What speaks for the two best other entries of the same sub-topic, by the evidence above.
    pub(super) const TOPIC: usize = 21;
    /// The same for the best entry of every other sub-topic under the same top topic.
    pub(super) const TOP_TOPIC: usize = 22;
    /// Share of the heading's words, by idf, that the question says or means, 0..1: a special case
    /// (配偶是军人) is not meant when what makes it special is not said.
    pub(super) const HEADING: usize = 23;
}

impl Evidence {
    /// What a kind of evidence is called by staff.
    fn name(kind: usize) -> &'static str {
        match kind {
            Self::QUESTION_WORDS => "全部问法·词",
            Self::QUESTION_BIGRAMS => "全部问法·两字",
            Self::QUESTION_UNIGRAMS => "全部问法·单字",
            Self::BODY_WORDS => "正文·词",
            Self::BODY_BIGRAMS => "正文·两字",
            Self::BODY_UNIGRAMS => "正文·单字",
            Self::PHRASING_WORDS => "最像的问法·词",
            Self::PHRASING_BIGRAMS => "最像的问法·两字",
            Self::PHRASING_UNIGRAMS => "最像的问法·单字",
            Self::COVERAGE => "提问被最像的问法说到",
            Self::LIKENESS => "最像的问法被提问说到",
            Self::UNION => "提问被各问法说到",
            Self::THREE => "三个最像的问法",
            Self::GIST_WORDS => "标题和短答·词",
            Self::GIST_BIGRAMS => "标题和短答·两字",
            Self::GIST_UNIGRAMS => "标题和短答·单字",
            Self::KNOWN_WAYS => "问法认得的词",
            Self::KNOWN => "全文认得的词",
            Self::KEYWORD_WORDS => "关键词·词",
            Self::KEYWORD_BIGRAMS => "关键词·两字",
            Self::KEYWORD_UNIGRAMS => "关键词·单字",
            Self::TOPIC => "同主题的其他问答",
            Self::TOP_TOPIC => "同大类的其他问答",
            Self::HEADING => "标题的词被提问说到",
            _ => "其他",
        }
    }
}

/// What the confidence is computed from; each about 0..1 unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Features {
    /// Share of the question's information found in the best way of asking.
    pub coverage: f64,
    /// Share of that way of asking found in the question.
    pub likeness: f64,
    /// Share of the question's information found in any way of asking.
    pub union_coverage: f64,
    /// Log odds that this hit, and none of the others, is the right one; −6..6.
    pub lead: f64,
    /// Ranking score of the first hit, about 0..15.
    pub score: f64,
    /// How likely the right one is of the first hit's sub-topic, among those found.
    pub of_topic: f64,
    /// Information of the whole question, in tens of nats, 0..4: short vague questions are doubtful.
    pub information: f64,
}

/// How sure we are of a question asked word for word.
const WORD_FOR_WORD: f64 = 0.97;

/// Bias and one weight a feature.
pub(super) const WEIGHTS: usize = 8;

impl Features {
    pub(super) fn vector(&self) -> [f64; WEIGHTS] {
        [
            1.0,
            self.coverage,
            self.likeness,
            self.union_coverage,
            self.lead,
            self.score,
            self.of_topic,
            self.information,
        ]
    }
}

/// The learned figures: ranking weights and the logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Weights of the ranking score, in the order of [`Evidence`].
    pub ranking: [f64; EVIDENCE],
    /// Bias and weights of the confidence, in the order of [`Features`].
    pub confidence: [f64; WEIGHTS],
    /// Bias and weights of the topic's confidence, in the order of `topic::features`.
    pub topic: [f64; topic::WEIGHTS],
}

impl Model {
    /// The model that ships with the program.
    ///
    /// # Panics
    /// Never in a release: a test reads the same embedded file.
    pub fn shipped() -> Self {
        toml::from_str(include_str!("model.toml")).expect("the embedded model.toml is valid")
    }

    /// The ranking score.
    pub(super) fn score(&self, evidence: &Evidence) -> f64 {
        let pairs = self.ranking.iter().zip(evidence.0);
        pairs.map(|(weight, value)| weight * value).sum()
    }

    /// What a ranking score is made of: the kinds of evidence by name, the weightiest first.
    pub(super) fn reasons(&self, evidence: &Evidence) -> Vec<(&'static str, f64)> {
        let pairs = self.ranking.iter().zip(evidence.0).enumerate();
        let mut parts: Vec<(&'static str, f64)> = pairs
            .map(|(kind, (weight, value))| (Evidence::name(kind), weight * value))
            .filter(|(_, part)| *part > 0.0)
            .collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        parts
    }

    /// What a confidence is made of: the features by name, their values, and what they add to the
    /// log odds.
    pub fn doubts(&self, features: &Features) -> Vec<(&'static str, f64, f64)> {
        const NAMES: [&str; WEIGHTS] = [
            "底数",
            "提问被最像的问法说到",
            "最像的问法被提问说到",
            "提问被各问法说到",
            "比别的问答可能（对数）",
            "排序得分",
            "同一主题的可能",
            "提问的信息量",
        ];
        let pairs = self.confidence.iter().zip(features.vector());
        let parts = NAMES.into_iter().zip(pairs);
        parts.map(|(name, (w, x))| (name, x, w * x)).collect()
    }

    /// Probability in 0..1 that a first hit with these features is right.
    ///
    /// A question asked word for word as the entry has it is known: no withheld phrasing could
    /// teach that, so it is said here.
    pub fn confidence(&self, features: &Features) -> f64 {
        if features.coverage > 0.999 && features.likeness > 0.999 {
            return WORD_FOR_WORD;
        }
        let pairs = self.confidence.iter().zip(features.vector());
        let z: f64 = pairs.map(|(w, x)| w * x).sum();
        1.0 / (1.0 + (-z).exp())
    }

    /// Probability in 0..1 that the nearest entry's sub-topic is what was asked about.
    ///
    /// Figures count a question under its topic from 0.5 on (`journal::TOPIC_THRESHOLD`).
    pub(super) fn topic_confidence(&self, x: &[f64; topic::WEIGHTS]) -> f64 {
        probability(&self.topic, x)
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Model};

    #[test]
    fn shipped_model_prefers_what_shares_more() {
        let model = Model::shipped();
        let good = Features {
            coverage: 0.9,
            likeness: 0.9,
            union_coverage: 1.0,
            lead: 4.0,
            score: 8.0,
            of_topic: 1.0,
            information: 3.0,
        };
        let bad = Features {
            coverage: 0.1,
            likeness: 0.1,
            union_coverage: 0.2,
            lead: -2.0,
            score: 1.0,
            of_topic: 0.2,
            information: 3.0,
        };
        assert!(model.confidence(&good) > 0.8);
        assert!(model.confidence(&bad) < 0.3);
    }
}
