//! `qijin activity template` and `qijin activity import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use chrono::Utc;

use super::super::{Config, import, progress};
use super::{Desk, WHO};
use crate::knowledge::{Library, read_bounded};
use crate::ledger;

pub(super) fn template(
    config: &Config,
    library: &Library,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let today = config.load_options().today;
    let bytes = ledger::template(library, &config.regions, today)?;
    import::write_template(file, &bytes)?;
    say!("已生成 {}：从第 3 行写起，一行一次活动。", file.display());
    say!(
        "写完先试一遍：qijin activity import {} --dry-run",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn import(
    desk: &Desk<'_>,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let bytes = read_bounded(file, 64).with_context(|| format!("读不了 {}", file.display()))?;
    let held = desk.ledger.all().await?;
    let bar = progress::bar("读入台账");
    let sheet = ledger::sheet(
        &bytes,
        &desk.library,
        &desk.config.regions,
        &held,
        &mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        },
    );
    bar.finish_and_clear();
    let sheet = sheet.with_context(|| format!("{} 没有导入", file.display()))?;
    if !sheet.faults.is_empty() {
        for fault in &sheet.faults {
            say!("{fault}");
        }
        say!(
            "共 {} 处要改，一条也没有导入。改好后再运行一次。",
            sheet.faults.len()
        );
        return Ok(ExitCode::FAILURE);
    }
    let activities = sheet.activities.len();
    if dry_run {
        say!("{activities} 条都没有错误。去掉 --dry-run 就正式导入。");
        return Ok(ExitCode::SUCCESS);
    }
    let ids = desk.ledger.add(&sheet.activities, Utc::now()).await?;
    let (first, last) = (ids.first().unwrap_or(&0), ids.last().unwrap_or(&0));
    let what = format!("第 {first} 到 {last} 号");
    desk.audit.note(WHO, "导入台账", &what).await?;
    say!("导入了 {activities} 条，编号 {first} 到 {last}。");
    Ok(ExitCode::SUCCESS)
}
