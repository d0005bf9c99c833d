//! Reading the sheet that staff filled in: rows of text, and everything that is no text.
//!
//! The file comes from anywhere, so it is measured before it is read, and cells are taken one
//! after the other: a sheet that claims a million columns costs nothing.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, Xlsx, XlsxError};
use quick_xml::events::Event;

use super::columns::Column;

/// The sheet that entries are read from; the first one if none is called so.
pub(super) const SHEET: &str = "问答";
/// More rows than this in one file nobody can check by eye.
pub const MAX_ROWS: usize = 2000;
/// Longer than any cell of an entry.
const MAX_CELL_CHARS: usize = 2000;
const MAX_FILE_BYTES: usize = 20 << 20;
const MAX_UNPACKED_BYTES: u64 = 64 << 20;
/// The words of all cells: all of them come into memory, each with some tens of bytes on top.
const MAX_WORDS_BYTES: u64 = 16 << 20;
/// More faults than this nobody reads.
const MAX_FAULTS: usize = 2000;

/// Why nothing of a file could be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// More bytes than a sheet of entries can have.
    #[error("文件太大（解开后超过 {0} MB）：请分成几个文件")]
    TooBig(u64),
    /// The format before .xlsx, or one with a password.
    #[error("这是旧版 .xls 或加了密码的文件：请在 Excel 里去掉密码，另存为“Excel 工作簿(.xlsx)”")]
    OldFormat,
    /// Anything else.
    #[error("不是完好的 .xlsx 文件：请用 template 命令生成的模板（{0}）")]
    NotXlsx(String),
    /// The first row is not the template's.
    #[error("表头不对：{0}。请用 template 命令生成的模板，不要改第 1 行")]
    Headers(String),
    /// No row is filled in.
    #[error("表里一行也没有填（例子不算）：从第 3 行写起")]
    Empty,
    /// Too many rows.
    #[error("一次最多导入 {MAX_ROWS} 行，这个文件还要多：请分成几个文件")]
    TooManyRows,
    /// Too many faults to tell them all.
    #[error("不对的地方超过 {MAX_FAULTS} 处：这大概不是用 template 命令生成的模板填的")]
    TooManyFaults,
}

/// The columns of a sheet, named by what stands over them.
pub trait Columns: Copy + Ord + fmt::Display {
    /// All columns in the order of the template.
    fn all() -> Vec<Self>;

    /// Whether a sheet without this column is not the template.
    fn is_required(self) -> bool;

    /// Whether a cell of the column may be what Excel made a date of.
    fn is_day(self) -> bool;

    /// Whether a cell of the column may be a whole number.
    fn is_count(self) -> bool;
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault<C = Column> {
    /// As Excel counts.
    pub row: usize,
    /// The column, where one is at fault.
    pub column: Option<C>,
    /// What is wrong and what to do.
    pub message: String,
}

impl<C: fmt::Display> fmt::Display for RowFault<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第 {} 行", self.row)?;
        if let Some(column) = &self.column {
            write!(f, "“{column}”")?;
        }
        write!(f, "：{}", self.message)
    }
}

/// One row with its filled cells.
pub struct Row<C = Column> {
    /// As Excel counts.
    pub number: usize,
    cells: BTreeMap<C, String>,
}

impl<C: Ord> Row<C> {
    /// The words in a column, "" when it is empty.
    pub fn text(&self, column: C) -> &str {
        self.cells.get(&column).map_or("", String::as_str)
    }
}

/// A sheet as read.
pub struct Table<C = Column> {
    /// Rows in which something is filled in, one more than [`MAX_ROWS`] at most.
    pub rows: Vec<Row<C>>,
    /// Cells that hold no text.
    pub faults: Vec<RowFault<C>>,
}

impl<C: Columns> Table<C> {
    /// Leaves out the template's examples, with whatever is wrong with them.
    pub fn leave_out(&mut self, is_example: impl Fn(&Row<C>) -> bool) {
        let examples = self.rows.iter().filter(|row| is_example(row));
        let numbers: HashSet<usize> = examples.map(|row| row.number).collect();
        self.rows.retain(|row| !numbers.contains(&row.number));
        self.faults.retain(|fault| !numbers.contains(&fault.row));
    }

    /// # Errors
    /// When no row is filled in, or more than anybody can check.
    pub fn bearable(&self) -> Result<(), SheetError> {
        if self.rows.is_empty() && self.faults.is_empty() {
            return Err(SheetError::Empty);
        }
        if self.rows.len() > MAX_ROWS {
            return Err(SheetError::TooManyRows);
        }
        Ok(())
    }
}

