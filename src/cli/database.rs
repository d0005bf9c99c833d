//! `qijin db migrate|copy|backup|restore|rekey`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use chrono::Utc;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::{Config, progress, runtime};
use crate::doctor::backup_mark;
use crate::journal::{CopyProgress, Database, Keys};

#[derive(Args)]
#[command(after_help = "例：
  qijin db backup 备份/七进-2026-11-25.sqlite       备份，serve 不用停
  qijin db restore 备份/七进-2026-11-25.sqlite      恢复到空的数据库
  qijin db restore 备份.sqlite --replace            换掉现有的（旧的另外留着）
  qijin db copy --from sqlite:data/qijin.sqlite --to postgres://用户:密码@主机/库名
  qijin db migrate                                  把表结构升到这个程序的版本

备份里没有本机密钥：请另外备份数据文件夹里的 local.key，并和备份分开放。没有它，
还没答完的问题和找人问都打不开，同一个人以后会算成另一个人。
PostgreSQL 的备份也是一个 SQLite 文件；数据很大时用 pg_dump 更快。")]
pub(super) struct DatabaseArgs {
    #[command(subcommand)]
    command: DatabaseCommand,
}

#[derive(Subcommand)]
enum DatabaseCommand {
    /// 升级表结构（serve 启动时也会自己升）
    Migrate,
    /// 把整个数据库搬到另一个空的数据库，全部成功才算数
    #[command(after_help = "例：
  qijin db copy --from sqlite:data/qijin.sqlite --to postgres://qijin:密码@127.0.0.1/qijin
  qijin db copy --from postgres://qijin@db/qijin --to sqlite:新/qijin.sqlite

搬之前先停下 serve：开始以后新写的不会搬过去。要么全部搬完并核对一致，要么目标和之前一样；
中断了重新运行即可。搬完把 qijin.toml 的 database_url（或 QIJIN_DATABASE_URL）改成新地址，
数据文件夹里的 local.key 照旧要用。")]
    Copy {
        /// 从哪个数据库（只读，不会改动）
        #[arg(long, value_name = "地址")]
        from: String,
        /// 到哪个数据库（必须是空的）
        #[arg(long, value_name = "地址")]
        to: String,
    },
    /// 备份成一个文件，serve 不用停
    Backup {
        /// 写到哪个文件（不能已经存在）
        #[arg(value_name = "文件")]
        file: PathBuf,
    },
    /// 从备份恢复，要先停下 serve
    Restore {
        /// 哪个备份
        #[arg(value_name = "文件")]
        file: PathBuf,
        /// 换掉现有的数据；旧的另外留着
        #[arg(long)]
        replace: bool,
    },
    /// 旧的本机密钥找不回来了：数据库改认这台机器的密钥
    #[command(after_help = "例：
  qijin db rekey

只在旧的 local.key 确实找不回来时用，要先停下所有 serve。旧密钥封着的（没答完的问题、找人问）打不开，
但不会删：哪天找到旧密钥，放回去再运行一次 rekey 就行。同一个人以后会算成另一个人。")]
    Rekey,
}

pub(super) fn run(config: &Config, args: &DatabaseArgs) -> anyhow::Result<ExitCode> {
    let url = config.database_url();
    runtime()?.block_on(async {
        match &args.command {
            DatabaseCommand::Migrate => {
                let migrated = Database::migrate(&url).await?;
                if migrated.applied.is_empty() {
                    say!("已经是第 {} 版，不用升级。", migrated.to);
                } else {
                    say!("已从第 {} 版升到第 {} 版：", migrated.from, migrated.to);
                    for (version, name) in &migrated.applied {
                        say!("  {version:04} {name}");
                    }
                }
            }
            DatabaseCommand::Copy { from, to } => {
                let started = Instant::now();
                let bar = progress::bar("搬迁并核对");
                let tables = Database::copy(from, to, false, |p| show(&bar, p)).await?;
                bar.finish_and_clear();
                say!("核对一致（行数和校验和）：");
                for table in &tables {
                    say!(
                        "  {:<14}{:>12} 行  {}",
                        table.name,
                        table.rows,
                        table.checksum
                    );
                }
                let left_out: u64 = tables.iter().map(|t| t.left_out).sum();
                if left_out > 0 {
                    say!("有 {left_out} 个空字符（U+0000）PostgreSQL 存不了，没有搬。");
                }
                let rows: u64 = tables.iter().map(|t| t.rows).sum();
                let seconds = started.elapsed().as_secs_f64();
                say!("共 {rows} 行，{seconds:.1} 秒。来源没有改动；local.key 照旧要用。");
            }
            DatabaseCommand::Backup { file } => {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("建不了文件夹 {}", folder.display()))?;
                }
                let bar = progress::bar("备份");
                let rows = Database::backup(&url, file, |p| show(&bar, p)).await?;
                bar.finish_and_clear();
                // For the doctor, who asks how old the last backup is; the backup is good without it.
                let _ = std::fs::write(backup_mark(config), file.display().to_string());
                say!(
                    "已备份 {rows} 行到 {}，读回检查过。本机密钥 {} 不在里面，请另外备份。",
                    file.display(),
                    config.key_file().display()
                );
            }
            DatabaseCommand::Restore { file, replace } => {
                let bar = progress::bar("恢复");
                let folder = &config.folders.data;
                let show = |p| show(&bar, p);
                let kept =
                    Database::restore(&url, file, *replace, folder, Utc::now(), show).await?;
                bar.finish_and_clear();
                say!("已恢复 {}。", file.display());
                if let Some(kept) = kept {
                    say!("原来的数据留在 {}，确认没问题再删。", kept.display());
                }
                if !config.key_file().exists() {
                    say!(
                        "没有找到本机密钥 {}：请把当时的 local.key 放回来，再启动 serve。",
                        config.key_file().display()
                    );
                }
            }
            DatabaseCommand::Rekey => {
                let keys = Keys::open_or_create(&config.key_file())?;
                let database = Database::open(&url).await?;
                let shut = database.change_key(&keys).await?;
                database.close().await;
                say!("数据库从现在起认 {}。", config.key_file().display());
                if shut > 0 {
                    say!("有 {shut} 条没答完的消息用它打不开：留着没有删，找到旧密钥还能答。");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn show(bar: &ProgressBar, progress: CopyProgress) {
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}
