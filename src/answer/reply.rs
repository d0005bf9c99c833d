//! The channel-neutral reply: what is said, in blocks that every channel can render.

use serde::Serialize;

use crate::knowledge::{Citation, EntryId};

/// What sort of reply this is (design: reply kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyKind {
    /// One entry fits.
    Answer,
    /// Up to three entries may fit; the resident picks one.
    Choices,
    /// Official text of articles that were looked up, or that may bear on the question.
    Statute,
    /// The library does not hold it.
    Unknown,
    /// Somebody is in danger now: what to do and whom to call.
    Emergency,
    /// What must not be helped with, and the lawful way instead.
    Refuse,
    /// Greeting, thanks, help, or another field than law.
    Smalltalk,
}

impl ReplyKind {
    /// The word used in JSON and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Choices => "choices",
            Self::Statute => "statute",
            Self::Unknown => "unknown",
            Self::Emergency => "emergency",
            Self::Refuse => "refuse",
            Self::Smalltalk => "smalltalk",
        }
    }
}

/// An article to open: law and label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArticleRef {
    /// Official name.
    pub law: String,
    /// `第五条`, or `全文`.
    pub label: String,
}

/// Where the official text behind a citation can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Fits a button: `民法典1079条`.
    pub name: String,
    /// What to open here; `None` when the text was not imported.
    pub article: Option<ArticleRef>,
    /// Page of the official database, when the text was not imported.
    pub page: Option<String>,
}

/// Where one can go from the one article shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// 上一条
    pub previous: Option<ArticleRef>,
    /// 下一条
    pub next: Option<ArticleRef>,
    /// 本章目录: the article it was opened from stands for its chapter.
    pub chapter: Option<ArticleRef>,
}

/// One piece of a reply. Text is plain: a channel escapes and decorates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The question answered, as a title.
    Title(String),
    /// A paragraph that must be seen first.
    Lead(String),
    /// Official text, verbatim.
    Verbatim(String),
    /// A titled list; `ordered` ones are numbered from 1.
    Section {
        /// `怎么做`
        title: &'static str,
        /// One line each.
        items: Vec<String>,
        /// Whether the order matters.
        ordered: bool,
        /// Whether a channel may fold it away behind "展开".
        foldable: bool,
    },
    /// Small print, such as the notice that this is not legal advice.
    Notice(String),
}

/// An entry offered for the resident to pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to open when it is picked.
    pub entry: EntryId,
    /// What the resident reads.
    pub question: String,
    /// What that entry cites.
    pub citations: Vec<Citation>,
}

/// A reply, ready for any channel.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What sort of reply this is.
    pub kind: ReplyKind,
    /// What is said, in order.
    pub blocks: Vec<Block>,
    /// Legal basis, in the order shown.
    pub citations: Vec<Citation>,
    /// For [`ReplyKind::Answer`]: where to read the official texts, in the order of citations.
    pub sources: Vec<Source>,
    /// The entry shown, for [`ReplyKind::Answer`].
    pub entry: Option<EntryId>,
    /// Sub-topic of the entry shown, or the nearest one.
    pub topic: Option<String>,
    /// Calibrated probability that [`Reply::topic`] is what the question is about, 0 to 1.
    pub topic_confidence: f64,
    /// Place ids of the entry shown.
    pub places: Vec<String>,
    /// For [`ReplyKind::Choices`]: what to pick from, best first, at most three.
    pub choices: Vec<Choice>,
    /// Under an answer: up to three neighbouring questions (相关问题).
    pub related: Vec<Choice>,
    /// For [`ReplyKind::Statute`] with one article: its neighbours.
    pub neighbours: Neighbours,
    /// Numbers named in the reply, in order.
    pub hotlines: Vec<String>,
    /// Id of the rule in `risk.toml` that answered, if one did.
    pub rule: Option<String>,
    /// Calibrated probability that the first entry is what was asked, 0 to 1.
    pub confidence: f64,
}

impl Reply {
    /// What the resident reads, without mark-up; blocks are separated by a blank line.
    pub fn text(&self) -> String {
        let mut parts = Vec::with_capacity(self.blocks.len() + 1);
        for block in &self.blocks {
            parts.push(match block {
                Block::Title(text) => format!("【{text}】"),
                Block::Lead(text) | Block::Verbatim(text) | Block::Notice(text) => text.clone(),
                Block::Section {
                    title,
                    items,
                    ordered,
                    ..
                } => {
                    let mut lines = vec![format!("{title}：")];
                    for (i, item) in items.iter().enumerate() {
                        lines.push(if *ordered {
                            format!("{}. {item}", i + 1)
                        } else {
                            format!("· {item}")
                        });
                    }
                    lines.join("\n")
                }
            });
        }
        parts.join("\n\n")
    }
}
