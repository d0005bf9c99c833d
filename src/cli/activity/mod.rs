//! `qijin activity`: the ledger of publicity activities and the duties of units.

mod duty;
mod excel;
mod fields;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{NaiveDate, Utc};
use clap::{Args, Subcommand};

use super::{Config, journal, runtime};
use crate::journal::{Activity, ActivityId, Audit, Entered, Ledger};
use crate::knowledge::{Library, load};
use crate::ledger::{self, Column};

#[derive(Args)]
#[command(after_help = "例：
  qijin activity add --title 送法进工地 --from 2026-06-10 --media 讲座、发放资料 --place 企业 \\
      --topic 拖欠工资 --attendance 45 --materials 200
  qijin activity list --from 2026-01-01
  qijin activity edit 3 --attendance 50 --person 李明    没写的项不变；写成空的（--person \"\"）就清掉
  qijin activity remove 3
  qijin activity template 台账.xlsx                       生成 Excel 模板
  qijin activity import 台账.xlsx --dry-run               只检查，不写入
  qijin activity duty add 派出所 --year 2026 --content 治安管理处罚法 --planned 4
  qijin activity duty list --year 2026                    计划几次、办了几次

一项写几个，用 ｜ 或 、 隔开。村(社区)先在 qijin.toml 的 [regions] 里写好；不写村就是面向全镇。")]
pub(super) struct ActivityArgs {
    #[command(subcommand)]
    command: ActivityCommand,
}

#[derive(Subcommand)]
enum ActivityCommand {
    /// 记一次活动
    Add(Box<fields::Fields>),
    /// 列出活动
    List {
        /// 从哪一天（含）
        #[arg(long, value_name = "日期")]
        from: Option<NaiveDate>,
        /// 到哪一天（含）
        #[arg(long, value_name = "日期")]
        to: Option<NaiveDate>,
    },
    /// 改一次活动：没写的项不变
    Edit {
        /// 台账里的编号
        id: ActivityId,
        #[command(flatten)]
        fields: Box<fields::Fields>,
    },
    /// 从台账里删掉一次活动
    Remove {
        /// 台账里的编号
        id: ActivityId,
    },
    /// 导入填好的 Excel：先查每一行，有一处错误就一条也不导入
    Import {
        /// 填好的模板
        #[arg(value_name = "文件.xlsx")]
        file: PathBuf,
        /// 只检查，不写入
        #[arg(long)]
        dry_run: bool,
    },
    /// 生成填写台账用的 Excel 模板
    Template {
        /// 写到哪个文件（.xlsx）
        #[arg(value_name = "文件.xlsx")]
        file: PathBuf,
    },
    /// 普法责任清单：各单位一年计划几次、办了几次
    Duty(duty::DutyArgs),
}

/// Who the audit log says it was.
const WHO: &str = "命令行";

/// What every command here works with.
struct Desk<'a> {
    config: &'a Config,
    library: Library,
    ledger: Ledger,
    audit: Audit,
}

pub(super) fn run(config: &Config, args: ActivityArgs) -> anyhow::Result<ExitCode> {
    let library = load(&config.folders.library, &config.load_options())?.library;
    if let ActivityCommand::Template { file } = &args.command {
        return excel::template(config, &library, file);
    }
    runtime()?.block_on(async {
        let database = journal::open(config).await?.database().clone();
        let desk = Desk {
            config,
            library,
            ledger: Ledger::new(database.clone()),
            audit: Audit::new(database.clone()),
        };
        let code = desk.act(args.command).await?;
        database.close().await;
        Ok(code)
    })
}

