//! From a draft that a person has written to entries of the library.
//!
//! The draft is read by the same checker as every file of the library. Its source text is cut
//! off, and what was copied from it is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::draft::source_begins;
use super::local::{self, Block, LocalError, Planned};
use super::own_words::Original;
use super::trial;
use crate::knowledge::finding::SourceFile;
use crate::knowledge::load::{DRAFTS, LoadError, LoadOptions, load};
use crate::knowledge::{Entry, Finding, Severity, Sources, read_bounded};

/// Why a draft is not published. It stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Not in the folder of drafts.
    #[error("{0} 里没有草稿 {1}：只能发布 drafts/ 里的 .md 文件")]
    NotADraft(PathBuf, PathBuf),
    /// The draft cannot be read or removed.
    #[error("读写不了 {path}：{source}")]
    Io {
        /// The draft.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something is missing or wrong; everything is listed.
    #[error("草稿还有 {} 处要改", .0.errors())]
    Refused(Box<Refused>),
    /// The library itself cannot be read or has errors.
    #[error(transparent)]
    Library(#[from] LoadError),
    /// The library's files cannot be written.
    #[error(transparent)]
    Local(#[from] LocalError),
}

/// What is wrong with a draft.
#[derive(Debug)]
pub struct Refused {
    /// All findings.
    pub findings: Vec<Finding>,
    /// For rendering them.
    pub sources: Sources,
}

impl Refused {
    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count()
    }
}

/// A draft that may be published.
#[derive(Debug)]
pub struct Publication {
    /// What will be written where.
    pub planned: Planned,
    /// Worth a look, but no reason to refuse.
    pub warnings: Vec<Finding>,
    /// For rendering them.
    pub sources: Sources,
    draft: PathBuf,
}

impl Publication {
    /// Writes the entries, then removes the draft.
    ///
    /// # Errors
    /// When a file cannot be written. If only the draft cannot be removed, the entries are
    /// there, and publishing again would call them duplicates.
    pub fn publish(&self) -> Result<(), PublishError> {
        self.planned.write()?;
        fs::remove_file(&self.draft).map_err(|source| PublishError::Io {
            path: self.draft.clone(),
            source,
        })
    }
}

/// The draft that somebody named: a path, or a name within the folder.
fn find(root: &Path, file: &Path) -> Result<(PathBuf, PathBuf), PublishError> {
    let folder = root.join(DRAFTS);
    let none = || PublishError::NotADraft(folder.clone(), file.to_owned());
    let home = folder.canonicalize().map_err(|_| none())?;
    [file.to_owned(), folder.join(file)]
        .into_iter()
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path.parent() == Some(&home) && path.extension().is_some_and(|e| e == "md"))
        .find_map(|path| {
            let name = Path::new(DRAFTS).join(path.file_name()?);
            Some((path, name))
        })
        .ok_or_else(none)
}

/// Blanks the source text, line by line, so that findings keep their lines.
fn split_source(text: &str) -> (String, String) {
    let (mut kept, mut original) = (String::new(), String::new());
    let mut rest = text;
    while let Some((from, to)) = rest.find(&source_begins()).and_then(|from| {
        let end = rest[from..].find("-->")?;
        Some((from, from + end + "-->".len()))
    }) {
        kept.push_str(&rest[..from]);
        kept.extend(rest[from..to].matches('\n'));
        original.push_str(&rest[from..to]);
        rest = &rest[to..];
    }
    kept.push_str(rest);
    (kept, original)
}

/// More than anybody can check by eye.
const MAX_MEGABYTES: u64 = 2;

