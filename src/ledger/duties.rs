//! The list of duties (普法责任清单) as staff write it: a row's rules, the sheet and its template.

use std::collections::HashSet;
use std::fmt;

use rust_xlsxwriter::{Format, FormatAlign, Workbook, XlsxError};

use super::sheet::EXAMPLE;
use crate::journal::{Duty, redact};
use crate::knowledge::import::sheet::{self, Columns, RowFault, SheetError};
use crate::knowledge::import::{header, text};

const SHEET: &str = "责任清单";
/// A row whose unit begins so is the template's example.
/// More activities of one unit in a year are a slip of the finger.
const MOST: u32 = 1000;

/// One column of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DutyColumn {
    /// 责任单位
    Unit,
    /// 普法内容
    Content,
    /// 计划次数
    Planned,
}

impl fmt::Display for DutyColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unit => "责任单位",
            Self::Content => "普法内容",
            Self::Planned => "计划次数",
        })
    }
}

impl Columns for DutyColumn {
    fn all() -> Vec<Self> {
        vec![Self::Unit, Self::Content, Self::Planned]
    }

    fn is_required(self) -> bool {
        true
    }

    fn is_day(self) -> bool {
        false
    }

    fn is_count(self) -> bool {
        self == Self::Planned
    }
}

/// Reads a line of the list from its cells; `done` is 0.
///
/// # Errors
/// With everything that is wrong, each with its column.
pub fn read_duty<'a>(
    cell: impl Fn(DutyColumn) -> &'a str,
    year: i32,
) -> Result<Duty, Vec<(DutyColumn, String)>> {
    let mut faults = Vec::new();
    let mut words = |column: DutyColumn, most: usize| -> String {
        let words = cell(column).trim();
        let chars = words.chars().count();
        if words.is_empty() {
            faults.push((column, "必须填".to_owned()));
        } else if chars > most {
            faults.push((column, format!("有 {chars} 个字，最多 {most} 个")));
        } else if words.chars().any(char::is_control) {
            faults.push((column, "不能换行，也不能有控制字符".to_owned()));
        } else if redact(words) != words {
            let message = "像是有电话、身份证号或银行卡号：清单里不记这些，请删掉";
            faults.push((column, message.to_owned()));
        }
        words.to_owned()
    };
    let (unit, content) = (words(DutyColumn::Unit, 60), words(DutyColumn::Content, 500));
    let planned = cell(DutyColumn::Planned).trim();
    let count = planned.parse().ok().filter(|n| *n <= MOST);
    if count.is_none() {
        let message = match planned.is_empty() {
            true => "必须填，只写数字".to_owned(),
            false => format!("“{planned}”不是 0 到 {MOST} 的整数：只写数字"),
        };
        faults.push((DutyColumn::Planned, message));
    }
    match (faults.is_empty(), count) {
        (true, Some(planned)) => Ok(Duty {
            year,
            unit,
            content,
            planned,
            done: 0,
        }),
        _ => Err(faults),
    }
}

/// A sheet of duties as read.
#[derive(Debug)]
pub struct SheetOfDuties {
    /// Every line, when there is no fault.
    pub duties: Vec<Duty>,
    /// Everything that is wrong, in order of rows.
    pub faults: Vec<RowFault<DutyColumn>>,
}

