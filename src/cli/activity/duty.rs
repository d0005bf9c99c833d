//! `qijin activity duty`: the list of who is to do how much publicity in a year.

use std::process::ExitCode;

use anyhow::bail;
use chrono::{Datelike, Utc};
use clap::{Args, Subcommand};

use super::{Desk, WHO};
use crate::journal::local_day;
use crate::ledger::{DutyColumn, read_duty};

#[derive(Args)]
pub(super) struct DutyArgs {
    #[command(subcommand)]
    command: DutyCommand,
}

#[derive(Subcommand)]
enum DutyCommand {
    /// 写进一个单位；已经有了就改
    Add {
        /// 责任单位，写法要和台账一致
        #[arg(value_name = "单位")]
        unit: String,
        /// 普法内容，如 治安管理处罚法、反诈
        #[arg(long, value_name = "内容")]
        content: String,
        /// 一年计划几次
        #[arg(long, value_name = "次数", value_parser = clap::value_parser!(u32).range(0..=1000))]
        planned: u32,
        /// 哪一年（默认今年）
        #[arg(long, value_name = "年", value_parser = clap::value_parser!(i32).range(2000..2100))]
        year: Option<i32>,
    },
    /// 列出一年的清单：计划几次、办了几次
    List {
        /// 哪一年（默认今年）
        #[arg(long, value_name = "年")]
        year: Option<i32>,
    },
    /// 从清单里删掉一个单位；台账里的活动不动
    Remove {
        /// 责任单位
        #[arg(value_name = "单位")]
        unit: String,
        /// 哪一年（默认今年）
        #[arg(long, value_name = "年")]
        year: Option<i32>,
    },
}

pub(super) async fn run(desk: &Desk<'_>, args: &DutyArgs) -> anyhow::Result<ExitCode> {
    let year = |given: &Option<i32>| given.unwrap_or_else(|| local_day(Utc::now()).year());
    match &args.command {
        DutyCommand::Add {
            unit,
            content,
            planned,
            year: given,
        } => {
            let (year, planned) = (year(given), planned.to_string());
            let cell = |column| match column {
                DutyColumn::Unit => unit.as_str(),
                DutyColumn::Content => content,
                DutyColumn::Planned => &planned,
            };
            let duty = read_duty(cell, year).map_err(|faults| {
                let told = faults
                    .iter()
                    .map(|(column, why)| format!("  {column}：{why}"));
                let told: Vec<String> = told.collect();
                anyhow::anyhow!("什么都没有写：\n{}", told.join("\n"))
            })?;
            desk.ledger.set_duty(&duty).await?;
            let what = format!("{year} 年 {}：计划 {planned} 次", duty.unit);
            desk.audit.note(WHO, "写责任清单", &what).await?;
            say!("已写进责任清单：{what}。");
        }
        DutyCommand::List { year: given } => list(desk, year(given)).await?,
        DutyCommand::Remove { unit, year: given } => {
            let year = year(given);
            if !desk.ledger.remove_duty(year, unit.trim()).await? {
                bail!("{year} 年的责任清单里没有“{}”，什么都没有删", unit.trim());
            }
            let what = format!("{year} 年 {}", unit.trim());
            desk.audit.note(WHO, "删责任清单", &what).await?;
            say!("已从责任清单里删掉：{what}。");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(desk: &Desk<'_>, year: i32) -> anyhow::Result<()> {
    let (duties, others) = desk.ledger.duties(year, local_day(Utc::now())).await?;
    if duties.is_empty() {
        say!(
            "{year} 年的责任清单是空的。写一个：qijin activity duty add 单位 --content … --planned …"
        );
    }
    for duty in &duties {
        let open = duty.planned.saturating_sub(duty.done);
        let state = if open == 0 {
            "已完成".to_owned()
        } else {
            format!("还差 {open} 次")
        };
        say!(
            "{}\t计划 {} 次\t办了 {} 次\t{state}\t{}",
            duty.unit,
            duty.planned,
            duty.done,
            duty.content
        );
    }
    if !others.is_empty() {
        let others = others.iter().map(|(unit, n)| format!("{unit} {n} 次"));
        let others: Vec<String> = others.collect();
        say!("办了活动、没有列进清单的单位：{}。", others.join("、"));
    }
    Ok(())
}
