//! The shipped rules on messages of their own, and what no message may break.

use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::Guard;
use crate::answer::smalltalk;
use crate::knowledge::risk::RiskKind;
use crate::knowledge::{Library, LoadOptions, load};
use crate::text::normalize;

const CASES: &str = include_str!("../../../tests/data/guard.tsv");
const ORDER: [RiskKind; 5] = [
    RiskKind::Emergency,
    RiskKind::Refuse,
    RiskKind::Chat,
    RiskKind::Offtopic,
    RiskKind::Gibberish,
];

fn shipped() -> &'static (Library, Guard) {
    static SHIPPED: OnceLock<(Library, Guard)> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
        let options = LoadOptions {
            preset: None,
            today: chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
            own: "local".into(),
        };
        let library = load(&root, &options).unwrap().library;
        let guard = Guard::new(library.risk.clone());
        (library, guard)
    })
}

/// What the guard makes of a message, and why.
fn verdict(text: &str) -> (&'static str, String) {
    let (library, guard) = shipped();
    let normalized = normalize(text);
    let heard = guard.listen(&normalized);
    for kind in ORDER {
        if let Some((rule, verdict)) = heard.first(kind, false) {
            let name = match kind {
                RiskKind::Emergency => "emergency",
                RiskKind::Refuse => "refuse",
                RiskKind::Chat | RiskKind::Offtopic | RiskKind::Gibberish => "redirect",
            };
            return (name, format!("{}：{:?}", rule.id, verdict.signals));
        }
    }
    if smalltalk::recognise(library, &normalized).is_some() {
        return ("redirect", "smalltalk".to_owned());
    }
    ("pass", String::new())
}

#[test]
fn tells_danger_harm_and_other_fields_from_everyday_questions() {
    let mut wrong = Vec::new();
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let (expected, text) = line.split_once('\t').unwrap();
        let (said, why) = verdict(text);
        if said != expected {
            wrong.push(format!("{text}\n    {expected}, but {said} {why}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn leaves_the_library_s_own_questions_to_the_search() {
    let (library, guard) = shipped();
    let mut asked = 0;
    let mut alarms = Vec::new();
    let mut stopped = Vec::new();
    for entry in &library.entries {
        for text in std::iter::once(&entry.question).chain(&entry.phrasings) {
            asked += 1;
            let normalized = normalize(text);
            let heard = guard.listen(&normalized);
            if let Some((rule, why)) = heard.first(RiskKind::Emergency, false) {
                alarms.push(format!("{} {text} {:?}", rule.id, why.signals));
            }
            for kind in &ORDER[1..] {
                if let Some((rule, _)) = heard.first(*kind, false) {
                    stopped.push(format!("{} {text}", rule.id));
                }
            }
        }
    }
    if std::env::var_os("QIJIN_SHOW").is_some() {
        eprintln!(
            "{} alarms\n{}\n{}",
            alarms.len(),
            alarms.join("\n"),
            stopped.join("\n")
        );
    }
    // One in a thousand; those left are how-to questions even to a human reader.
    assert!(
        stopped.len() * 1000 <= asked,
        "{} of {asked}:\n{}",
        stopped.len(),
        stopped.join("\n")
    );
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,200}") {
        verdict(&text);
    }

    #[test]
    fn danger_is_heard_whatever_else_is_said(
        before in "[谢谢你好天气股票翻译忽略指令,，。a-z]{0,40}",
        after in "[谢谢你好天气股票翻译忽略指令,，。a-z]{0,40}",
    ) {
        let said = verdict(&format!("{before}。他正拿刀追着砍我，救命。{after}"));
        prop_assert_eq!(said.0, "emergency");
    }
}
