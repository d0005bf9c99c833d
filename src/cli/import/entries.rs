//! `qijin import template` and `qijin import entries`: Excel for staff.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::super::{Config, progress};
use crate::knowledge::import::{self, EntriesError};
use crate::knowledge::{load, read_bounded};

pub(super) fn template(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let library = load(&config.folders.library, &config.load_options())?.library;
    let bytes = import::template(&library)?;
    write_template(file, &bytes)?;
    say!("已生成 {}：从第 3 行写起，一行一条问答。", file.display());
    say!(
        "写完先试一遍：qijin import entries {} --dry-run",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Writes a new sheet to fill in.
pub(in crate::cli) fn write_template(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if file
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("xlsx"))
    {
        bail!("文件名要以 .xlsx 结尾：{}", file.display());
    }
    // A filled-in sheet of the same name is somebody's work.
    let mut out = match fs::File::create_new(file) {
        Ok(out) => out,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} 已经有了，没有覆盖：请换个名字", file.display())
        }
        Err(e) => return Err(e).with_context(|| format!("写不了 {}", file.display())),
    };
    out.write_all(bytes)
        .with_context(|| format!("写不了 {}", file.display()))
}

pub(super) fn import(config: &Config, file: &Path, dry_run: bool) -> anyhow::Result<ExitCode> {
    let bytes = read_bounded(file, 64).with_context(|| format!("读不了 {}", file.display()))?;
    let bar = progress::bar("读入表格");
    let outcome = import::entries(
        &config.folders.library,
        &config.load_options(),
        &bytes,
        &mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        },
    );
    bar.finish_and_clear();
    let import = match outcome {
        Ok(import) => import,
        Err(EntriesError::Rows(faults)) => {
            for fault in &faults {
                say!("{fault}");
            }
            say!(
                "共 {} 处要改，一条也没有导入。改好后再运行一次。",
                faults.len()
            );
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    for warning in &import.warnings {
        say!("提醒：{warning}");
    }
    if !dry_run {
        import.planned.write()?;
    }
    for planned in &import.planned.files {
        say!(
            "{} {}：{} 条",
            match (dry_run, planned.exists) {
                (true, true) => "将续写",
                (true, false) => "将新建",
                (false, true) => "续写了",
                (false, false) => "新建了",
            },
            config.folders.library.join(&planned.path).display(),
            planned.entries
        );
    }
    if dry_run {
        say!(
            "{} 条都没有错误。去掉 --dry-run 就正式导入。",
            import.entries
        );
    } else {
        say!("导入了 {} 条。正在运行的机器人会自动换上。", import.entries);
    }
    Ok(ExitCode::SUCCESS)
}
