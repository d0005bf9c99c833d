//! What the examples say beside the rules of the guard.
//!
//! Rules know what must not be missed, word by word, and are blind to what nobody wrote down.
//! Examples generalise, and err. So a rule is believed unless the examples are nearly sure that the
//! message is an ordinary question, and the examples are believed alone only when they are sure.

use super::Answerer;
use super::conversation::Context;
use super::guard::Heeded;
use crate::knowledge::risk::{RiskKind, RiskRule};
use crate::search::{Leaning, Sort};

// Read off 679 residents' questions and 600 other messages that taught nothing then, so that of the
// questions at most about one in a hundred is stopped by each.

/// From this probability of an ordinary question on, a rule of refusal is taken for a false alarm.
/// No rule for danger ever is: a missed danger costs most of all.
const SURELY_HONEST: f64 = 0.9997;
/// The same for other fields and small talk.
const SURELY_LEGAL: f64 = 0.999;
/// From this probability on, examples alone raise the alarm.
const DANGER: f64 = 0.25;
/// The same for a refusal.
const REFUSE: f64 = 0.25;
/// The same for other fields and small talk, before anything is searched.
const OTHER: f64 = 0.35;
/// Once the search was unsure, so much doubt that it is a question about the law is enough.
const NOT_LEGAL_WHEN_UNSURE: f64 = 0.3;

/// A message as rules and examples take it.
pub(super) struct Sense<'a> {
    pub heard: Heeded<'a>,
    pub leaning: Option<Leaning>,
}

fn sort(kind: RiskKind) -> Sort {
    match kind {
        RiskKind::Emergency => Sort::Emergency,
        RiskKind::Refuse => Sort::Refuse,
        RiskKind::Chat | RiskKind::Offtopic | RiskKind::Gibberish => Sort::Other,
    }
}

impl Answerer {
    /// Listens to a normalised message. Half a sentence of a conversation resembles any example, so
    /// that it is compared together with what was said before it.
    pub(super) fn sense<'a>(&'a self, context: &Context, normalized: &'a str) -> Sense<'a> {
        let intent = self.searcher().intent();
        Sense {
            heard: self.guard().listen(normalized),
            leaning: intent.map(|intent| match context.is_empty() {
                true => intent.lean(normalized),
                false => intent.lean(&context.beside(normalized)),
            }),
        }
    }

    /// The first rule of `kinds` that is met and not doubted. `unsure` says that the search found
    /// nothing for certain: some rules wait for that.
    pub(super) fn by_rules<'a>(
        &'a self,
        sense: &Sense<'a>,
        kinds: &[RiskKind],
        unsure: bool,
    ) -> Option<&'a RiskRule> {
        let met = kinds
            .iter()
            .find_map(|kind| sense.heard.first(*kind, unsure));
        let (rule, verdict) = met?;
        let legal = sense.leaning.as_ref().map_or(0.0, |l| l.of(Sort::Legal));
        let doubted = match sort(rule.kind) {
            Sort::Emergency => false,
            Sort::Refuse => legal >= SURELY_HONEST,
            Sort::Other | Sort::Legal => legal >= SURELY_LEGAL,
        };
        tracing::debug!(rule = verdict.rule, signals = ?verdict.signals, doubted, "guard");
        (!doubted).then_some(rule)
    }

    /// The rule of a sort that the examples are sure of, without any rule being met.
    pub(super) fn by_examples<'a>(
        &'a self,
        sense: &Sense<'a>,
        sort: Sort,
        unsure: bool,
    ) -> Option<&'a RiskRule> {
        let leaning = sense.leaning.as_ref()?;
        let enough = match sort {
            Sort::Emergency => leaning.of(sort) >= DANGER,
            Sort::Refuse => leaning.of(sort) >= REFUSE,
            Sort::Other if unsure => 1.0 - leaning.of(Sort::Legal) >= NOT_LEGAL_WHEN_UNSURE,
            Sort::Other => leaning.of(sort) >= OTHER,
            Sort::Legal => false,
        };
        if !enough {
            return None;
        }
        let table = &self.library().risk;
        let rule = table.rules.get(leaning.rule(table, sort)?)?;
        tracing::debug!(
            rule = rule.id,
            sure = leaning.of(sort),
            "guard, by examples"
        );
        Some(rule)
    }
}
