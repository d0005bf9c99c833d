//! The small tables of the library: places, topics, hotlines, small talk, legal terms.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::finding::{Finding, SourceFile};
use super::statutes::{LawChanges, LawNames, moved};
use super::{Entry, Hotline, Place, Preset, SmallTalk, Topic};
use crate::text::{LayPair, Lexicon, normalize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacesFile {
    default_preset: String,
    place: Vec<Place>,
    preset: Vec<Preset>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicsFile {
    topic: Vec<TopTopic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopTopic {
    id: String,
    name: String,
    description: String,
    sub: Vec<SubTopic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubTopic {
    id: String,
    name: String,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HotlinesFile {
    hotline: Vec<Hotline>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmallTalkFile {
    smalltalk: Vec<SmallTalk>,
}

pub(super) fn read<T: DeserializeOwned>(
    source: &SourceFile<'_>,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    toml::from_str(source.text)
        .map_err(|e| {
            let span = e.span().unwrap_or(0..0);
            findings.push(source.error("bad-toml", span, format!("读不懂：{}", e.message())));
        })
        .ok()
}

fn no_duplicates<'a>(
    source: &SourceFile<'_>,
    what: &str,
    ids: impl Iterator<Item = &'a str>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            let at = source.text.rfind(&format!("\"{id}\"")).unwrap_or(0);
            findings.push(source.error(
                "duplicate-id",
                at..at + id.len() + 2,
                format!("{what} {id} 重复"),
            ));
        }
    }
}

/// All places, the ids that are enabled by `preset` (or by the file's default), in order, and all presets.
pub(super) fn places(
    source: &SourceFile<'_>,
    preset: Option<&str>,
    findings: &mut Vec<Finding>,
) -> (Vec<Place>, Vec<String>, Vec<Preset>) {
    let Some(file) = read::<PlacesFile>(source, findings) else {
        return Default::default();
    };
    no_duplicates(
        source,
        "场所",
        file.place.iter().map(|p| p.id.as_str()),
        findings,
    );
    let wanted = preset.unwrap_or(&file.default_preset);
    let Some(chosen) = file.preset.iter().find(|p| p.id == wanted) else {
        let known: Vec<&str> = file.preset.iter().map(|p| p.id.as_str()).collect();
        findings.push(
            source
                .error(
                    "unknown-preset",
                    0..0,
                    format!("没有名为 {wanted} 的场所方案"),
                )
                .help(format!("可选：{}", known.join("、"))),
        );
        return (file.place, Vec::new(), file.preset);
    };
    let enabled = chosen.places.clone();
    for id in &enabled {
        if !file.place.iter().any(|p| p.id == *id) {
            findings.push(source.error(
                "unknown-place",
                0..0,
                format!("方案 {wanted} 里的场所 {id} 没有定义"),
            ));
        }
    }
    (file.place, enabled, file.preset)
}

/// Top topics, each followed by its sub-topics.
pub(super) fn topics(source: &SourceFile<'_>, findings: &mut Vec<Finding>) -> Vec<Topic> {
    let Some(file) = read::<TopicsFile>(source, findings) else {
        return Vec::new();
    };
    let mut topics = Vec::new();
    for top in file.topic {
        for sub in &top.sub {
            if sub.id.split('.').next() != Some(&top.id) || sub.id.split('.').count() != 2 {
                let at = source.text.find(&format!("\"{}\"", sub.id)).unwrap_or(0);
                findings.push(source.error(
                    "bad-topic-id",
                    at..at + sub.id.len() + 2,
                    format!("小主题编号要写成 {}.名称", top.id),
                ));
            }
        }
        topics.push(Topic {
            id: top.id,
            name: top.name,
            description: top.description,
            sensitive: false,
        });
        topics.extend(top.sub.into_iter().map(|sub| Topic {
            id: sub.id,
            name: sub.name,
            description: String::new(),
            sensitive: sub.sensitive,
        }));
    }
    no_duplicates(
        source,
        "主题",
        topics.iter().map(|t| t.id.as_str()),
        findings,
    );
    topics
}

pub(super) fn hotlines(source: &SourceFile<'_>, findings: &mut Vec<Finding>) -> Vec<Hotline> {
    let Some(file) = read::<HotlinesFile>(source, findings) else {
        return Vec::new();
    };
    no_duplicates(
        source,
        "热线",
        file.hotline.iter().map(|h| h.number.as_str()),
        findings,
    );
    file.hotline
}

pub(super) fn smalltalk(source: &SourceFile<'_>, findings: &mut Vec<Finding>) -> Vec<SmallTalk> {
    read::<SmallTalkFile>(source, findings).map_or_else(Vec::new, |file| file.smalltalk)
}

/// Dead and renumbered laws; a pair of numbers that cannot be read is an error.
pub(super) fn law_changes(
    source: &SourceFile<'_>,
    findings: &mut Vec<Finding>,
) -> Option<LawChanges> {
    let changes: LawChanges = read(source, findings)?;
    let pairs = changes
        .repealed
        .iter()
        .flat_map(|r| &r.articles)
        .chain(changes.renumbered.iter().flat_map(|r| &r.articles));
    for pair in pairs.filter(|pair| moved(pair).is_none()) {
        let at = source.text.find(&format!("\"{pair}\"")).unwrap_or(0);
        findings.push(
            source
                .error(
                    "bad-moved-article",
                    at..at + pair.len() + 2,
                    format!("读不懂“{pair}”"),
                )
                .help("写成“旧条号 新条号”，例如 \"32 1079\"、\"120 120之1\""),
        );
    }
    Some(changes)
}

/// How people call laws.
pub(super) fn law_names(source: &SourceFile<'_>, findings: &mut Vec<Finding>) -> Option<LawNames> {
    read(source, findings)
}

/// One term a line; `#` starts a comment.
pub(super) fn terms(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or("").trim())
        .filter(|term| !term.is_empty())
        .map(str::to_owned)
}

/// The columns of a tab-separated table, with the byte range of each line; `#` starts a comment.
pub(super) fn rows<'a>(source: &SourceFile<'a>) -> Vec<(std::ops::Range<usize>, Vec<&'a str>)> {
    let mut start = 0;
    let mut out = Vec::new();
    for line in source.text.split_inclusive('\n') {
        let range = start..start + line.trim_end().len();
        start += line.len();
        let line = line.trim_end();
        if !line.is_empty() && !line.starts_with('#') {
            out.push((range, line.split('\t').map(str::trim).collect()));
        }
    }
    out
}

/// The lexicon; every list may be missing. A row that cannot be read is an error.
pub(super) fn lexicon(
    typos: Option<SourceFile<'_>>,
    chat: Option<SourceFile<'_>>,
    lay: Option<SourceFile<'_>>,
    stop_words: Option<SourceFile<'_>>,
    entries: &[Entry],
    findings: &mut Vec<Finding>,
) -> Lexicon {
    let mut corrections = Vec::new();
    for source in typos.iter() {
        for (range, row) in rows(source) {
            match row.as_slice() {
                [wrong, right] => corrections.push((normalize(wrong), normalize(right))),
                _ => findings.push(
                    source
                        .error("bad-row", range, "这一行要有两列：写错的词、对的词")
                        .help("两列之间用 Tab 键隔开"),
                ),
            }
        }
    }
    let mut pairs = Vec::new();
    for source in lay.iter() {
        for (range, row) in rows(source) {
            let pair = match row.as_slice() {
                [lay, legal, weight, direction @ (">" | "=")] => {
                    let weight = weight.parse::<f32>().ok();
                    weight
                        .filter(|w| (0.0..=1.0).contains(w))
                        .map(|weight| LayPair {
                            lay: normalize(lay),
                            legal: normalize(legal),
                            weight,
                            both_ways: *direction == "=",
                        })
                }
                _ => None,
            };
            match pair {
                Some(pair) => pairs.push(pair),
                None => findings.push(
                    source
                        .error(
                            "bad-row",
                            range,
                            "这一行要有四列：土话、法言、0 到 1 的把握、> 或 =",
                        )
                        .help("列与列之间用 Tab 键隔开，例如：工钱\t工资\t1.0\t="),
                ),
            }
        }
    }
    let list = |source: &Option<SourceFile<'_>>| -> Vec<String> {
        let source = source.iter();
        source
            .flat_map(|s| terms(s.text))
            .map(|t| normalize(&t))
            .collect()
    };
    let said: Vec<String> = entries
        .iter()
        .flat_map(|e| e.phrasings.iter().chain(&e.keywords).chain([&e.question]))
        .map(|text| normalize(text))
        .collect();
    let (chat, stop_words) = (list(&chat), list(&stop_words));
    Lexicon::new(corrections, chat, pairs, stop_words, &said.join("\n"))
}
