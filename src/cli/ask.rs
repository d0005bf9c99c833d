//! `qijin ask`: the desk on the terminal, one question, a chat, or JSON lines.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Config, journal, progress, runtime};
use crate::answer::{Choice, Reply, ReplyKind};
use crate::desk::{Answered, Desk, Pick, Question, Visitor};
use crate::knowledge::{Citation, EntryId};

const CHANNEL: &str = "cli";

#[derive(Args)]
#[command(after_help = "例：
  qijin ask 老板拖欠工资怎么办
  qijin ask --explain 没签合同工资能要不      再说明答复是怎么来的
  qijin ask                    进入聊天，输入编号选择，Ctrl-D 退出
  qijin ask --jsonl < 问题.jsonl > 答复.jsonl
      每行 {\"id\":\"1\",\"text\":\"…\"} 或 {\"id\":\"1\",\"turns\":[\"…\",\"…\"]}；
      turns 当作一个人先后说的话，答最后一句；每行算不同的人")]
pub(super) struct AskArgs {
    /// 问题；不写就进入聊天
    #[arg(value_name = "问题", conflicts_with = "jsonl")]
    text: Vec<String>,
    /// 从标准输入逐行读 JSON，逐行输出 JSON
    #[arg(long)]
    jsonl: bool,
    /// 说明答复是怎么来的：听懂了什么、找到什么、为什么这样答（给工作人员和开发者看）
    #[arg(long)]
    explain: bool,
    /// 把提问记入日志（默认不记）
    #[arg(long)]
    journal: bool,
}

pub(super) fn run(config: &Config, args: &AskArgs) -> anyhow::Result<ExitCode> {
    let (answerer, _, _) = progress::open(config, false)?;
    runtime()?.block_on(async {
        let journal = if args.journal {
            Some(journal::open(config).await?)
        } else {
            None
        };
        let desk = Desk::new(answerer, journal);
        if args.jsonl {
            json_lines(&desk, args.explain).await?;
        } else if args.text.is_empty() {
            chat(&desk, args.explain).await?;
        } else {
            let (answered, explained) = ask(
                &desk,
                visitor("terminal"),
                args.text.join(" "),
                args.explain,
            )
            .await;
            say!("{}", answered.reply.text());
            tell(explained.as_deref())?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Somebody at this terminal; every line of JSON is somebody else.
fn visitor(name: impl Into<String>) -> Visitor {
    Visitor {
        channel: CHANNEL,
        platform_id: name.into(),
    }
}

async fn ask(
    desk: &Desk,
    visitor: Visitor,
    text: String,
    explain: bool,
) -> (Answered, Option<String>) {
    let question = Question {
        channel: CHANNEL,
        visitor: Some(visitor),
        text,
        request: None,
    };
    if explain {
        let (answered, explained) = desk.ask_explained(question).await;
        (answered, Some(explained))
    } else {
        (desk.ask(question).await, None)
    }
}

/// Shows how a reply came about, set off from it.
fn tell(explained: Option<&str>) -> anyhow::Result<()> {
    if let Some(explained) = explained {
        say!("\n──────── 答复是怎么来的 ────────\n{explained}");
    }
    Ok(())
}

async fn chat(desk: &Desk, explain: bool) -> anyhow::Result<()> {
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        say!("用平常话说说遇到了什么事。输入编号可以选择，Ctrl-D 退出。\n");
    }
    let mut offered: Vec<Choice> = Vec::new();
    let mut row = None;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if interactive {
            write!(std::io::stdout(), "> ")?;
            std::io::stdout().flush()?;
        }
        let Some(line) = lines.next() else {
            break;
        };
        let line = line?;
        let picked = line.trim().parse::<usize>().ok();
        let chosen = picked.and_then(|n| offered.get(n.wrapping_sub(1)));
        let answered = match chosen {
            Some(choice) => desk
                .open(Pick {
                    channel: CHANNEL,
                    visitor: Some(visitor("terminal")),
                    entry: choice.entry.clone(),
                    row,
                    request: None,
                })
                .await
                .map(|answered| (answered, None)),
            None => Some(ask(desk, visitor("terminal"), line, explain).await),
        };
        let Some((answered, explained)) = answered else {
            say!("这一条已经不在资料库里了，请重新问。");
            continue;
        };
        say!("\n{}", answered.reply.text());
        tell(explained.as_deref())?;
        row = answered.row;
        offered = if answered.reply.kind == ReplyKind::Choices {
            answered.reply.choices
        } else {
            answered.reply.related
        };
        if answered.reply.kind == ReplyKind::Answer && !offered.is_empty() {
            say!("\n相关问题（输入编号查看）：");
            for (n, choice) in offered.iter().enumerate() {
                say!("{}. {}", n + 1, choice.question);
            }
        }
        say!();
    }
    if interactive {
        say!();
    }
    Ok(())
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    turns: Vec<String>,
}

/// A reply as JSON (design 5.3).
#[derive(Serialize)]
struct ReplyLine<'a> {
    id: &'a str,
    kind: ReplyKind,
    text: String,
    citations: &'a [Citation],
    entry: Option<&'a EntryId>,
    topic: Option<&'a str>,
    places: &'a [String],
    choices: &'a [Choice],
    hotlines: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    confidence: f64,
    elapsed_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a str>,
}

async fn json_lines(desk: &Desk, explain: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (n, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line)
            .with_context(|| format!("标准输入第 {} 行不是要求的 JSON", n + 1))?;
        let turns = match line.text {
            Some(text) => vec![text],
            None => line.turns,
        };
        let mut last = None;
        let somebody = visitor(format!("line {n}"));
        for text in turns {
            let started = Instant::now();
            let (answered, explained) = ask(desk, somebody.clone(), text, explain).await;
            last = Some((answered.reply, explained, started.elapsed()));
        }
        desk.start_afresh(&somebody).await;
        let (reply, explained, elapsed) =
            last.with_context(|| format!("标准输入第 {} 行没有 text 也没有 turns", n + 1))?;
        write_line(&mut out, &line.id, &reply, explained.as_deref(), elapsed)?;
    }
    Ok(())
}

fn write_line(
    out: &mut impl Write,
    id: &str,
    reply: &Reply,
    explain: Option<&str>,
    elapsed: std::time::Duration,
) -> anyhow::Result<()> {
    let line = ReplyLine {
        id,
        kind: reply.kind,
        text: reply.text(),
        citations: &reply.citations,
        entry: reply.entry.as_ref(),
        topic: reply.topic.as_deref(),
        places: &reply.places,
        choices: &reply.choices,
        hotlines: &reply.hotlines,
        rule: reply.rule.as_deref(),
        confidence: reply.confidence,
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        explain,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")?;
    Ok(())
}