/// Refuses what is no workbook of bearable size.
fn measure(bytes: &[u8]) -> Result<(), SheetError> {
    const OLE: [u8; 4] = [0xD0, 0xCF, 0x11, 0xE0];
    if bytes.starts_with(&OLE) {
        return Err(SheetError::OldFormat);
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(SheetError::TooBig(MAX_FILE_BYTES as u64 >> 20));
    }
    let broken = |e: &dyn std::fmt::Display| SheetError::NotXlsx(e.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    let mut left = MAX_UNPACKED_BYTES;
    for i in 0..archive.len() {
        let part = archive.by_index(i).map_err(|e| broken(&e))?;
        let name = part.name().map_err(|e| broken(&e))?.to_lowercase();
        let holds_words = name.ends_with("sharedstrings.xml");
        let room = if holds_words {
            left.min(MAX_WORDS_BYTES)
        } else {
            left
        };
        // The sizes that a file states about itself are not believed.
        let mut part = part.take(room + 1);
        let size = if holds_words {
            let mut xml = Vec::new();
            part.read_to_end(&mut xml).map_err(|e| broken(&e))?;
            claims_no_more(&xml)?;
            xml.len() as u64
        } else {
            std::io::copy(&mut part, &mut std::io::sink()).map_err(|e| broken(&e))?
        };
        if size > room {
            return Err(SheetError::TooBig(if holds_words {
                MAX_WORDS_BYTES >> 20
            } else {
                MAX_UNPACKED_BYTES >> 20
            }));
        }
        left -= size;
    }
    Ok(())
}

/// Refuses a list of words that says it is longer than its bytes can be: calamine makes room for as many
/// as it says, and a room of gigabytes ends the whole program.
fn claims_no_more(xml: &[u8]) -> Result<(), SheetError> {
    let broken = |e: &dyn std::fmt::Display| SheetError::NotXlsx(e.to_string());
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader
            .read_event_into(&mut buffer)
            .map_err(|e| broken(&e))?
        {
            Event::Start(tag) if tag.local_name().as_ref() == "sst" => {
                let said = tag.try_get_attribute("uniqueCount");
                let Some(said) = said.map_err(|e| broken(&e))? else {
                    return Ok(());
                };
                let said = said.value.trim().parse::<usize>();
                return match said {
                    Ok(said) if said <= xml.len() => Ok(()),
                    _ => Err(SheetError::NotXlsx("uniqueCount".to_owned())),
                };
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Reads the rows of a workbook's sheet of that name, or of its first one; `progress` gets the row
/// reached and the last row.
///
/// # Errors
/// When the file is no sound .xlsx of bearable size, or its first row is not the template's.
pub fn read<C: Columns>(
    bytes: &[u8],
    sheet: &str,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Table<C>, SheetError> {
    measure(bytes)?;
    let broken = |e: XlsxError| SheetError::NotXlsx(e.to_string());
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    let name = names
        .iter()
        .find(|n| *n == sheet)
        .or(names.first())
        .ok_or_else(|| SheetError::NotXlsx("没有工作表".into()))?
        .clone();
    let mut table = Table {
        rows: Vec::new(),
        faults: Vec::new(),
    };
    for merged in book.merge_cells_by_sheet_name(&name).map_err(broken)? {
        if table.faults.len() == MAX_FAULTS {
            return Err(SheetError::TooManyFaults);
        }
        table.faults.push(RowFault {
            row: merged.start.0 as usize + 1,
            column: None,
            message: format!(
                "有合并单元格（第 {} 到 {} 行）：请取消合并，每格各写各的",
                merged.start.0 + 1,
                merged.end.0 + 1
            ),
        });
    }

    let mut reader = book.worksheet_cells_reader(&name).map_err(broken)?;
    let last = reader.dimensions().end.0 as usize + 1;
    let mut header = Header::<C>::new();
    let mut columns: Option<BTreeMap<u32, C>> = None;
    let mut outside: HashSet<usize> = HashSet::new();
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(broken)? {
        let (row, at) = (cell.pos.0 as usize + 1, cell.pos.1);
        if row == 1 {
            header.add(at, &words(&cell.value).unwrap_or_default());
            continue;
        }
        let columns = match &mut columns {
            Some(columns) => columns,
            none => none.insert(std::mem::replace(&mut header, Header::new()).finish()?),
        };
        if table.faults.len() >= MAX_FAULTS {
            return Err(SheetError::TooManyFaults);
        }
        let value = if cell.formula.is_some() {
            Err("这一格是公式：请改成文字（复制后“选择性粘贴”为数值）".into())
        } else {
            words_of(columns.get(&at).copied(), &cell.value)
        };
        if value.as_ref().is_ok_and(String::is_empty) {
            continue;
        }
        let Some(&column) = columns.get(&at) else {
            if outside.insert(row) {
                table.faults.push(RowFault {
                    row,
                    column: None,
                    message: format!(
                        "第 {} 列没有表头，里面却写了字：请删掉或放进对应的列",
                        at + 1
                    ),
                });
            }
            continue;
        };
        if table.rows.last().is_none_or(|r| r.number != row) {
            if table.rows.len() == MAX_ROWS + 1 {
                return Err(SheetError::TooManyRows);
            }
            progress(row, last.max(row));
            table.rows.push(Row {
                number: row,
                cells: BTreeMap::new(),
            });
        }
        let text = value.unwrap_or_else(|message| {
            table.faults.push(RowFault {
                row,
                column: Some(column),
                message,
            });
            // Holds the place, so that the cell is not called empty on top.
            String::new()
        });
        if let Some(row) = table.rows.last_mut() {
            row.cells.insert(column, text);
        }
    }
    if columns.is_none() {
        header.finish()?;
    }
    Ok(table)
}

/// The first row while it is read.
struct Header<C> {
    columns: BTreeMap<u32, C>,
    unknown: Vec<String>,
    twice: Vec<String>,
}

/// The column with this header; blanks in a header do not count.
fn of_header<C: Columns>(header: &str) -> Option<C> {
    let header: String = header.split_whitespace().collect();
    C::all().into_iter().find(|c| c.to_string() == header)
}

impl<C: Columns> Header<C> {
    fn new() -> Self {
        Self {
            columns: BTreeMap::new(),
            unknown: Vec::new(),
            twice: Vec::new(),
        }
    }

    fn add(&mut self, at: u32, text: &str) {
        match of_header::<C>(text) {
            _ if text.is_empty() => {}
            None => self.unknown.push(format!("“{text}”")),
            Some(column) if self.columns.values().any(|c| *c == column) => {
                self.twice.push(format!("“{column}”"));
            }
            Some(column) => {
                self.columns.insert(at, column);
            }
        }
    }

    fn finish(self) -> Result<BTreeMap<u32, C>, SheetError> {
        let missing: Vec<String> = C::all()
            .into_iter()
            .filter(|c| c.is_required() && !self.columns.values().any(|have| have == c))
            .map(|c| format!("“{c}”"))
            .collect();
        let faults: Vec<String> = [
            ("缺少", missing),
            ("不认识", self.unknown),
            ("重复", self.twice),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}{}", names.join("、")))
        .collect();
        if faults.is_empty() {
            Ok(self.columns)
        } else {
            Err(SheetError::Headers(faults.join("；")))
        }
    }
}

/// The words of a text cell, `None` for any other kind.
fn words(value: &DataRef<'_>) -> Option<String> {
    let text = match value {
        DataRef::String(text) => text.as_str(),
        DataRef::SharedString(text) => text,
        DataRef::Empty => "",
        _ => return None,
    };
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{b}'], "\n");
    let text: String = text
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    Some(text.trim().to_owned())
}

fn words_of<C: Columns>(column: Option<C>, value: &DataRef<'_>) -> Result<String, String> {
    if let Some(text) = words(value) {
        let chars = text.chars().count();
        return if chars > MAX_CELL_CHARS {
            Err(format!(
                "这一格有 {chars} 个字，太长了（最多 {MAX_CELL_CHARS} 个）"
            ))
        } else {
            Ok(text)
        };
    }
    let is_day = column.is_some_and(Columns::is_day);
    let is_count = column.is_some_and(Columns::is_count);
    match value {
        DataRef::DateTime(day) if is_day && day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            Ok(format!("{year:04}-{month:02}-{day:02}"))
        }
        DataRef::DateTimeIso(day) if is_day => Ok(day.chars().take(10).collect()),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
            Err("Excel 把这一格变成了日期或时间：请先把格式设为“文本”，再重写一遍".into())
        }
        DataRef::Int(number) if is_count => Ok(number.to_string()),
        DataRef::Float(number) if is_count => Ok(number.to_string()),
        DataRef::Int(_) | DataRef::Float(_) if is_day => {
            Err("这是一个数字，不是日期：请写成 2026-11-23 这样".into())
        }
        DataRef::Int(_) | DataRef::Float(_) => {
            Err("这是一个数字，不是文字：请先把格式设为“文本”，再写完整的话".into())
        }
        DataRef::Error(kind) => Err(format!("这一格是 Excel 的错误值（{kind}）")),
        _ => Err("这一格不是文字".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_back() {
        for column in Column::all() {
            assert_eq!(of_header(&format!(" {column} ")), Some(column));
        }
        assert_eq!(of_header::<Column>("怎么做7"), None);
    }
}
