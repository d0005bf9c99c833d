//! The guard (安全闸): what is heard in a message before anything is searched.
//!
//! Danger first, then what must not be helped with, then what is no legal question. The rules are
//! data (`knowledge/risk.toml`); this module compiles them once per library and asks them with one
//! pass over the message. Pure functions: no index, no clock, no I/O.

mod gibberish;
mod grammar;
mod heard;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::knowledge::risk::{RiskKind, RiskRule, RiskTable};

use grammar::{Grammar, SetId};
use heard::Heard;

/// Why a rule fired: the rule and the words that met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// The words of the message that met each group, in the order of the groups.
    pub signals: Vec<String>,
}

/// A rule of which something was heard, met or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overheard<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// What it is for.
    pub kind: RiskKind,
    /// The words heard, one for each group that is there.
    pub words: Vec<String>,
    /// How many groups are not there.
    pub missing: usize,
    /// Whether something said lifts it, or the message is too long for it.
    pub lifted: bool,
    /// Whether it is met.
    pub met: bool,
}

/// The rules of a library, compiled.
pub struct Guard {
    table: Arc<RiskTable>,
    grammar: Grammar,
    harmless: SetId,
    /// In the order of kinds, then of the file.
    ways: Vec<Way>,
}

/// One way in which a rule is met, compiled.
struct Way {
    rule: usize,
    all: Vec<SetId>,
    none: SetId,
    doubt: SetId,
    still: SetId,
    within: Option<usize>,
    max_chars: Option<usize>,
}

impl Guard {
    /// Compiles the rules; takes a few milliseconds.
    pub fn new(table: Arc<RiskTable>) -> Self {
        let mut builder = grammar::Builder::default();
        for list in &table.words {
            builder.list(&list.name, &list.signals);
        }
        let harmless = builder.group(&table.harmless);
        let mut ways = Vec::new();
        for (rule, text) in table.rules.iter().enumerate() {
            for when in &text.when {
                ways.push(Way {
                    rule,
                    all: when.all.iter().map(|g| builder.group(g)).collect(),
                    none: builder.group(&when.none),
                    doubt: builder.group(&when.doubt),
                    still: builder.group(&when.still),
                    within: when.within,
                    max_chars: when.max_chars,
                });
            }
        }
        ways.sort_by_key(|way| table.rules[way.rule].kind);
        Self {
            grammar: builder.build(),
            table,
            harmless,
            ways,
        }
    }

    /// Listens to a normalised message once; ask the result for what was heard.
    pub fn listen<'a>(&'a self, normalized: &'a str) -> Heeded<'a> {
        Heeded {
            guard: self,
            heard: Heard::new(&self.grammar, self.harmless, normalized),
            text: normalized,
        }
    }
}

/// A message that was listened to.
pub struct Heeded<'a> {
    guard: &'a Guard,
    heard: Heard<'a>,
    text: &'a str,
}

impl<'a> Heeded<'a> {
    /// The first rule of a kind that is met, with the reason why.
    ///
    /// Rules that may speak only when the search is unsure are left out unless `unsure`.
    pub fn first(&self, kind: RiskKind, unsure: bool) -> Option<(&'a RiskRule, Verdict<'a>)> {
        let rules = &self.guard.table.rules;
        if kind == RiskKind::Gibberish {
            let rule = rules.iter().find(|rule| rule.kind == kind)?;
            let signals = vec![gibberish::recognise(self.text)?.to_owned()];
            let verdict = Verdict {
                rule: &rule.id,
                signals,
            };
            return Some((rule, verdict));
        }
        self.guard
            .ways
            .iter()
            .map(|way| (way, &rules[way.rule]))
            .filter(|(_, rule)| rule.kind == kind && (unsure || !rule.when_unsure))
            .find_map(|(way, rule)| {
                let verdict = Verdict {
                    rule: &rule.id,
                    signals: self.met(way)?,
                };
                Some((rule, verdict))
            })
    }

    /// The rules of which at least half was heard, those that are met first; each in its best way.
    pub fn overheard(&self) -> Vec<Overheard<'a>> {
        let mut out: Vec<Overheard<'a>> = Vec::new();
        for way in &self.guard.ways {
            let rule = &self.guard.table.rules[way.rule];
            let words: Vec<String> = way.all.iter().filter_map(|g| self.heard.word(*g)).collect();
            let missing = way.all.len() - words.len();
            if words.is_empty() || missing > words.len() {
                continue;
            }
            let heard = Overheard {
                rule: &rule.id,
                kind: rule.kind,
                missing,
                lifted: self.lifted(way),
                met: self.met(way).is_some(),
                words,
            };
            match out.iter_mut().find(|o| o.rule == heard.rule) {
                Some(known) if (heard.met, known.missing) > (known.met, heard.missing) => {
                    *known = heard;
                }
                Some(_) => {}
                None => out.push(heard),
            }
        }
        out.sort_by_key(|o| (!o.met, o.missing, o.kind));
        out
    }

    fn lifted(&self, way: &Way) -> bool {
        let heard = &self.heard;
        let too_long = way.max_chars.is_some_and(|max| heard.letters() > max);
        too_long || heard.has(way.none) || (heard.has(way.doubt) && !heard.has(way.still))
    }

    /// The words that meet `way`, if it is met.
    fn met(&self, way: &Way) -> Option<Vec<String>> {
        let heard = &self.heard;
        if way.all.iter().any(|group| !heard.has(*group)) {
            return None;
        }
        if self.lifted(way) {
            return None;
        }
        heard.together(&way.all, way.within)
    }
}
