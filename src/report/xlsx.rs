//! The report as an Excel workbook: one sheet per table, with Excel's own charts.

use rust_xlsxwriter::{
    Chart as Drawing, ChartType, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};

use super::page::{HIDING, LIMITS, caption, heading};
use super::{Cell, Report, ReportError, Shape, Table, words};

/// Row of the heads; the caption stands above.
const HEADS: u32 = 1;

/// Width of the front sheet in characters, height of a line in points.
const FRONT: f64 = 76.0;
const LINE: f64 = 18.0;
/// Characters of width that a part of a table's column has.
const PART: f64 = 4.5;
/// Excel's number of this paper.
const A4: u8 = 9;

/// Lines that a text takes in a column: a Chinese character is two wide. Programs do not all find the
/// height of wrapped rows by themselves.
fn lines(text: &str, width: f64) -> f64 {
    let wide: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    // A line ends early where the next character does not fit.
    (wide as f64 * 1.1 / width).ceil().max(1.0)
}

/// Writes the report. Words are written as strings, so that none of them is ever a formula.
///
/// # Errors
/// When the workbook cannot be written.
pub fn write(report: &Report) -> Result<Vec<u8>, ReportError> {
    let mut book = Workbook::new();
    front(book.add_worksheet(), report)?;
    for (at, table) in report.tables().enumerate() {
        sheet(book.add_worksheet(), at + 1, table)?;
    }
    Ok(book.save_to_buffer()?)
}

fn front(sheet: &mut Worksheet, report: &Report) -> Result<(), ReportError> {
    let bold = Format::new().set_bold().set_font_size(14);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet
        .set_name("概述和说明")?
        .set_column_width(0, FRONT)?
        .set_paper_size(A4)
        .set_print_fit_to_pages(1, 0);
    let mut row = 0;
    let mut line = |text: &str, format: &Format| -> Result<(), ReportError> {
        sheet.write_string_with_format(row, 0, text, format)?;
        sheet.set_row_height(row, LINE * lines(text, FRONT))?;
        row += 1;
        Ok(())
    };
    line(&report.office, &bold)?;
    line(&report.title, &bold)?;
    line(&report.when(), &wrapped)?;
    line(&words::day(report.made), &wrapped)?;
    for (at, section) in report.sections.iter().enumerate() {
        line("", &wrapped)?;
        line(&heading(at, section.title), &bold)?;
        for paragraph in &section.paragraphs {
            line(paragraph, &wrapped)?;
        }
    }
    line("", &wrapped)?;
    line(LIMITS, &bold)?;
    for limit in &report.limits {
        line(limit, &wrapped)?;
    }
    Ok(())
}

fn sheet(sheet: &mut Worksheet, number: usize, table: &Table) -> Result<(), ReportError> {
    let head = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Center)
        .set_background_color("#E8EDF4")
        .set_border(FormatBorder::Thin);
    sheet.set_name(table.name)?;
    sheet.write_string_with_format(
        0,
        0,
        caption(number, &table.caption),
        &Format::new().set_bold().set_font_size(13),
    )?;
    let (mut column, mut at) = (0_u16, HEADS);
    for (name, part) in &table.heads {
        sheet.set_column_width(column, f64::from(*part) * PART)?;
        sheet.write_string_with_format(at, column, name, &head)?;
        column += 1;
    }
    for row in &table.rows {
        at += 1;
        for (column, cell) in (0_u16..).zip(row) {
            write_cell(sheet, at, column, cell)?;
        }
        let taken = row.iter().zip(&table.heads);
        let taken = taken.map(|(cell, (_, part))| lines(&cell.shown(), f64::from(*part) * PART));
        sheet.set_row_height(at, LINE * taken.fold(1.0, f64::max))?;
    }
    let heads = table.heads.iter();
    let taken = heads.map(|(head, part)| lines(head, f64::from(*part) * PART));
    sheet.set_row_height(HEADS, LINE * taken.fold(1.0, f64::max))?;
    sheet.set_freeze_panes(HEADS + 1, 1)?;
    sheet
        .set_paper_size(A4)
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_repeat_rows(HEADS, HEADS)?;
    let last = at;
    for note in table
        .note
        .iter()
        .map(String::as_str)
        .chain(table.hides().then_some(HIDING))
    {
        at += 1;
        sheet.write_string(at, 0, note)?;
    }
    draw(sheet, table, last, column)
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
) -> Result<(), ReportError> {
    let plain = Format::new()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::VerticalCenter);
    let like = |format: &str| plain.clone().set_num_format(format);
    match cell {
        Cell::Text(words) => {
            let wrapped = plain.set_text_wrap();
            sheet.write_string_with_format(row, column, words, &wrapped)?
        }
        Cell::Count(count) => {
            sheet.write_number_with_format(row, column, *count as f64, &like("0"))?
        }
        Cell::About(count) => {
            sheet.write_number_with_format(row, column, *count as f64, &like("\"约 \"0"))?
        }
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &like("0.0%"))?,
        Cell::Times(times) => sheet.write_number_with_format(row, column, *times, &like("0.00"))?,
        Cell::Hidden | Cell::Blank => {
            let centred = plain.set_align(FormatAlign::Center);
            sheet.write_string_with_format(row, column, cell.shown(), &centred)?
        }
    };
    Ok(())
}

fn draw(sheet: &mut Worksheet, table: &Table, last: u32, columns: u16) -> Result<(), ReportError> {
    let Some(chart) = table.drawable() else {
        return Ok(());
    };
    let column = u16::try_from(chart.column).unwrap_or(1);
    let to = last.min(HEADS + u32::try_from(chart.rows).unwrap_or(0));
    let kind = match chart.shape {
        Shape::Bars => ChartType::Bar,
        Shape::Columns => ChartType::Column,
    };
    let mut drawing = Drawing::new(kind);
    drawing
        .add_series()
        .set_categories((table.name, HEADS + 1, 0, to, 0))
        .set_values((table.name, HEADS + 1, column, to, column));
    drawing.title().set_name(&chart.title);
    drawing.legend().set_hidden();
    if chart.shape == Shape::Bars {
        // The first row on top, as in the table.
        drawing.y_axis().set_reverse();
    }
    let height = match chart.shape {
        Shape::Bars => 120 + 26 * (to - HEADS),
        Shape::Columns => 360,
    };
    drawing.set_width(720).set_height(height);
    sheet.insert_chart(HEADS, columns + 1, &drawing)?;
    Ok(())
}