impl Desk<'_> {
    async fn act(&self, command: ActivityCommand) -> anyhow::Result<ExitCode> {
        match command {
            ActivityCommand::Add(fields) => self.add(&fields).await?,
            ActivityCommand::List { from, to } => {
                self.list(from.unwrap_or(NaiveDate::MIN), to.unwrap_or(NaiveDate::MAX))
                    .await?;
            }
            ActivityCommand::Edit { id, fields } => self.edit(id, &fields).await?,
            ActivityCommand::Remove { id } => {
                let gone = self.ledger.get(id).await?;
                self.ledger.remove(id).await?;
                let what = format!("第 {id} 号“{}”", gone.title);
                self.audit.note(WHO, "删台账", &what).await?;
                say!("已从台账里删掉{what}。");
            }
            ActivityCommand::Import { file, dry_run } => {
                return excel::import(self, &file, dry_run).await;
            }
            // Written before the database is opened.
            ActivityCommand::Template { .. } => {}
            ActivityCommand::Duty(args) => return duty::run(self, &args).await,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn add(&self, fields: &fields::Fields) -> anyhow::Result<()> {
        let mut cells = fields.cells();
        let unit = cells.entry(Column::Unit).or_default();
        if unit.is_empty() {
            self.config.office.name.clone_into(unit);
        }
        let activity = self.read(&cells)?;
        let one = std::slice::from_ref(&activity);
        let ids = self.ledger.add(one, Utc::now()).await?;
        let id = *ids.first().context("数据库没有给编号")?;
        let what = format!("第 {id} 号“{}”", activity.title);
        self.audit.note(WHO, "记台账", &what).await?;
        say!("已记进台账：");
        self.tell(&Entered { id, activity })
    }

    async fn edit(&self, id: ActivityId, fields: &fields::Fields) -> anyhow::Result<()> {
        let changes = fields.cells();
        if changes.is_empty() {
            bail!("没有说要改什么，什么都没有改。例：qijin activity edit {id} --attendance 50");
        }
        let regions = &self.config.regions;
        let mut cells = ledger::cells(&self.ledger.get(id).await?, &self.library, regions);
        cells.extend(changes);
        let activity = self.read(&cells)?;
        self.ledger.edit(id, &activity).await?;
        let what = format!("第 {id} 号“{}”", activity.title);
        self.audit.note(WHO, "改台账", &what).await?;
        say!("已改好：");
        self.tell(&Entered { id, activity })
    }

    fn read(&self, cells: &std::collections::BTreeMap<Column, String>) -> anyhow::Result<Activity> {
        let cell = |column| cells.get(&column).map_or("", String::as_str);
        ledger::read(cell, &self.library, &self.config.regions).map_err(|faults| {
            let told = faults.iter().map(|(column, message)| {
                format!("  {column}（{}）：{message}", fields::flag(*column))
            });
            let told: Vec<String> = told.collect();
            anyhow::anyhow!(
                "有 {} 处不对，没有写进台账：\n{}",
                told.len(),
                told.join("\n")
            )
        })
    }

    async fn list(&self, from: NaiveDate, to: NaiveDate) -> anyhow::Result<()> {
        let all = self.ledger.all().await?;
        let within = |e: &&Entered| e.activity.from <= to && e.activity.to >= from;
        let shown: Vec<&Entered> = all.iter().filter(within).collect();
        for entered in &shown {
            self.tell(entered)?;
        }
        match (shown.len(), all.len()) {
            (_, 0) => {
                say!("台账是空的。记一次：qijin activity add，或导入 Excel：qijin activity import");
            }
            (0, all) => say!("这段时间没有活动（台账里一共 {all} 次）。"),
            (n, _) => say!("共 {n} 次。"),
        }
        Ok(())
    }

    /// An activity on two lines, what was not written left out.
    fn tell(&self, entered: &Entered) -> anyhow::Result<()> {
        let activity = &entered.activity;
        let mut cells = ledger::cells(activity, &self.library, &self.config.regions);
        let topic = |id: &String| {
            let found = self.library.topic(id);
            found.map_or_else(|| id.clone(), |topic| topic.name.clone())
        };
        let topics: Vec<String> = activity.topics.iter().map(topic).collect();
        let mut take = |column| cells.remove(&column).unwrap_or_default();
        let days = match activity.from == activity.to {
            true => activity.from.to_string(),
            false => format!("{} 到 {}", activity.from, activity.to),
        };
        say!("{}\t{days}\t{}", entered.id, take(Column::Title));
        let regions = match activity.regions.is_empty() {
            true => "全镇".to_owned(),
            false => take(Column::Regions),
        };
        let count = |count: Option<u32>, of: &str| {
            count.map_or_else(String::new, |count| format!("{count} {of}"))
        };
        let parts = [
            take(Column::Media),
            take(Column::Places),
            topics.join("｜"),
            regions,
            take(Column::Venue),
            take(Column::Unit),
            take(Column::Person),
            count(activity.attendance, "人参加"),
            count(activity.materials, "份资料"),
            take(Column::Note).replace('\n', " "),
            take(Column::Attachments),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
        say!("\t{}", parts.join("；"));
        Ok(())
    }
}
