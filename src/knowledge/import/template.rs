//! Writing the Excel template: a sheet to fill in, a sheet to choose from, a sheet that explains.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, Format, FormatAlign,
    FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};

use super::choices::topic_choice;
use super::columns::Column;
use super::example;
use super::sheet::{Columns, MAX_ROWS, SHEET};
use crate::knowledge::Library;
use crate::knowledge::entry_file::MAX_ANSWER_CHARS;

const CHOICES: &str = "主题";
const HELP: &str = "说明";

/// The rows of the help sheet.
const HELP_LINES: [&str; 13] = [
    "这张表怎么用",
    "1. 在“问答”表里一行写一条问答，从第 3 行写起；第 2 行是例子，导入时会跳过，可以删。",
    "2. 表头不要改名，不要合并单元格，不要写公式；不用的列空着。",
    "3. “小主题”从下拉列表里选；“场所”可以写几个，用 ｜ 隔开，如：企业｜乡村。",
    "4. “问法”至少写 6 个，用 ｜ 隔开：年轻人、老人、对方、说半句话的、带方言的，都写一写。",
    "5. “短答”最多 120 个字，先说能不能、该怎么办。",
    "6. “怎么做”一格写一步；“依据”一格写一条：《法律名》第N条：一句大白话。条号用汉字。",
    "7. 每个数字、每个条号都要对照现行法条核对过；核对完写上“核对日期”。",
    "8. “找谁”里的电话只能用第二张表里有的统一热线。",
    "9. 时限里写了所引法条里没有的数字，在格子末尾加 <!-- figure: 数字的来由 -->，居民看不到它。",
    "10. 写完先试一遍：qijin import entries 文件.xlsx --dry-run。有错会说是第几行哪一列，一条也不会导入。",
    "11. 没有错误再去掉 --dry-run 正式导入，内容写进资料库的 local 文件夹。",
    "12. 写法和规矩的全文见 docs/writing-entries.zh-CN.md。",
];

/// The template for this library, as the bytes of an .xlsx file.
///
/// # Errors
/// When the workbook cannot be put together, for instance because of a name Excel cannot hold.
pub fn template(library: &Library) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let topics = library.topics.iter().filter(|t| !t.is_top()).count();
    entries(workbook.add_worksheet(), library, topics)?;
    choices(workbook.add_worksheet(), library)?;
    help(workbook.add_worksheet())?;
    workbook.save_to_buffer()
}

/// How the heads of a template look.
pub fn header() -> Format {
    Format::new()
        .set_bold()
        .set_font_color(Color::White)
        .set_background_color(Color::RGB(0x9C_2A_1F))
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_border(FormatBorder::Thin)
}

/// Text, so that Excel makes no date of 3-4 and no number of 12348.
pub fn text() -> Format {
    Format::new()
        .set_num_format("@")
        .set_text_wrap()
        .set_align(FormatAlign::Top)
}

fn entries(sheet: &mut Worksheet, library: &Library, topics: usize) -> Result<(), XlsxError> {
    sheet.set_name(SHEET)?;
    sheet
        .set_freeze_panes(1, 0)?
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_repeat_rows(0, 0)?;
    let sample = text().set_italic().set_font_color(Color::RGB(0x59_59_59));
    // Row numbers are below a million, columns are twenty.
    let last_row = u32::try_from(MAX_ROWS).unwrap_or(u32::MAX - 1) + 1;
    for (at, column) in (0u16..).zip(Column::all()) {
        sheet.set_column_width(at, column.width())?;
        sheet.set_column_format(at, &text())?;
        sheet.write_string_with_format(0, at, column.to_string(), &header())?;
        sheet.write_string_with_format(1, at, example::cell(column, library), &sample)?;
        let rule = validation(column, topics, library.places.len())
            .set_input_title(column.to_string())?
            .set_input_message(column.prompt())?;
        sheet.add_data_validation(1, at, last_row, at, &rule)?;
    }
    sheet.set_row_height(0, 24)?;
    Ok(())
}

fn validation(column: Column, topics: usize, places: usize) -> DataValidation {
    let list = |column: char, rows: usize| {
        let range = format!("={CHOICES}!${column}$2:${column}${}", rows + 1);
        DataValidation::new().allow_list_formula(Formula::new(range))
    };
    match column {
        Column::Topic => list('A', topics),
        Column::Answer => DataValidation::new()
            .allow_text_length(DataValidationRule::LessThanOrEqualTo(
                u32::try_from(MAX_ANSWER_CHARS).unwrap_or(u32::MAX),
            ))
            .set_error_style(DataValidationErrorStyle::Warning),
        // Several places may be named, which no list can offer: it only helps with the first.
        Column::Places => list('D', places).show_error_message(false),
        _ => DataValidation::new().allow_any_value(),
    }
}

fn choices(sheet: &mut Worksheet, library: &Library) -> Result<(), XlsxError> {
    sheet.set_name(CHOICES)?.set_freeze_panes(1, 0)?;
    let heads = [
        ("小主题", 40.0),
        ("大主题", 18.0),
        ("", 3.0),
        ("场所", 18.0),
        ("说给谁听", 40.0),
        ("", 3.0),
        ("热线", 10.0),
        ("名称", 24.0),
    ];
    for (at, (head, width)) in (0u16..).zip(heads) {
        sheet.set_column_width(at, width)?;
        if !head.is_empty() {
            sheet.write_string_with_format(0, at, head, &header())?;
        }
    }
    let mut top = "";
    let mut row = 0;
    for topic in &library.topics {
        if topic.is_top() {
            top = &topic.name;
            continue;
        }
        row += 1;
        sheet.write_string_with_format(row, 0, topic_choice(topic), &text())?;
        sheet.write_string_with_format(row, 1, top, &text())?;
    }
    for (row, place) in (1u32..).zip(&library.places) {
        sheet.write_string_with_format(row, 3, &place.name, &text())?;
        sheet.write_string_with_format(row, 4, &place.audience, &text())?;
    }
    for (row, hotline) in (1u32..).zip(&library.hotlines) {
        sheet.write_string_with_format(row, 6, &hotline.number, &text())?;
        sheet.write_string_with_format(row, 7, &hotline.name, &text())?;
    }
    Ok(())
}

fn help(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_name(HELP)?.set_column_width(0, 70)?;
    sheet.write_string_with_format(0, 0, HELP_LINES[0], &header())?;
    for (row, line) in (1u32..).zip(&HELP_LINES[1..]) {
        sheet.write_string_with_format(row, 0, *line, &text())?;
    }
    Ok(())
}
