//! What sort of message it is, as far as examples teach: a question about the law, something else,
//! something that must not be helped with, somebody in danger.
//!
//! Learned from the library when the index is built: all ways of asking are questions about the
//! law, `guard/*.tsv` holds the rest. The figures lie beside the index (`intent.f32`), so that they
//! belong to the same content of the library.

use std::fs;
use std::path::Path;

use super::store::IndexError;
use crate::knowledge::Library;
use crate::knowledge::risk::{RiskKind, RiskTable};
use crate::text::{Analyser, Classifier};

/// Name of the file in the index folder.
const FILE: &str = "intent.f32";
/// Fewer examples than this teach nothing.
const MIN_EXAMPLES: usize = 50;
/// Buckets for telling the sorts apart, over all ways of asking.
const BUCKETS: usize = 1 << 18;
/// Buckets for telling rules apart, over the examples alone.
const RULE_BUCKETS: usize = 1 << 14;
/// How many sorts there are.
const SORTS: usize = 4;

/// A sort of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A question about the law.
    Legal,
    /// Small talk, another field, an advertisement, nothing readable.
    Other,
    /// What must not be helped with.
    Refuse,
    /// Somebody is in danger.
    Emergency,
}

fn sort_of(kind: RiskKind) -> Sort {
    match kind {
        RiskKind::Emergency => Sort::Emergency,
        RiskKind::Refuse => Sort::Refuse,
        RiskKind::Chat | RiskKind::Offtopic | RiskKind::Gibberish => Sort::Other,
    }
}

/// How surely a message is of each sort, and which rule of each sort fits best.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaning {
    sorts: [f64; SORTS],
    /// Probability of every rule among all rules.
    rules: Vec<f32>,
}

impl Leaning {
    /// Probability of a sort, 0 to 1.
    pub fn of(&self, sort: Sort) -> f64 {
        self.sorts[sort as usize]
    }

    /// The rule of `sort` that fits best, as its place in [`RiskTable::rules`].
    pub fn rule(&self, table: &RiskTable, sort: Sort) -> Option<usize> {
        let rules = table.rules.iter().enumerate();
        let of_sort = rules.filter(|(_, rule)| sort_of(rule.kind) == sort);
        let known = of_sort.filter_map(|(at, _)| Some((at, *self.rules.get(at)?)));
        let best = known.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(best.0)
    }
}

/// The two classifiers of a library.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    sorts: Classifier,
    rules: Classifier,
}

impl Intent {
    /// Learns from a library; `None` when it has too few examples.
    pub fn learn(library: &Library, analyser: &Analyser) -> Option<Self> {
        Self::learn_from(library, analyser, |_| true)
    }

    /// Learns from the messages of a library, normalised, that `known` accepts: to measure what is
    /// made of the others.
    pub fn learn_from(
        library: &Library,
        analyser: &Analyser,
        known: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let table = &library.risk;
        if table.examples.len() < MIN_EXAMPLES {
            return None;
        }
        let mut sorts: Vec<(usize, String)> = Vec::new();
        let mut rules: Vec<(usize, String)> = Vec::new();
        for example in &table.examples {
            let text = analyser.normalize(&example.text);
            if !known(&text) {
                continue;
            }
            let sort = match example.rule {
                Some(rule) => {
                    rules.push((rule, text.clone()));
                    sort_of(table.rules[rule].kind)
                }
                None => Sort::Legal,
            };
            sorts.push((sort as usize, text));
        }
        for entry in &library.entries {
            let ways = std::iter::once(&entry.question).chain(&entry.phrasings);
            let ways = ways.map(|way| analyser.normalize(way));
            sorts.extend(ways.filter(|w| known(w)).map(|w| (Sort::Legal as usize, w)));
        }
        Some(Self {
            sorts: Classifier::train(&sorts, SORTS, BUCKETS),
            rules: Classifier::train(&rules, table.rules.len(), RULE_BUCKETS),
        })
    }

    /// What sort of message a normalised text is.
    pub fn lean(&self, normalized: &str) -> Leaning {
        let sorts = self.sorts.probabilities(normalized);
        let mut all = [0.0; SORTS];
        for (to, from) in all.iter_mut().zip(sorts) {
            *to = f64::from(from);
        }
        Leaning {
            sorts: all,
            rules: self.rules.probabilities(normalized),
        }
    }

    /// The pieces of a normalised text that speak most for a sort.
    pub fn reasons(&self, normalized: &str, sort: Sort) -> Vec<String> {
        let reasons = self.sorts.reasons(normalized, sort as usize, 5);
        reasons.into_iter().map(|(piece, _)| piece).collect()
    }

    /// Writes the figures into an index folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), IndexError> {
        let path = folder.join(FILE);
        let mut bytes = self.sorts.to_bytes();
        bytes.extend(self.rules.to_bytes());
        fs::write(&path, bytes).map_err(|source| IndexError::Io { path, source })
    }

    /// Reads the figures of an index folder; `None` when there are none or they do not fit.
    pub(super) fn read(folder: &Path, table: &RiskTable) -> Option<Self> {
        let bytes = fs::read(folder.join(FILE)).ok()?;
        let (sorts, rules) = bytes.split_at_checked(4 * (BUCKETS + (BUCKETS + 1) * SORTS))?;
        Some(Self {
            sorts: Classifier::from_bytes(sorts, SORTS, BUCKETS)?,
            rules: Classifier::from_bytes(rules, table.rules.len(), RULE_BUCKETS)?,
        })
    }
}
