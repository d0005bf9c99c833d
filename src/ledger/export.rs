//! The ledger as a table to take away: the template's own columns, so that what was exported can be
//! changed in Excel and imported into another ledger.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::sheet::SHEET;
use super::{Column, Regions, cells};
use crate::journal::{Entered, harmless};
use crate::knowledge::Library;
use crate::knowledge::import::sheet::Columns;
use crate::knowledge::import::{header, text};

fn rows<'a>(
    activities: &'a [Entered],
    library: &'a Library,
    regions: &'a Regions,
) -> impl Iterator<Item = Vec<(Column, String)>> + 'a {
    activities.iter().map(move |entered| {
        let mut cells = cells(&entered.activity, library, regions);
        let all = Column::all().into_iter();
        all.map(|column| (column, cells.remove(&column).unwrap_or_default()))
            .collect()
    })
}

/// As CSV with a byte order mark: no cell is a formula.
///
/// # Errors
/// When a row cannot be written.
pub fn to_csv(
    activities: &[Entered],
    library: &Library,
    regions: &Regions,
) -> Result<Vec<u8>, csv::Error> {
    let mut out = "\u{feff}".as_bytes().to_vec();
    let mut csv = csv::Writer::from_writer(&mut out);
    csv.write_record(Column::all().iter().map(Column::to_string))?;
    for row in rows(activities, library, regions) {
        csv.write_record(row.iter().map(|(_, words)| harmless(words)))?;
    }
    csv.flush()?;
    drop(csv);
    Ok(out)
}

/// As Excel: words are strings, whatever they begin with.
///
/// # Errors
/// When the workbook cannot be put together.
pub fn to_xlsx(
    activities: &[Entered],
    library: &Library,
    regions: &Regions,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(SHEET)?.set_freeze_panes(1, 0)?;
    for (at, column) in (0u16..).zip(Column::all()) {
        sheet.set_column_width(at, column.width())?;
        sheet.write_string_with_format(0, at, column.to_string(), &header())?;
    }
    for (line, row) in (1u32..).zip(rows(activities, library, regions)) {
        for (at, (column, words)) in (0u16..).zip(row) {
            match words.parse::<u32>() {
                Ok(count) if column.is_count() => sheet.write_number(line, at, count)?,
                _ => sheet.write_string_with_format(line, at, words, &text())?,
            };
        }
    }
    workbook.save_to_buffer()
}
