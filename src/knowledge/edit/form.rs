//! An entry as a form holds it: text fields, one line an item.

use super::super::entry_file::HEAD_WORDS;
use super::super::markdown::{Line, LineKind, lines};
use super::super::{Entry, EntryId};

/// Behind a line: where a number in it comes from, for the checker and colleagues.
const REASON: (&str, char) = ("〔出处：", '〕');

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// 问题
    Question,
    /// 主题
    Topic,
    /// 场所
    Places,
    /// 短答
    Answer,
    /// 怎么做
    Steps,
    /// 依据
    Basis,
    /// 时限
    Limits,
    /// 找谁
    Contacts,
    /// 别踩坑
    Pitfalls,
    /// 问法
    Phrasings,
    /// 关键词
    Keywords,
    /// 来源
    Source,
    /// 核对日期
    Reviewed,
}

impl Field {
    /// All fields, in the order of the form.
    pub const ALL: [Self; 13] = [
        Self::Question,
        Self::Topic,
        Self::Places,
        Self::Answer,
        Self::Steps,
        Self::Basis,
        Self::Limits,
        Self::Contacts,
        Self::Pitfalls,
        Self::Phrasings,
        Self::Keywords,
        Self::Source,
        Self::Reviewed,
    ];

    /// As staff read it; for a section, as the file's format names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Question => "问题",
            Self::Topic => "主题",
            Self::Places => "场所",
            Self::Answer => "短答",
            Self::Steps => "怎么做",
            Self::Basis => "依据",
            Self::Limits => "时限",
            Self::Contacts => "找谁",
            Self::Pitfalls => "别踩坑",
            Self::Phrasings => "问法",
            Self::Keywords => "关键词",
            Self::Source => "来源",
            Self::Reviewed => "核对日期",
        }
    }

    /// What it is called in a form and in an address.
    pub fn key(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Topic => "topic",
            Self::Places => "places",
            Self::Answer => "answer",
            Self::Steps => "steps",
            Self::Basis => "basis",
            Self::Limits => "limits",
            Self::Contacts => "contacts",
            Self::Pitfalls => "pitfalls",
            Self::Phrasings => "phrasings",
            Self::Keywords => "keywords",
            Self::Source => "source",
            Self::Reviewed => "reviewed",
        }
    }
}

/// What is typed. Steps, citations and the like are one a line; a line may end with
/// `〔出处：…〕`, which residents do not see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryForm {
    /// The heading.
    pub question: String,
    /// Sub-topic id.
    pub topic: String,
    /// Place ids, the most typical one first.
    pub places: Vec<String>,
    /// The short answer.
    pub answer: String,
    /// 怎么做
    pub steps: String,
    /// 依据
    pub basis: String,
    /// 时限
    pub limits: String,
    /// 找谁
    pub contacts: String,
    /// 别踩坑
    pub pitfalls: String,
    /// 问法
    pub phrasings: String,
    /// 关键词, with spaces between.
    pub keywords: String,
    /// 来源
    pub source: String,
    /// The day of the last check, `2026-11-25`.
    pub reviewed: String,
}

/// A line with its reason as the form shows it.
fn told(line: &Line) -> String {
    match &line.figure_reason {
        Some(reason) => format!("{}{}{reason}{}", line.text, REASON.0, REASON.1),
        None => line.text.clone(),
    }
}

/// A typed line and the reason behind it.
pub(super) fn split_reason(line: &str) -> (&str, Option<&str>) {
    let parts = line
        .trim()
        .strip_suffix(REASON.1)
        .and_then(|line| line.rsplit_once(REASON.0));
    match parts {
        Some((text, reason)) => (text.trim(), Some(reason.trim())),
        None => (line.trim(), None),
    }
}

impl EntryForm {
    /// An entry as its file says it; `file` is that file's text.
    pub fn of(entry: &Entry, file: &str) -> Self {
        let all = lines(file);
        let own = all
            .iter()
            .skip_while(|line| line.number < entry.origin.line)
            .skip(1)
            .take_while(|line| line.kind != LineKind::Heading(2));
        let mut form = Self {
            question: entry.question.clone(),
            topic: entry.topic.clone(),
            places: entry.places.clone(),
            phrasings: entry.phrasings.join("\n"),
            keywords: entry.keywords.join(" "),
            source: entry.source.clone().unwrap_or_default(),
            reviewed: entry.reviewed.to_string(),
            ..Self::default()
        };
        let mut field = Field::Answer;
        for line in own {
            if line.kind == LineKind::Heading(3) {
                let named = Field::ALL.into_iter().find(|f| f.name() == line.text);
                field = named.unwrap_or(field);
                continue;
            }
            let is_head = field == Field::Answer
                && HEAD_WORDS.iter().any(|word| {
                    let rest = line.text.strip_prefix(word);
                    rest.is_some_and(|rest| rest.starts_with(['：', ':']))
                });
            if let Some(text) = form.text_of(field).filter(|_| !is_head) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&told(line));
            }
        }
        form
    }

    /// The text of a field that is one.
    pub fn text_of(&mut self, field: Field) -> Option<&mut String> {
        Some(match field {
            Field::Question => &mut self.question,
            Field::Topic => &mut self.topic,
            Field::Places => return None,
            Field::Answer => &mut self.answer,
            Field::Steps => &mut self.steps,
            Field::Basis => &mut self.basis,
            Field::Limits => &mut self.limits,
            Field::Contacts => &mut self.contacts,
            Field::Pitfalls => &mut self.pitfalls,
            Field::Phrasings => &mut self.phrasings,
            Field::Keywords => &mut self.keywords,
            Field::Source => &mut self.source,
            Field::Reviewed => &mut self.reviewed,
        })
    }

    /// The id that the entry will have.
    pub fn id(&self) -> EntryId {
        super::super::entry_file::entry_id(&self.topic, &self.question)
    }
}