/// Reads and checks a draft as part of the library under `root`; changes nothing.
///
/// # Errors
/// When it is no draft or anything is missing or wrong.
pub fn publication(
    root: &Path,
    options: &LoadOptions,
    file: &Path,
) -> Result<Publication, PublishError> {
    let (path, name) = find(root, file)?;
    let unread = |source| PublishError::Io {
        path: path.clone(),
        source,
    };
    let bytes = read_bounded(&path, MAX_MEGABYTES).map_err(unread)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unread(std::io::Error::other("文件不是 UTF-8 编码：请另存为 UTF-8")))?;
    let (text, original) = split_source(text.trim_start_matches('\u{feff}'));
    load(root, options)?.accept()?;
    let loaded = trial::load(root, options, &[(name.clone(), text.clone())])?;
    let mut findings: Vec<Finding> = loaded
        .findings
        .into_iter()
        .filter(|f| *f.origin.file == name)
        .collect();
    let source = SourceFile {
        path: Arc::new(name.clone()),
        text: &text,
    };
    findings.extend(copied(&source, &Original::new(&original)));
    findings.sort_by(|a, b| a.origin.cmp(&b.origin));
    // A file without entries may stay in the library, but a draft is to become one.
    for finding in findings.iter_mut().filter(|f| f.rule == "no-entries") {
        finding.severity = Severity::Error;
    }
    let refused = Refused {
        findings,
        sources: loaded.sources,
    };
    let entries: Vec<&Entry> = loaded
        .library
        .entries
        .iter()
        .filter(|e| *e.origin.file == name)
        .collect();
    if refused.errors() > 0 {
        return Err(PublishError::Refused(Box::new(refused)));
    }
    Ok(Publication {
        planned: local::plan(root, options, blocks(&text, &entries))?,
        warnings: refused.findings,
        sources: refused.sources,
        draft: path,
    })
}

/// Lines that repeat the source word by word. What a citation is called may be repeated.
fn copied(source: &SourceFile<'_>, original: &Original) -> Vec<Finding> {
    let mut at = 0;
    let mut findings = Vec::new();
    for line in source.text.split_inclusive('\n') {
        let words = line.split_once('》').map_or(line, |(_, says)| says);
        if let Some(run) = original.copied(words)
            && !line.starts_with("来源")
        {
            let span = at..at + line.trim_end().len();
            findings.push(
                source
                    .error("copied", span, format!("“{run}……”和原文一字不差"))
                    .help("用自己的话重写这一句"),
            );
        }
        at += line.len();
    }
    findings
}

/// The entries' own Markdown; what the front matter says is told for each.
fn blocks(text: &str, entries: &[&Entry]) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let ends = entries
        .iter()
        .skip(1)
        .map(|e| e.origin.line - 1)
        .chain([lines.len()]);
    entries
        .iter()
        .zip(ends)
        .map(|(entry, end)| {
            let own = &lines[entry.origin.line - 1..end];
            let head = own.iter().take_while(|l| !l.starts_with("###")).count();
            let told = |line: &str| line.starts_with("场所") || line.starts_with("核对");
            let mut kept: Vec<&str> = Vec::new();
            for (at, line) in own.iter().enumerate() {
                // The blanks that a draft has around its headings are for writing.
                let next = own[at..].iter().find(|l| !l.trim().is_empty());
                let by_heading = next.is_none_or(|l| l.starts_with("###"))
                    || kept
                        .last()
                        .is_none_or(|l| l.starts_with('#') || l.is_empty());
                let spare = line.trim().is_empty() && by_heading;
                if !(spare || at < head && told(line)) {
                    kept.push(line);
                }
            }
            Block {
                topic: entry.topic.clone(),
                places: entry.places.clone(),
                reviewed: entry.reviewed,
                text: kept.join("\n") + "\n",
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_blanked_line_by_line() {
        let text = "## 问？\n<!-- 【待改写】甲\n乙\n-->\n短答。\n<!-- 别的 -->\n";
        let (kept, original) = split_source(text);
        assert_eq!(kept, "## 问？\n\n\n\n短答。\n<!-- 别的 -->\n");
        assert!(original.contains('乙'));
        assert_eq!(split_source("<!-- 【待改写】无尾").0, "<!-- 【待改写】无尾");
    }
}
