//! What sort of message a text is, learned from labelled examples.
//!
//! Multinomial logistic regression over character 1-, 2- and 3-grams, hashed into a fixed number of
//! buckets (feature hashing, Weinberger et al. 2009), weighted by inverse document frequency,
//! each text scaled to length 1. Trained by AdaGrad (Duchi et al. 2011) in a fixed order, so that the
//! same examples always give the same weights. No I/O.

use std::collections::BTreeMap;

/// A trained classifier. Cheap to ask: a few microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    classes: usize,
    /// Inverse document frequency of every bucket.
    idf: Vec<f32>,
    /// `buckets × classes`, row by row, and one row of biases behind them.
    weights: Vec<f32>,
}

/// How often every example is looked at.
const EPOCHS: usize = 12;
/// First step of AdaGrad.
const RATE: f32 = 0.5;
/// Pulls weights back to nothing.
const DECAY: f32 = 1e-6;
/// Messages are cut here.
const MOST_CHARS: usize = 400;

/// FNV-1a: stable between machines and versions, which the standard hasher is not.
fn bucket(gram: &[char], buckets: usize) -> usize {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for c in gram {
        for byte in u32::from(*c).to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // `buckets` is a power of two; the upper bits are mixed best.
    ((hash >> 20) as usize) & (buckets - 1)
}

/// The grams of a normalised text with their buckets, each once.
fn grams(text: &str, buckets: usize) -> BTreeMap<usize, Vec<char>> {
    let mut chars: Vec<char> = std::iter::once('^')
        .chain(text.chars().filter(|c| !c.is_whitespace()).take(MOST_CHARS))
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    // Figures are all alike here, of one digit or ten: what matters is that there is one.
    chars.dedup_by(|a, b| *a == '0' && *b == '0');
    chars.push('$');
    let mut out = BTreeMap::new();
    for n in 1..=3 {
        for gram in chars.windows(n) {
            out.entry(bucket(gram, buckets))
                .or_insert_with(|| gram.to_vec());
        }
    }
    out
}

impl Classifier {
    /// Learns from `(class, normalised text)`; `buckets` must be a power of two.
    ///
    /// # Panics
    /// When a class is not below `classes`, or `buckets` is no power of two.
    pub fn train(examples: &[(usize, String)], classes: usize, buckets: usize) -> Self {
        assert!(buckets.is_power_of_two());
        let texts: Vec<Vec<usize>> = examples
            .iter()
            .map(|(_, text)| grams(text, buckets).into_keys().collect())
            .collect();
        let mut holders = vec![0u32; buckets];
        for &at in texts.iter().flatten() {
            holders[at] += 1;
        }
        let n = examples.len() as f32;
        let idf = holders.iter().map(|&df| (1.0 + n / (1.0 + df as f32)).ln());
        let mut model = Self {
            classes,
            idf: idf.collect(),
            weights: vec![0.0; (buckets + 1) * classes],
        };
        let mut sizes = vec![0.0f32; classes];
        for (class, _) in examples {
            sizes[*class] += 1.0;
        }
        let largest = sizes.iter().copied().fold(1.0, f32::max);
        let vectors: Vec<Vec<(usize, f32)>> = texts.iter().map(|t| model.scaled(t)).collect();
        let mut squares = vec![1e-8f32; model.weights.len()];
        // A fixed stride that shares no factor with the number of examples visits each once. At
        // the golden ratio any few steps in a row are spread over all of them (Weyl's sequence), so
        // that the classes, which come one after the other, are mixed well at every moment.
        let golden = (examples.len() as f64 * 0.618_033_988_749_895) as usize;
        let stride = (golden.max(1)..)
            .find(|s| gcd(*s, examples.len().max(1)) == 1)
            .unwrap_or(1);
        for epoch in 0..EPOCHS {
            let mut at = epoch;
            for _ in 0..examples.len() {
                at = (at + stride) % examples.len();
                let (class, _) = &examples[at];
                let mut odds = model.softmax(&vectors[at]);
                odds[*class] -= 1.0;
                // All classes count alike, however many examples each has.
                let weight = largest / sizes[*class];
                let rows = vectors[at].iter().copied().chain([(buckets, 0.2)]);
                for (row, value) in rows {
                    for (k, error) in odds.iter().enumerate() {
                        let cell = row * classes + k;
                        let gradient = weight * error * value + DECAY * model.weights[cell];
                        squares[cell] += gradient * gradient;
                        model.weights[cell] -= RATE * gradient / squares[cell].sqrt();
                    }
                }
            }
        }
        model
    }

    fn scaled(&self, buckets: &[usize]) -> Vec<(usize, f32)> {
        let length: f32 = buckets.iter().map(|&b| self.idf[b].powi(2)).sum();
        let length = length.sqrt().max(f32::MIN_POSITIVE);
        let scale = |&b: &usize| (b, self.idf[b] / length);
        buckets.iter().map(scale).collect()
    }

    fn softmax(&self, vector: &[(usize, f32)]) -> Vec<f32> {
        let k = self.classes;
        let bias = (self.weights.len() / k - 1) * k;
        let mut logits: Vec<f32> = self.weights[bias..].iter().map(|w| w * 0.2).collect();
        for (row, value) in vector {
            let row = &self.weights[row * k..(row + 1) * k];
            for (logit, weight) in logits.iter_mut().zip(row) {
                *logit += weight * value;
            }
        }
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        for logit in &mut logits {
            *logit = (*logit - most).exp();
        }
        let sum: f32 = logits.iter().sum();
        logits.iter().map(|odds| odds / sum).collect()
    }

    /// The probability of every class for a normalised text.
    pub fn probabilities(&self, text: &str) -> Vec<f32> {
        let rows: Vec<usize> = grams(text, self.idf.len()).into_keys().collect();
        self.softmax(&self.scaled(&rows))
    }

    /// The pieces of a normalised text that speak most for a class, strongest first, at most `most`.
    pub fn reasons(&self, text: &str, class: usize, most: usize) -> Vec<(String, f32)> {
        let grams = grams(text, self.idf.len());
        let rows: Vec<usize> = grams.keys().copied().collect();
        let mut out: Vec<(String, f32)> = self
            .scaled(&rows)
            .into_iter()
            .map(|(row, value)| {
                let row_weights = &self.weights[row * self.classes..(row + 1) * self.classes];
                let mean = row_weights.iter().sum::<f32>() / self.classes as f32;
                let speaks = value * (row_weights[class] - mean);
                (grams[&row].iter().collect(), speaks)
            })
            .filter(|(_, speaks)| *speaks > 0.0)
            .collect();
        out.sort_by(|a: &(String, f32), b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        out.truncate(most);
        out
    }

    /// The figures as bytes: little-endian `f32`, idf first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let figures = self.idf.iter().chain(&self.weights);
        figures.flat_map(|w| w.to_le_bytes()).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` when the length does not fit.
    pub fn from_bytes(bytes: &[u8], classes: usize, buckets: usize) -> Option<Self> {
        if bytes.len() != 4 * (buckets + (buckets + 1) * classes) {
            return None;
        }
        let figures = bytes.chunks_exact(4);
        let mut figures = figures.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Some(Self {
            classes,
            idf: figures.by_ref().take(buckets).collect(),
            weights: figures.collect(),
        })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::Classifier;

    fn examples() -> Vec<(usize, String)> {
        let legal = [
            "老板欠我工资",
            "邻居占我的地",
            "离婚孩子归谁",
            "欠钱不还怎么办",
        ];
        let other = [
            "今天天气怎么样",
            "红烧肉怎么做",
            "手机没有声音",
            "感冒吃什么药",
        ];
        let label = |class| move |text: &&str| (class, (*text).to_owned());
        legal
            .iter()
            .map(label(0))
            .chain(other.iter().map(label(1)))
            .collect()
    }

    #[test]
    fn tells_classes_apart_and_says_why() {
        let model = Classifier::train(&examples(), 2, 1 << 12);
        assert!(model.probabilities("包工头欠工资")[0] > 0.6);
        assert!(model.probabilities("红烧鱼怎么做")[1] > 0.6);
        let reasons = model.reasons("包工头欠工资", 0, 5);
        assert!(
            reasons.iter().any(|(gram, _)| gram.contains('欠')),
            "{reasons:?}"
        );
    }

    #[test]
    fn the_same_examples_give_the_same_figures_and_bytes_come_back() {
        let model = Classifier::train(&examples(), 2, 1 << 8);
        assert_eq!(model, Classifier::train(&examples(), 2, 1 << 8));
        let bytes = model.to_bytes();
        assert_eq!(Classifier::from_bytes(&bytes, 2, 1 << 8), Some(model));
        assert_eq!(Classifier::from_bytes(&bytes[1..], 2, 1 << 8), None);
    }
}
