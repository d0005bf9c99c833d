//! `qijin bench`: measuring retrieval on the library's own phrasings, fitting the confidence, and
//! measuring figures.

mod guard;
mod insight;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{Config, progress};
use crate::journal::TOPIC_THRESHOLD;
use crate::search::article_tuning::{self, ArticleFigures, Case};
use crate::search::{
    ArticleModel, Labelled, Model, bench_phrasings, fit_confidence, fit_ranking, fit_topic, judge,
    reliability,
};

#[derive(Args)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Subcommand)]
enum BenchCommand {
    /// 模拟许多年，看成效分析说得对不对：区间包含真值的比例、误报、不足以判断的比例
    Effects {
        /// 模拟多少年
        #[arg(long, value_name = "数", default_value_t = 200)]
        seeds: u64,
    },
    /// 往一个空文件夹里写许多提问，测量各项数字要多久
    Figures {
        /// 写多少条
        #[arg(long, value_name = "数", default_value_t = 5_000_000)]
        rows: u64,
        /// 写到哪个文件夹；里面已有这么多条就直接用
        #[arg(long, value_name = "文件夹")]
        into: PathBuf,
    },
    /// 用带答案的提问测量法条检索，和只用词的普通检索比
    Articles {
        /// 每行 {"text":"…","gold":[{"law":"…","article":"…"}]}；没有 gold 的表示没有法条能答
        #[arg(value_name = "文件", required = true)]
        questions: Vec<PathBuf>,
        /// 用结果重新拟合权重（五折交叉验证），写到这个文件（开发者用：src/search/articles/model.toml）
        #[arg(long, value_name = "文件")]
        fit: Option<PathBuf>,
    },
    /// 带标注的消息过一遍安全闸：该拦的拦住多少，不该拦的误拦多少
    Guard {
        /// 每行 {"text":"…"} 加 "emergency"、"refuse"（true/false）或 "kind"（legal 表示是法律问题）
        #[arg(value_name = "文件", required = true)]
        messages: Vec<PathBuf>,
        /// 列出拦错的
        #[arg(long)]
        missed: bool,
        /// 例子里有的消息，用没学过它的例子来判（分五份轮流学），并列出例子的各种界线拦多少
        #[arg(long)]
        unseen: bool,
    },
    /// 每个问法轮流不放进索引、拿来提问：自己的那条排第几
    Phrasings {
        /// 列出没排到第一的问法
        #[arg(long)]
        missed: bool,
        /// 用结果重新拟合排序和置信度，写到这个文件（开发者用：src/search/model.toml）
        #[arg(long, value_name = "文件")]
        fit: Option<PathBuf>,
        /// 只重新拟合主题的把握，其余不变，写到这个文件
        #[arg(long, value_name = "文件", conflicts_with = "fit")]
        fit_topic: Option<PathBuf>,
        /// 拟合和置信度表再算上真实提问：每行 {"text":"…","gold":[{"law":"…","article":"…"}]}，
        /// 没有 gold 的表示不该回答；可以给几个文件
        #[arg(long, value_name = "文件")]
        messages: Vec<PathBuf>,
    },
}

pub(super) fn run(config: &Config, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        BenchCommand::Effects { seeds } => insight::effects(*seeds),
        BenchCommand::Figures { rows, into } => insight::figures(config, *rows, into),
        BenchCommand::Articles { questions, fit } => articles(config, questions, fit.as_deref()),
        BenchCommand::Guard {
            messages,
            missed,
            unseen,
        } => {
            guard::run(config, messages, *missed, *unseen)?;
            Ok(ExitCode::SUCCESS)
        }
        BenchCommand::Phrasings {
            missed,
            fit,
            fit_topic,
            messages,
        } => {
            let fits = (fit.as_deref(), fit_topic.as_deref());
            phrasings(config, *missed, fits, messages)
        }
    }
}

