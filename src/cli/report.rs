//! `qijin report`: the figures of a period as Word, Excel or CSV.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{NaiveDate, Utc};
use clap::{Args, ValueEnum};

use super::{Config, journal, progress, runtime};
use crate::insight::{Activity, Meanings, Period, gather};
use crate::journal::{Ledger, local_day};
use crate::knowledge;
use crate::report::{Painter, Report, csv, docx, xlsx};
use crate::text::Analyser;

#[derive(Args)]
#[command(after_help = "例：
  qijin report --period quarter --out 季报.docx                  上一个完整的季度
  qijin report --period month --of 2026-09-15 --out 九月.xlsx    2026 年 9 月
  qijin report --from 2026-07-01 --to 2026-09-30 --out 数据.csv

文件名的结尾决定格式：.docx、.xlsx 或 .csv，三种里的数字一样。
提问人不到 5 个的数字不会写进去。")]
pub(super) struct ReportArgs {
    /// 写到哪个文件，结尾是 .docx、.xlsx 或 .csv
    #[arg(long, value_name = "文件")]
    out: PathBuf,
    /// 从哪一天（含）
    #[arg(
        long,
        value_name = "日期",
        requires = "to",
        required_unless_present = "period"
    )]
    from: Option<NaiveDate>,
    /// 到哪一天（含）
    #[arg(long, value_name = "日期", requires = "from")]
    to: Option<NaiveDate>,
    /// 一个月、一个季度或一年
    #[arg(long, value_name = "时段", conflicts_with_all = ["from", "to"])]
    period: Option<Length>,
    /// 含这一天的那个月、季度或年；不写就是上一个完整的
    #[arg(long, value_name = "日期", requires = "period")]
    of: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Length {
    /// 月
    #[value(alias = "月")]
    Month,
    /// 季度
    #[value(alias = "季度", alias = "季")]
    Quarter,
    /// 年
    #[value(alias = "年")]
    Year,
}

impl Length {
    fn around(self, day: NaiveDate) -> Period {
        match self {
            Self::Month => Period::month_of(day),
            Self::Quarter => Period::quarter_of(day),
            Self::Year => Period::year_of(day),
        }
    }
}

/// The period asked for; the last complete one when no day was given.
fn period(args: &ReportArgs, today: NaiveDate) -> anyhow::Result<Period> {
    match (args.from.zip(args.to), args.period, args.of) {
        (Some((from, to)), _, _) if from > to => {
            bail!("--from {from} 在 --to {to} 之后。什么都没有写。请把两个日期对调")
        }
        (Some((from, to)), _, _) => Ok(Period::new(from, to)),
        (None, Some(length), Some(day)) => Ok(length.around(day)),
        (None, Some(length), None) => {
            let before = length.around(today).from.pred_opt();
            Ok(length.around(before.context("日期超出范围")?))
        }
        (None, None, _) => bail!("请写明 --from 和 --to，或者 --period"),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Docx,
    Xlsx,
    Csv,
}

fn kind(out: &Path) -> anyhow::Result<Kind> {
    let end = out.extension().and_then(|end| end.to_str());
    match end.unwrap_or("").to_ascii_lowercase().as_str() {
        "docx" => Ok(Kind::Docx),
        "xlsx" => Ok(Kind::Xlsx),
        "csv" => Ok(Kind::Csv),
        _ => bail!(
            "{} 的结尾不是 .docx、.xlsx 或 .csv，不知道写成什么格式。什么都没有写",
            out.display()
        ),
    }
}

pub(super) fn run(config: &Config, args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let now = Utc::now();
    let today = local_day(now);
    let (period, kind) = (period(args, today)?, kind(&args.out)?);
    if period.from > today {
        bail!("{} 还没有到，没有数字。什么都没有写", period.from);
    }
    let library = knowledge::load(&config.folders.library, &config.load_options())?.library;
    let bar = progress::bar("汇总");
    let material = runtime()?.block_on(async {
        let journal = journal::open(config).await?;
        let told = |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        };
        journal.roll_up(now, told).await?;
        bar.finish_and_clear();
        let held = Ledger::new(journal.database().clone()).all().await?;
        let activities = held.iter().map(Activity::of).collect();
        let material = gather(&journal, period, activities, now).await;
        journal.database().close().await;
        anyhow::Ok(material?)
    })?;
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let (_, report) = Report::of_material(
        &material,
        &library,
        &Meanings::new(&library, &analyser),
        &config.regions,
        &config.office.name,
        today,
    );
    let bytes = match kind {
        Kind::Docx => {
            let painter = Painter::of_system();
            if painter.is_none() {
                eprintln!(
                    "本机没有中文字体，Word 里没有图，其他都在。装上 fonts-noto-cjk 或 fonts-wqy-microhei 再生成一次就有了。"
                );
            }
            docx::write(&report, painter.as_ref())?
        }
        Kind::Xlsx => xlsx::write(&report)?,
        Kind::Csv => csv::write(&report)?,
    };
    std::fs::write(&args.out, bytes).with_context(|| format!("写不了 {}", args.out.display()))?;
    say!(
        "已写好 {} 到 {} 的报告：{}（{} 张表）。",
        period.from,
        period.to,
        args.out.display(),
        report.tables().count()
    );
    if period.to >= today {
        say!("注意：这段时间还没有过完，以后再生成数字会变。");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complete_period_when_no_day_is_given() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let asked = |length, of: Option<&str>| {
            let args = ReportArgs {
                out: PathBuf::new(),
                from: None,
                to: None,
                period: Some(length),
                of: of.map(day),
            };
            period(&args, day("2026-11-25")).unwrap()
        };
        let days = |from, to| Period::new(day(from), day(to));
        assert_eq!(asked(Length::Month, None), days("2026-10-01", "2026-10-31"));
        assert_eq!(
            asked(Length::Quarter, None),
            days("2026-07-01", "2026-09-30")
        );
        assert_eq!(asked(Length::Year, None), days("2025-01-01", "2025-12-31"));
        assert_eq!(
            asked(Length::Quarter, Some("2026-02-03")),
            days("2026-01-01", "2026-03-31")
        );
    }
}
