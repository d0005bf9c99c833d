//! Reading the ledger's sheet: all of it or nothing.

use std::collections::HashMap;

use super::{Column, Regions, read};
use crate::journal::{Activity, Entered};
use crate::knowledge::Library;
use crate::knowledge::import::sheet::{self, RowFault, SheetError};

/// The sheet that is read; the first one if none is called so.
pub(super) const SHEET: &str = "台账";
/// A row whose name begins so is the template's example.
pub(super) const EXAMPLE: &str = "例：";

/// A sheet as read.
#[derive(Debug)]
pub struct SheetOfActivities {
    /// Every activity, when there is no fault.
    pub activities: Vec<Activity>,
    /// Everything that is wrong, in order of rows.
    pub faults: Vec<RowFault<Column>>,
}

/// Reads a filled-in sheet; `held` is what the ledger holds already, `progress` gets the row reached
/// and the last row.
///
/// # Errors
/// When the file cannot be read as a sheet of activities at all.
pub fn sheet(
    bytes: &[u8],
    library: &Library,
    regions: &Regions,
    held: &[Entered],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<SheetOfActivities, SheetError> {
    let mut table = sheet::read::<Column>(bytes, SHEET, progress)?;
    table.leave_out(|row| row.text(Column::Title).starts_with(EXAMPLE));
    table.bearable()?;
    let same = |a: &Activity| (a.title.clone(), a.from, a.unit.clone());
    let mut seen: HashMap<_, String> = held
        .iter()
        .map(|e| (same(&e.activity), format!("台账第 {} 号", e.id)))
        .collect();
    let mut out = SheetOfActivities {
        activities: Vec::new(),
        faults: table.faults,
    };
    for row in &table.rows {
        let fault = |column: Column, message: String| RowFault {
            row: row.number,
            column: Some(column),
            message,
        };
        match read(|column| row.text(column), library, regions) {
            Ok(activity) => {
                let here = format!("第 {} 行", row.number);
                if let Some(twin) = seen.insert(same(&activity), here) {
                    let message = format!("和{twin}的名称、开始日期、责任单位都一样");
                    out.faults.push(fault(Column::Title, message));
                }
                out.activities.push(activity);
            }
            Err(faults) => {
                // A cell that holds no text is told once, not as empty too.
                for (column, message) in faults {
                    let known =
                        |f: &RowFault<Column>| f.row == row.number && f.column == Some(column);
                    if !out.faults.iter().any(known) {
                        out.faults.push(fault(column, message));
                    }
                }
            }
        }
    }
    out.faults.sort_by_key(|fault| (fault.row, fault.column));
    if !out.faults.is_empty() {
        out.activities.clear();
    }
    Ok(out)
}
