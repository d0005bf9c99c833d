//! `qijin import statutes DIR`

use std::path::Path;
use std::process::ExitCode;

use super::super::{Config, progress};
use crate::knowledge::statutes;

pub(super) fn run(config: &Config, from: &Path, all: bool) -> anyhow::Result<ExitCode> {
    let bar = progress::bar("读入法条");
    let started = std::time::Instant::now();
    let report = statutes::import(&config.folders.library, from, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let shown = if all { usize::MAX } else { 20 };
    for (file, reason) in &report.refused {
        say!("没有读入 {}：{reason}", file.display());
    }
    for (file, line, what) in report.remarks.iter().take(shown) {
        say!("{}:{line}: {what}", file.display());
    }
    if report.remarks.len() > shown {
        say!(
            "……另有 {} 处，加 --all 全部列出",
            report.remarks.len() - shown
        );
    }
    say!(
        "看了 {} 个文件：新增 {}，更新 {}，没变 {}，没读入 {}，同一天的另一份 {}；{} 处有出入，不影响使用。",
        report.files,
        report.added,
        report.updated,
        report.unchanged,
        report.refused.len(),
        report.files.saturating_sub(
            report.added + report.updated + report.unchanged + report.refused.len()
        ),
        report.remarks.len(),
    );
    say!(
        "法条库现有 {} 部法律法规、{} 个版本、{} 条，另有 {} 件不分条的全文；{:.1} MB，用时 {:.1} 秒。",
        report.laws,
        report.versions,
        report.articles,
        report.whole_documents,
        report.bytes as f64 / 1e6,
        started.elapsed().as_secs_f32()
    );
    Ok(ExitCode::SUCCESS)
}
