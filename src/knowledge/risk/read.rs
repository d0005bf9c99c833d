//! Reading `risk.toml` and saying everything that is wrong with it.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{RiskKind, RiskRule, RiskTable, Signal, When, WordList};
use crate::knowledge::Basis;
use crate::knowledge::citation::parse_basis;
use crate::knowledge::finding::{Finding, SourceFile};
use crate::knowledge::tables;

/// A resident in danger reads the first lines of a telephone's notification.
const FIRST_GLANCE: usize = 60;

type Words = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskFile {
    #[serde(default)]
    words: BTreeMap<String, Spanned<Words>>,
    #[serde(default)]
    harmless: Words,
    #[serde(default)]
    rule: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: Spanned<String>,
    kind: RiskKind,
    reason: String,
    say: Spanned<String>,
    law: Option<Spanned<String>>,
    #[serde(default)]
    hotlines: Words,
    topic: Option<Spanned<String>>,
    #[serde(default)]
    when_unsure: bool,
    max_chars: Option<usize>,
    #[serde(default)]
    none: Words,
    #[serde(default)]
    doubt: Words,
    #[serde(default)]
    still: Words,
    #[serde(default)]
    when: Vec<WhenText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenText {
    all: Vec<Spanned<Words>>,
    #[serde(default)]
    none: Words,
    #[serde(default)]
    doubt: Words,
    #[serde(default)]
    still: Words,
    within: Option<usize>,
    max_chars: Option<usize>,
}

/// What the rest of the library knows that a rule must agree with.
pub(in crate::knowledge) struct Known<'a> {
    /// Ids of sub-topics.
    pub topics: &'a [&'a str],
    /// Numbers that may be named.
    pub hotlines: &'a [&'a str],
}

/// The rules of `source`, without those parts that have findings.
pub(in crate::knowledge) fn read(
    source: &SourceFile<'_>,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) -> RiskTable {
    let Some(file) = tables::read::<RiskFile>(source, findings) else {
        return RiskTable::default();
    };
    let names: HashSet<String> = file.words.keys().cloned().collect();
    let mut reader = Reader {
        source,
        known,
        names: &names,
        used: HashSet::new(),
        findings,
    };
    let mut lists: BTreeMap<String, (Range<usize>, Vec<Signal>)> = BTreeMap::new();
    for (name, words) in file.words {
        let span = words.span();
        let signals = reader.group(words);
        lists.insert(name, (span, signals));
    }
    let harmless = reader.signals(file.harmless);
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for rule in file.rule {
        if !seen.insert(rule.id.get_ref().clone()) {
            let message = format!("规则 {} 重复", rule.id.get_ref());
            reader.error("duplicate-id", rule.id.span(), message);
        }
        rules.push(reader.rule(rule));
    }
    for (name, (span, _)) in &lists {
        if !reader.used.contains(name) {
            let message = format!("词表“{name}”没有规则用到");
            let finding = source.warning("unused-list", span.clone(), message);
            reader.findings.push(finding);
        }
    }
    RiskTable {
        words: in_order(lists, &mut reader),
        harmless,
        rules,
        examples: Vec::new(),
    }
}

/// The lists so that each refers only to lists before it.
fn in_order(
    mut lists: BTreeMap<String, (Range<usize>, Vec<Signal>)>,
    reader: &mut Reader<'_, '_>,
) -> Vec<WordList> {
    let mut done: Vec<WordList> = Vec::new();
    while !lists.is_empty() {
        let ready = lists.iter().find_map(|(name, (_, signals))| {
            let waits = signals.iter().flat_map(Signal::lists);
            (!waits.into_iter().any(|n| lists.contains_key(n))).then(|| name.clone())
        });
        let Some((name, (_, signals))) = ready.and_then(|name| lists.remove_entry(&name)) else {
            for (name, (span, _)) in &lists {
                let message = format!("词表“{name}”绕了一圈又用到自己");
                reader.error("circular-list", span.clone(), message);
            }
            break;
        };
        done.push(WordList { name, signals });
    }
    done
}

