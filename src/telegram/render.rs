//! A reply as a Telegram page: HTML, buttons, within the limits.

use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};
use teloxide::utils::html;

use super::callback::Action;
use super::outgoing::Page;
use crate::answer::{ArticleRef, Block, Choice, Neighbours, Reply, ReplyKind};
use crate::desk::{Answered, RowId};
use crate::knowledge::EntryId;
use crate::knowledge::statutes::law_code;
use crate::search::ArticleText;

/// Telegram counts the visible text in UTF-16 units.
const MAX_UNITS: usize = 4096;
/// Longer button texts are cut by phones anyway.
const MAX_BUTTON_CHARS: usize = 28;

/// One button; `None` when its data would not fit.
pub(super) fn button(text: &str, action: &Action) -> Option<InlineKeyboardButton> {
    Some(InlineKeyboardButton::callback(
        shortened(text),
        action.encode()?,
    ))
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_BUTTON_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `room` UTF-16 units of `text`, cut between characters with "…".
fn cut(text: &str, room: usize) -> String {
    if units(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.len_utf16();
        if used > room {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

fn section_lines(title: &str, items: &[String], ordered: bool) -> Vec<String> {
    let mut lines = vec![title.to_owned()];
    lines.extend(items.iter().enumerate().map(|(i, item)| {
        if ordered {
            format!("{}. {item}", i + 1)
        } else {
            format!("· {item}")
        }
    }));
    lines
}

/// The first line bold, the rest as it is.
fn section_html(lines: &[String]) -> String {
    let mut out = format!("<b>{}</b>", html::escape(&lines[0]));
    for line in &lines[1..] {
        out.push('\n');
        out.push_str(&html::escape(line));
    }
    out
}

/// Blocks as HTML; what may be folded stands in an expandable quote.
fn body(blocks: &[Block]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut folded: Vec<String> = Vec::new();
    let mut room = MAX_UNITS;
    let unfold = |parts: &mut Vec<String>, folded: &mut Vec<String>| {
        if !folded.is_empty() {
            let inside = std::mem::take(folded).join("\n\n");
            parts.push(format!("<blockquote expandable>{inside}</blockquote>"));
        }
    };
    for block in blocks {
        // Two line breaks between blocks count too.
        if room <= 2 {
            break;
        }
        room -= 2;
        let mut take = |text: &str| {
            let text = cut(text, room);
            room -= units(&text).min(room);
            text
        };
        match block {
            Block::Title(text) => {
                unfold(&mut parts, &mut folded);
                parts.push(format!("<b>{}</b>", html::escape(&take(text))));
            }
            Block::Lead(text) => {
                unfold(&mut parts, &mut folded);
                parts.push(html::escape(&take(text)));
            }
            Block::Verbatim(text) => {
                unfold(&mut parts, &mut folded);
                let text = html::escape(&take(text));
                parts.push(format!("<blockquote>{text}</blockquote>"));
            }
            Block::Notice(text) => {
                unfold(&mut parts, &mut folded);
                parts.push(format!("<i>{}</i>", html::escape(&take(text))));
            }
            Block::Section {
                title,
                items,
                ordered,
                foldable,
            } => {
                let text = take(&section_lines(title, items, *ordered).join("\n"));
                let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
                if *foldable {
                    folded.push(section_html(&lines));
                } else {
                    unfold(&mut parts, &mut folded);
                    parts.push(section_html(&lines));
                }
            }
        }
    }
    unfold(&mut parts, &mut folded);
    parts.join("\n\n")
}

fn entry_buttons(
    choices: &[Choice],
    action: impl Fn(&Choice) -> Action,
) -> impl Iterator<Item = Vec<InlineKeyboardButton>> {
    choices
        .iter()
        .filter_map(|choice| Some(vec![button(&choice.question, &action(choice))?]))
        .collect::<Vec<_>>()
        .into_iter()
}

fn vote_row(row: RowId) -> Vec<InlineKeyboardButton> {
    [("👍 有用", true), ("👎 没用", false)]
        .into_iter()
        .filter_map(|(text, helpful)| button(text, &Action::Vote { row, helpful }))
        .collect()
}

/// An answered question as a page; `back` leads from an entry to the menu it was opened from.
pub(super) fn page(answered: &Answered, back: Option<&Action>) -> Page {
    let Answered { reply, row } = answered;
    let row = *row;
    let mut rows: Vec<Vec<InlineKeyboardButton>> = Vec::new();
    match reply.kind {
        ReplyKind::Answer => {
            rows.extend(row.map(vote_row));
            rows.extend(source_rows(reply));
            rows.extend(entry_buttons(&reply.related, |c| Action::Related {
                entry: c.entry.clone(),
                row,
            }));
        }
        ReplyKind::Choices => rows.extend(entry_buttons(&reply.choices, |c| Action::Open {
            entry: c.entry.clone(),
            row,
        })),
        ReplyKind::Statute => rows.extend(article_rows(&reply.neighbours, None)),
        ReplyKind::Unknown | ReplyKind::Emergency | ReplyKind::Refuse | ReplyKind::Smalltalk => {}
    }
    if reply.kind == ReplyKind::Unknown {
        rows.extend(button("按主题翻看", &Action::Places).map(|b| vec![b]));
    }
    if reply.kind != ReplyKind::Smalltalk {
        let mut last: Vec<InlineKeyboardButton> = Vec::new();
        last.extend(back.and_then(|action| button("◀ 返回", action)));
        last.extend(button("找人问", &Action::HandOver { row }));
        rows.push(last);
    }
    Page {
        html: body(&reply.blocks),
        plain: cut(&reply.text(), MAX_UNITS),
        keyboard: (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows)),
    }
}

/// Official texts behind an answer, two a row.
fn source_rows(reply: &Reply) -> Vec<Vec<InlineKeyboardButton>> {
    let buttons: Vec<InlineKeyboardButton> = reply
        .sources
        .iter()
        .filter_map(|source| {
            let name = format!("📖 {}", source.name);
            match (&source.article, &source.page) {
                (Some(article), _) => button(&name, &open_article(article, reply.entry.as_ref())),
                (None, Some(page)) => {
                    let page = page.parse().ok()?;
                    Some(InlineKeyboardButton::url(shortened(&name), page))
                }
                (None, None) => None,
            }
        })
        .collect();
    buttons.chunks(2).map(<[_]>::to_vec).collect()
}

fn open_article(article: &ArticleRef, entry: Option<&EntryId>) -> Action {
    Action::Article {
        law: law_code(&article.law),
        number: article.label.parse().ok(),
        entry: entry.cloned(),
    }
}

/// 上一条 / 下一条 / 本章目录
fn article_rows(
    neighbours: &Neighbours,
    entry: Option<&EntryId>,
) -> Vec<Vec<InlineKeyboardButton>> {
    let go = |text: &str, to: &Option<ArticleRef>| {
        let to = to.as_ref()?;
        button(text, &open_article(to, entry))
    };
    let mut row: Vec<InlineKeyboardButton> = Vec::new();
    row.extend(go("◀ 上一条", &neighbours.previous));
    row.extend(go("下一条 ▶", &neighbours.next));
    let chapter = neighbours.chapter.as_ref().and_then(|article| {
        let action = Action::Chapter {
            law: law_code(&article.law),
            number: article.label.parse().ok(),
            page: 0,
            entry: entry.cloned(),
        };
        button("本章目录", &action)
    });
    [row, chapter.into_iter().collect()]
        .into_iter()
        .filter(|row| !row.is_empty())
        .collect()
}

fn back_to_answer(entry: Option<&EntryId>) -> Option<Vec<InlineKeyboardButton>> {
    let action = Action::Open {
        entry: entry?.clone(),
        row: None,
    };
    Some(vec![button("◀ 返回答复", &action)?])
}

/// An article opened by a button, with the way back to the answer it was opened from.
pub(super) fn article_page(reply: &Reply, entry: Option<&EntryId>) -> Page {
    let mut rows = article_rows(&reply.neighbours, entry);
    rows.extend(back_to_answer(entry));
    Page {
        html: body(&reply.blocks),
        plain: cut(&reply.text(), MAX_UNITS),
        keyboard: (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows)),
    }
}

/// Articles shown at a time in a chapter's list.
const CHAPTER_PAGE: usize = 8;

/// The articles of a chapter, a button each.
pub(super) fn chapter_page(
    articles: &[ArticleText],
    here: &ArticleRef,
    page: usize,
    entry: Option<&EntryId>,
) -> Option<Page> {
    let first = articles.first()?;
    let pages = articles.len().div_ceil(CHAPTER_PAGE);
    let page = page.min(pages - 1);
    let mut rows: Vec<Vec<InlineKeyboardButton>> = articles
        .iter()
        .skip(page * CHAPTER_PAGE)
        .take(CHAPTER_PAGE)
        .filter_map(|article| {
            let to = ArticleRef {
                law: article.law.clone(),
                label: article.label.clone(),
            };
            let text = format!("{} {}", article.label, article.text);
            Some(vec![button(&text, &open_article(&to, entry))?])
        })
        .collect();
    let turn = |text: &str, page: usize| {
        let action = Action::Chapter {
            law: law_code(&here.law),
            number: here.label.parse().ok(),
            page,
            entry: entry.cloned(),
        };
        button(text, &action)
    };
    let mut turns = Vec::new();
    if page > 0 {
        turns.extend(turn("上一页", page - 1));
    }
    if page + 1 < pages {
        turns.extend(turn("下一页", page + 1));
    }
    if !turns.is_empty() {
        rows.push(turns);
    }
    rows.extend(back_to_answer(entry));
    let place = if first.path.is_empty() {
        String::new()
    } else {
        format!("\n{}", first.path)
    };
    let counter = if pages > 1 {
        format!("（{}/{pages}）", page + 1)
    } else {
        String::new()
    };
    Some(words(&format!("《{}》{place}{counter}", first.law), rows))
}

/// Plain words with buttons.
pub(super) fn words(text: &str, rows: Vec<Vec<InlineKeyboardButton>>) -> Page {
    let text = cut(text, MAX_UNITS);
    Page {
        html: html::escape(&text),
        plain: text,
        keyboard: (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows)),
    }
}

/// The keyboard without the buttons that `reply` no longer needs once it was voted on.
pub(super) fn without_votes(keyboard: &InlineKeyboardMarkup) -> InlineKeyboardMarkup {
    use teloxide::types::InlineKeyboardButtonKind::CallbackData;
    let is_vote = |button: &InlineKeyboardButton| {
        matches!(&button.kind, CallbackData(data)
            if matches!(Action::decode(data), Some(Action::Vote { .. })))
    };
    InlineKeyboardMarkup::new(
        keyboard
            .inline_keyboard
            .iter()
            .filter(|row| !row.iter().any(is_vote))
            .cloned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(blocks: Vec<Block>) -> Answered {
        Answered {
            reply: Reply {
                kind: ReplyKind::Answer,
                blocks,
                citations: Vec::new(),
                sources: Vec::new(),
                entry: None,
                topic: None,
                topic_confidence: 0.0,
                places: Vec::new(),
                choices: Vec::new(),
                related: Vec::new(),
                neighbours: Default::default(),
                hotlines: Vec::new(),
                rule: None,
                confidence: 1.0,
            },
            row: Some(7),
        }
    }

    #[test]
    fn escapes_and_folds() {
        let page = page(
            &reply(vec![
                Block::Title("<b>&".into()),
                Block::Section {
                    title: "依据",
                    items: vec!["一".into()],
                    ordered: false,
                    foldable: true,
                },
                Block::Section {
                    title: "时限",
                    items: vec!["二".into()],
                    ordered: false,
                    foldable: true,
                },
                Block::Notice("完".into()),
            ]),
            None,
        );
        assert_eq!(
            page.html,
            "<b>&lt;b&gt;&amp;</b>\n\n<blockquote expandable><b>依据</b>\n· 一\n\n<b>时限</b>\n· 二</blockquote>\n\n<i>完</i>"
        );
        let rows = page.keyboard.unwrap().inline_keyboard;
        assert_eq!(rows.len(), 2, "votes, and 找人问");
        assert_eq!(
            without_votes(&InlineKeyboardMarkup::new(rows))
                .inline_keyboard
                .len(),
            1
        );
    }

    #[test]
    fn stays_within_the_limit_counted_in_utf16() {
        let long = "😀".repeat(3000);
        let page = page(
            &reply(vec![Block::Lead(long.clone()), Block::Notice(long)]),
            None,
        );
        assert!(units(&page.html) <= MAX_UNITS + "<i></i>".len());
        assert!(units(&page.plain) <= MAX_UNITS);
        assert!(page.plain.ends_with('…'));
    }
}
