//! `qijin index build|info`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Config, progress};

#[derive(Args)]
pub(super) struct IndexArgs {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Subcommand)]
enum IndexCommand {
    /// 重新建立索引
    Build,
    /// 索引在哪、有多大、是不是最新
    Info,
}

pub(super) fn run(config: &Config, args: &IndexArgs) -> anyhow::Result<ExitCode> {
    let force = matches!(args.command, IndexCommand::Build);
    let (answerer, info, rebuilt) = progress::open(config, force)?;
    say!("位置：{}", info.path.display());
    say!("问答：{} 条", answerer.library().entries.len());
    say!("文档：{} 个", info.documents);
    say!("大小：{:.1} MB", info.bytes as f64 / 1e6);
    say!("状态：{}", if rebuilt { "刚刚建好" } else { "最新" });
    Ok(ExitCode::SUCCESS)
}
