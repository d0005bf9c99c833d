//! From the lines of a statute to its articles.
//!
//! Works on plain lines, so that every source (Markdown, docx) is read by the same rules.

use std::sync::LazyLock;

use regex::Regex;

use super::{Article, ArticleNumber, Group};

/// Something in a source that was not taken as it stands; shown after an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Line of the source, counted from 1.
    pub line: usize,
    /// What was found and what was done.
    pub what: String,
}

const NUMERALS: &str = "零〇○一二三四五六七八九十百千";

fn regex(pattern: &str) -> Regex {
    // The patterns are constants: every test in this file compiles all of them.
    Regex::new(&pattern.replace('N', &format!("[{NUMERALS}]+"))).expect("a constant pattern")
}

/// `第一章 总则`, at any depth. 编 and 章 and 节 and the 分编 between them.
static HEADING: LazyLock<Regex> = LazyLock::new(|| regex(r"^第N(分编|编|章|节)[\s　]*(.*)$"));
static ARTICLE: LazyLock<Regex> = LazyLock::new(|| regex(r"^第N条(?:之N)?"));
/// A heading that ran into the first article below it.
static RUN_IN: LazyLock<Regex> = LazyLock::new(|| regex(r"第N条[\s　]"));

/// How deep a heading of this kind stands.
fn depth(kind: &str) -> usize {
    match kind {
        "编" => 0,
        "分编" => 1,
        "章" => 2,
        _ => 3,
    }
}

/// Typesetters space headings out: `总　　则` is `总则`.
fn close_up(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What a source line is, before it is put in its place.
enum Piece<'a> {
    Heading {
        depth: usize,
        title: String,
    },
    Article(ArticleNumber, &'a str),
    Text(&'a str),
    Skip,
    /// Behind it there are signatures, annexes and tables.
    End,
}

struct Reader {
    group: Group,
    /// Inside a table of contents the same headings stand once more.
    in_contents: bool,
    last: Option<ArticleNumber>,
}

impl Reader {
    fn piece<'a>(&mut self, raw: &'a str) -> Piece<'a> {
        let line = raw.trim();
        if line.is_empty() {
            return Piece::Skip;
        }
        let marked = line.starts_with('#');
        let text = line.trim_start_matches('#').trim();
        if marked && close_up(text) == "目录" {
            self.in_contents = true;
            return Piece::Skip;
        }
        if line == "---" || (marked && close_up(text).starts_with("附件")) {
            return Piece::End;
        }
        let bullet = text.strip_prefix("- ").map(str::trim_start);
        let plain = bullet.unwrap_or(text);
        let bold = plain.starts_with("**");
        let bare = plain.trim_start_matches('*');
        if self.group != Group::Decision
            && let Some(found) = ARTICLE.find(bare)
            && let Ok(number) = found.as_str().parse::<ArticleNumber>()
        {
            let after = bare[found.end()..].trim_start_matches('*');
            let spaced = after.starts_with(['\u{3000}', ' ', '\t']) || after.is_empty();
            // Some texts lost the space: then only the number that must come next is one.
            if bold || (spaced && !after.trim().is_empty()) || self.is_next(number) {
                return Piece::Article(number, after.trim());
            }
        }
        if let Some(found) = HEADING.captures(bare)
            && (marked || (!self.in_contents && bullet.is_none() && bare.chars().count() < 40))
        {
            let title = close_up(bare);
            let kind = found.get(1).map_or("", |m| m.as_str());
            let split = title.find(kind).map_or(0, |at| at + kind.len());
            let title = format!("{} {}", &title[..split], &title[split..]);
            return Piece::Heading {
                depth: depth(kind),
                title: title.trim_end().to_owned(),
            };
        }
        if marked {
            return Piece::Heading {
                depth: 2,
                title: close_up(bare),
            };
        }
        Piece::Text(bullet.unwrap_or(line))
    }

    /// Whether `number` is the one that must come next.
    fn is_next(&self, number: ArticleNumber) -> bool {
        match self.last {
            None => number == ArticleNumber::new(1),
            Some(last) => {
                number == ArticleNumber::new(last.number + 1)
                    || (number.number == last.number && number.inserted == last.inserted + 1)
            }
        }
    }
}

