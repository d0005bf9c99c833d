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

// Read off `qijin bench guard --unseen` on 679 residents' questions and 700 other messages, each
// judged by examples that do not hold it: of the questions, about one in sixty is stopped by each.

/// From this probability of an ordinary question on, a rule for danger is only possibly right. It
/// is never disregarded: a missed danger costs most of all.
const SURELY_CALM: f64 = 0.9;
/// From this probability of an ordinary question on, a rule of refusal is taken for a false alarm.
const SURELY_HONEST: f64 = 0.9997;
/// The same for other fields and small talk.
const SURELY_LEGAL: f64 = 0.99;
/// From this probability on, examples alone raise the alarm.
const DANGER: f64 = 0.5;
/// From this probability on, what to do in danger stands before the answer.
const POSSIBLE_DANGER: f64 = 0.15;
/// The same for a refusal.
const REFUSE: f64 = 0.35;
/// The same for other fields and small talk, before anything is searched.
const OTHER: f64 = 0.4;
/// Once the search was unsure, this much is enough.
const OTHER_WHEN_UNSURE: f64 = 0.3;

/// From this probability of an ordinary question on, a turn of a conversation is one by itself.
const QUESTION_BY_ITSELF: f64 = 0.5;

/// A message as rules and examples take it.
pub(super) struct Sense<'a> {
    pub heard: Heeded<'a>,
    /// By itself, or else beside what was said before.
    pub leaning: Option<Leaning>,
    /// Whether the examples take it for a question that needs nothing said before it.
    pub by_itself: bool,
    /// How probable danger is by its own words.
    own_danger: f64,
}

/// Danger, as it was heard.
#[derive(Debug, Clone, Copy)]
pub(super) enum Danger<'a> {
    /// Nothing else is to be said.
    Now(&'a RiskRule),
    /// The message may be an ordinary question: what to do in danger comes first, the answer behind.
    Possible(&'a RiskRule),
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
    /// that it is compared together with what was said before it. A question that stands by itself is
    /// not, lest an alarm before it raises another; nor does a calm word take an alarm away.
    pub(super) fn sense<'a>(&'a self, context: &Context, normalized: &'a str) -> Sense<'a> {
        let intent = self.searcher().intent();
        let alone = intent.map(|intent| intent.lean(normalized));
        let is_question = |l: &Leaning| l.of(Sort::Legal) >= QUESTION_BY_ITSELF;
        let by_itself = context.is_empty() || alone.as_ref().is_some_and(is_question);
        let own_danger = alone.as_ref().map_or(0.0, |l| l.of(Sort::Emergency));
        let leaning = match (by_itself, intent) {
            (false, Some(intent)) => {
                let beside = intent.lean(&context.beside(normalized));
                // Whichever of both hears more: what was said before tells who 他 is.
                let stops =
                    |l: &Leaning| l.of(Sort::Emergency) >= DANGER || l.of(Sort::Refuse) >= REFUSE;
                alone
                    .filter(|alone| stops(alone) && !stops(&beside))
                    .or(Some(beside))
            }
            _ => alone,
        };
        Sense {
            heard: self.guard().listen(normalized),
            leaning,
            by_itself,
            own_danger,
        }
    }

    /// Whether somebody is in danger, by rules and examples.
    pub(super) fn danger<'a>(&'a self, context: &Context, sense: &Sense<'a>) -> Option<Danger<'a>> {
        let odds = |sort| sense.leaning.as_ref().map_or(0.0, |l| l.of(sort));
        if let Some(rule) = self.by_rules(sense, &[RiskKind::Emergency], false) {
            let calm = odds(Sort::Legal) >= SURELY_CALM;
            return Some(match calm && context.is_empty() {
                true => Danger::Possible(rule),
                false => Danger::Now(rule),
            });
        }
        if let Some(rule) = self.by_examples(sense, Sort::Emergency, false) {
            return Some(Danger::Now(rule));
        }
        let possible = sense.own_danger >= POSSIBLE_DANGER;
        let rule = possible.then(|| self.likely_rule(sense, Sort::Emergency))??;
        Some(Danger::Possible(rule))
    }

    /// The rule of a sort that the examples think fits best.
    fn likely_rule(&self, sense: &Sense<'_>, sort: Sort) -> Option<&RiskRule> {
        let table = &self.library().risk;
        table.rules.get(sense.leaning.as_ref()?.rule(table, sort)?)
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
            Sort::Other if unsure => leaning.of(sort) >= OTHER_WHEN_UNSURE,
            Sort::Other => leaning.of(sort) >= OTHER,
            Sort::Legal => false,
        };
        if !enough {
            return None;
        }
        let rule = self.likely_rule(sense, sort)?;
        tracing::debug!(
            rule = rule.id,
            sure = leaning.of(sort),
            "guard, by examples"
        );
        Some(rule)
    }
}
