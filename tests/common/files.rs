//! Excel and Word files as staff hand them in, sound and otherwise.

use std::io::{Cursor, Write};
use std::path::Path;

use calamine::{Reader, Xlsx};
use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;

/// The first two rows of a template: its header and its example.
pub fn template_rows(file: &Path) -> (Vec<String>, Vec<String>) {
    let mut book: Xlsx<_> = calamine::open_workbook(file).unwrap();
    let range = book.worksheet_range("问答").unwrap();
    let row = |n: usize| -> Vec<String> {
        let cells = range.rows().nth(n).unwrap();
        cells.iter().map(ToString::to_string).collect()
    };
    (row(0), row(1))
}

/// A sheet of text with these rows.
pub fn workbook(rows: &[Vec<String>]) -> Workbook {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("问答").unwrap();
    for (r, row) in (0u32..).zip(rows) {
        for (c, cell) in (0u16..).zip(row) {
            sheet.write_string(r, c, cell).unwrap();
        }
    }
    book
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A workbook whose sheet is written by hand, for what no library would write.
pub fn raw_xlsx(sheet_data: &str) -> Vec<u8> {
    raw_xlsx_with(sheet_data, &[])
}

/// The same, with more parts.
pub fn raw_xlsx_with(sheet_data: &str, more: &[(&str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let sheet =
        format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{sheet_data}</sheetData></worksheet>");
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELS}\"><sheets>\
         <sheet name=\"问答\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let mut parts = vec![
        (
            "_rels/.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
             relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        ("xl/workbook.xml", &*book),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
             relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings\" \
             Target=\"sharedStrings.xml\"/></Relationships>",
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ];
    parts.extend(more);
    zipped(&parts)
}

/// A Word file with these paragraphs.
pub fn docx(paragraphs: &[&str]) -> Vec<u8> {
    let body: String = paragraphs
        .iter()
        .map(|p| format!("<w:p><w:r><w:t>{p}</w:t></w:r></w:p>"))
        .collect();
    let xml = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    zipped(&[("word/document.xml", &xml)])
}
