//! A turn of a conversation: does it go on with the matter in hand, and from what is it answered?
//!
//! Pure over values. A turn is weighed by evidence: what it opens with, how much it says itself,
//! how much of that is foreign to the matter in hand, and how sure the search is of it alone and
//! beside what was said before. No sign decides alone.

use std::collections::HashSet;
use std::ops::Add;

use super::conversation::Context;
use crate::knowledge::{EntryId, Library};
use crate::search::{Found, Hit, Reading, TopicGuess};

/// What people say before they turn to something else.
pub(super) const TURNS_AWAY: [&str; 34] = [
    "换个",
    "换一个",
    "换件",
    "另外",
    "另一个",
    "另一件",
    "还有一件",
    "还有个",
    "还有啊",
    "再问",
    "再请教",
    "再请问",
    "再咨询",
    "顺便问",
    "顺便请教",
    "问别的",
    "问另外",
    "问个别的",
    "对了",
    "对咯",
    "话说",
    "不是这个",
    "不说这个",
    "不问这个",
    "先不说",
    "先放一放",
    "说个别的",
    "别的事",
    "其他问题",
    "其它问题",
    "新问题",
    "第二个问题",
    "还想问",
    "还有件",
];
/// The same, but only as the first words of a turn.
const TURNS_AWAY_FIRST: [&str; 5] = ["还有", "诶", "哎", "算了", "咨询"];
/// What people say to what they just read, or while they look for words; it is no part of what they ask.
const HEARD: [&str; 29] = [
    "好的",
    "好吧",
    "好",
    "行吧",
    "那行",
    "行",
    "嗯嗯",
    "嗯",
    "哦哦",
    "哦",
    "噢",
    "喔",
    "懂了",
    "懂",
    "明白了",
    "明白",
    "知道了",
    "晓得了",
    "这个知道了",
    "这个懂了",
    "了解了",
    "了解",
    "谢谢了",
    "谢谢",
    "多谢",
    "收到",
    "是的",
    "那个",
    "这个",
];
/// Words that point back.
const POINTS_BACK: [&str; 18] = [
    "那", "这", "他", "她", "它", "要是", "如果", "万一", "不过", "但是", "可是", "结果", "对方",
    "人家", "然后", "可以", "需要", "能",
];
/// Words after which a turn ends when something is asked of the matter in hand.
const TRAILS: [&str; 4] = ["呢", "咧", "嘞", "哩"];

/// Letters that make another word of a leading 那.
const AFTER_THAT: &str = "个边里样种些位年天时儿会么次家间块条头";

/// A turn without what merely leads into it.
pub(super) struct Opening {
    /// What is asked.
    pub rest: String,
    /// Whether it says that something else comes.
    pub away: bool,
    /// Whether it opens with a word that points back, or trails off.
    pub back: bool,
}

impl Opening {
    /// A first turn: taken as it stands.
    pub fn none(turn: &str) -> Self {
        Self {
            rest: turn.to_owned(),
            away: false,
            back: false,
        }
    }

    /// How a later turn opens.
    pub fn of(turn: &str) -> Self {
        let gap = |c: char| !c.is_alphanumeric();
        let mut rest = turn.trim_matches(gap);
        let heard = |rest: &str| HEARD.iter().any(|word| rest.starts_with(word));
        while let Some(behind) = HEARD.iter().find_map(|word| {
            let behind = rest.strip_prefix(word)?;
            // One or two letters may be the start of another word (行政): a gap or more of the
            // same must follow.
            let apart = behind.starts_with(gap) || heard(behind) || word.chars().count() > 2;
            (apart && !behind.trim_matches(gap).is_empty()).then_some(behind)
        }) {
            rest = behind.trim_start_matches(gap);
        }
        let away = TURNS_AWAY.iter().any(|word| rest.contains(word))
            || TURNS_AWAY_FIRST.iter().any(|word| rest.starts_with(word));
        let back = POINTS_BACK.iter().any(|word| rest.starts_with(word))
            || TRAILS.iter().any(|word| rest.ends_with(word));
        // A leading 那 points back; to the search it says nothing.
        if let Some(behind) = rest.strip_prefix('那')
            && !behind.is_empty()
            && !behind.starts_with(|c| AFTER_THAT.contains(c))
        {
            rest = behind;
        }
        Self {
            rest: rest.to_owned(),
            away,
            back,
        }
    }
}

