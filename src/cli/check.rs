//! `qijin check`: every finding at once.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;

use super::Config;
use crate::knowledge::{self, Library, Pair, SAME_QUESTION, near_duplicates};

/// Pairs less alike than this are not listed, however many are asked for.
const WORTH_LISTING: f64 = 0.5;

#[derive(Args)]
#[command(after_help = "例：
  qijin check                  检查 knowledge/
  qijin check --statutes       再对照导入的法条核对条号和数字
  qijin check --similar 20     看看哪些问法最容易混
  qijin check --library 草稿/   检查别的文件夹")]
pub(super) struct CheckArgs {
    /// 对照导入的法条：每条引用现行有效、条号没变，每个数字在所引法条里
    #[arg(long)]
    statutes: bool,
    /// 同时列出每个场所、每个大主题有多少条问答
    #[arg(long)]
    counts: bool,
    /// 同时列出不同问答里最像的几对问法
    #[arg(long, value_name = "几对")]
    similar: Option<usize>,
}

pub(super) fn run(config: &Config, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let options = config.load_options();
    let mut loaded = knowledge::load(&config.folders.library, &options)?;
    if args.statutes {
        knowledge::check_statutes(&config.folders.library, &mut loaded, options.today)?;
    }
    let drafts = knowledge::import::drafts(&config.folders.library)?;
    let colour = std::io::stdout().is_terminal();
    for finding in loaded.findings.iter().chain(&drafts) {
        say!("{}\n", finding.render(&loaded.sources, colour));
    }
    if args.counts {
        print_counts(&loaded.library)?;
    }
    let least = args.similar.map_or(SAME_QUESTION, |_| WORTH_LISTING);
    let alike = near_duplicates(&loaded.library, least);
    let same = alike.iter().filter(|p| p.likeness >= SAME_QUESTION).count();
    for pair in &alike[..args
        .similar
        .map_or(same, |most| most.max(same))
        .min(alike.len())]
    {
        print_pair(&loaded.library, pair)?;
    }
    let errors = loaded.errors();
    let warnings = loaded.findings.len() - errors + drafts.len() + same;
    say!(
        "检查了 {} 个文件、{} 条问答：{errors} 处错误，{warnings} 处提醒。",
        loaded.sources.len(),
        loaded.library.entries.len()
    );
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One pair of ways of asking that are easily mixed up.
fn print_pair(library: &Library, pair: &Pair<'_>) -> std::io::Result<()> {
    let what = if pair.likeness >= SAME_QUESTION {
        "提醒[near-duplicate]：两条问答问的几乎一样，合并或改写其中一句"
    } else {
        "相近"
    };
    say!("{what}（相似度 {:.2}）", pair.likeness);
    for (at, way) in [pair.one, pair.other] {
        let entry = &library.entries[at];
        say!("  {}  “{way}” ← {}", entry.origin, entry.question);
    }
    say!();
    Ok(())
}

fn print_counts(library: &Library) -> std::io::Result<()> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
    let mut phrasings: BTreeMap<usize, usize> = BTreeMap::new();
    for entry in &library.entries {
        for place in &entry.places {
            *places.entry(place).or_default() += 1;
        }
        *topics.entry(&entry.topic).or_default() += 1;
        *phrasings.entry(entry.phrasings.len()).or_default() += 1;
    }
    say!("场所（一条可以属于几个）：");
    for place in &library.places {
        say!(
            "  {:<12}{} 条",
            place.name,
            places.get(place.id.as_str()).unwrap_or(&0)
        );
    }
    say!("主题：");
    for topic in &library.topics {
        if topic.is_top() {
            let all = topics
                .iter()
                .filter(|(id, _)| id.starts_with(&format!("{}.", topic.id)));
            say!(
                "  {}  {} 条",
                topic.name,
                all.map(|(_, n)| n).sum::<usize>()
            );
        } else {
            say!(
                "    {}  {} 条",
                topic.name,
                topics.get(topic.id.as_str()).unwrap_or(&0)
            );
        }
    }
    say!("问法个数：");
    for (count, entries) in phrasings {
        say!("  {count} 个问法的问答 {entries} 条");
    }
    say!();
    Ok(())
}