struct Reader<'a, 'b> {
    source: &'a SourceFile<'a>,
    known: &'a Known<'a>,
    names: &'a HashSet<String>,
    used: HashSet<String>,
    findings: &'b mut Vec<Finding>,
}

impl Reader<'_, '_> {
    fn error(&mut self, rule: &'static str, span: Range<usize>, message: impl Into<String>) {
        self.findings.push(self.source.error(rule, span, message));
    }

    fn signals(&mut self, words: Words) -> Vec<Signal> {
        words
            .into_iter()
            .filter_map(|word| {
                let span = word.span();
                let text = word.into_inner();
                let signal = match Signal::parse(&text) {
                    Ok(signal) => signal,
                    Err(fault) => {
                        self.error("bad-signal", span, format!("信号“{text}”：{fault}"));
                        return None;
                    }
                };
                for name in signal.lists() {
                    if !self.names.contains(name) {
                        let message = format!("没有名为“{name}”的词表");
                        self.findings.push(self.source.error(
                            "unknown-list",
                            span.clone(),
                            message,
                        ));
                        return None;
                    }
                    self.used.insert(name.to_owned());
                }
                Some(signal)
            })
            .collect()
    }

    /// Signals of which at least one is needed.
    fn group(&mut self, words: Spanned<Words>) -> Vec<Signal> {
        let span = words.span();
        let words = words.into_inner();
        if words.is_empty() {
            self.error("empty-group", span, "这一组是空的：至少写一个词");
        }
        self.signals(words)
    }

    fn rule(&mut self, text: RuleText) -> RiskRule {
        let id_span = text.id.span();
        if text.when.is_empty() && text.kind != RiskKind::Gibberish {
            let message = format!("规则 {} 没有写 [[rule.when]]", text.id.get_ref());
            self.error("empty-group", id_span, message);
        }
        self.say(&text);
        let law = text.law.as_ref().and_then(|law| self.law(law));
        if let Some(topic) = &text.topic
            && !self.known.topics.contains(&topic.get_ref().as_str())
        {
            let message = format!("没有小主题 {}", topic.get_ref());
            self.error("unknown-topic", topic.span(), message);
        }
        let none = self.signals(text.none);
        let doubt = self.signals(text.doubt);
        let still = self.signals(text.still);
        let max_chars = text.max_chars;
        let mut when = Vec::new();
        for way in text.when {
            when.push(self.way(way, (&none, &doubt, &still), max_chars));
        }
        RiskRule {
            id: text.id.into_inner(),
            kind: text.kind,
            reason: text.reason,
            say: text.say.into_inner().trim().to_owned(),
            law,
            hotlines: text.hotlines.into_iter().map(Spanned::into_inner).collect(),
            topic: text.topic.map(Spanned::into_inner),
            when_unsure: text.when_unsure,
            when,
        }
    }

    fn way(
        &mut self,
        text: WhenText,
        (none, doubt, still): (&[Signal], &[Signal], &[Signal]),
        max_chars: Option<usize>,
    ) -> When {
        let with = |mut own: Vec<Signal>, shared: &[Signal]| {
            own.extend_from_slice(shared);
            own
        };
        When {
            all: text
                .all
                .into_iter()
                .map(|group| self.group(group))
                .collect(),
            none: with(self.signals(text.none), none),
            doubt: with(self.signals(text.doubt), doubt),
            still: with(self.signals(text.still), still),
            within: text.within,
            max_chars: text.max_chars.or(max_chars),
        }
    }

