//! From a turn to a reply, with everything that was weighed on the way: one path for answering and
//! for explaining.

use tantivy::TantivyError;

use super::answerer::NEAR_ENTRIES;
use super::conversation::Context;
use super::matters::matters;
use super::sense::{Danger, Sense};
use super::support::Support;
use super::turn::{Opening, Signs, resolve};
use super::wanted::Wanted;
use super::{Answerer, Reply, ReplyKind, compose, smalltalk};
use crate::knowledge::risk::{RiskKind, RiskRule};
use crate::search::{Found, Sort};

/// From this probability on a turn goes on with the matter in hand.
pub(super) const FOLLOWS: f64 = 0.5;

/// What goes on with a matter in hand is answered from this confidence on: the matter is known, only
/// the entry may be a neighbour of the right one.
const SURE_IN_HAND: f64 = 0.45;

/// Two matters are told apart only when the search is this sure of either: a story of one matter
/// must not be torn in two.
const SURE_OF_A_PART: f64 = 0.8;

/// A way of asking that says so much of a message was asked for as a whole.
const ONE_MATTER: f64 = 0.7;

/// What made the reply what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// No letter or digit was said.
    NothingSaid,
    /// A rule of the guard spoke before the search.
    Guard,
    /// An article was named.
    LookedUp,
    /// A greeting or the like, word for word.
    Smalltalk,
    /// The turn goes on with one that was refused.
    StillRefused,
    /// It follows an alarm and nothing surer was found.
    StillInDanger,
    /// The search is unsure, and a rule that waits for that was met.
    Redirected,
    /// Two matters in one message.
    TwoMatters,
    /// The turn was answered beside what was said before.
    Followed,
    /// No entry fits, but articles may.
    Articles,
    /// The turn was answered by itself.
    Alone,
}

/// A turn beside the matter in hand.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The words searched for.
    pub text: String,
    /// What they found.
    pub found: Found,
    /// What was seen of the turn.
    pub signs: Signs,
    /// The sections it points at.
    pub wanted: Vec<Wanted>,
}

/// A reply and how it came about.
#[derive(Debug, Clone)]
pub struct Thought {
    /// What to say.
    pub reply: Reply,
    /// What to remember for the next turn.
    pub next: Context,
    /// The message, normalised.
    pub normalized: String,
    /// What decided.
    pub why: Why,
    /// The words searched for, and what they found alone.
    pub alone: Option<(String, Found)>,
    /// The turn beside what was said before, if there was something.
    pub beside: Option<Beside>,
}

const NO_QUESTION: [RiskKind; 3] = [RiskKind::Chat, RiskKind::Offtopic, RiskKind::Gibberish];

