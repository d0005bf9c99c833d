//! One Markdown file of entries: front matter, then a heading per entry (design 5.1).

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::citation::{official_name, parse_basis};
use super::finding::{Finding, SourceFile};
use super::front_matter::{self, Context, Header, check_place, check_review};
use super::load::is_own;
use super::markdown::{Line, LineKind, lines};
use super::model::FigureLine;
use super::{Basis, Entry, EntryId};

/// A short answer must fit a phone screen's first glance.
pub(super) const MAX_ANSWER_CHARS: usize = 120;
/// More steps than this nobody follows.
pub(super) const MAX_STEPS: usize = 6;
/// Fewer phrasings than this and people who speak differently are not understood.
pub(super) const MIN_PHRASINGS: usize = 6;
/// Stands where a person has yet to write: nothing that holds it is an entry.
pub(super) const UNWRITTEN: &str = "【待改写】";

/// A line before the first section that begins with one of these and a colon is no answer.
pub(super) const HEAD_WORDS: [&str; 6] = ["问法", "关键词", "场所", "核对", "来源", "替代"];

const SECTIONS: [&str; 5] = ["怎么做", "依据", "时限", "找谁", "别踩坑"];
const REQUIRED: [&str; 4] = ["怎么做", "依据", "时限", "找谁"];

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
pub(super) fn entry_id(topic: &str, question: &str) -> EntryId {
    let letters: String = question.chars().filter(|c| c.is_alphanumeric()).collect();
    let hash = Sha256::digest(letters.as_bytes());
    EntryId(format!(
        "{topic}-{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2]
    ))
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
        Some(line) if line.kind == LineKind::FrontMatter => {
            front_matter::read(source, line, context, findings)
        }
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
    for (at, marker) in source.text.match_indices(UNWRITTEN) {
        findings.push(
            source
                .error(
                    "unwritten",
                    at..at + marker.len(),
                    "这里还是草稿：没有用自己的话改写",
                )
                .help("写好以后删掉这个记号"),
        );
    }
    if entries.is_empty() {
        findings.push(source.warning("no-entries", 0..0, "文件里没有一条问答"));
    }
    entries
}

fn start(source: &SourceFile<'_>, header: &Header, line: &Line) -> Draft {
    Draft {
        entry: Entry {
            id: entry_id(&header.topic, &line.text),
            topic: header.topic.clone(),
            places: header.places.clone(),
            reviewed: header.reviewed,
            question: line.text.clone(),
            source: None,
            replaces: Vec::new(),
            phrasings: Vec::new(),
            keywords: Vec::new(),
            answer: String::new(),
            steps: Vec::new(),
            basis: Vec::new(),
            limits: Vec::new(),
            contacts: Vec::new(),
            pitfalls: Vec::new(),
            origin: source.line(line.number),
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

/// A line before the first section: one of the head words, or the short answer.
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
    } else if let Some(text) = after("关键词") {
        let words = text.split(|c: char| c.is_whitespace() || "｜|、，,".contains(c));
        let words = words.filter(|word| !word.is_empty());
        draft.entry.keywords.extend(words.map(str::to_owned));
    } else if let Some(text) = after("场所") {
        draft.entry.places = split(text);
        for place in &draft.entry.places {
            check_place(source, place, line.range.clone(), context, findings);
        }
    } else if let Some(text) = after("核对") {
        match text.trim().parse() {
            Ok(day) => {
                draft.entry.reviewed = day;
                check_review(source, day, line.range.clone(), context, findings);
            }
            Err(_) => findings.push(source.error(
                "bad-date",
                line.range.clone(),
                "核对日期要写成 2026-11-23 这样",
            )),
        }
    } else if let Some(text) = after("来源") {
        draft.entry.source = Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    } else if let Some(text) = after("替代") {
        if !is_own(&source.path) {
            findings.push(
                source
                    .error(
                        "replaces-outside-local",
                        line.range.clone(),
                        "“替代”只能写在 local/ 里的问答上",
                    )
                    .help("直接改原来那一条就行"),
            );
        }
        let ids = split(text).into_iter().map(EntryId);
        draft.entry.replaces.extend(ids);
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
                    origin: source.line(line.number),
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