    /// The words said: not empty, every number known, and for an emergency at the first glance.
    fn say(&mut self, text: &RuleText) {
        let (say, span) = (text.say.get_ref(), text.say.span());
        if say.trim().is_empty() {
            self.error("empty-say", span.clone(), "say 是空的：要写对居民说的话");
        }
        for number in &text.hotlines {
            let (digits, span) = (number.get_ref(), number.span());
            if !self.known.hotlines.contains(&digits.as_str()) {
                let message = format!("号码 {digits} 不在 hotlines.toml 里");
                self.error("unknown-hotline", span, message);
            } else if !say.contains(digits.as_str()) {
                let message = format!("hotlines 里有 {digits}，say 里却没有说");
                self.error("hotline-not-said", span, message);
            }
        }
        for digits in say.split(|c: char| !c.is_ascii_digit()) {
            let dialled = matches!(digits.len(), 3 | 5) && digits.starts_with(['1', '9']);
            if dialled && !self.known.hotlines.contains(&digits) {
                let message = format!("say 里的号码 {digits} 不在 hotlines.toml 里");
                self.error("unknown-hotline", span.clone(), message);
            }
        }
        let glance: String = say
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(FIRST_GLANCE)
            .collect();
        let named = text.hotlines.first();
        if text.kind == RiskKind::Emergency
            && !named.is_some_and(|number| glance.contains(number.get_ref()))
        {
            let message =
                format!("紧急规则要在 say 的前 {FIRST_GLANCE} 个字里说出 hotlines 的第一个号码");
            self.error("late-hotline", span, message);
        }
    }

    fn law(&mut self, law: &Spanned<String>) -> Option<Basis> {
        match parse_basis(law.get_ref()) {
            Ok(basis) => Some(Basis {
                citation: basis.citation,
                says: basis.says,
                origin: self.source.origin(law.span().start),
            }),
            Err(fault) => {
                self.error("not-a-citation", law.span(), fault);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{Finding, Known, SourceFile, read};

    const GOOD: &str = r#"
harmless = ["气死"]
[words]
"现在" = ["现在"]
[[rule]]
id = "fire"
kind = "emergency"
reason = "着火"
say = "马上打119"
law = "《消防法》第四十四条：发现火灾要报警。"
hotlines = ["119"]
topic = "env.fire"
[[rule.when]]
all = [["{现在}"], ["着火"]]
"#;

    fn findings(text: &str) -> Vec<Finding> {
        let source = SourceFile {
            path: Arc::new(PathBuf::from("risk.toml")),
            text,
        };
        let known = Known {
            topics: &["env.fire"],
            hotlines: &["119"],
        };
        let mut findings = Vec::new();
        read(&source, &known, &mut findings);
        findings
    }

    #[test]
    fn a_good_file_has_no_findings() {
        assert!(findings(GOOD).is_empty());
    }

    #[test]
    fn every_fault_is_found_with_its_line() {
        let twice = GOOD.split_once("[[rule]]").unwrap().1;
        for (old, new, rule, line) in [
            ("reason =", "raeson =", "bad-toml", 8),
            ("[\"119\"]", "[\"118\"]", "unknown-hotline", 11),
            ("马上打119", "马上打119，或120", "unknown-hotline", 9),
            ("马上打119", "快跑", "hotline-not-said", 11),
            ("马上打119", "马上打119", "duplicate-id", 17),
            ("《消防法》第四十四条：", "消防法", "not-a-citation", 10),
            ("[\"着火\"]", "[]", "empty-group", 14),
            ("{现在}", "{如今}", "unknown-list", 14),
            ("env.fire", "env.ice", "unknown-topic", 12),
            ("\"气死\"", "\"…\"", "bad-signal", 2),
            ("= [\"现在\"]", "= [\"{现在}\"]", "circular-list", 4),
        ] {
            let mut text = GOOD.replacen(old, new, 1);
            if rule == "duplicate-id" {
                text = format!("{text}\n[[rule]]{twice}");
            }
            let all = findings(&text);
            assert!(
                all.iter().any(|f| f.rule == rule && f.origin.line == line),
                "{rule} at {line}: {all:#?}"
            );
        }
    }
}