impl Answerer {
    /// Answers a turn: danger first, then what must not be helped with, then everything else. Both
    /// are heard in the turn's own words, whatever was said before.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn think(&self, context: &Context, text: &str) -> Result<Thought, TantivyError> {
        let normalized = self.searcher().analyser().normalize(text);
        let mut thought = Thought {
            reply: compose::nothing_said(self.office()),
            next: context.clone(),
            why: Why::NothingSaid,
            alone: None,
            beside: None,
            normalized: String::new(),
        };
        if normalized.chars().any(char::is_alphanumeric) {
            let sense = self.sense(context, &normalized);
            let danger = self.danger(context, &sense);
            if let Some((why, reply)) = self.at_once(context, &normalized, &sense, danger)? {
                thought.why = why;
                thought.reply = reply;
            } else {
                self.search(context, &normalized, &sense, &mut thought)?;
                // What goes on with a matter in hand was judged with it: half a sentence sounds like
                // anything.
                if let Some(Danger::Possible(rule)) = danger
                    && thought.why != Why::Followed
                {
                    self.warn(rule, &mut thought);
                }
            }
            thought.next = match thought.why {
                // A look-up is no matter to go on with.
                Why::LookedUp => Context::default(),
                Why::StillRefused | Why::StillInDanger => context.clone(),
                Why::Followed => context.after(&normalized, &thought.reply, true),
                _ => context.after(&normalized, &thought.reply, false),
            };
        }
        thought.normalized = normalized;
        Ok(thought)
    }

    /// What is answered without a search. In a conversation only rules tell small talk and other
    /// fields: half a sentence may be about anything.
    fn at_once(
        &self,
        context: &Context,
        normalized: &str,
        sense: &Sense<'_>,
        danger: Option<Danger<'_>>,
    ) -> Result<Option<(Why, Reply)>, TantivyError> {
        let guarded = |rule: &RiskRule| (Why::Guard, compose::guarded(rule, self.office()));
        if let Some(Danger::Now(rule)) = danger {
            return Ok(Some(guarded(rule)));
        }
        if let Some(rule) = self.by_rules(sense, &[RiskKind::Refuse], false) {
            return Ok(Some(guarded(rule)));
        }
        let looked_up = self
            .lawbook()
            .look_up(self.library(), self.office(), normalized)?;
        if let Some(reply) = looked_up {
            return Ok(Some((Why::LookedUp, reply)));
        }
        if let Some(talk) = smalltalk::recognise(self.library(), normalized) {
            let reply = compose::smalltalk(talk, self.office());
            return Ok(Some((Why::Smalltalk, reply)));
        }
        let rule = self
            .by_examples(sense, Sort::Refuse, false)
            .or_else(|| self.by_rules(sense, &NO_QUESTION, false))
            .or_else(|| {
                let by_itself = context.is_empty();
                by_itself.then(|| self.by_examples(sense, Sort::Other, false))?
            });
        Ok(rule.map(guarded))
    }

    /// Searches for the turn alone and, if something was said before, beside that; decides.
    fn search(
        &self,
        context: &Context,
        normalized: &str,
        sense: &Sense<'_>,
        thought: &mut Thought,
    ) -> Result<(), TantivyError> {
        let mut opening = if context.is_empty() {
            Opening::none(normalized)
        } else {
            Opening::of(normalized)
        };
        let whole = opening.rest.clone();
        opening.rest = self.gist(&whole);
        let rest = opening.rest.as_str();
        let found = self.searcher().search(rest, NEAR_ENTRIES)?;
        thought.reply = self.decide(&found, self.thresholds().answer);
        thought.why = Why::Alone;
        let redirect = || {
            let rule = self.by_rules(sense, &NO_QUESTION, true).or_else(|| {
                let by_itself = context.is_empty();
                by_itself.then(|| self.by_examples(sense, Sort::Other, true))?
            });
            rule.map(|rule| compose::guarded(rule, self.office()))
        };
        if thought.reply.kind != ReplyKind::Answer
            && let Some(redirect) = redirect()
        {
            thought.reply = redirect;
            thought.why = Why::Redirected;
        } else if !context.is_empty() {
            self.go_on(context, &opening, &found, sense, thought)?;
        }
        if thought.why == Why::Alone
            && found
                .hits
                .first()
                .is_some_and(|hit| hit.features.coverage < ONE_MATTER)
            && let Some(reply) = self.two_matters(&whole)?
        {
            thought.reply = reply;
            thought.why = Why::TwoMatters;
        }
        if thought.why == Why::Alone
            && thought.reply.kind == ReplyKind::Unknown
            && let Some(articles) = self.possible_articles(rest, &found)?
        {
            thought.reply = articles;
            thought.why = Why::Articles;
        }
        thought.alone = Some((opening.rest, found));
        Ok(())
    }

    /// Puts what to do in danger before an answer. Where there is none to give, or whom it is for is
    /// left open, danger is all that was understood.
    fn warn(&self, rule: &RiskRule, thought: &mut Thought) {
        match thought.reply.kind {
            ReplyKind::Answer | ReplyKind::Choices => {
                compose::warn(&mut thought.reply, rule, self.office());
            }
            ReplyKind::Unknown | ReplyKind::Statute => {
                thought.reply = compose::guarded(rule, self.office());
                thought.why = Why::Guard;
            }
            ReplyKind::Smalltalk | ReplyKind::Refuse | ReplyKind::Emergency => {}
        }
    }

    /// Two matters in one message, when either is found for sure and they are far apart.
    fn two_matters(&self, text: &str) -> Result<Option<Reply>, TantivyError> {
        let Some(parts) = matters(text) else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for part in parts {
            let part = self.searcher().search(&part, 1)?;
            let entry = part
                .hits
                .first()
                .and_then(|h| self.library().entry(&h.entry));
            match entry {
                Some(entry) if part.confidence >= SURE_OF_A_PART => {
                    found.push((entry, part.confidence));
                }
                _ => return Ok(None),
            }
        }
        let top = |topic: &str| topic.split('.').next().unwrap_or_default().to_owned();
        Ok(match found.as_slice() {
            [(one, sure), (other, as_sure)] if top(&one.topic) != top(&other.topic) => {
                // Two matters have nothing to say to each other: each names its first article.
                let support = Support::default();
                Some(compose::two_matters(
                    [one, other],
                    &support,
                    sure.min(*as_sure),
                ))
            }
            _ => None,
        })
    }

    /// Replaces the reply when the turn goes on with the matter in hand.
    fn go_on(
        &self,
        context: &Context,
        opening: &Opening,
        alone: &Found,
        sense: &Sense<'_>,
        thought: &mut Thought,
    ) -> Result<(), TantivyError> {
        let library = self.library();
        if let Some(rule) = context.refused() {
            // What leans on a refused question is refused with it.
            let mut rules = library.risk.rules.iter();
            if !opening.away
                && thought.reply.kind != ReplyKind::Answer
                && let Some(rule) = rules.find(|r| r.id == rule)
            {
                thought.reply = compose::guarded(rule, self.office());
                thought.why = Why::StillRefused;
            }
            return Ok(());
        }
        let rest = opening.rest.as_str();
        let text = context.beside(rest);
        let found = self.searcher().search(&text, NEAR_ENTRIES)?;
        let reading = self.searcher().read(rest)?;
        let beside = Beside {
            signs: Signs::see(library, context, &reading, opening, alone, &found),
            wanted: Wanted::of(rest),
            text,
            found,
        };
        // After an alarm no matter is in hand: what is found more surely without it is no part of it.
        let anew = context.hand().is_empty()
            && thought.reply.kind == ReplyKind::Answer
            && alone.confidence >= beside.found.confidence;
        if beside.signs.follows() >= FOLLOWS && !anew {
            let found = resolve(library, context, &beside.signs, alone, &beside.found);
            let first = found.hits.first().map(|hit| &hit.entry);
            let by_itself = thought.reply.kind == ReplyKind::Answer
                && thought.reply.entry.as_ref() == first
                && !beside.signs.back;
            // A question that finds the same entry by itself is answered in full.
            if !by_itself {
                let again = first == context.shown();
                // Nothing is in hand after an alarm: what follows it must be found for sure.
                let enough = match context.danger() {
                    Some(_) => self.thresholds().answer,
                    None => SURE_IN_HAND,
                };
                let reply = self.decide(&found, enough);
                thought.reply = compose::go_on(reply, rest, &beside.wanted, again);
            }
            thought.why = Why::Followed;
        }
        // Whoever was in danger a moment ago is not offered something else that may be meant, unless
        // it was asked for by itself.
        let elsewhere = sense.by_itself && thought.why != Why::Followed;
        let rule = context.danger();
        let mut rules = library.risk.rules.iter();
        if !opening.away
            && !elsewhere
            && thought.reply.kind != ReplyKind::Answer
            && let Some(rule) = rule.and_then(|id| rules.find(|r| r.id == id))
        {
            thought.reply = compose::guarded(rule, self.office());
            thought.why = Why::StillInDanger;
        }
        thought.beside = Some(beside);
        Ok(())
    }
}
