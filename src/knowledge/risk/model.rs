//! The rules as values.

use serde::{Deserialize, Serialize};

use super::Signal;
use crate::knowledge::Basis;

/// What a rule is for; the order is the order in which rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskKind {
    /// Somebody is in danger now: what to do comes before anything else.
    Emergency,
    /// What must not be helped with; names the lawful way.
    Refuse,
    /// Chit-chat that is no question at all.
    Chat,
    /// Another field than everyday law, or an advertisement.
    Offtopic,
    /// Nothing that can be read; recognised by form, the rule only holds the words said.
    Gibberish,
}

/// A named list of words and phrases that signals refer to as `{name}`.
#[derive(Debug, Clone)]
pub struct WordList {
    /// Name, `凶器`.
    pub name: String,
    /// What belongs to it.
    pub signals: Vec<Signal>,
}

/// One way in which a rule is met.
#[derive(Debug, Clone, Default)]
pub struct When {
    /// Groups: of each, at least one signal must be there.
    pub all: Vec<Vec<Signal>>,
    /// Any of these lifts the rule.
    pub none: Vec<Signal>,
    /// Any of these lifts the rule too, unless one of `still` is there.
    pub doubt: Vec<Signal>,
    /// What holds the rule in spite of `doubt`.
    pub still: Vec<Signal>,
    /// All groups within so many characters.
    pub within: Option<usize>,
    /// Only for messages of at most so many letters and digits.
    pub max_chars: Option<usize>,
}

/// A rule with its reply.
#[derive(Debug, Clone)]
pub struct RiskRule {
    /// Stable id that the journal keeps, `violence_now`.
    pub id: String,
    /// What it is for.
    pub kind: RiskKind,
    /// Why it exists, in a few words for staff.
    pub reason: String,
    /// What is said; the first line stands before everything else.
    pub say: String,
    /// At most one legal line.
    pub law: Option<Basis>,
    /// Numbers named in `say`, the most urgent first.
    pub hotlines: Vec<String>,
    /// Sub-topic that the question is counted under.
    pub topic: Option<String>,
    /// Whether the rule may speak only when the search is unsure.
    pub when_unsure: bool,
    /// The ways in which it is met.
    pub when: Vec<When>,
}

/// A message and the rule that it is for; no rule for a question about the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Place of the rule in [`RiskTable::rules`].
    pub rule: Option<usize>,
    /// The message as people type it.
    pub text: String,
}

/// Everything in `risk.toml`, and the examples beside it.
#[derive(Debug, Clone, Default)]
pub struct RiskTable {
    /// Named lists; a list refers only to lists before it.
    pub words: Vec<WordList>,
    /// Figures of speech: words inside them are not signals.
    pub harmless: Vec<Signal>,
    /// The rules, in file order.
    pub rules: Vec<RiskRule>,
    /// Messages with what they need, of `guard/*.tsv`.
    pub examples: Vec<Example>,
}
