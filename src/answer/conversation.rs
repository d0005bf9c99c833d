//! What is remembered of a conversation between two turns. Pure over values.

use serde::{Deserialize, Serialize};

use crate::knowledge::{EntryId, Library};

use super::{Reply, ReplyKind};

/// Turns of one matter that are put beside the next one: the first and the latest.
const MAX_TURNS: usize = 3;
/// Longer turns are cut here when they are remembered.
const MAX_CHARS: usize = 200;

/// What is remembered of a conversation between two turns. Holds the asker's words: it belongs in
/// memory, and nowhere else in clear.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// What was said on the matter in hand, normalised, oldest first.
    turns: Vec<String>,
    /// The entries it was answered with, best first: one that was shown, or those offered.
    pub(super) hand: Vec<EntryId>,
    /// Whether the first of them was shown in full.
    shown: bool,
    /// How sure the latest reply on it was.
    pub(super) sure: f64,
    /// The rule that refused the latest turn.
    refused: Option<String>,
    /// The rule that heard danger in the latest turn.
    danger: Option<String>,
}

impl Context {
    /// Whether there is nothing to go on with.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The entry that was shown, if one was.
    pub fn shown(&self) -> Option<&EntryId> {
        self.hand.first().filter(|_| self.shown)
    }

    /// The entries in hand, best first.
    pub fn hand(&self) -> &[EntryId] {
        &self.hand
    }

    /// The rule that refused the latest turn, if one did.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// The rule that heard danger in the latest turn, if one did.
    pub(super) fn danger(&self) -> Option<&str> {
        self.danger.as_deref()
    }

    /// What was said before with `turn` behind it.
    pub(super) fn beside(&self, turn: &str) -> String {
        let mut all = self.turns.join(" ");
        all.push(' ');
        all.push_str(turn);
        all
    }

    /// An entry was picked: that is the matter in hand now.
    pub(crate) fn picked(entry: EntryId, question: &str) -> Self {
        Self {
            turns: vec![question.to_owned()],
            hand: vec![entry],
            shown: true,
            sure: 1.0,
            ..Self::default()
        }
    }

    /// What is remembered after `turn` got `reply`; `followed` when it went on with this matter.
    pub(super) fn after(&self, turn: &str, reply: &Reply, followed: bool) -> Self {
        let turn: String = turn.chars().take(MAX_CHARS).collect();
        match reply.kind {
            // Thanks and chit-chat leave the matter where it was.
            ReplyKind::Smalltalk => return self.clone(),
            ReplyKind::Refuse => {
                return Self {
                    refused: reply.rule.clone(),
                    ..Self::default()
                };
            }
            _ => {}
        }
        let mut turns = if followed {
            self.turns.clone()
        } else {
            Vec::new()
        };
        turns.push(turn);
        if turns.len() > MAX_TURNS {
            turns.remove(1);
        }
        let hand: Vec<EntryId> = match &reply.entry {
            Some(entry) => vec![entry.clone()],
            None => reply.choices.iter().map(|c| c.entry.clone()).collect(),
        };
        if followed && hand.is_empty() {
            return Self {
                turns,
                ..self.clone()
            };
        }
        Self {
            turns,
            hand,
            shown: reply.entry.is_some(),
            sure: reply.confidence,
            refused: None,
            danger: match reply.kind {
                ReplyKind::Emergency => reply.rule.clone(),
                _ => None,
            },
        }
    }

    /// Whether an entry is on a sub-topic in hand.
    pub(super) fn holds(&self, library: &Library, entry: &EntryId) -> bool {
        let Some(entry) = library.entry(entry) else {
            return false;
        };
        let mut topics = self.hand.iter().filter_map(|id| library.entry(id));
        topics.any(|e| e.topic == entry.topic)
    }
}
