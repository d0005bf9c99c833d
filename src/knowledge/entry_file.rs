//! One Markdown file of entries: front matter, then a heading per entry (design 5.1).

use std::ops::Range;

use chrono::NaiveDate;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::citation::{official_name, parse_basis};
use super::finding::{Finding, SourceFile};
use super::markdown::{Line, LineKind, lines};
use super::model::FigureLine;
use super::{Basis, Entry, EntryId};

/// A short answer must fit a phone screen's first glance.
pub(super) const MAX_ANSWER_CHARS: usize = 120;
/// More steps than this nobody follows.
pub(super) const MAX_STEPS: usize = 6;
/// Fewer phrasings than this and people who speak differently are not understood.
pub(super) const MIN_PHRASINGS: usize = 6;
/// An entry not checked for this long is a warning.
pub(super) const REVIEW_DAYS: i64 = 365;

const SECTIONS: [&str; 5] = ["怎么做", "依据", "时限", "找谁", "别踩坑"];
const REQUIRED: [&str; 4] = ["怎么做", "依据", "时限", "找谁"];

/// What the rest of the library knows that a file must agree with.
pub(super) struct Context<'a> {
    /// Ids of sub-topics.
    pub topics: &'a [&'a str],
    /// Ids of all defined places.
    pub places: &'a [&'a str],
    /// Numbers that may be named.
    pub hotlines: &'a [&'a str],
    /// The day the check is made for.
    pub today: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    topic: Spanned<String>,
    places: Vec<Spanned<String>>,
    reviewed: Spanned<toml::value::Datetime>,
}

/// What a file's front matter says, once it is found valid.
struct Header {
    topic: String,
    places: Vec<String>,
    reviewed: NaiveDate,
}

/// An entry being read, with the ranges needed for findings made at its end.
struct Draft {
    entry: Entry,
    heading: Range<usize>,
    section: Option<&'static str>,
    seen: Vec<&'static str>,
    answer_lines: Vec<Range<usize>>,
    has_phrasings: bool,
}

/// The id of an entry: its topic and six hex digits of its question's hash.
fn entry_id(topic: &str, question: &str) -> EntryId {
    let letters: String = question.chars().filter(|c| c.is_alphanumeric()).collect();
    let hash = Sha256::digest(letters.as_bytes());
    EntryId(format!(
        "{topic}-{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2]
    ))
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), *k))
        .min()
        .filter(|(distance, k)| *distance * 2 <= k.len())
        .map(|(_, k)| k)
}

/// Reads a file into entries; everything wrong goes to `findings`.
///
/// Entries with errors are still returned, so that other checks can see them:
/// the caller refuses the whole library when any finding is an error.
pub(super) fn read(
    source: &SourceFile<'_>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Entry> {
    let lines = lines(source.text);
    let header = match lines.first() {
        Some(line) if line.kind == LineKind::FrontMatter => header(source, line, context, findings),
        _ => {
            findings.push(
                source
                    .error("no-front-matter", 0..0, "文件开头缺少 +++ 之间的说明")
                    .help("要有 topic、places、reviewed 三行，见 docs/writing-entries.zh-CN.md"),
            );
            None
        }
    };
    let header = header.unwrap_or_else(|| Header {
        topic: String::new(),
        places: Vec::new(),
        reviewed: context.today,
    });

    let mut entries = Vec::new();
    let mut draft: Option<Draft> = None;
    for line in &lines {
        match line.kind {
            LineKind::FrontMatter => {}
            LineKind::Heading(2) => {
                if let Some(done) = draft.take() {
                    entries.push(finish(source, done, findings));
                }
                draft = Some(start(source, &header, line));
            }
            _ => match &mut draft {
                Some(draft) => line_of_entry(source, draft, line, context, findings),
                None => findings.push(source.error(
                    "text-outside-entry",
                    line.range.clone(),
                    "这一行不属于任何问答：先写“## 问题”",
                )),
            },
        }
    }
    if let Some(done) = draft.take() {
        entries.push(finish(source, done, findings));
    }
    if entries.is_empty() {
        findings.push(source.warning("no-entries", 0..0, "文件里没有一条问答"));
    }
    entries
}