/// What is seen of a turn beside the matter in hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Signs {
    /// It says that something else comes.
    pub away: bool,
    /// It opens with a word that points back, or trails off with 呢.
    pub back: bool,
    /// How much it says itself: its telling words, a rare one counting 1, a common one less.
    pub own: f64,
    /// How much of that no entry on the topic in hand knows.
    pub foreign: f64,
    /// How sure the search is of the turn alone.
    pub alone: f64,
    /// Whether the turn alone finds the topic in hand.
    pub alone_in_hand: bool,
    /// Whether it is, nearly word for word, a question known by itself on another topic.
    pub whole: bool,
    /// How sure the search is of the turn beside what was said before.
    pub beside: f64,
    /// Whether that stays on the topic in hand.
    pub beside_in_hand: bool,
    /// How sure the reply before was.
    pub before: f64,
}

/// Bias and weights of the follow-up probability, in the order of [`Signs::vector`]: a logistic
/// regression over `tests/data/understanding/dialogues.jsonl`, both answers counting alike. In ten
/// cross-validated parts it took 3 of 134 follow-ups for a new matter and 1 of 43 new matters for a
/// follow-up. That a turn is a known question word for word does not occur in them: whoever says
/// one asks it, so its weight is set to outweigh the others.
const WEIGHTS: [f64; 9] = [
    4.873, -3.669, 1.641, -3.754, -1.425, 1.612, -4.0, 1.408, 0.777,
];
/// By how much of the best score an entry on the topic in hand is put ahead.
const AHEAD: f64 = 0.15;
/// The same for a turn that says little.
const AHEAD_IF_SHORT: f64 = 0.6;
/// A turn that says less than this many rare words does not lead to another topic.
const SAYS_LITTLE: f64 = 1.25;
/// A turn that says this many rare words is understood as well alone.
const SAYS_IT_ALL: f64 = 2.0;
/// How much of what a turn finds by itself counts when that is on another topic.
const ELSEWHERE: f64 = 0.4;
/// A way of asking that says this share of a turn, and of which the turn says this share, is it.
const WORD_FOR_WORD: f64 = 0.8;
/// How much of the certainty of the reply before passes to a follow-up that the search is less sure
/// of: the matter is the same, the entry may not be.
const PASSES_ON: f64 = 0.6;

impl Signs {
    /// Looks at a turn.
    pub(super) fn see(
        library: &Library,
        context: &Context,
        reading: &Reading,
        opening: &Opening,
        alone: &Found,
        beside: &Found,
    ) -> Self {
        let in_hand = |found: &Found| {
            let first = found.hits.first();
            first.is_some_and(|hit| context.holds(library, &hit.entry))
        };
        // With nothing in hand, the matter is what both turns together are about.
        let first = beside.hits.first().filter(|_| context.hand.is_empty());
        let guessed = first.map(|hit| Context::picked(hit.entry.clone(), ""));
        let matter = guessed.as_ref().unwrap_or(context);
        let foreign = reading.words.iter().filter(|word| {
            let mut entries = word.entries.iter();
            !entries.any(|entry| matter.holds(library, entry))
        });
        Self {
            away: opening.away,
            back: opening.back,
            own: reading.words.iter().map(|w| w.weight).fold(0.0, f64::add),
            foreign: foreign.map(|w| w.weight).fold(0.0, f64::add),
            alone: alone.confidence,
            alone_in_hand: in_hand(alone),
            whole: !in_hand(alone)
                && alone.hits.first().is_some_and(|hit| {
                    hit.features.coverage.min(hit.features.likeness) >= WORD_FOR_WORD
                }),
            beside: beside.confidence,
            beside_in_hand: in_hand(beside),
            before: context.sure,
        }
    }

