//! The command line: arguments in, the right floor called, text out.

/// `println!` that returns an error instead of panicking when the reader has gone (`| head`).
macro_rules! say {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($arg)*)?
    }};
}

mod activity;
mod ask;
mod bench;
mod board;
mod check;
mod database;
mod demo;
mod doctor;
mod import;
mod index;
mod journal;
mod panics;
mod progress;
mod report;
mod search;
mod serve;
mod staff;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use crate::config::Config;

use crate::config::Override;

/// 七进：乡镇司法所的普法问答机器人
#[derive(Parser)]
#[command(name = "qijin", version = env!("QIJIN_VERSION"), about, long_about = None, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "例：
  qijin ask 老板拖欠工资怎么办        问一句（不需要任何账号）
  qijin ask                           在终端里聊天
  qijin check                         检查资料库，列出所有问题
  TELOXIDE_TOKEN=… qijin serve        启动机器人
  qijin staff add 李主任 --role 管理   新建网页后台的账号
  qijin activity import 台账.xlsx      把普法活动记进台账
  qijin board poster --all --out 海报.pdf   打印宣传点的二维码海报
  qijin journal export --csv 日志.csv  导出提问日志
  qijin report --period quarter --out 季报.docx  上一季度的成效报告
  qijin db backup 备份.sqlite          备份数据库（不用停）
  qijin doctor                        体检：哪里不对、怎么办

所有配置见 qijin.example.toml；说明见 README.zh-CN.md。";

#[derive(Args)]
struct Common {
    /// 配置文件（默认 ./qijin.toml，可以没有）
    #[arg(long, global = true, value_name = "文件")]
    config: Option<PathBuf>,
    /// 资料库文件夹（默认 knowledge）
    #[arg(long, global = true, value_name = "文件夹")]
    library: Option<PathBuf>,
    /// 索引文件夹（默认 index）
    #[arg(long, global = true, value_name = "文件夹")]
    index_dir: Option<PathBuf>,
    /// 数据文件夹：数据库和本机密钥（默认 data）
    #[arg(long, global = true, value_name = "文件夹")]
    data: Option<PathBuf>,
    /// 哪一个机构（配置里有几个 [[offices]] 时才要写）
    #[arg(long, global = true, value_name = "代号", hide = true)]
    office: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// 启动服务：有 TELOXIDE_TOKEN 就接入 Telegram
    Serve(serve::ServeArgs),
    /// 问一个问题；不带问题就进入聊天
    Ask(ask::AskArgs),
    /// 只检索，不组织答复
    Search(search::SearchArgs),
    /// 建立或查看索引
    Index(index::IndexArgs),
    /// 导入法律条文、Excel 问答、宣传单和网页
    Import(import::ImportArgs),
    /// 检查资料库：列出所有问题的文件和行号，有错误时退出码为 1
    Check(check::CheckArgs),
    /// 导出或清理提问日志
    Journal(journal::JournalArgs),
    /// 生成成效报告：Word、Excel 或 CSV
    Report(report::ReportArgs),
    /// 升级、搬迁、备份和恢复数据库
    Db(database::DatabaseArgs),
    /// 管理网页后台的工作人员账号
    Staff(staff::StaffArgs),
    /// 普法活动台账和普法责任清单
    Activity(activity::ActivityArgs),
    /// 宣传点和二维码海报
    Board(board::BoardArgs),
    /// 体检：配置、资料库、数据库、Telegram、备份，哪里不对、怎么办
    Doctor(doctor::DoctorArgs),
    /// 造一年演示数据，写进单独的数据库
    Demo(demo::DemoArgs),
    /// 用资料库自己的问法测量检索，重新拟合置信度，测量成效数字
    Bench(bench::BenchArgs),
}

/// Parses the command line and runs it.
///
/// # Errors
/// With a message for the person at the terminal; the caller prints it.
pub fn run() -> anyhow::Result<ExitCode> {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    let config = match (cli.common.load(), &cli.command) {
        // What the doctor is for.
        (Err(error), Command::Doctor(args)) => return doctor::refused(&error, args),
        (config, _) => config?,
    };
    let config = match &cli.command {
        Command::Serve(_) | Command::Db(_) => config,
        // The library that all share, when nothing else is said.
        Command::Check(_)
        | Command::Search(_)
        | Command::Index(_)
        | Command::Bench(_)
        | Command::Demo(_)
            if cli.common.office.is_none() =>
        {
            config
        }
        Command::Staff(_) => config.of_accounts(cli.common.office.as_deref())?,
        _ => config.of_office(cli.common.office.as_deref())?,
    };
    match cli.command {
        Command::Serve(args) => serve::run(&config, &args),
        Command::Ask(args) => ask::run(&config, &args),
        Command::Search(args) => search::run(&config, &args),
        Command::Index(args) => index::run(&config, &args),
        Command::Import(args) => import::run(&config, &args),
        Command::Check(args) => check::run(&config, &args),
        Command::Journal(args) => journal::run(&config, &args),
        Command::Report(args) => report::run(&config, &args),
        Command::Db(args) => database::run(&config, &args),
        Command::Staff(args) => staff::run(&config, &args),
        Command::Activity(args) => activity::run(&config, args),
        Command::Board(args) => board::run(&config, &args),
        Command::Doctor(args) => doctor::run(&config, &args),
        Command::Demo(args) => demo::run(&config, &args),
        Command::Bench(args) => bench::run(&config, &args),
    }
}

impl Common {
    fn load(&self) -> anyhow::Result<Config> {
        let mut flags: Vec<Override> = Vec::new();
        for (key, value) in [
            ("library", &self.library),
            ("index", &self.index_dir),
            ("data", &self.data),
        ] {
            if let Some(path) = value {
                flags.push(("folders", key, path.display().to_string()));
            }
        }
        Config::load(self.config.as_deref(), &flags)
    }
}

/// A runtime for commands that touch the database.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}