fn header(
    source: &SourceFile<'_>,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Header> {
    let base = line.range.start;
    let shift = |r: Range<usize>| base + r.start..base + r.end;
    let raw = &source.text[line.range.clone()];
    let front: FrontMatter = match toml::from_str(raw) {
        Ok(front) => front,
        Err(e) => {
            let span = e.span().map_or(line.range.clone(), shift);
            findings.push(
                source
                    .error(
                        "bad-front-matter",
                        span,
                        format!("开头的说明读不懂：{}", e.message()),
                    )
                    .help("只能有 topic、places、reviewed 三项"),
            );
            return None;
        }
    };
    let topic = front.topic.get_ref().clone();
    if !context.topics.contains(&topic.as_str()) {
        let finding = source.error(
            "unknown-topic",
            shift(front.topic.span()),
            format!("没有这个小主题：{topic}"),
        );
        findings.push(match nearest(&topic, context.topics) {
            Some(near) => finding.help(format!("是不是 {near}？全部编号见 topics.toml")),
            None => finding.help("全部编号见 topics.toml"),
        });
    }
    if front.places.is_empty() {
        findings.push(source.error("no-place", line.range.clone(), "places 不能为空"));
    }
    for place in &front.places {
        check_place(
            source,
            place.get_ref(),
            shift(place.span()),
            context,
            findings,
        );
    }
    let date = front.reviewed.get_ref().date.and_then(|d| {
        NaiveDate::from_ymd_opt(i32::from(d.year), u32::from(d.month), u32::from(d.day))
    });
    let span = shift(front.reviewed.span());
    let Some(reviewed) = date else {
        findings.push(source.error("bad-date", span, "reviewed 要写成日期，如 2026-11-23"));
        return None;
    };
    if reviewed > context.today {
        findings.push(source.error("future-review", span, format!("核对日期 {reviewed} 还没到")));
    } else if (context.today - reviewed).num_days() > REVIEW_DAYS {
        findings.push(
            source
                .warning(
                    "stale-review",
                    span,
                    format!("上次核对是 {reviewed}，已超过一年"),
                )
                .help("请对照现行法条再核一遍，然后把 reviewed 改成当天"),
        );
    }
    Some(Header {
        topic,
        places: front.places.into_iter().map(Spanned::into_inner).collect(),
        reviewed,
    })
}

fn check_place(
    source: &SourceFile<'_>,
    place: &str,
    span: Range<usize>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    if !context.places.contains(&place) {
        findings.push(
            source
                .error("unknown-place", span, format!("没有这个场所：{place}"))
                .help(format!("可选：{}", context.places.join("、"))),
        );
    }
}

fn start(source: &SourceFile<'_>, header: &Header, line: &Line) -> Draft {
    Draft {
        entry: Entry {
            id: entry_id(&header.topic, &line.text),
            topic: header.topic.clone(),
            places: header.places.clone(),
            reviewed: header.reviewed,
            question: line.text.clone(),
            phrasings: Vec::new(),
            answer: String::new(),
            steps: Vec::new(),
            basis: Vec::new(),
            limits: Vec::new(),
            contacts: Vec::new(),
            pitfalls: Vec::new(),
            origin: source.origin(line.range.start),
            figure_lines: Vec::new(),
        },
        heading: line.range.clone(),
        section: None,
        seen: Vec::new(),
        answer_lines: Vec::new(),
        has_phrasings: false,
    }
}

fn line_of_entry(
    source: &SourceFile<'_>,
    draft: &mut Draft,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    match line.kind {
        LineKind::Heading(3) => {
            match SECTIONS.iter().find(|s| **s == line.text) {
                Some(section) if draft.seen.contains(section) => findings.push(source.error(
                    "duplicate-section",
                    line.range.clone(),
                    format!("“{section}”写了两遍"),
                )),
                Some(section) => draft.seen.push(section),
                None => findings.push(
                    source
                        .error(
                            "unknown-section",
                            line.range.clone(),
                            format!("不认识的小节“{}”", line.text),
                        )
                        .help(format!("只能是：{}", SECTIONS.join("、"))),
                ),
            }
            draft.section = SECTIONS.iter().find(|s| **s == line.text).copied();
        }
        LineKind::Heading(_) | LineKind::Foreign => findings.push(source.error(
            "foreign-markup",
            line.range.clone(),
            "问答里只能有标题、段落和列表",
        )),
        _ if draft.seen.is_empty() => head_line(source, draft, line, context, findings),
        _ => section_line(source, draft, line, context, findings),
    }
}

