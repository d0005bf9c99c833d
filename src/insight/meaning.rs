//! How near two questions are in meaning: tf-idf over the project's own tokens.
//!
//! Words of the segmenter, what lay words mean in law, and pairs of characters (which survive a
//! wrong cut), weighted by how rare they are in the library's ways of asking. Deterministic, and
//! without a model from outside.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::knowledge::{EntryId, Library};
use crate::text::{Analyser, Lexicon};

/// How much a pair of characters counts beside a word.
const PAIRS: f64 = 0.5;
/// Taken from every idf: what stands in more than one in twelve ways of asking (e^-2.5) says nothing.
const COMMON: f64 = 2.5;

/// A question as weights of its tokens, of length 1; empty when it says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sense(BTreeMap<u32, f64>);

impl Sense {
    /// Cosine with another, 0 to 1.
    pub fn likeness(&self, other: &Self) -> f64 {
        let (few, many) = if self.0.len() < other.0.len() {
            (self, other)
        } else {
            (other, self)
        };
        let shared = few.0.iter();
        shared
            .filter_map(|(token, weight)| Some(weight * many.0.get(token)?))
            .sum()
    }

    /// The mean direction of several.
    pub fn centre<'a>(senses: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum: BTreeMap<u32, f64> = BTreeMap::new();
        for sense in senses {
            for (token, weight) in &sense.0 {
                *sum.entry(*token).or_default() += weight;
            }
        }
        Self(sum).unit()
    }

    fn unit(mut self) -> Self {
        let length = self.0.values().map(|w| w * w).sum::<f64>().sqrt();
        if length > 0.0 {
            self.0.values_mut().for_each(|w| *w /= length);
        }
        self
    }

    /// Its tokens.
    pub(super) fn tokens(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }
}

/// The library's ways of asking as senses, and the weights of tokens. Making one takes a second for
/// the whole library; keep it as long as the library.
pub struct Meanings {
    analyser: Analyser,
    lexicon: Arc<Lexicon>,
    /// Token → number.
    numbers: HashMap<String, u32>,
    /// By number: how rare.
    weights: Vec<f64>,
    /// Every way of asking with its entry.
    ways: Vec<(EntryId, Sense)>,
    /// By number: the ways that hold the token.
    holders: Vec<Vec<u32>>,
}

impl Meanings {
    /// Reads the library's headings and phrasings.
    pub fn new(library: &Library, analyser: &Analyser) -> Self {
        let mut out = Self {
            analyser: analyser.clone(),
            lexicon: library.lexicon.clone(),
            numbers: HashMap::new(),
            weights: Vec::new(),
            ways: Vec::new(),
            holders: Vec::new(),
        };
        let texts: Vec<(&EntryId, HashMap<String, f64>)> = library
            .entries
            .iter()
            .flat_map(|entry| {
                let texts = std::iter::once(&entry.question).chain(&entry.phrasings);
                texts
                    .map(|text| (&entry.id, out.tokens(text)))
                    .collect::<Vec<_>>()
            })
            .collect();
        let mut held: BTreeMap<&String, u32> = BTreeMap::new();
        for token in texts.iter().flat_map(|(_, tokens)| tokens.keys()) {
            *held.entry(token).or_default() += 1;
        }
        let n = texts.len() as f64;
        for (token, times) in held {
            // A library has fewer than 2^32 tokens.
            out.numbers.insert(token.clone(), out.weights.len() as u32);
            let rare = ((n + 1.0) / (f64::from(times) + 1.0)).ln();
            out.weights.push((rare - COMMON).max(0.0));
        }
        out.holders = vec![Vec::new(); out.weights.len()];
        for (entry, tokens) in texts {
            let sense = out.weighed(&tokens, &mut HashMap::new());
            for token in sense.tokens() {
                out.holders[token as usize].push(out.ways.len() as u32);
            }
            out.ways.push((entry.clone(), sense));
        }
        out
    }

    /// Tokens of a text with their weight in it.
    fn tokens(&self, text: &str) -> HashMap<String, f64> {
        let lexicon = &self.lexicon;
        let text = lexicon.clean(&self.analyser.normalize(text));
        let mut out: HashMap<String, f64> = HashMap::new();
        let mut take = |token: String, weight: f64| {
            let known = out.entry(token).or_default();
            *known = known.max(weight);
        };
        for word in self.analyser.words(&text) {
            if !lexicon.is_stop_word(&word.text) {
                take(word.text, 1.0);
            }
        }
        for meaning in lexicon.meanings(&text) {
            for word in self.analyser.words(&meaning.to) {
                take(word.text, f64::from(meaning.weight));
            }
        }
        for pair in self.analyser.bigrams(&text) {
            take(pair.text, PAIRS);
        }
        out
    }

    /// Senses of many questions; tokens that the library does not know are shared among them.
    pub fn senses<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Sense> {
        let mut new = HashMap::new();
        texts
            .into_iter()
            .map(|text| self.weighed(&self.tokens(text), &mut new))
            .collect()
    }

    fn weighed(&self, tokens: &HashMap<String, f64>, new: &mut HashMap<String, u32>) -> Sense {
        let unseen = (((self.ways.len() + 1) as f64).ln() - COMMON).max(0.0);
        // Numbers of new tokens depend on the order they come in: sorted, so that the same
        // questions always get the same numbers.
        let mut sorted: Vec<(&String, &f64)> = tokens.iter().collect();
        sorted.sort_unstable_by_key(|(token, _)| *token);
        let weights = sorted.into_iter().map(|(token, weight)| {
            let (number, rare) = match self.numbers.get(token) {
                Some(number) => (*number, self.weights[*number as usize]),
                None => {
                    let next = (self.weights.len() + new.len()) as u32;
                    (*new.entry(token.clone()).or_insert(next), unseen)
                }
            };
            (number, weight * rare)
        });
        Sense(weights.filter(|(_, weight)| *weight > 0.0).collect()).unit()
    }

    /// The entry one of whose ways of asking is nearest, with the cosine; `None` when none shares a
    /// token.
    pub fn nearest(&self, sense: &Sense) -> Option<(&EntryId, f64)> {
        let mut near: BTreeMap<u32, f64> = BTreeMap::new();
        for (token, weight) in &sense.0 {
            for way in self.holders.get(*token as usize).into_iter().flatten() {
                let other = self.ways[*way as usize].1.0.get(token);
                *near.entry(*way).or_default() += weight * other.copied().unwrap_or(0.0);
            }
        }
        let best = near
            .into_iter()
            .max_by(|(a, x), (b, y)| x.total_cmp(y).then(b.cmp(a)))?;
        Some((&self.ways[best.0 as usize].0, best.1))
    }

    /// The ways of asking of an entry.
    pub fn ways_of<'s>(&'s self, entry: &'s EntryId) -> impl Iterator<Item = &'s Sense> {
        let ways = self.ways.iter().filter(move |(id, _)| id == entry);
        ways.map(|(_, sense)| sense)
    }
}
