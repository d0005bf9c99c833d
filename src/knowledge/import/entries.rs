//! From a filled-in sheet to entries of the library: everything checked first, all or nothing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::columns::Column;
use super::example;
use super::local::{self, Block, LocalError, Planned};
use super::row::{Rendered, render};
use super::sheet::{self, Columns, Row, RowFault, SheetError};
use super::trial;
use crate::knowledge::entry_file::HEAD_WORDS;
use crate::knowledge::load::{LoadError, LoadOptions, Loaded, load};
use crate::knowledge::{Entry, Finding, Library, Severity};

/// Why a sheet is not imported. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EntriesError {
    /// Nothing of it could be read.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// Rows are at fault; all of them are named.
    #[error("{} 处要改", .0.len())]
    Rows(Vec<RowFault>),
    /// The library itself cannot be read or has errors.
    #[error(transparent)]
    Library(#[from] LoadError),
    /// The files cannot be written.
    #[error(transparent)]
    Local(#[from] LocalError),
}

/// A sheet that may be imported.
#[derive(Debug)]
pub struct Import {
    /// What will be written where.
    pub planned: Planned,
    /// The number of entries.
    pub entries: usize,
    /// Worth a look, but no reason to refuse.
    pub warnings: Vec<RowFault>,
}

/// How the name under which the checker sees a row ends, before the line in it.
const ROW_FILE_END: &str = " 行.md:";

/// The name under which the checker sees a row.
fn file_of(row: &Row) -> PathBuf {
    PathBuf::from(format!("第 {} 行.md", row.number))
}

/// Reads and checks a sheet as part of the library under `root`; writes nothing.
///
/// # Errors
/// When anything at all is wrong with it.
pub fn entries(
    root: &Path,
    options: &LoadOptions,
    bytes: &[u8],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Import, EntriesError> {
    let library = load(root, options)?.accept()?;
    let mut table = sheet::read(bytes, sheet::SHEET, progress)?;
    table
        .rows
        .retain(|row| !row.text(Column::Question).starts_with(example::MARK));
    table.bearable()?;
    for row in &table.rows {
        table.faults.extend(head_word(row));
    }
    let rendered: Vec<(PathBuf, &Row, Rendered)> = table
        .rows
        .iter()
        .map(|row| (file_of(row), row, render(row, &library)))
        .collect();
    let planned: Vec<(PathBuf, String)> = rendered
        .iter()
        .map(|(file, _, rendered)| (file.clone(), rendered.text.clone()))
        .collect();
    let loaded = trial::load(root, options, &planned)?;
    let read: HashMap<&Path, &Entry> = loaded
        .library
        .entries
        .iter()
        .map(|e| (e.origin.file.as_path(), e))
        .collect();
    let (faults, warnings) = judge(&rendered, &loaded, &read, table.faults);
    if !faults.is_empty() {
        return Err(EntriesError::Rows(faults));
    }
    let blocks: Vec<Block> = rendered
        .iter()
        .filter_map(|(file, _, rendered)| {
            let entry = read.get(file.as_path())?;
            Some(Block {
                topic: entry.topic.clone(),
                places: entry.places.clone(),
                reviewed: entry.reviewed,
                text: rendered.text[rendered.entry_at..].to_owned(),
            })
        })
        .collect();
    Ok(Import {
        entries: blocks.len(),
        planned: local::plan(root, options, blocks)?,
        warnings,
    })
}

/// All errors and all warnings, by row and column.
fn judge(
    rendered: &[(PathBuf, &Row, Rendered)],
    loaded: &Loaded,
    entries: &HashMap<&Path, &Entry>,
    mut faults: Vec<RowFault>,
) -> (Vec<RowFault>, Vec<RowFault>) {
    let by_file: HashMap<&Path, (&Row, &Rendered)> = rendered
        .iter()
        .map(|(file, row, rendered)| (file.as_path(), (*row, rendered)))
        .collect();
    let mut warnings = Vec::new();
    // A cell that could not be read is at fault once, not again for being empty.
    let unread: HashSet<(usize, Option<Column>)> =
        faults.iter().map(|f| (f.row, f.column)).collect();
    let mut add = |severity: Severity, fault: RowFault| {
        if unread.contains(&(fault.row, fault.column)) {
            return;
        }
        match severity {
            Severity::Error => faults.push(fault),
            Severity::Warning => warnings.push(fault),
        }
    };
    let mut at_fault: HashSet<(usize, Option<Column>)> = HashSet::new();
    for finding in &loaded.findings {
        let Some((row, rendered)) = by_file.get(finding.origin.file.as_path()) else {
            continue;
        };
        let column = column_of(finding, rendered);
        at_fault.insert((row.number, column));
        add(
            finding.severity,
            RowFault {
                row: row.number,
                column,
                message: message_of(finding, &loaded.library),
            },
        );
    }
    for (file, row, rendered) in rendered {
        let fault = |column: Column, message: &str| RowFault {
            row: row.number,
            column: Some(column),
            message: message.to_owned(),
        };
        if row.text(Column::Question).is_empty() {
            add(Severity::Error, fault(Column::Question, "没有写问题"));
        }
        // Such an answer is read as part of another column.
        if unread.contains(&(row.number, Some(Column::Answer))) {
            continue;
        }
        let entry = entries.get(file.as_path());
        for column in entry.map(|e| rendered.misread(e)).unwrap_or_default() {
            if !at_fault.contains(&(row.number, Some(column))) {
                add(Severity::Error, fault(column, MISREAD));
            }
        }
    }
    for list in [&mut faults, &mut warnings] {
        list.sort_by_key(|f| (f.row, f.column));
        list.dedup();
    }
    (faults, warnings)
}

const MISREAD: &str = "程序没能照原样读这一格：一步只写一格、不要分行，\
    去掉 # * < 之类的记号";

/// An answer that the format would take for something else.
fn head_word(row: &Row) -> Option<RowFault> {
    let answer = row.text(Column::Answer);
    let word = HEAD_WORDS.into_iter().find(|word| {
        let after = answer.strip_prefix(word);
        after.is_some_and(|rest| rest.starts_with(['：', ':']))
    })?;
    Some(RowFault {
        row: row.number,
        column: Some(Column::Answer),
        message: format!("开头不能是“{word}：”"),
    })
}

/// The column that a finding is about.
fn column_of(finding: &Finding, rendered: &Rendered) -> Option<Column> {
    match finding.rule {
        "no-place" => Some(Column::Places),
        "no-answer" => Some(Column::Answer),
        "few-phrasings" => Some(Column::Phrasings),
        // Found at the heading, told about a section.
        "empty-section" | "missing-section" => Column::all()
            .into_iter()
            .find(|c| finding.message.contains(&format!("“{}”", c.section()))),
        _ => rendered.column(finding.origin.line),
    }
}

/// What a finding says, for somebody who sees a sheet and not a Markdown file.
fn message_of(finding: &Finding, library: &Library) -> String {
    let names = || -> String {
        let names: Vec<&str> = library.places.iter().map(|p| p.name.as_str()).collect();
        names.join("、")
    };
    match finding.rule {
        "no-place" => return format!("没有写场所。可选：{}", names()),
        "unknown-place" => return format!("{}。可选：{}", finding.message, names()),
        "unknown-topic" => return format!("{}。请从下拉列表里选", finding.message),
        "bad-date" => return "核对日期要写成 2026-11-23 这样".into(),
        "no-answer" => return "没有写短答".into(),
        _ => {}
    }
    // Another row is named as a row.
    let mut message = String::new();
    let mut rest = finding.message.as_str();
    while let Some(at) = rest.find(ROW_FILE_END) {
        message.push_str(&rest[..at]);
        message.push_str(" 行");
        rest = rest[at + ROW_FILE_END.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    message.push_str(rest);
    match &finding.help {
        Some(help) => format!("{message}。{}", help.replace("例：- ", "例：")),
        None => message,
    }
}
