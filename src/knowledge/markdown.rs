//! Markdown flattened into what an entry file is made of: headings, paragraph lines, list items.

use std::ops::Range;

use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

/// What a line is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// The TOML between `+++`; the text keeps its line breaks.
    FrontMatter,
    Heading(u8),
    Paragraph,
    Item {
        ordered: bool,
    },
    /// Something an entry has no place for: a table, a quote, a picture, raw HTML.
    Foreign,
}

/// One line with its byte range in the file.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub kind: LineKind,
    pub text: String,
    pub range: Range<usize>,
    /// Where it begins, counted from 1.
    pub number: usize,
    /// The reason in a `<!-- figure: reason -->` on this line.
    pub figure_reason: Option<String>,
}

fn figure_reason(html: &str) -> Option<String> {
    let inner = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let reason = inner.trim().strip_prefix("figure:")?;
    Some(reason.trim().to_owned())
}

/// Reads a whole file. Soft line breaks separate lines, as staff see them in an editor.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let mut current: Option<Line> = None;
    let mut lists: Vec<bool> = Vec::new();
    // A comment over several lines comes in pieces; where the one under way began.
    let mut comment: Option<Range<usize>> = None;
    let open = |kind: LineKind, range: Range<usize>| {
        Some(Line {
            kind,
            text: String::new(),
            range,
            number: 0,
            figure_reason: None,
        })
    };
    let flush = |current: &mut Option<Line>, out: &mut Vec<Line>| {
        if let Some(mut line) = current.take() {
            line.text = line.text.trim().to_owned();
            if !line.text.is_empty() {
                out.push(line);
            }
        }
    };
    // Tables are read only to be refused: otherwise their bars and dashes would pass as text.
    let options = Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS | Options::ENABLE_TABLES;
    let parser = Parser::new_ext(text, options).into_offset_iter();
    for (event, range) in parser {
        match event {
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::PlusesStyle)) => {
                current = open(LineKind::FrontMatter, range);
            }
            Event::Start(Tag::Heading { level, .. }) => {
                current = open(LineKind::Heading(level as u8), range);
            }
            Event::Start(Tag::Paragraph) if lists.is_empty() => {
                current = open(LineKind::Paragraph, range.start..range.start);
            }
            Event::Start(Tag::List(first)) => {
                flush(&mut current, &mut out);
                lists.push(first.is_some());
            }
            Event::Start(Tag::Item) => {
                let ordered = lists.last().copied().unwrap_or(false);
                current = open(LineKind::Item { ordered }, range.start..range.start);
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
            }
            Event::End(
                TagEnd::MetadataBlock(_) | TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::Item,
            ) => flush(&mut current, &mut out),
            Event::Text(piece) | Event::Code(piece) => {
                if let Some(line) = &mut current {
                    if line.text.is_empty() && line.kind != LineKind::FrontMatter {
                        line.range.start = range.start;
                    } else if line.text.is_empty() {
                        line.range = range.clone();
                    }
                    line.range.end = range.end.max(line.range.end);
                    line.text.push_str(&piece);
                }
            }
            Event::SoftBreak | Event::HardBreak
                if current
                    .as_ref()
                    .is_some_and(|line| line.kind == LineKind::Paragraph) =>
            {
                flush(&mut current, &mut out);
                current = open(LineKind::Paragraph, range.end..range.end);
            }
            Event::InlineHtml(html) | Event::Html(html) => {
                if comment.is_some() {
                    comment = comment.filter(|_| !html.contains("-->"));
                } else if let Some(reason) = figure_reason(&html) {
                    // A block of its own belongs to the line before it.
                    if let Some(line) = current.as_mut().or(out.last_mut()) {
                        line.figure_reason = Some(reason);
                    }
                } else if html.trim_start().starts_with("<!--") {
                    comment = (!html.contains("-->")).then_some(range);
                } else if !html.trim().is_empty() {
                    out.push(Line {
                        kind: LineKind::Foreign,
                        text: html.trim().to_owned(),
                        range,
                        number: 0,
                        figure_reason: None,
                    });
                }
            }
            Event::Start(
                Tag::BlockQuote(_) | Tag::CodeBlock(_) | Tag::Table(_) | Tag::Image { .. },
            ) => out.push(Line {
                kind: LineKind::Foreign,
                text: text[range.clone()].lines().next().unwrap_or("").to_owned(),
                range,
                number: 0,
                figure_reason: None,
            }),
            _ => {}
        }
    }
    // A comment without an end would swallow the rest of the file in silence.
    if let Some(range) = comment {
        out.push(Line {
            kind: LineKind::Foreign,
            text: text[range.clone()].trim().to_owned(),
            range,
            number: 0,
            figure_reason: None,
        });
    }
    // Counted once for all: a file of a thousand entries has many lines.
    let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    for line in &mut out {
        line.number = 1 + breaks.partition_point(|at| *at < line.range.start);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_over_several_lines_says_nothing() {
        let kinds: Vec<LineKind> = lines("## 甲\n\n<!-- 一\n\n二\n三 -->\n\n乙\n")
            .into_iter()
            .map(|l| l.kind)
            .collect();
        assert_eq!(kinds, [LineKind::Heading(2), LineKind::Paragraph]);
        for foreign in ["<div>\n", "## 甲\n<!-- 没有结束\n\n## 乙\n"] {
            assert_eq!(lines(foreign).last().unwrap().kind, LineKind::Foreign);
        }
    }
}
