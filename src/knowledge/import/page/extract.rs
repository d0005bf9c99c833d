//! The title and the article of a web page, without menus, scripts and footers.
//!
//! No page says where its article is in a way that all do. But an article is where the long
//! lines are: each line of text gives its length to the element around it, and half to the one
//! around that. The element with the most is the article.

use std::collections::HashMap;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node, Selector};

/// Elements that are never part of an article.
const NOISE: [&str; 19] = [
    "script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form",
    "button", "select", "option", "iframe", "object", "svg", "canvas", "video", "audio", "head",
];
/// Elements that stand within a line.
const INLINE: [&str; 18] = [
    "a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "ins", "label", "mark", "small",
    "span", "strong", "sub", "sup", "u",
];

/// A line of text with the block it stands in.
struct Line {
    block: NodeId,
    text: String,
    /// How many of its characters are links.
    linked: usize,
}

/// Deeper than any page that a person wrote. Parsing takes time by depth times length.
const MAX_DEPTH: usize = 1000;
/// Elements that need no end tag, so that a count of tags says nothing of depth.
const ENDLESS: [&str; 34] = [
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "optgroup", "option", "p", "param", "path", "rp", "rt",
    "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr", "frame",
];

/// Whether the tags of a page nest deeper than is good for a parser.
fn too_deep(html: &str) -> bool {
    let mut depth = 0usize;
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let (closes, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if name.is_empty() || ENDLESS.contains(&name.as_str()) {
            continue;
        }
        depth = if closes {
            depth.saturating_sub(1)
        } else {
            depth + 1
        };
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// The title and the lines of a page's article; `None` when it nests without end.
pub(super) fn article(html: &str) -> Option<(String, Vec<String>)> {
    if too_deep(html) {
        return None;
    }
    let page = Html::parse_document(html);
    let lines = lines(&page);
    let within = main_element(&page, &lines);
    let kept = lines
        .into_iter()
        .filter(|line| {
            within.is_none_or(|main| {
                line.block == main
                    || page
                        .tree
                        .get(line.block)
                        .is_some_and(|node| node.ancestors().any(|a| a.id() == main))
            })
        })
        .map(|line| line.text)
        .collect();
    Some((title(&page), kept))
}

/// All lines that are not noise and not menus, in order. Walks without recursion, because pages
/// nest as deep as they like.
fn lines(page: &Html) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut blocks: Vec<NodeId> = vec![page.tree.root().id()];
    let (mut noise, mut links) = (0usize, 0usize);
    let mut text = String::new();
    let mut linked = 0;
    let flush = |lines: &mut Vec<Line>, block: NodeId, text: &mut String, linked: &mut usize| {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A line that is nothing but links is a menu.
        if !words.is_empty() && *linked * 5 < words.chars().count() * 4 {
            lines.push(Line {
                block,
                text: words,
                linked: *linked,
            });
        }
        text.clear();
        *linked = 0;
    };
    for edge in page.tree.root().traverse() {
        let (node, opens) = match edge {
            Edge::Open(node) => (node, true),
            Edge::Close(node) => (node, false),
        };
        let element = match node.value() {
            Node::Text(words) if opens && noise == 0 => {
                text.push_str(words);
                if links > 0 {
                    linked += words.chars().filter(|c| !c.is_whitespace()).count();
                }
                continue;
            }
            Node::Element(element) => element,
            _ => continue,
        };
        let name = element.name();
        let step = |count: &mut usize| {
            *count = if opens {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
        };
        if NOISE.contains(&name) || is_hidden(element) {
            step(&mut noise);
        }
        if name == "a" {
            step(&mut links);
        }
        if INLINE.contains(&name) {
            continue;
        }
        if let Some(&block) = blocks.last() {
            flush(&mut lines, block, &mut text, &mut linked);
        }
        if opens {
            blocks.push(node.id());
        } else {
            blocks.pop();
        }
    }
    lines
}

fn is_hidden(element: &scraper::node::Element) -> bool {
    let style = element.attr("style").unwrap_or_default();
    let style: String = style.split_whitespace().collect();
    element.attr("hidden").is_some() || style.contains("display:none")
}

/// The element that holds the article; `None` when there is no text at all.
fn main_element(page: &Html, lines: &[Line]) -> Option<NodeId> {
    let mut score: HashMap<NodeId, usize> = HashMap::new();
    for line in lines {
        let own = line.text.chars().count().saturating_sub(2 * line.linked);
        // The block of a line is the paragraph; what holds the paragraphs is wanted.
        let around = page.tree.get(line.block)?.ancestors().take(2);
        *score.entry(line.block).or_default() += own / 2;
        for (share, node) in [own, own / 2].into_iter().zip(around) {
            *score.entry(node.id()).or_default() += share;
        }
    }
    // Of equals the outer one: it loses nothing.
    score
        .into_iter()
        .max_by_key(|(id, score)| (*score, std::cmp::Reverse(*id)))
        .map(|(id, _)| id)
}

/// What the page calls itself: offices' pages say it in a tag of their own.
fn title(page: &Html) -> String {
    let find = |css: &str, attribute: Option<&str>| -> Option<String> {
        let element = page.select(&Selector::parse(css).ok()?).next()?;
        let text = match attribute {
            Some(name) => element.attr(name)?.to_owned(),
            None => text_of(element),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(text).filter(|t| !t.is_empty())
    };
    find("meta[name=\"ArticleTitle\" i]", Some("content"))
        .or_else(|| find("meta[property=\"og:title\"]", Some("content")))
        .or_else(|| find("h1", None))
        .or_else(|| find("title", None))
        .unwrap_or_default()
}

fn text_of(element: ElementRef<'_>) -> String {
    element.text().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_the_article_and_drops_what_is_around_it() {
        let (title, lines) = article(
            "<html><head><title>站名 - 标题</title><script>var 甲;</script></head><body>\
             <div class=top><a href=/>首页</a> | <a href=/b>新闻</a></div>\
             <nav>导航导航导航导航导航导航导航导航导航导航导航导航导航导航</nav>\
             <h1>防溺水 提示</h1>\
             <div id=zoom><p>夏天不要到<b>水库</b>、河边玩水，家长要看好孩子。</p><p>有人落水先喊人，打110。<br>\
             不要手拉手下水去救人。</p><div style='display: none'>看不见的</div><ul><li>备好救生圈和长绳，放在水边。</li></ul></div>\
             <div class=side><p><a href=1>相关链接相关链接相关链接相关链接</a></p></div>\
             <div>版权所有</div><footer>地址：某地某路某号某楼某层某室，电话一二三四五</footer>",
        )
        .unwrap();
        assert_eq!(title, "防溺水 提示");
        assert_eq!(
            lines,
            [
                "夏天不要到水库、河边玩水，家长要看好孩子。",
                "有人落水先喊人，打110。",
                "不要手拉手下水去救人。",
                "备好救生圈和长绳，放在水边。",
            ]
        );
    }

    #[test]
    fn office_pages_name_their_title() {
        let (title, lines) = article(
            "<meta name=articletitle content='关于防火的通告'><title>某县</title><td>一行<br>二行</td>",
        )
        .unwrap();
        assert_eq!(title, "关于防火的通告");
        assert_eq!(lines, ["一行", "二行"]);
        assert_eq!(article(""), Some((String::new(), Vec::new())));
    }

    proptest! {
        #[test]
        fn any_page_is_read_or_refused(
            pieces in proptest::collection::vec("</?(div|p|a|table|td|b|script|!--|svg)( hidden)?>|甲乙。|&lt;|<", 0..200)
        ) {
            article(&pieces.concat());
        }
    }

    #[test]
    fn a_page_nested_without_end_is_refused() {
        let nested = |depth: usize| "<div>".repeat(depth) + "底";
        assert_eq!(article(&nested(500)).unwrap().1, ["底"]);
        assert!(article(&nested(100_000)).is_none());
        // Elements that need no end do not nest.
        assert!(article(&"<p>甲<br><li>乙".repeat(2000)).is_some());
        assert!(article("<<</</>< a></b></b><b").is_some());
    }
}
