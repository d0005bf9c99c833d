//! `qijin bench guard`: labelled messages past the guard, without a search.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::answer::{Answerer, Context, ReplyKind};
use crate::cli::{Config, progress};
use crate::search::{Intent, Leaning, Sort};

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
    /// Of those wanted and of near misses: warned of danger before an answer.
    warned: [usize; 2],
    /// Whether a message was to be stopped, and what the examples make of it.
    odds: Vec<(bool, Leaning)>,
}

/// So many parts the examples are split into, each judged by what the others teach.
const PARTS: u64 = 5;
/// Probabilities from which the examples might stop a message.
const LIMITS: [f64; 9] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7];

/// Which part a normalised message belongs to.
fn part(normalized: &str) -> u64 {
    normalized
        .bytes()
        .fold(0, |sum: u64, b| sum.wrapping_mul(31).wrapping_add(b.into()))
        % PARTS
}

/// Those who judge: one, or for every part one who has not seen it.
struct Judges(Vec<Answerer>);

impl Judges {
    fn new(answerer: Answerer, unseen: bool) -> Self {
        if !unseen {
            return Self(vec![answerer]);
        }
        let searcher = answerer.searcher();
        let judges = (0..PARTS).map(|own| {
            let analyser = searcher.analyser();
            let intent = Intent::learn_from(answerer.library(), analyser, |t| part(t) != own);
            answerer.with_searcher(searcher.clone().with_intent(intent))
        });
        Self(judges.collect())
    }

    fn of(&self, text: &str) -> &Answerer {
        let first = &self.0[0];
        // As many judges as parts, or one; the remainder is below their number.
        let part = part(&first.searcher().analyser().normalize(text)) as usize;
        self.0.get(part).unwrap_or(first)
    }
}

/// Prints a line a file, with `missed` every message that was taken wrongly, with `unseen` what the
/// examples alone would stop at various limits.
pub(super) fn run(
    config: &Config,
    files: &[PathBuf],
    missed: bool,
    unseen: bool,
) -> anyhow::Result<()> {
    let (answerer, _, _) = progress::open(config, false)?;
    let judges = Judges::new(answerer, unseen);
    for file in files {
        let tally = measure(&judges, file, missed)?;
        say!(
            "{}：该拦的 {} 句拦住 {}，不该拦的 {} 句误拦 {}；答复前先提醒危险的 {} 句和 {} 句",
            file.display(),
            tally.wanted,
            tally.found,
            tally.near_misses,
            tally.false_alarms,
            tally.warned[0],
            tally.warned[1]
        );
        let sorts = [
            (Sort::Emergency, "危险"),
            (Sort::Refuse, "不帮"),
            (Sort::Other, "别的话"),
        ];
        for (sort, name) in sorts.into_iter().filter(|_| unseen) {
            let counts = LIMITS.map(|limit| {
                let beyond = |odds: &&(bool, Leaning)| odds.1.of(sort) >= limit;
                let stopped = tally.odds.iter().filter(beyond);
                let wanted = stopped.clone().filter(|(wanted, _)| *wanted).count();
                format!("{limit}:{wanted}/{}", stopped.count() - wanted)
            });
            say!(
                "  只看例子，{name}（界线:对的/错的）  {}",
                counts.join("  ")
            );
        }
    }
    Ok(())
}

/// The probability of every sort, in words.
fn told(leaning: &Leaning) -> String {
    let odds = |(name, sort)| format!("{name} {:.3}", leaning.of(sort));
    [
        ("法律", Sort::Legal),
        ("别的", Sort::Other),
        ("不帮", Sort::Refuse),
        ("危险", Sort::Emergency),
    ]
    .map(odds)
    .join(" ")
}

fn measure(judges: &Judges, file: &Path, missed: bool) -> anyhow::Result<Tally> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("读不了 {}", file.display()))?;
    let mut tally = Tally::default();
    let lines = text.lines().enumerate();
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let at = || format!("{} 第 {} 行", file.display(), n + 1);
        let message: Message = serde_json::from_str(line).with_context(at)?;
        let expected = message.expected().with_context(at)?;
        let answerer = judges.of(&message.text);
        let reply = answerer.think(&Context::default(), &message.text)?.reply;
        let (yes, taken) = match &expected {
            Expected::Emergency(yes) => (*yes, reply.kind == ReplyKind::Emergency),
            Expected::Refuse(yes) => (*yes, reply.kind == ReplyKind::Refuse),
            // What nobody can answer may also end as "not in the library".
            Expected::Other(yes) => (
                *yes,
                match reply.kind {
                    ReplyKind::Answer | ReplyKind::Choices | ReplyKind::Statute => false,
                    ReplyKind::Unknown => *yes,
                    ReplyKind::Smalltalk | ReplyKind::Refuse | ReplyKind::Emergency => true,
                },
            ),
        };
        let searcher = answerer.searcher();
        let normalized = searcher.analyser().normalize(&message.text);
        let leaning = searcher.intent().map(|intent| intent.lean(&normalized));
        let danger = matches!(expected, Expected::Emergency(_));
        if danger && !taken && reply.rule.is_some() {
            tally.warned[usize::from(!yes)] += 1;
        }
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
                "{}\t{kind}\t{rule}\t{}\t{}",
                if yes { "漏" } else { "误" },
                leaning.as_ref().map_or_else(|| "-".to_owned(), told),
                message.text
            );
        }
        tally.odds.extend(leaning.map(|leaning| (yes, leaning)));
    }
    Ok(tally)
}