fn articles(config: &Config, files: &[PathBuf], to: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (answerer, _, _) = progress::open(config, false)?;
    let shelf = answerer.lawbook().articles();
    let shelf = shelf.context("还没有导入法条：先运行 qijin import statutes 文件夹")?;
    let questions = read_labelled(files)?;
    let mut model = ArticleModel::shipped();
    let bar = progress::bar("提问");
    bar.set_length(questions.len() as u64);
    let (searcher, library) = (answerer.searcher(), answerer.library());
    let tick = |done: usize| bar.set_position(done as u64);
    let cases = article_tuning::cases(&questions, shelf, searcher, library, &model, tick)?;
    let plain = ArticleModel {
        fields: [1.0, 0.0, 0.0],
        linear: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        chapter: 0.0,
        prior: 0.0,
        ..model.clone()
    };
    let tick = |done: usize| bar.set_position(done as u64);
    let plain_cases = article_tuning::cases(&questions, shelf, searcher, library, &plain, tick)?;
    bar.finish_and_clear();
    let row = |name: &str, f: ArticleFigures| -> anyhow::Result<()> {
        say!(
            "{name}：R@10 {:.3}，hit@5 {:.3}，MRR@10 {:.3}",
            f.recall_10,
            f.hit_5,
            f.mrr_10
        );
        Ok(())
    };
    row(
        "普通检索（词，BM25）",
        article_tuning::measure(&plain_cases, &plain),
    )?;
    row("现在的权重", article_tuning::measure(&cases, &model))?;
    if let Some(file) = to {
        row("交叉验证", article_tuning::cross_validate(&cases, &model))?;
        let all: Vec<&Case> = cases.iter().collect();
        model = article_tuning::fit(&all, &model);
        model = article_tuning::fit_confidence(&cases, &model);
        row(
            "新权重（在同一批上）",
            article_tuning::measure(&cases, &model),
        )?;
        let text = format!(
            "# Learned figures of article ranking. Made by `qijin bench articles --fit`; see src/search/articles/rank.rs.\n{}",
            toml::to_string(&model)?
        );
        std::fs::write(file, text).with_context(|| format!("写不了 {}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn phrasings(
    config: &Config,
    missed: bool,
    (fit, fit_only_topic): (Option<&Path>, Option<&Path>),
    labelled: &[PathBuf],
) -> anyhow::Result<ExitCode> {
    let (answerer, _, _) = progress::open(config, false)?;
    let mut model = Model::shipped();
    let ask = |model: &Model| {
        let bar = progress::bar("轮流提问");
        let analyser = answerer.searcher().analyser();
        let report = bench_phrasings(answerer.library(), analyser, model, |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        report
    };
    let mut report = ask(&model)?;
    let questions = read_labelled(labelled)?;
    if fit.is_some() {
        // Candidates depend on the ranking a little, so it is fitted twice; the confidence is
        // fitted on what the final ranking puts first.
        for _ in 0..2 {
            let searcher = answerer.searcher().with_model(model.clone());
            report.add_labelled(&searcher, answerer.library(), &questions)?;
            model = fit_ranking(&model, &report);
            report = ask(&model)?;
        }
        let searcher = answerer.searcher().with_model(model.clone());
        let judged = judge(&searcher, answerer.library(), &questions)?;
        model = fit_confidence(&model, &report, &judged);
    }
    if let Some(file) = fit.or(fit_only_topic) {
        model = fit_topic(&model, &report);
        let text = format!(
            "# Learned figures of search. Made by `qijin bench phrasings --fit`; see src/search/confidence.rs.\n{}",
            toml::to_string(&model)?
        );
        std::fs::write(file, text).with_context(|| format!("写不了 {}", file.display()))?;
    }
    if missed {
        for (phrasing, own, first) in &report.missed {
            say!("{phrasing}\n    应是 {own}\n    却是 {first}");
        }
    }
    let share = |n: usize| n as f64 / report.asked.max(1) as f64;
    say!(
        "提问 {} 次：自己那条第一 {:.3}，前三 {:.3}；第一条依据相同 {:.3}",
        report.asked,
        share(report.first),
        share(report.in_three),
        share(report.same_law)
    );
    for (there, case) in [(true, "问答在库里"), (false, "问答不在库里")] {
        for threshold in [0.3, 0.4, TOPIC_THRESHOLD, 0.6, 0.7] {
            let [right, wrong, other, spared] = report.topic_placement(&model, threshold, there);
            let n = (right + wrong + other).max(1) as f64;
            say!(
                "主题（{case}，把握 ≥ {threshold}）：归对 {:.3}，归错 {:.3}，其他 {:.3}（其中最近的主题其实对 {:.3}）",
                right as f64 / n,
                wrong as f64 / n,
                other as f64 / n,
                spared as f64 / n
            );
        }
    }
    let searcher = answerer.searcher().with_model(model.clone());
    let messages = judge(&searcher, answerer.library(), &questions)?;
    let (_, out_of_scope): (Vec<_>, Vec<_>) = questions.iter().partition(|q| !q.gold.is_empty());
    let out_of_scope: Vec<Labelled> = out_of_scope.into_iter().cloned().collect();
    let out_of_scope = judge(&searcher, answerer.library(), &out_of_scope)?;
    let withheld = [report.judged(), &out_of_scope].concat();
    for (name, judged) in [("轮流提问和不该答的", &withheld), ("真实提问", &messages)]
    {
        if judged.is_empty() {
            continue;
        }
        let (error, rows) = reliability(&model, judged);
        say!("{name}：置信度误差 {error:.3}（平均把握 → 实际对的比例，次数）");
        for (confidence, right, size) in rows {
            say!("  {confidence:.2} → {right:.2}  {size}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_labelled(files: &[PathBuf]) -> anyhow::Result<Vec<Labelled>> {
    let mut out = Vec::new();
    for file in files {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("读不了 {}", file.display()))?;
        for (n, line) in text
            .lines()
            .enumerate()
            .filter(|(_, l)| !l.trim().is_empty())
        {
            let question = serde_json::from_str(line)
                .with_context(|| format!("{} 第 {} 行不是要求的 JSON", file.display(), n + 1))?;
            out.push(question);
        }
    }
    Ok(out)
}
