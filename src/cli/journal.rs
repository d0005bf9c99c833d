//! `qijin journal export|purge`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use chrono::{DateTime, Days, NaiveDate, Utc};
use clap::{Args, Subcommand};

use super::{Config, runtime};
use crate::journal::{Database, Handovers, Journal, Keys, day_start, export_csv, local_day};

#[derive(Args)]
#[command(after_help = "例：
  qijin journal export --csv 日志.csv --from 2026-07-01 --to 2026-09-30
  qijin journal purge                        立即清掉过了保留期的原话
  qijin journal purge --before 2025-01-01    删除这一天以前的全部记录（连同统计）")]
pub(super) struct JournalArgs {
    #[command(subcommand)]
    command: JournalCommand,
}

#[derive(Subcommand)]
enum JournalCommand {
    /// 导出成 CSV，Excel 能直接打开
    Export {
        /// 写到哪个文件
        #[arg(long, value_name = "文件")]
        csv: PathBuf,
        /// 从哪一天（含），默认最早
        #[arg(long, value_name = "日期")]
        from: Option<NaiveDate>,
        /// 到哪一天（含），默认今天
        #[arg(long, value_name = "日期")]
        to: Option<NaiveDate>,
    },
    /// 清理过了保留期的原话
    Purge {
        /// 删除这一天以前的全部记录
        #[arg(long, value_name = "日期")]
        before: Option<NaiveDate>,
    },
}

/// Opens the journal of the configured office.
pub(super) async fn open(config: &Config) -> anyhow::Result<Journal> {
    let keys = Keys::open_or_create(&config.key_file())?;
    let database = Database::open(&config.database_url()).await?;
    database.keep_to(&keys).await?;
    let days = config.journal.retention_days;
    Ok(Journal::new(database.of(&config.id), keys, days))
}

/// Midnight in local time.
fn start_of(day: NaiveDate) -> anyhow::Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(day_start(day)).ok_or_else(|| anyhow!("日期 {day} 太大"))
}

pub(super) fn run(config: &Config, args: &JournalArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let journal = open(config).await?;
        match &args.command {
            JournalCommand::Export { csv, from, to } => {
                let from = from.map_or(Ok(DateTime::UNIX_EPOCH), start_of)?;
                let last = to.unwrap_or_else(|| local_day(Utc::now()));
                let end = last.checked_add_days(Days::new(1));
                let to = start_of(end.ok_or_else(|| anyhow!("日期 {last} 太大"))?)?;
                let file = std::fs::File::create(csv)
                    .with_context(|| format!("写不了 {}", csv.display()))?;
                let out = std::io::BufWriter::new(file);
                let rows = export_csv(journal.database(), out, from, to).await?;
                say!("已导出 {rows} 条到 {}", csv.display());
            }
            JournalCommand::Purge { before: Some(day) } => {
                let rows = journal.delete_before(start_of(*day)?).await?;
                say!("已删除 {day} 以前的 {rows} 条记录。");
            }
            JournalCommand::Purge { before: None } => {
                let purged = journal.purge(Utc::now()).await?;
                Handovers::of(&journal).prune(Utc::now()).await?;
                say!(
                    "已清掉 {} 条过了保留期（{} 天）的原话，{} 个过期的来源；统计数字不变。",
                    purged.texts,
                    journal.retention_days(),
                    purged.origins
                );
            }
        }
        journal.database().close().await;
        Ok(ExitCode::SUCCESS)
    })
}
