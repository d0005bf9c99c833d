//! Reading one statute file: Markdown in the layout of lawtext/laws, or the official .docx.

use std::path::Path;
use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::Regex;
use serde::Deserialize;

use super::parse::{self, Remark};
use super::{Group, Status, Statute, Version};
use crate::knowledge::citation::official_name;
use crate::knowledge::docx;

/// Why a file could not be taken at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No `---` front matter at its start.
    #[error("开头没有 --- 之间的说明，不像是法律文本")]
    NoFrontMatter,
    /// The front matter is no YAML or lacks the title.
    #[error("开头的说明读不懂：{0}")]
    FrontMatter(String),
    /// A .docx that is no .docx.
    #[error(transparent)]
    Docx(#[from] docx::DocxError),
    /// Nothing but a title.
    #[error("没有正文")]
    Empty,
    /// Not UTF-8.
    #[error("不是 UTF-8 编码")]
    NotUtf8,
}

/// A parsed file with what was odd about it.
pub struct Parsed {
    /// The statute.
    pub statute: Statute,
    /// Oddities, by line.
    pub remarks: Vec<Remark>,
}

#[derive(Deserialize)]
struct FrontMatter {
    title: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    publication_date: Option<String>,
    #[serde(default)]
    effective_date: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    urls: Vec<String>,
}

fn date(text: Option<&String>) -> Option<NaiveDate> {
    text.and_then(|t| t.trim().parse().ok())
}

/// `宪法（2018年修正文本）` → `宪法`: the version is told by its dates, not by the name.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    // A constant pattern; the Markdown test compiles it.
    Regex::new(r"（(?:失效|(?:19|20)\d\d年?(?:修正文本|修订|修正)?)）$")
        .expect("a constant pattern")
});

fn version_free(title: &str) -> String {
    VERSION.replace(&official_name(title), "").into_owned()
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Reads a file by its ending.
///
/// # Errors
/// When it is no statute in a form we know; the reason is for the person who imports.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Parsed, SourceError> {
    if file.extension().is_some_and(|e| e == "docx") {
        word(file, bytes)
    } else {
        let text = std::str::from_utf8(bytes).map_err(|_| SourceError::NotUtf8)?;
        markdown(file, text)
    }
}

fn markdown(file: &Path, text: &str) -> Result<Parsed, SourceError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let inner = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))
        .ok_or(SourceError::NoFrontMatter)?;
    let end = inner.find("\n---").ok_or(SourceError::NoFrontMatter)?;
    let front: FrontMatter = serde_yaml_ng::from_str(&inner[..end])
        .map_err(|e| SourceError::FrontMatter(e.to_string()))?;
    let body = &inner[end + "\n---".len()..];
    let before = text.len() - body.len();
    let first_line = text[..before].matches('\n').count();

    // The source marks dead decisions in their title only.
    let dead = front.title.ends_with("（失效）");
    let published = date(front.publication_date.as_ref());
    let version = Version {
        id: front.id.unwrap_or_else(|| stem(file)),
        name: version_free(&front.title),
        author: front.author.unwrap_or_default(),
        published,
        effective: date(front.effective_date.as_ref()).or(published),
        status: if dead {
            Status::Repealed
        } else {
            Status::parse(front.status.as_deref().unwrap_or_default())
        },
        group: if front.title.contains("修正案") {
            Group::Decision
        } else {
            Group::parse(front.group.as_deref().unwrap_or_default())
        },
        articles: 0,
        url: front.urls.into_iter().next(),
    };
    let lines: Vec<&str> = body.lines().collect();
    finish(version, &lines, first_line)
}

fn finish(mut version: Version, lines: &[&str], first_line: usize) -> Result<Parsed, SourceError> {
    let (articles, mut remarks) = parse::articles(lines, version.group);
    if articles.is_empty() {
        return Err(SourceError::Empty);
    }
    for remark in &mut remarks {
        remark.line += first_line;
    }
    version.articles = articles.iter().filter(|a| a.number.is_some()).count();
    Ok(Parsed {
        statute: Statute { version, articles },
        remarks,
    })
}

/// `中华人民共和国治安管理处罚法_20250627.docx`: the official database's file names.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    // A constant pattern; the docx test compiles it.
    Regex::new(r"^(.+?)[_（(]?((?:19|20)\d{6})[)）]?(?:_.*)?$").expect("a constant pattern")
});
/// `自2026年1月1日起施行`
static FROM: LazyLock<Regex> = LazyLock::new(|| {
    // As above.
    Regex::new(r"自\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日\s*起\s*(?:施行|实施)")
        .expect("a constant pattern")
});
/// `（2025年6月27日 … 通过`, of which the last one is the version's.
static PASSED: LazyLock<Regex> = LazyLock::new(|| {
    // As above.
    Regex::new(r"(\d{4})年(\d{1,2})月(\d{1,2})日").expect("a constant pattern")
});

