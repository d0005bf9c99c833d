//! Opening the desk's answerer with a progress bar when there is somebody to see it.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Config;
use crate::answer::Answerer;
use crate::desk;
use crate::search::{IndexInfo, Progress};

/// A bar on stderr, or nothing when stderr is no terminal.
pub(super) fn bar(label: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target).with_message(label);
    // The template is a constant: it parses or every test that builds an index fails.
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// The same for several offices, saying less.
pub(super) fn open_all(offices: &[Config]) -> anyhow::Result<Vec<Answerer>> {
    if let [only] = offices {
        return Ok(vec![open(only, false)?.0]);
    }
    let wanted: Vec<_> = offices
        .iter()
        .map(|config| (config.paths(), config.office.clone()))
        .collect();
    let progress = bar("建立索引");
    let answerers = desk::prepare_all(&wanted, |p: Progress| {
        progress.set_length(p.total as u64);
        progress.set_position(p.done as u64);
    });
    progress.finish_and_clear();
    Ok(answerers?)
}

/// Loads the library and opens its index, building it when needed, and says so on stderr.
pub(super) fn open(config: &Config, force: bool) -> anyhow::Result<(Answerer, IndexInfo, bool)> {
    let progress = bar("建立索引");
    let started = std::time::Instant::now();
    let prepared = desk::prepare(&config.paths(), &config.office, force, |p: Progress| {
        progress.set_length(p.total as u64);
        progress.set_position(p.done as u64);
    })?;
    progress.finish_and_clear();
    if let Some(why) = prepared.rebuilt {
        let seconds = Duration::as_secs_f32(&started.elapsed());
        eprintln!(
            "{why}，已重建索引：{} 条问答，{seconds:.1} 秒。",
            prepared.answerer.library().entries.len()
        );
    }
    Ok((
        prepared.answerer,
        prepared.index,
        prepared.rebuilt.is_some(),
    ))
}
