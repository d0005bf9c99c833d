//! A reply as a page shows it: flat for the template, with what can be pressed.

use crate::answer::{ArticleRef, Block, Choice, Reply, ReplyKind, Source};
use crate::desk::RowId;

/// A piece of a reply, flat for the template.
pub(super) enum Piece {
    Title(String),
    Text(String),
    Quote(Vec<String>),
    List {
        title: &'static str,
        items: Vec<String>,
        ordered: bool,
        folded: bool,
    },
    Notice(String),
}

/// Where an official text can be read.
pub(super) struct SourceLink {
    pub name: String,
    pub href: String,
}

/// A reply as a page shows it.
pub(super) struct ReplyView {
    pub pieces: Vec<Piece>,
    pub sources: Vec<SourceLink>,
    /// Entries to pick: id and question.
    pub choices: Vec<(String, String)>,
    pub related: Vec<(String, String)>,
    /// The row that votes and picks refer to; `None` when there is nothing to press.
    pub row: Option<RowId>,
    pub entry: String,
    pub votes: bool,
    pub human: bool,
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Where an article's official text is shown.
pub(super) fn law_link(article: &ArticleRef) -> String {
    let query = [("law", &article.law), ("article", &article.label)];
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    format!("/law?{query}")
}

impl ReplyView {
    /// With everything to press.
    pub fn new(reply: &Reply, row: Option<RowId>) -> Self {
        let pairs = |choices: &[Choice]| {
            choices
                .iter()
                .map(|c| (c.entry.0.clone(), c.question.clone()))
                .collect()
        };
        let is = |kind| reply.kind == kind;
        Self {
            choices: if is(ReplyKind::Choices) {
                pairs(&reply.choices)
            } else {
                Vec::new()
            },
            related: pairs(&reply.related),
            row,
            votes: is(ReplyKind::Answer) && row.is_some(),
            human: !is(ReplyKind::Smalltalk) && row.is_some(),
            ..Self::read_only(reply)
        }
    }

    /// To be read only.
    pub fn read_only(reply: &Reply) -> Self {
        let pieces = reply.blocks.iter().map(|block| match block {
            Block::Title(text) => Piece::Title(text.clone()),
            Block::Lead(text) => Piece::Text(text.clone()),
            Block::Verbatim(text) => Piece::Quote(lines(text)),
            Block::Notice(text) => Piece::Notice(text.clone()),
            Block::Section {
                title,
                items,
                ordered,
                foldable,
            } => Piece::List {
                title,
                items: items.clone(),
                ordered: *ordered,
                folded: *foldable,
            },
        });
        let source = |source: &Source| {
            let href = match (&source.article, &source.page) {
                (Some(article), _) => law_link(article),
                (None, Some(page)) => page.clone(),
                (None, None) => return None,
            };
            Some(SourceLink {
                name: source.name.clone(),
                href,
            })
        };
        Self {
            pieces: pieces.collect(),
            sources: reply.sources.iter().filter_map(source).collect(),
            choices: Vec::new(),
            related: Vec::new(),
            row: None,
            entry: reply
                .entry
                .as_ref()
                .map_or_else(String::new, |e| e.0.clone()),
            votes: false,
            human: false,
        }
    }
}
