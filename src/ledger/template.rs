//! Writing the ledger's Excel template: a sheet to fill in, and one that says what may be chosen.

use chrono::NaiveDate;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, ExcelDateTime, Format,
    FormatAlign, Formula, Workbook, Worksheet, XlsxError,
};

use super::sheet::{EXAMPLE, SHEET};
use super::{Column, Regions};
use crate::journal::Medium;
use crate::knowledge::Library;
use crate::knowledge::import::sheet::{Columns, MAX_ROWS};
use crate::knowledge::import::{header, text, topic_choice};

const CHOICES: &str = "可选";

/// The template for this library and these regions, as the bytes of an .xlsx file.
///
/// # Errors
/// When the workbook cannot be put together, for instance because of a name Excel cannot hold.
pub fn template(
    library: &Library,
    regions: &Regions,
    today: NaiveDate,
) -> Result<Vec<u8>, XlsxError> {
    let choices: [(&str, f64, Vec<String>); 4] = [
        (
            "形式",
            18.0,
            Medium::ALL.iter().map(|m| m.name().to_owned()).collect(),
        ),
        (
            "主题",
            44.0,
            library.topics.iter().map(topic_choice).collect(),
        ),
        (
            "场所",
            22.0,
            library.places.iter().map(|p| p.name.clone()).collect(),
        ),
        (
            "村(社区)",
            22.0,
            regions.list.iter().map(|r| r.name.clone()).collect(),
        ),
    ];
    let lengths = choices.each_ref().map(|(_, _, names)| names.len());
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, &lengths)?;
    example(sheet, library, today)?;
    let sheet = workbook.add_worksheet();
    sheet.set_name(CHOICES)?.set_freeze_panes(1, 0)?;
    for (at, (head, width, names)) in (0u16..).zip(&choices) {
        sheet.set_column_width(at, *width)?;
        sheet.write_string_with_format(0, at, *head, &header())?;
        for (row, name) in (1u32..).zip(names) {
            sheet.write_string_with_format(row, at, name, &text())?;
        }
    }
    workbook.save_to_buffer()
}

fn format(column: Column) -> Format {
    match column {
        Column::From | Column::To => Format::new()
            .set_num_format("yyyy-mm-dd")
            .set_align(FormatAlign::Top),
        Column::Attendance | Column::Materials => Format::new()
            .set_num_format("0")
            .set_align(FormatAlign::Top),
        _ => text(),
    }
}

fn fill(sheet: &mut Worksheet, lengths: &[usize; 4]) -> Result<(), XlsxError> {
    sheet.set_name(SHEET)?;
    sheet
        .set_freeze_panes(1, 0)?
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_repeat_rows(0, 0)?;
    // Below a million rows.
    let last_row = u32::try_from(MAX_ROWS).unwrap_or(u32::MAX - 1) + 1;
    for (at, column) in (0u16..).zip(Column::all()) {
        sheet.set_column_width(at, column.width())?;
        sheet.set_column_format(at, &format(column))?;
        sheet.write_string_with_format(0, at, column.to_string(), &header())?;
        let rule = validation(column, lengths)?
            .set_input_title(column.to_string())?
            .set_input_message(column.prompt())?;
        sheet.add_data_validation(1, at, last_row, at, &rule)?;
    }
    sheet.set_row_height(0, 24)?;
    Ok(())
}

fn validation(column: Column, lengths: &[usize; 4]) -> Result<DataValidation, XlsxError> {
    // Several may be named, which no list can offer: it only helps with the first.
    let list = |letter: char, n: usize| {
        let range = format!("={CHOICES}!${letter}$2:${letter}${}", lengths[n].max(1) + 1);
        DataValidation::new()
            .allow_list_formula(Formula::new(range))
            .show_error_message(false)
    };
    let most = u32::try_from(column.most_chars()).unwrap_or(u32::MAX);
    Ok(match column {
        Column::Media => list('A', 0),
        Column::Topics => list('B', 1),
        Column::Places => list('C', 2),
        Column::Regions => list('D', 3),
        Column::From | Column::To => DataValidation::new()
            .allow_date(DataValidationRule::Between(
                ExcelDateTime::from_ymd(2000, 1, 1)?,
                ExcelDateTime::from_ymd(2099, 12, 31)?,
            ))
            .set_error_message("请写成 2026-06-10 这样的日期")?,
        Column::Attendance | Column::Materials => DataValidation::new()
            .allow_whole_number(DataValidationRule::Between(0, 1_000_000))
            .set_error_message("只写数字；没有数过就空着")?,
        Column::Attachments => DataValidation::new().allow_any_value(),
        _ => DataValidation::new()
            .allow_text_length(DataValidationRule::LessThanOrEqualTo(most))
            .set_error_style(DataValidationErrorStyle::Warning),
    })
}

fn example(sheet: &mut Worksheet, library: &Library, today: NaiveDate) -> Result<(), XlsxError> {
    let topic = library.topics.iter().find(|t| !t.is_top());
    let words = |column: Column| match column {
        Column::Title => format!("{EXAMPLE}送法进工地（这一行导入时会跳过，可以删）"),
        Column::From => today.to_string(),
        Column::Media => "讲座、发放资料".to_owned(),
        Column::Topics => topic.map_or_else(String::new, |topic| topic.name.clone()),
        Column::Places => library
            .places
            .first()
            .map_or_else(String::new, |p| p.name.clone()),
        Column::Venue => "镇东工地".to_owned(),
        Column::Unit => "司法所".to_owned(),
        Column::Attendance => "45".to_owned(),
        Column::Materials => "200".to_owned(),
        Column::Attachments => "签到表.pdf｜照片1.jpg".to_owned(),
        _ => String::new(),
    };
    for (at, column) in (0u16..).zip(Column::all()) {
        let sample = format(column)
            .set_italic()
            .set_font_color(Color::RGB(0x59_59_59));
        let words = words(column);
        match words.parse::<u32>() {
            Ok(number) => sheet.write_number_with_format(1, at, number, &sample)?,
            Err(_) => sheet.write_string_with_format(1, at, words, &sample)?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_heads_fit_excel() {
        for column in Column::all() {
            assert!(column.prompt().chars().count() <= 255);
            assert!(column.to_string().chars().count() <= 32);
        }
    }
}
