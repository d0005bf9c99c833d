//! `qijin search`: retrieval alone.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Config, progress};
use crate::answer::Answerer;
use crate::knowledge::EntryId;
use crate::search::Found;

#[derive(Args)]
#[command(after_help = "例：
  qijin search 邻居盖房挡光 --limit 5
  qijin search --jsonl < 问题.jsonl    每行 {\"id\":\"1\",\"text\":\"…\"}")]
pub(super) struct SearchArgs {
    /// 检索词
    #[arg(value_name = "文字", conflicts_with = "jsonl")]
    text: Vec<String>,
    /// 最多几条
    #[arg(long, default_value_t = 10, value_name = "条数")]
    limit: usize,
    /// 从标准输入逐行读 JSON，逐行输出 JSON
    #[arg(long)]
    jsonl: bool,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
}

#[derive(Serialize)]
struct HitsLine<'a> {
    id: &'a str,
    hits: Vec<HitLine<'a>>,
    elapsed_us: u64,
}

#[derive(Serialize)]
struct HitLine<'a> {
    kind: &'static str,
    entry: Option<&'a EntryId>,
    law: &'a str,
    article: &'a str,
    score: f64,
}

pub(super) fn run(config: &Config, args: &SearchArgs) -> anyhow::Result<ExitCode> {
    let (answerer, _, _) = progress::open(config, false)?;
    let mut out = std::io::stdout().lock();
    if args.jsonl {
        for (n, line) in std::io::stdin().lock().lines().enumerate() {
            let line: Line = serde_json::from_str(&line?)
                .with_context(|| format!("标准输入第 {} 行不是要求的 JSON", n + 1))?;
            let started = Instant::now();
            let found = answerer.searcher().search(&line.text, args.limit)?;
            let elapsed = started.elapsed();
            write_line(&mut out, &answerer, &line.id, &found, elapsed)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = args.text.join(" ");
    anyhow::ensure!(
        !text.is_empty(),
        "要检索什么？例：qijin search 邻居盖房挡光"
    );
    let found = answerer.searcher().search(&text, args.limit)?;
    writeln!(out, "把握 {:.2}", found.confidence)?;
    for hit in &found.hits {
        if let Some(entry) = answerer.library().entry(&hit.entry) {
            writeln!(
                out,
                "{:7.2}  {}  ({})",
                hit.score, entry.question, hit.entry
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_line(
    out: &mut impl Write,
    answerer: &Answerer,
    id: &str,
    found: &Found,
    elapsed: std::time::Duration,
) -> anyhow::Result<()> {
    let hits = found
        .hits
        .iter()
        .map(|hit| {
            let first = answerer
                .library()
                .entry(&hit.entry)
                .and_then(|e| e.basis.first());
            HitLine {
                kind: "entry",
                entry: Some(&hit.entry),
                law: first.map_or("", |b| b.citation.law.as_str()),
                article: first.map_or("", |b| b.citation.article.as_str()),
                score: hit.score,
            }
        })
        .collect();
    let line = HitsLine {
        id,
        hits,
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")?;
    Ok(())
}
