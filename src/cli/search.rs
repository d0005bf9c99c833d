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
    /// 检索普法问答还是法条（法条要先 qijin import statutes）
    #[arg(long, value_enum, default_value_t = Kind::Entry)]
    kind: Kind,
    /// 从标准输入逐行读 JSON，逐行输出 JSON
    #[arg(long)]
    jsonl: bool,
}

/// What is searched.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// 普法问答
    Entry,
    /// 法条
    Article,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
}

#[derive(Serialize)]
struct HitsLine<'a> {
    id: &'a str,
    hits: Vec<HitLine>,
    elapsed_us: u64,
}

#[derive(Serialize)]
struct HitLine {
    kind: &'static str,
    entry: Option<EntryId>,
    law: String,
    article: String,
    score: f64,
}

pub(super) fn run(config: &Config, args: &SearchArgs) -> anyhow::Result<ExitCode> {
    let (answerer, _, _) = progress::open(config, false)?;
    if args.kind == Kind::Article {
        anyhow::ensure!(
            answerer.lawbook().articles().is_some(),
            "还没有导入法条：先运行 qijin import statutes 文件夹"
        );
    }
    let mut out = std::io::stdout().lock();
    if args.jsonl {
        for (n, line) in std::io::stdin().lock().lines().enumerate() {
            let line: Line = serde_json::from_str(&line?)
                .with_context(|| format!("标准输入第 {} 行不是要求的 JSON", n + 1))?;
            let started = Instant::now();
            let found = find(&answerer, &line.text, args)?;
            let elapsed = started.elapsed();
            write_line(&mut out, &line.id, found, elapsed)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = args.text.join(" ");
    anyhow::ensure!(
        !text.is_empty(),
        "要检索什么？例：qijin search 邻居盖房挡光"
    );
    for hit in find(&answerer, &text, args)? {
        let law = format!("《{}》{}", hit.law, hit.article);
        match hit.entry.and_then(|id| answerer.library().entry(&id)) {
            Some(entry) => writeln!(out, "{:7.2}  {}  ({})", hit.score, entry.question, entry.id)?,
            None => writeln!(out, "{:7.2}  {law}", hit.score)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(answerer: &Answerer, text: &str, args: &SearchArgs) -> anyhow::Result<Vec<HitLine>> {
    if args.kind == Kind::Entry {
        let found = answerer.searcher().search(text, args.limit)?;
        let hits = found.hits.into_iter().map(|hit| {
            let entry = answerer.library().entry(&hit.entry);
            let first = entry.and_then(|e| e.basis.first());
            HitLine {
                kind: "entry",
                law: first.map_or_else(String::new, |b| b.citation.law.clone()),
                article: first.map_or_else(String::new, |b| b.citation.article.clone()),
                score: hit.score,
                entry: Some(hit.entry),
            }
        });
        return Ok(hits.collect());
    }
    let hits = answerer.articles_for(text, args.limit)?;
    let hits = hits.into_iter().map(|hit| HitLine {
        kind: "article",
        entry: None,
        law: hit.article.law,
        article: hit.article.label,
        score: hit.score,
    });
    Ok(hits.collect())
}

fn write_line(
    out: &mut impl Write,
    id: &str,
    hits: Vec<HitLine>,
    elapsed: std::time::Duration,
) -> anyhow::Result<()> {
    let line = HitsLine {
        id,
        hits,
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")?;
    Ok(())
}
