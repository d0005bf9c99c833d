//! One row of the sheet as the Markdown of an entry file, and the way back: which column
//! a line of it came from.
//!
//! The Markdown is what the checker reads: a row is judged as if somebody had typed the file.

use chrono::NaiveDate;

use super::choices::{place_ids, topic_id};
use super::columns::Column;
use super::sheet::{Columns, Row};
use crate::knowledge::entry_file::MAX_STEPS;
use crate::knowledge::{Entry, Library};

/// A row written as a whole entry file.
pub(super) struct Rendered {
    /// The file's text.
    pub text: String,
    /// Where in it the entry begins.
    pub entry_at: usize,
    /// What each line of it came from, first line first.
    columns: Vec<Column>,
    /// What the checker must read back, column by column.
    expected: Vec<(Column, Vec<String>)>,
}

struct Writer {
    text: String,
    columns: Vec<Column>,
}

impl Writer {
    fn line(&mut self, column: Column, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.columns.push(column);
    }
}

/// The words of a reason that residents do not see stay as they are.
pub(in crate::knowledge) fn split_reason(text: &str) -> (&str, &str) {
    match text.rfind("<!-- figure:") {
        Some(at) if text.ends_with("-->") => text.split_at(at),
        _ => (text, ""),
    }
}

/// Words as Markdown that says just them.
pub(in crate::knowledge) fn escape(text: &str) -> String {
    let (text, reason) = split_reason(text);
    let mut out = String::with_capacity(text.len() + reason.len());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in text.char_indices() {
        let special = match c {
            '\\' | '`' | '*' | '_' | '<' | '>' | '&' | '[' | ']' | '#' => true,
            '-' | '+' | '=' | '~' => at == 0,
            '.' | ')' => digits > 0 && at == digits,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out.push_str(reason);
    out
}

/// The parts of a cell, without the marks people put before list items.
fn parts(cell: &str, separators: &[char]) -> Vec<String> {
    cell.split(separators)
        .map(|part| part.trim().trim_start_matches(['-', '•', '·', '●']).trim())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `2026/11/3` and its like as the format writes days; anything else is left to the checker.
fn day(cell: &str) -> String {
    let numbers = cell.replace(['年', '月', '/', '.'], "-").replace('日', "");
    numbers
        .parse::<NaiveDate>()
        .map_or_else(|_| toml_string(cell), |day| day.to_string())
}

fn toml_string(text: &str) -> String {
    let line: String = text.split('\n').collect();
    toml::Value::String(line.replace('\'', "’").replace('"', "”")).to_string()
}

/// Writes a row as an entry file.
pub(super) fn render(row: &Row, library: &Library) -> Rendered {
    let mut out = Writer {
        text: String::new(),
        columns: Vec::new(),
    };
    let mut expected = Vec::new();
    let places: Vec<String> = place_ids(&library.places, row.text(Column::Places))
        .iter()
        .map(|id| toml_string(id))
        .collect();
    let topic = topic_id(library, row.text(Column::Topic));
    out.line(Column::Topic, "+++");
    out.line(Column::Topic, &format!("topic = {}", toml_string(&topic)));
    out.line(Column::Places, &format!("places = [{}]", places.join(", ")));
    let reviewed = day(row.text(Column::Reviewed));
    out.line(Column::Reviewed, &format!("reviewed = {reviewed}"));
    out.line(Column::Reviewed, "+++");
    out.line(Column::Question, "");

    let entry_at = out.text.len();
    let mut expect = |column: Column, words: Vec<String>| -> Vec<String> {
        let shown = words
            .iter()
            .map(|w| split_reason(w).0.trim().to_owned())
            .collect();
        expected.push((column, shown));
        words.iter().map(|w| escape(w)).collect()
    };
    // A line break within a sentence is how Excel's cells look, not what they say.
    let joined = |column: Column| vec![parts(row.text(column), &['\n']).concat()];

    // Without a question the rest of the row is still to be checked.
    let question = match row.text(Column::Question) {
        "" => vec![format!("第 {} 行", row.number)],
        _ => expect(Column::Question, joined(Column::Question)),
    };
    out.line(Column::Question, &format!("## {}", question.concat()));
    let phrasings = expect(
        Column::Phrasings,
        parts(row.text(Column::Phrasings), &['｜', '|', '\n']),
    );
    out.line(
        Column::Phrasings,
        &format!("问法：{}", phrasings.join(" ｜ ")),
    );
    if !row.text(Column::Answer).is_empty() {
        let answer = expect(Column::Answer, joined(Column::Answer));
        out.line(Column::Answer, &answer.concat());
    }
    out.line(Column::Step(1), "### 怎么做");
    for column in (1..=MAX_STEPS).map(Column::Step) {
        let cell = row.text(column);
        if !cell.is_empty() {
            let step = expect(column, vec![cell.to_owned()]);
            let number = out
                .columns
                .iter()
                .filter(|c| matches!(c, Column::Step(_)))
                .count();
            out.line(column, &format!("{number}. {}", step.concat()));
        }
    }
    out.line(Column::Basis(1), "### 依据");
    for column in Column::all() {
        let cell = row.text(column);
        if matches!(column, Column::Basis(_)) && !cell.is_empty() {
            let basis: String = parts(cell, &['\n']).concat();
            out.line(column, &format!("- {}", escape(&basis)));
        }
    }
    out.line(Column::Limits, "### 时限");
    for limit in expect(Column::Limits, parts(row.text(Column::Limits), &['\n'])) {
        out.line(Column::Limits, &limit);
    }
    for column in [Column::Contacts, Column::Pitfalls] {
        let items = expect(column, parts(row.text(column), &['｜', '\n']));
        if column == Column::Contacts || !items.is_empty() {
            out.line(column, &format!("### {column}"));
        }
        for item in items {
            out.line(column, &format!("- {item}"));
        }
    }
    Rendered {
        text: out.text,
        entry_at,
        columns: out.columns,
        expected,
    }
}

impl Rendered {
    /// The column that a line, counted from 1, came from.
    pub(super) fn column(&self, line: usize) -> Option<Column> {
        self.columns.get(line.checked_sub(1)?).copied()
    }

    /// The columns whose words the checker read otherwise than they stand in the sheet.
    pub(super) fn misread(&self, entry: &Entry) -> Vec<Column> {
        let read = |column: Column| -> Vec<String> {
            match column {
                Column::Question => vec![entry.question.clone()],
                Column::Phrasings => entry.phrasings.clone(),
                Column::Answer => vec![entry.answer.clone()],
                Column::Limits => entry.limits.clone(),
                Column::Contacts => entry.contacts.clone(),
                Column::Pitfalls => entry.pitfalls.clone(),
                _ => Vec::new(),
            }
        };
        let mut steps = entry.steps.iter();
        self.expected
            .iter()
            .filter(|(column, words)| match column {
                Column::Step(_) => steps.next() != words.first(),
                _ => read(*column) != *words,
            })
            .map(|(column, _)| *column)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::markdown::{LineKind, lines};

    #[test]
    fn words_come_back_as_they_were() {
        for words in [
            "1. 先*别*急",
            "12345热线",
            "3) 再说",
            "- 不是列表 <b>&amp; [x](y) `z` \\",
            "# 号",
            "=== 甲",
            "A_B_C",
        ] {
            let read = lines(&format!("{}\n", escape(words)));
            assert_eq!(read.len(), 1, "{words}");
            assert_eq!(read[0].text, words);
            assert_eq!(read[0].kind, LineKind::Paragraph);
        }
        let read = lines(&escape("三年。<!-- figure: 某条例第二条 -->"));
        assert_eq!(read[0].text, "三年。");
        assert_eq!(read[0].figure_reason.as_deref(), Some("某条例第二条"));
    }

    #[test]
    fn days_are_written_in_several_ways() {
        for cell in ["2026-11-03", "2026/11/3", "2026.11.3", "2026年11月3日"] {
            assert_eq!(day(cell), "2026-11-03");
        }
        assert_eq!(day("上周\"三\""), "\"上周”三”\"");
        assert_eq!(day(""), "\"\"");
    }
}