/// Takes the lines of a statute apart. A text without articles becomes one whole article.
pub(super) fn articles(lines: &[&str], group: Group) -> (Vec<Article>, Vec<Remark>) {
    let mut reader = Reader {
        group,
        in_contents: false,
        last: None,
    };
    let mut articles: Vec<Article> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut remarks = Vec::new();
    let mut path: [String; 4] = Default::default();
    let mut open = false;
    for (at, raw) in lines.iter().enumerate() {
        // `#### 第九章 …第一百三十七条 公民…`: two lines in one.
        let split = raw
            .trim_start()
            .starts_with('#')
            .then(|| RUN_IN.find(raw))
            .flatten()
            .map(|m| m.start());
        let parts = match split {
            Some(at) => [&raw[..at], &raw[at..]],
            None => [*raw, ""],
        };
        for part in parts {
            match reader.piece(part) {
                Piece::Skip => {}
                Piece::End => open = false,
                Piece::Heading { depth, title } => {
                    reader.in_contents = false;
                    open = false;
                    path[depth] = title;
                    for deeper in &mut path[depth + 1..] {
                        deeper.clear();
                    }
                }
                Piece::Article(number, text) => {
                    reader.in_contents = false;
                    if !seen.insert(number) {
                        remarks.push(Remark {
                            line: at + 1,
                            what: format!("{number}出现第二次，只取第一次"),
                        });
                        open = false;
                        continue;
                    }
                    reader.last = Some(number);
                    open = true;
                    articles.push(Article {
                        number: Some(number),
                        path: path
                            .iter()
                            .filter(|p| !p.is_empty())
                            .cloned()
                            .collect::<Vec<_>>()
                            .join(" › "),
                        text: text.to_owned(),
                    });
                }
                Piece::Text(text) => {
                    if let Some(article) = articles.last_mut().filter(|_| open) {
                        if !article.text.is_empty() {
                            article.text.push('\n');
                        }
                        article.text.push_str(text);
                    }
                }
            }
        }
    }
    if articles.is_empty() {
        let text: Vec<&str> = lines
            .iter()
            .map(|l| l.trim().trim_start_matches(['#', '>', '*', '-', ' ']))
            .map(|l| l.trim_end_matches('*'))
            .filter(|l| !l.is_empty())
            .collect();
        if !text.is_empty() {
            articles.push(Article {
                number: None,
                path: String::new(),
                text: text.join("\n"),
            });
        }
    }
    (articles, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Article>, Vec<Remark>) {
        articles(&text.lines().collect::<Vec<_>>(), Group::Law)
    }

    #[test]
    fn reads_chapters_articles_paragraphs_and_items() {
        let (articles, remarks) = read(
            "**甲法**\n\n## 目　　录\n\n- 第一章　　总　　则\n\n## 第一章　　总　　则\n\n\
             - **第一条**　　为了试验。\n\n  第二款。\n\n  - （一）一项；\n\n\
             ### 第一节　　罚　则\n\n- **第一条之一**　　插入的。\n\n---\n\n落款",
        );
        assert!(remarks.is_empty());
        assert_eq!(articles.len(), 2);
        assert_eq!(articles[0].path, "第一章 总则");
        assert_eq!(articles[0].text, "为了试验。\n第二款。\n（一）一项；");
        assert_eq!(articles[1].label(), "第一条之一");
        assert_eq!(articles[1].path, "第一章 总则 › 第一节 罚则");
        assert_eq!(articles[1].text, "插入的。");
    }

    #[test]
    fn repairs_run_in_headings_and_lost_spaces() {
        let (articles, _) = read(
            "- **第一条**　　甲。\n第二条乙。\n## 第二章　　信息公开第三条 丙。\n第九条规定的除外。",
        );
        let labels: Vec<String> = articles.iter().map(Article::label).collect();
        assert_eq!(labels, ["第一条", "第二条", "第三条"]);
        assert_eq!(articles[2].path, "第二章 信息公开");
        assert_eq!(articles[2].text, "丙。\n第九条规定的除外。");
    }

    #[test]
    fn a_repeated_number_is_reported() {
        let (articles, remarks) = read("- **第一条**　　甲。\n- **第一条**　　乙。\n  丁。");
        assert_eq!(articles[0].text, "甲。");
        assert_eq!(remarks[0].line, 2);
    }

    #[test]
    fn a_text_without_articles_is_one_whole() {
        let (articles, _) = read("**批复**\n\n> （某日）\n\n经研究，答复如下：\n\n此复。");
        assert_eq!(articles.len(), 1);
        assert_eq!(articles[0].label(), "全文");
        assert!(articles[0].text.ends_with("此复。"));
    }
}
