//! `qijin import …`: bringing material in.

mod drafts;
mod entries;
mod statutes;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Config;

pub(super) use entries::write_template;

#[derive(Args)]
#[command(after_help = "例：
  qijin import template 问答.xlsx                 生成 Excel 模板
  qijin import entries 问答.xlsx --dry-run        只检查，不写入
  qijin import entries 问答.xlsx                  全部没有错误才写入
  qijin import docx 宣传单.docx                   把宣传单变成草稿
  qijin import page https://www.example.gov.cn/a.html
  qijin import draft 2026-11-25-防溺水.md         检查写好的草稿并发布
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
    /// 生成填写问答用的 Excel 模板
    Template {
        /// 写到哪个文件（.xlsx）
        #[arg(value_name = "文件.xlsx")]
        file: PathBuf,
    },
    /// 导入填好的 Excel：先查每一行，有一处错误就一条也不导入
    Entries {
        /// 填好的模板
        #[arg(value_name = "文件.xlsx")]
        file: PathBuf,
        /// 只检查，不写入
        #[arg(long)]
        dry_run: bool,
    },
    /// 把 Word 宣传单变成草稿，由人改写、核对后再发布
    Docx {
        /// Word 文件
        #[arg(value_name = "文件.docx")]
        file: PathBuf,
    },
    /// 把一个公开网页变成草稿，由人改写、核对后再发布
    Page {
        /// 网址，http 或 https
        #[arg(value_name = "网址")]
        url: String,
    },
    /// 检查写好的草稿；没有错误就移进资料库
    Draft {
        /// 草稿文件，可以只写文件名
        #[arg(value_name = "草稿.md")]
        file: PathBuf,
    },
}

pub(super) fn run(config: &Config, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ImportCommand::Statutes { from, all } => statutes::run(config, from, *all),
        ImportCommand::Template { file } => entries::template(config, file),
        ImportCommand::Entries { file, dry_run } => entries::import(config, file, *dry_run),
        ImportCommand::Docx { file } => drafts::docx(config, file),
        ImportCommand::Page { url } => drafts::page(config, url),
        ImportCommand::Draft { file } => drafts::publish(config, file),
    }
}
