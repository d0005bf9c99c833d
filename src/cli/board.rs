//! `qijin board`: notice boards with their QR codes, and posters to print.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use chrono::Utc;
use clap::{Args, Subcommand, ValueEnum};

use super::{Config, journal, runtime};
use crate::journal::{ActivityId, Audit, Board, Boards, canonical, local_day};
use crate::knowledge::{Library, load};
use crate::ledger::{BoardField, read_board};
use crate::report::poster::{Paper, Poster, bot_name, pdf, place_name};

#[derive(Args)]
#[command(after_help = "例：
  qijin board add 文化广场宣传栏 --place 乡村 --region 青石村
  qijin board add 送法进工地横幅 --place 企业 --activity 3      算在第 3 号活动名下
  qijin board list
  qijin board poster ab2c3 --out 海报.pdf --bot qingshi_pufa_bot
  qijin board poster --all --size a3 --out 全部海报.pdf         一个宣传点一页
  qijin board retire ab2c3                                      撤下来了

居民扫码提问，就算在这个宣传点、它的场所和村(社区)上；居民自己选过村的，以自己选的为准。
机器人的用户名写进 qijin.toml 的 [telegram] bot，就不用每次写 --bot。")]
pub(super) struct BoardArgs {
    #[command(subcommand)]
    command: BoardCommand,
}

#[derive(Subcommand)]
enum BoardCommand {
    /// 新设一个宣传点，得到它的编号
    Add {
        /// 叫什么，如 文化广场宣传栏
        name: String,
        /// 场所：七进里的哪一进
        #[arg(long, value_name = "场所")]
        place: Option<String>,
        /// 在哪个村(社区)
        #[arg(long, value_name = "村")]
        region: Option<String>,
        /// 为台账里第几号活动设的
        #[arg(long, value_name = "编号")]
        activity: Option<ActivityId>,
    },
    /// 列出宣传点
    List,
    /// 撤下一个宣传点；以前的统计不变
    Retire {
        /// 编号
        code: String,
    },
    /// 写出可以打印的二维码海报（PDF），一个宣传点一页
    Poster {
        /// 编号，可以写几个
        #[arg(value_name = "编号", required_unless_present = "all")]
        codes: Vec<String>,
        /// 全部没有撤下的宣传点
        #[arg(long, conflicts_with = "codes")]
        all: bool,
        /// 写到哪个文件
        #[arg(long, value_name = "文件.pdf")]
        out: PathBuf,
        /// 纸张
        #[arg(long, value_name = "纸张", default_value = "a4")]
        size: Size,
        /// 机器人的用户名（默认用 qijin.toml 里的）
        #[arg(long, value_name = "用户名")]
        bot: Option<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    A4,
    A3,
}

/// Who the audit log says it was.
const WHO: &str = "命令行";

pub(super) fn run(config: &Config, args: &BoardArgs) -> anyhow::Result<ExitCode> {
    let library = load(&config.folders.library, &config.load_options())?.library;
    runtime()?.block_on(async {
        let database = journal::open(config).await?.database().clone();
        let (boards, audit) = (Boards::new(database.clone()), Audit::new(database.clone()));
        match &args.command {
            BoardCommand::Add {
                name,
                place,
                region,
                activity,
            } => {
                let number = activity.map(|id| id.to_string());
                let field = |field| match field {
                    BoardField::Name => name.as_str(),
                    BoardField::Place => place.as_deref().unwrap_or(""),
                    BoardField::Region => region.as_deref().unwrap_or(""),
                    BoardField::Activity => number.as_deref().unwrap_or(""),
                };
                let about = read_board(field, &library, &config.regions).map_err(|faults| {
                    let told = faults.iter().map(|(field, why)| format!("  {field}：{why}"));
                    let told: Vec<String> = told.collect();
                    anyhow!("没有新设宣传点：\n{}", told.join("\n"))
                })?;
                let board = boards.add(about, Utc::now()).await?;
                audit.note(WHO, "新设宣传点", &board.about.name).await?;
                say!("已新设宣传点 {}：{}", board.code, board.about.name);
                say!("打印海报：qijin board poster {} --out 海报.pdf", board.code);
            }
            BoardCommand::List => {
                let all = boards.all().await?;
                if all.is_empty() {
                    say!("还没有宣传点。新设一个：qijin board add 名称 --place 场所 --region 村");
                }
                for board in &all {
                    say!("{}", told(board, &library, config));
                }
            }
            BoardCommand::Retire { code } => {
                if boards.retire(code, Utc::now()).await? {
                    audit.note(WHO, "撤下宣传点", &canonical(code)).await?;
                    say!("已撤下 {}。以前的统计不变；还有人扫到旧海报，仍算在它上面。", canonical(code));
                } else {
                    say!("{} 早就撤下了。", canonical(code));
                }
            }
            BoardCommand::Poster {
                codes,
                all,
                out,
                size,
                bot,
            } => {
                let bot = bot.as_ref().or(config.telegram.bot.as_ref());
                let bot = bot_name(bot.context(
                    "不知道二维码指向哪个机器人：加 --bot 用户名，或写进 qijin.toml 的 [telegram] bot",
                )?)
                .map_err(|e| anyhow!(e))?;
                let chosen = chosen(boards.all().await?, codes, *all)?;
                let posters: Vec<Poster> = chosen
                    .iter()
                    .map(|board| poster(board, &library, config, bot))
                    .collect();
                let paper = match size {
                    Size::A4 => Paper::A4,
                    Size::A3 => Paper::A3,
                };
                let bytes = pdf(&posters, paper)?;
                std::fs::write(out, bytes).with_context(|| format!("写不了 {}", out.display()))?;
                say!("已写好 {} 页，在 {}：", posters.len(), out.display());
                for poster in &posters {
                    say!("{}\t{}\t{}", poster.code, poster.board, poster.link);
                }
                say!("张贴之前，用手机扫一遍试试。");
            }
        }
        database.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn chosen(boards: Vec<Board>, codes: &[String], all: bool) -> anyhow::Result<Vec<Board>> {
    if all {
        let up: Vec<Board> = boards.into_iter().filter(|b| b.retired.is_none()).collect();
        if up.is_empty() {
            bail!("没有在用的宣传点，海报没有写。新设一个：qijin board add 名称");
        }
        return Ok(up);
    }
    let mut chosen: Vec<Board> = Vec::new();
    for code in codes {
        let code = canonical(code);
        let board = boards.iter().find(|board| board.code == code);
        let board = board.with_context(|| {
            format!("没有编号为 {code} 的宣传点，海报没有写。qijin board list 列出全部")
        })?;
        if board.retired.is_some() {
            bail!("宣传点 {code} 已经撤下，海报没有写");
        }
        if !chosen.contains(board) {
            chosen.push(board.clone());
        }
    }
    Ok(chosen)
}

fn poster(board: &Board, library: &Library, config: &Config, bot: &str) -> Poster {
    Poster::of(board, library, &config.office, bot)
}

fn told(board: &Board, library: &Library, config: &Config) -> String {
    let about = &board.about;
    let region = about
        .region
        .as_deref()
        .map(|r| config.regions.name_of(r).to_owned());
    let parts = [
        Some(about.name.clone()),
        about.place.as_deref().map(|id| place_name(library, id)),
        region,
        about.activity.map(|id| format!("第 {id} 号活动")),
        Some(format!("{} 设", local_day(board.created))),
        board.retired.map(|day| format!("{} 撤", local_day(day))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}\t{}", board.code, parts.join("\t"))
}