/// A line before the first section: 问法, 场所 or the short answer.
fn head_line(
    source: &SourceFile<'_>,
    draft: &mut Draft,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    let after = |name: &str| {
        line.text
            .strip_prefix(name)
            .and_then(|t| t.strip_prefix('：').or_else(|| t.strip_prefix(':')))
    };
    let split = |text: &str| -> Vec<String> {
        text.split(['｜', '|'])
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if let Some(text) = after("问法") {
        draft.has_phrasings = true;
        draft.entry.phrasings.extend(split(text));
    } else if let Some(text) = after("场所") {
        draft.entry.places = split(text);
        for place in &draft.entry.places {
            check_place(source, place, line.range.clone(), context, findings);
        }
    } else {
        draft.entry.answer.push_str(&line.text);
        draft.answer_lines.push(line.range.clone());
        note_figures(draft, line);
    }
}

/// Remembers a line whose figures must stand in a cited article.
fn note_figures(draft: &mut Draft, line: &Line) {
    if line.figure_reason.is_none() {
        draft.entry.figure_lines.push(FigureLine {
            text: line.text.clone(),
            span: line.range.clone(),
        });
    }
}

/// A line inside a section.
fn section_line(
    source: &SourceFile<'_>,
    draft: &mut Draft,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    let text = line.text.clone();
    if matches!(draft.section, Some("怎么做" | "时限")) {
        note_figures(draft, line);
    }
    match draft.section {
        Some("怎么做") => {
            if line.kind != (LineKind::Item { ordered: true }) {
                findings.push(source.error(
                    "step-not-numbered",
                    line.range.clone(),
                    "“怎么做”要写成 1. 2. 3. 的列表",
                ));
            }
            if draft.entry.steps.len() == MAX_STEPS {
                findings.push(source.error(
                    "too-many-steps",
                    line.range.clone(),
                    format!("“怎么做”最多 {MAX_STEPS} 步"),
                ));
            }
            draft.entry.steps.push(text);
        }
        Some("依据") => match parse_basis(&text) {
            Ok(basis) => {
                if text.contains("中华人民共和国") {
                    findings.push(source.warning(
                        "long-law-name",
                        line.range.clone(),
                        format!("法律名可以省去“中华人民共和国”：{}", official_name(&text)),
                    ));
                }
                if draft
                    .entry
                    .basis
                    .iter()
                    .any(|b| b.citation == basis.citation)
                {
                    findings.push(source.error(
                        "duplicate-citation",
                        line.range.clone(),
                        format!("{} 引了两遍", basis.citation),
                    ));
                }
                draft.entry.basis.push(Basis {
                    citation: basis.citation,
                    says: basis.says,
                    origin: source.origin(line.range.start),
                });
            }
            Err(fault) => findings.push(
                source
                    .error("not-a-citation", line.range.clone(), fault)
                    .help("例：- 《劳动法》第五十条：工资要按月用货币发，不能无故拖欠。"),
            ),
        },
        Some("时限") => draft.entry.limits.push(text),
        Some("找谁") => {
            check_numbers(source, line, context, findings);
            draft.entry.contacts.push(text);
        }
        Some("别踩坑") => draft.entry.pitfalls.push(text),
        // Under an unknown section, which has its own finding.
        _ => {}
    }
}

/// Telephone numbers in 找谁 must be known hotlines.
fn check_numbers(
    source: &SourceFile<'_>,
    line: &Line,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) {
    for number in line.text.split(|c: char| !c.is_ascii_digit()) {
        let looks_dialled =
            matches!(number.len(), 5..=12) || matches!(number, "110" | "119" | "120" | "122");
        if looks_dialled && !context.hotlines.contains(&number) {
            findings.push(
                source
                    .error(
                        "unknown-hotline",
                        line.range.clone(),
                        format!("号码 {number} 不在 hotlines.toml 里"),
                    )
                    .help("用统一热线；本地电话写进 qijin.toml 的 office.contact"),
            );
        }
    }
}

/// The checks that need the whole entry.
fn finish(source: &SourceFile<'_>, draft: Draft, findings: &mut Vec<Finding>) -> Entry {
    let Draft {
        entry,
        heading,
        seen,
        answer_lines,
        has_phrasings,
        ..
    } = draft;
    if !has_phrasings || entry.phrasings.len() < MIN_PHRASINGS {
        findings.push(source.warning(
            "few-phrasings",
            heading.clone(),
            format!(
                "问法只有 {} 个，至少写 {MIN_PHRASINGS} 个",
                entry.phrasings.len()
            ),
        ));
    }
    let chars = entry.answer.chars().count();
    if chars == 0 {
        findings.push(source.error("no-answer", heading.clone(), "没有短答（问法下面的第一段）"));
    } else if chars > MAX_ANSWER_CHARS {
        let span = answer_lines[0].start..answer_lines[answer_lines.len() - 1].end;
        findings.push(source.error(
            "long-answer",
            span,
            format!("短答有 {chars} 个字，最多 {MAX_ANSWER_CHARS} 个"),
        ));
    }
    for section in REQUIRED {
        let empty = match section {
            "怎么做" => entry.steps.is_empty(),
            "依据" => entry.basis.is_empty(),
            "时限" => entry.limits.is_empty(),
            _ => entry.contacts.is_empty(),
        };
        if !seen.contains(&section) {
            findings.push(source.error(
                "missing-section",
                heading.clone(),
                format!("缺少“### {section}”"),
            ));
        } else if empty && !(section == "依据" && has_bad_citation(source, &heading, findings)) {
            findings.push(source.error(
                "empty-section",
                heading.clone(),
                format!("“{section}”是空的"),
            ));
        }
    }
    entry
}

/// Whether this entry's citations were refused already: then an empty 依据 is not a second fault.
fn has_bad_citation(source: &SourceFile<'_>, heading: &Range<usize>, findings: &[Finding]) -> bool {
    let line = source.origin(heading.start).line;
    findings
        .iter()
        .any(|f| f.rule == "not-a-citation" && f.origin.file == source.path && f.origin.line > line)
}