    fn vector(&self) -> [f64; 9] {
        let flag = |yes: bool| f64::from(u8::from(yes));
        [
            1.0,
            flag(self.away),
            flag(self.back),
            self.foreign.min(5.0),
            self.alone,
            flag(self.alone_in_hand),
            flag(self.whole),
            self.beside,
            flag(self.beside_in_hand),
        ]
    }

    /// Every sign in words, and how much it speaks for going on.
    pub fn told(&self) -> Vec<(String, f64)> {
        let yes = |yes: bool| if yes { "是" } else { "否" };
        let words = [
            "底数".to_owned(),
            format!("说要换话题：{}", yes(self.away)),
            format!("开头结尾指着前文：{}", yes(self.back)),
            format!("自带的新内容 {:.1}（共 {:.1}）", self.foreign, self.own),
            format!("单独问的把握 {:.2}", self.alone),
            format!("单独问也是手上的主题：{}", yes(self.alone_in_hand)),
            format!("单独就是别的主题的现成问法：{}", yes(self.whole)),
            format!("连着前文问的把握 {:.2}", self.beside),
            format!("连着前文问还是手上的主题：{}", yes(self.beside_in_hand)),
        ];
        let weights = WEIGHTS.iter().zip(self.vector()).map(|(w, x)| w * x);
        words.into_iter().zip(weights).collect()
    }

    /// Probability that the turn goes on with the matter in hand.
    pub fn follows(&self) -> f64 {
        let z: f64 = WEIGHTS.iter().zip(self.vector()).map(|(w, x)| w * x).sum();
        1.0 / (1.0 + (-z).exp())
    }
}

/// What a turn that goes on is answered from: what it finds beside what was said before, and what
/// it finds itself as far as that is sure; what is on the topic in hand goes first when it is near.
pub(super) fn resolve(
    library: &Library,
    context: &Context,
    signs: &Signs,
    alone: &Found,
    beside: &Found,
) -> Found {
    let share = |hits: &[Hit], entry: &EntryId| {
        let best = hits.first().map_or(1.0, |hit| hit.score);
        let hit = hits.iter().find(|hit| hit.entry == *entry);
        hit.map_or(0.0, |hit| hit.score / best.max(f64::MIN_POSITIVE))
    };
    let ahead = if signs.own < SAYS_LITTLE {
        AHEAD_IF_SHORT
    } else {
        AHEAD
    };
    let weight = alone.confidence * (signs.own / SAYS_IT_ALL).min(1.0);
    let mut seen = HashSet::new();
    let mut hits: Vec<Hit> = beside
        .hits
        .iter()
        .chain(&alone.hits)
        .filter(|hit| seen.insert(&hit.entry))
        .cloned()
        .collect();
    for hit in &mut hits {
        let in_hand = f64::from(u8::from(context.holds(library, &hit.entry)));
        let by_itself = weight * share(&alone.hits, &hit.entry);
        hit.score = share(&beside.hits, &hit.entry)
            + by_itself * (ELSEWHERE + (1.0 - ELSEWHERE) * in_hand)
            + ahead * in_hand;
    }
    hits.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then_with(|| a.entry.cmp(&b.entry))
    });
    let Some(first) = hits.first().map(|hit| hit.entry.clone()) else {
        return Found::default();
    };
    // A search is sure of its own first hit, and of another less, as far as that scores near it.
    let said = [alone, beside].map(|found| match share(&found.hits, &first) {
        1.0 => found.confidence,
        near => found.confidence * near * PASSES_ON,
    });
    let mut confidence = said.into_iter().fold(0.0, f64::max);
    if context.holds(library, &first) {
        confidence = confidence.max(PASSES_ON * signs.before * signs.follows());
    }
    // The topic of that entry; as sure as the entry at least.
    let topic = library.entry(&first).map(|entry| {
        let guesses = [alone, beside].into_iter().filter_map(|f| f.topic.as_ref());
        let same = guesses.filter(|guess| guess.topic == entry.topic);
        TopicGuess {
            topic: entry.topic.clone(),
            confidence: same
                .map(|guess| guess.confidence)
                .fold(confidence, f64::max),
        }
    });
    Found {
        hits,
        confidence,
        topic,
    }
}
