//! The report as CSV with a byte order mark: Excel opens it, and runs nothing in it.

use super::page::{HIDING, LIMITS, caption, heading};
use super::{Cell, Report, ReportError, words};
use crate::journal::harmless;

/// Writes the report.
///
/// # Errors
/// When a row cannot be written.
pub fn write(report: &Report) -> Result<Vec<u8>, ReportError> {
    let mut out = "\u{feff}".as_bytes().to_vec();
    let mut csv = ::csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(&mut out);
    let mut line = |cells: Vec<String>| csv.write_record(cells);
    let one = |text: &str| vec![harmless(text)];
    line(one(&report.office))?;
    line(one(&report.title))?;
    line(one(&report.when()))?;
    line(one(&words::day(report.made)))?;
    let mut number = 0;
    for (at, section) in report.sections.iter().enumerate() {
        line(one(""))?;
        line(one(&heading(at, section.title)))?;
        for paragraph in &section.paragraphs {
            line(one(paragraph))?;
        }
        for table in &section.tables {
            number += 1;
            line(one(""))?;
            line(one(&caption(number, &table.caption)))?;
            line(table.heads.iter().map(|(head, _)| harmless(head)).collect())?;
            for row in &table.rows {
                line(
                    row.iter()
                        .map(|cell| match cell {
                            Cell::Text(words) => harmless(words),
                            other => other.shown(),
                        })
                        .collect(),
                )?;
            }
            for note in table
                .note
                .iter()
                .map(String::as_str)
                .chain(table.hides().then_some(HIDING))
            {
                line(one(note))?;
            }
        }
    }
    line(one(""))?;
    line(one(LIMITS))?;
    for limit in &report.limits {
        line(one(limit))?;
    }
    csv.flush().map_err(::csv::Error::from)?;
    drop(csv);
    Ok(out)
}