fn ymd(captures: &regex::Captures<'_>) -> Option<NaiveDate> {
    let part = |n: usize| captures.get(n)?.as_str().parse::<u32>().ok();
    NaiveDate::from_ymd_opt(i32::try_from(part(1)?).ok()?, part(2)?, part(3)?)
}

fn word(file: &Path, bytes: &[u8]) -> Result<Parsed, SourceError> {
    let lines = docx::lines(bytes)?;
    let name = stem(file);
    let named = NAMED.captures(&name);
    // The title is what stands before the note of passing or the first article.
    let title: String = lines
        .iter()
        .take_while(|l| {
            let l = l.trim();
            !l.starts_with(['（', '(']) && !l.starts_with("第一") && !l.contains("目　")
        })
        .take(4)
        .map(|l| l.trim())
        .collect();
    let title = match &named {
        Some(captures) => captures[1].to_owned(),
        None if !title.is_empty() => title,
        None => name.clone(),
    };
    let head: String = lines.iter().take(12).map(String::as_str).collect();
    let published = named
        .as_ref()
        .and_then(|c| NaiveDate::parse_from_str(&c[2], "%Y%m%d").ok())
        .or_else(|| PASSED.captures_iter(&head).filter_map(|c| ymd(&c)).last());
    let effective = lines
        .iter()
        .rev()
        .chain(lines.iter().take(12))
        .find_map(|l| FROM.captures(l).and_then(|c| ymd(&c)))
        .or(published);
    let group = if title.ends_with("修正案") || title.contains("的决定") {
        Group::Decision
    } else if title.contains("最高人民法院") || title.contains("最高人民检察院") {
        Group::Interpretation
    } else if title.ends_with("法") || title.ends_with("法典") {
        Group::Law
    } else {
        Group::Regulation
    };
    let version = Version {
        id: name,
        name: official_name(&title),
        author: String::new(),
        published,
        effective,
        // The official database offers the current text; a later version replaces it by its day.
        status: Status::InForce,
        group,
        articles: 0,
        url: None,
    };
    // The contents at the start repeat the headings without articles between them: harmless.
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    finish(version, &lines, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    const MARKDOWN: &str = "---\nid: abc\ntitle: 中华人民共和国试验法\nauthor: 某会\n\
        publication_date: '2025-06-27'\neffective_date: '2026-01-01'\nstatus: 有效\n\
        group: 法律\nurls:\n  - https://example.org/1\n---\n\n**试验法**\n\n\
        - **第一条**　　甲。\n- **第一条**　　乙。\n";

    #[test]
    fn reads_markdown_with_front_matter() {
        let parsed = read(Path::new("abc.md"), MARKDOWN.as_bytes()).unwrap();
        let version = parsed.statute.version;
        assert_eq!(version.name, "试验法");
        assert_eq!(version_free("中华人民共和国宪法（2018年修正文本）"), "宪法");
        assert_eq!(version_free("某解释（二）"), "某解释（二）");
        assert_eq!(version.effective, "2026-01-01".parse().ok());
        assert_eq!(version.articles, 1);
        assert_eq!(parsed.remarks[0].line, MARKDOWN.lines().count());
    }

    #[test]
    fn says_why_a_file_is_refused() {
        let refused = |name: &str, bytes: &[u8]| read(Path::new(name), bytes).err().unwrap();
        assert!(matches!(
            refused("a.md", b"# x"),
            SourceError::NoFrontMatter
        ));
        assert!(matches!(
            refused("a.md", b"---\nid: 1\n---\n"),
            SourceError::FrontMatter(_)
        ));
        assert!(matches!(
            refused("a.md", &[0xff, 0xfe]),
            SourceError::NotUtf8
        ));
        assert!(matches!(refused("a.docx", b"PK"), SourceError::Docx(_)));
    }

    #[test]
    fn reads_the_official_docx() {
        let paragraph = |t: &str| format!("<w:p><w:r><w:t>{t}</w:t></w:r></w:p>");
        let xml = format!(
            "<w:document xmlns:w=\"w\"><w:body>{}</w:body></w:document>",
            [
                "中华人民共和国试验法",
                "（2025年6月27日某会通过）",
                "第一章　总　则",
                "第一条　为了&amp;试验。",
                "第二条　本法自2026年1月1日起施行。",
            ]
            .map(paragraph)
            .concat()
        );
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        out.start_file("word/document.xml", options).unwrap();
        out.write_all(xml.as_bytes()).unwrap();
        let bytes = out.finish().unwrap().into_inner();
        let parsed = read(Path::new("中华人民共和国试验法_20250627.docx"), &bytes).unwrap();
        let statute = parsed.statute;
        assert_eq!(statute.version.name, "试验法");
        assert_eq!(statute.version.published, "2025-06-27".parse().ok());
        assert_eq!(statute.version.effective, "2026-01-01".parse().ok());
        assert_eq!(statute.articles[0].text, "为了&试验。");
        assert_eq!(statute.articles[0].path, "第一章 总则");
    }
}
