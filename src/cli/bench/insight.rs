//! `qijin bench effects` and `bench figures`: how often figures are right, and how fast they come.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::super::{Config, progress, runtime};
use crate::insight::demo::{plain_topics, simulate, summarise};
use crate::insight::{Figures, Material, Meanings, Period, gather};
use crate::journal::{Database, Journal, Keys, PastQuestion, Record, day_start};
use crate::knowledge::{self, Library};
use crate::text::Analyser;

/// Sets of true effects that are simulated; the first is the demonstration's.
const EFFECTS: [[f64; 3]; 3] = [[2.0, 0.55, 1.0], [1.5, 0.75, 1.25], [3.0, 0.4, 0.8]];

/// Simulates many years and says how often the figures were right.
pub(super) fn effects(seeds: u64) -> anyhow::Result<ExitCode> {
    // Any day does; the year's weekdays depend on it.
    let last = NaiveDate::from_ymd_opt(2026, 10, 31).context("日期")?;
    let topics = plain_topics();
    for effects in EFFECTS {
        let bar = progress::bar("模拟");
        bar.set_length(seeds);
        let outcomes: Vec<_> = (1..=seeds)
            .map(|seed| {
                bar.inc(1);
                simulate(seed, last, &topics, effects)
            })
            .collect();
        bar.finish_and_clear();
        let found = summarise(&outcomes);
        let (covered, of) = found.covered;
        say!(
            "{seeds} 年，真实效果 {effects:?}：95% 区间包含真值 {covered}/{of} = {:.3}",
            covered as f64 / of.max(1) as f64
        );
        for (truth, (covered, of), [more, fewer, same, undecided]) in &found.by_effect {
            say!(
                "  真值 {truth}：包含 {:.3}（{of} 个）；问得多了 {more}，问得少了 {fewer}，看不出变化 {same}，不足以判断 {undecided}（{:.3}）",
                *covered as f64 / (*of).max(1) as f64,
                *undecided as f64 / seeds as f64
            );
        }
        say!(
            "  没覆盖的场所被点名 {}/{seeds}；突增两天内发现 {}/{seeds}；误报每年 {:.2} 次，每千个主题日 {:.3} 次",
            found.neglected_named,
            found.burst_in_time,
            found.false_alarms,
            found.false_alarms_per_1000
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Years that the rows are spread over: a year can then be compared with the one before.
const YEARS: u64 = 2;
const BATCH: usize = 10_000;

/// Fills a database with `rows` questions, or takes the one that is there, and times every figure.
pub(super) fn figures(config: &Config, rows: u64, into: &Path) -> anyhow::Result<ExitCode> {
    let library = knowledge::load(&config.folders.library, &config.load_options())?.library;
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let started = Instant::now();
    let meanings = Meanings::new(&library, &analyser);
    say!("资料库的含义：{:.2} 秒", started.elapsed().as_secs_f64());
    let last = NaiveDate::from_ymd_opt(2026, 10, 31).context("日期")?;
    runtime()?.block_on(async {
        let url = format!("sqlite:{}", into.join("qijin.sqlite").display());
        let keys = Keys::open_or_create(&into.join("local.key"))?;
        let journal = Journal::new(Database::open(&url).await?, keys, 30);
        let there = journal.count().await?;
        if there == 0 {
            fill(&journal, &library, rows, last).await?;
        } else if there != i64::try_from(rows)? {
            bail!("{} 里已有 {there} 条提问，不是 {rows} 条", into.display());
        }
        let now = DateTime::from_timestamp_millis(day_start(last) + 26 * 3_600_000);
        let now = now.context("日期")?;
        let started = Instant::now();
        let bar = progress::bar("汇总");
        let days = journal
            .roll_up(now, |done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            })
            .await?;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        say!("汇总 {days} 天：{seconds:.1} 秒，最大内存 {} MiB", peak());
        let periods = [("一个月", Period::month_of(last)), ("一年", year(last))];
        for (name, period) in periods {
            let started = Instant::now();
            let material = gather(&journal, period, Vec::new(), now).await?;
            let read = started.elapsed().as_secs_f64();
            let started = Instant::now();
            let figures = Figures::of(&material, &library, &meanings);
            let made = started.elapsed().as_secs_f64();
            say!(
                "有汇总，{name}：读 {read:.2} 秒，算 {made:.2} 秒；提问 {}，提问人 {}，隐去 {} 格；最大内存 {} MiB",
                figures.volume.questions,
                figures.volume.askers.count,
                figures.hidden.len(),
                peak()
            );
        }
        for (name, period) in periods {
            let early = period.before().from.checked_sub_days(Days::new(1));
            let started = Instant::now();
            let facts = journal.facts(early.unwrap_or(period.from), period.to).await?;
            let read = started.elapsed().as_secs_f64();
            let started = Instant::now();
            let held = Period::new(period.before().from, period.to);
            let material = Material::of_facts(&facts, period, held, Vec::new());
            let figures = Figures::of(&material, &library, &meanings);
            let made = started.elapsed().as_secs_f64();
            say!(
                "无汇总，{name}（连同前一期）：读 {read:.2} 秒，算 {made:.2} 秒；提问 {}，提问人 {}；最大内存 {} MiB",
                figures.volume.questions,
                figures.volume.askers.count,
                peak()
            );
        }
        journal.database().close().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn year(last: NaiveDate) -> Period {
    Period::new(last.checked_sub_days(Days::new(364)).unwrap_or(last), last)
}

async fn fill(
    journal: &Journal,
    library: &Library,
    rows: u64,
    last: NaiveDate,
) -> anyhow::Result<()> {
    let mut rng = fastrand::Rng::with_seed(7);
    let from = day_start(last) - (YEARS as i64 * 365 - 1) * 86_400_000;
    let step = (YEARS * 365 * 86_400_000 / rows.max(1)).max(1);
    let bar = progress::bar("写入");
    bar.set_length(rows);
    let started = Instant::now();
    let mut batch = Vec::with_capacity(BATCH);
    for n in 0..rows {
        let at = DateTime::<Utc>::from_timestamp_millis(from + (n * step) as i64);
        let entry = &library.entries[rng.usize(0..library.entries.len())];
        let unknown = rng.f64() < 0.1;
        batch.push(PastQuestion {
            record: Record {
                at: at.unwrap_or_default(),
                channel: "telegram".to_owned(),
                asker: Some(
                    journal
                        .keys()
                        .asker("bench", &rng.u64(0..rows / 5 + 1).to_string()),
                ),
                region: Some(format!("r{:02}", rng.u32(1..13))),
                board: None,
                place: entry.places.first().cloned(),
                topic: Some(entry.topic.clone()),
                topic_confidence: rng.f64(),
                kind: if unknown { "unknown" } else { "answer" }.to_owned(),
                entry: (!unknown).then(|| entry.id.0.clone()),
                rule: None,
                confidence: rng.f64(),
                reply: String::new(),
                latency_us: 2_000,
                // Words are kept for 30 days only.
                text: if rows - n < rows / (YEARS * 12) {
                    entry.phrasings.first().unwrap_or(&entry.question).clone()
                } else {
                    String::new()
                },
                parent: None,
                request: None,
            },
            helpful: (rng.f64() < 0.1).then(|| rng.f64() < 0.9),
            picked: None,
            handed_over: false,
        });
        if batch.len() == BATCH || n + 1 == rows {
            journal.fill(&batch).await?;
            batch.clear();
            bar.set_position(n + 1);
        }
    }
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    say!(
        "写入 {rows} 条：{seconds:.1} 秒，每秒 {:.0} 条",
        rows as f64 / seconds
    );
    Ok(())
}

/// The most memory this process ever had, in MiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string(PathBuf::from("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