/// Reads a filled-in sheet for a year.
///
/// # Errors
/// When the file cannot be read as a list of duties at all.
pub fn duty_sheet(bytes: &[u8], year: i32) -> Result<SheetOfDuties, SheetError> {
    let mut table = sheet::read::<DutyColumn>(bytes, SHEET, &mut |_, _| ())?;
    table.leave_out(|row| row.text(DutyColumn::Unit).starts_with(EXAMPLE));
    table.bearable()?;
    let (mut duties, mut faults) = (Vec::<Duty>::new(), table.faults);
    let mut seen = HashSet::new();
    for row in &table.rows {
        let fault = |column, message| RowFault {
            row: row.number,
            column: Some(column),
            message,
        };
        match read_duty(|column| row.text(column), year) {
            Ok(duty) => {
                if !seen.insert(duty.unit.clone()) {
                    let message = format!("“{}”前面已经有一行：一个单位写一行", duty.unit);
                    faults.push(fault(DutyColumn::Unit, message));
                }
                duties.push(duty);
            }
            Err(found) => {
                for (column, message) in found {
                    // A cell that holds no text is told once, not as empty too.
                    let known =
                        |f: &RowFault<DutyColumn>| f.row == row.number && f.column == Some(column);
                    if !faults.iter().any(known) {
                        faults.push(fault(column, message));
                    }
                }
            }
        }
    }
    faults.sort_by_key(|fault| (fault.row, fault.column));
    if !faults.is_empty() {
        duties.clear();
    }
    Ok(SheetOfDuties { duties, faults })
}

/// A sheet that holds these lines, to be filled in or changed and read again; without any, an example.
///
/// # Errors
/// When the workbook cannot be put together.
pub fn duty_template(duties: &[Duty]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(SHEET)?.set_freeze_panes(1, 0)?;
    let count = Format::new()
        .set_num_format("0")
        .set_align(FormatAlign::Top);
    for (at, (column, width)) in (0u16..).zip(DutyColumn::all().into_iter().zip([24, 60, 12])) {
        sheet.set_column_width(at, width)?;
        let format = if column.is_count() {
            count.clone()
        } else {
            text()
        };
        sheet.set_column_format(at, &format)?;
        sheet.write_string_with_format(0, at, column.to_string(), &header())?;
    }
    let example = Duty {
        year: 0,
        unit: format!("{EXAMPLE}派出所（这一行导入时会跳过，可以删）"),
        content: "治安管理处罚法、反电信网络诈骗法".to_owned(),
        planned: 4,
        done: 0,
    };
    let lines = match duties {
        [] => std::slice::from_ref(&example),
        duties => duties,
    };
    for (row, duty) in (1u32..).zip(lines) {
        sheet.write_string_with_format(row, 0, &duty.unit, &text())?;
        sheet.write_string_with_format(row, 1, &duty.content, &text())?;
        sheet.write_number_with_format(row, 2, duty.planned, &count)?;
    }
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duty(unit: &str, planned: u32) -> Duty {
        Duty {
            year: 2026,
            unit: unit.into(),
            content: "=1+1".into(),
            planned,
            done: 0,
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_the_example_is_not() {
        let list = [duty("派出所", 4), duty("卫生院", 0)];
        let read = duty_sheet(&duty_template(&list).unwrap(), 2026).unwrap();
        assert_eq!((read.duties.as_slice(), read.faults.len()), (&list[..], 0));
        let empty = duty_sheet(&duty_template(&[]).unwrap(), 2026);
        assert!(matches!(empty, Err(SheetError::Empty)));
        assert!(matches!(
            duty_sheet(b"no", 2026),
            Err(SheetError::NotXlsx(_))
        ));
    }

    #[test]
    fn every_fault_is_told_with_its_row_and_nothing_is_read() {
        let list = [duty("派出所", 4), duty("派出所", 2000), duty(" ", 1)];
        let read = duty_sheet(&duty_template(&list).unwrap(), 2026).unwrap();
        let told: Vec<(usize, Option<DutyColumn>)> =
            read.faults.iter().map(|f| (f.row, f.column)).collect();
        assert_eq!(
            told,
            [(3, Some(DutyColumn::Planned)), (4, Some(DutyColumn::Unit))]
        );
        assert!(read.duties.is_empty());
        let twice = [duty("派出所", 4), duty("派出所", 2)];
        let read = duty_sheet(&duty_template(&twice).unwrap(), 2026).unwrap();
        assert!(read.faults[0].message.contains("一个单位写一行"));
        let told = read_duty(|_| "找小李 13800138000", 2026).unwrap_err();
        assert_eq!(told.len(), 3);
    }
}
