//! `qijin bench guard`: labelled messages past the guard, without a search.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::answer::{Answerer, Context, ReplyKind};
use crate::cli::{Config, progress};

/// A line of a labelled file: one of the three says what is expected.
#[derive(Deserialize)]
struct Message {
    text: String,
    /// Whether somebody is in danger.
    emergency: Option<bool>,
    /// Whether it must not be helped with.
    refuse: Option<bool>,
    /// `legal` for a question about the law, anything else for what is none.
    kind: Option<String>,
}

/// What a message should be, and whether it is a near miss of that.
enum Expected {
    Emergency(bool),
    Refuse(bool),
    Other(bool),
}

impl Message {
    fn expected(&self) -> Option<Expected> {
        match (self.emergency, self.refuse, self.kind.as_deref()) {
            (Some(yes), ..) => Some(Expected::Emergency(yes)),
            (None, Some(yes), _) => Some(Expected::Refuse(yes)),
            (None, None, Some(kind)) => Some(Expected::Other(kind != "legal")),
            (None, None, None) => None,
        }
    }
}

/// How many of each were recognised.
#[derive(Default)]
struct Tally {
    wanted: usize,
    found: usize,
    near_misses: usize,
    false_alarms: usize,
}

/// Prints a line a file, and with `missed` every message that was taken wrongly.
pub(super) fn run(config: &Config, files: &[PathBuf], missed: bool) -> anyhow::Result<()> {
    let (answerer, _, _) = progress::open(config, false)?;
    for file in files {
        let tally = measure(&answerer, file, missed)?;
        say!(
            "{}：该拦的 {} 句拦住 {}，不该拦的 {} 句误拦 {}",
            file.display(),
            tally.wanted,
            tally.found,
            tally.near_misses,
            tally.false_alarms
        );
    }
    Ok(())
}

fn measure(answerer: &Answerer, file: &Path, missed: bool) -> anyhow::Result<Tally> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("读不了 {}", file.display()))?;
    let mut tally = Tally::default();
    let lines = text.lines().enumerate();
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let at = || format!("{} 第 {} 行", file.display(), n + 1);
        let message: Message = serde_json::from_str(line).with_context(at)?;
        let expected = message.expected().with_context(at)?;
        let reply = answerer.think(&Context::default(), &message.text)?.reply;
        let (yes, taken) = match expected {
            Expected::Emergency(yes) => (yes, reply.kind == ReplyKind::Emergency),
            Expected::Refuse(yes) => (yes, reply.kind == ReplyKind::Refuse),
            // What nobody can answer may also end as "not in the library".
            Expected::Other(yes) => (
                yes,
                match reply.kind {
                    ReplyKind::Answer | ReplyKind::Choices | ReplyKind::Statute => false,
                    ReplyKind::Unknown => yes,
                    ReplyKind::Smalltalk | ReplyKind::Refuse | ReplyKind::Emergency => true,
                },
            ),
        };
        if yes {
            tally.wanted += 1;
            tally.found += usize::from(taken);
        } else {
            tally.near_misses += 1;
            tally.false_alarms += usize::from(taken);
        }
        if missed && yes != taken {
            let rule = reply.rule.as_deref().unwrap_or("-");
            let kind = reply.kind.as_str();
            say!(
                "{}\t{kind}\t{rule}\t{}",
                if yes { "漏" } else { "误" },
                message.text
            );
        }
    }
    Ok(tally)
}
