//! `qijin import statutes DIR`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Config, progress};
use crate::knowledge::statutes;

#[derive(Args)]
#[command(after_help = "例：
  git clone https://github.com/lawtext/laws 法律文本
  qijin import statutes 法律文本/
  qijin import statutes 中华人民共和国治安管理处罚法_20250627.docx    国家法律法规数据库下载的 Word")]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    command: ImportCommand,
}

#[derive(Subcommand)]
enum ImportCommand {
    /// 导入法律条文（.md 或官方 .docx，一个文件或一个文件夹），可以反复运行
    Statutes {
        /// 文件或文件夹
        #[arg(value_name = "文件或文件夹")]
        from: PathBuf,
        /// 列出每一处没能照原样读入的地方（默认只列前 20 处）
        #[arg(long)]
        all: bool,
    },
}

pub(super) fn run(config: &Config, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let ImportCommand::Statutes { from, all } = &args.command;
    let bar = progress::bar("读入法条");
    let started = std::time::Instant::now();
    let report = statutes::import(&config.folders.library, from, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let shown = if *all { usize::MAX } else { 20 };
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
        "看了 {} 个文件：新增 {}，更新 {}，没变 {}，没读入 {}，{} 处有出入。",
        report.files,
        report.added,
        report.updated,
        report.unchanged,
        report.refused.len(),
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
