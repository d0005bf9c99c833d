//! Wording: an entry, a choice or an apology as blocks.

use super::lookup::Shown;
use super::support::Support;
use super::wanted::{Wanted, bearing};
use super::{ArticleRef, Block, Choice, LawBook, Neighbours, Office, Reply, ReplyKind, Source};
use crate::knowledge::risk::{RiskKind, RiskRule};
use crate::knowledge::statutes::ArticleNumber;
use crate::knowledge::{Citation, Entry, Library, SmallTalk};
use crate::search::{ArticleHit, ArticleText};

/// The one line under every reply.
pub const NOTICE: &str = "以上是普法参考，不是法律意见；以现行法律和有权机关的决定为准。";

/// From this confidence on the first of the choices is named as the likeliest.
const LIKELY: f64 = 0.45;

/// How many choices and related questions are offered.
pub(super) const OFFERED: usize = 3;

fn empty(kind: ReplyKind, confidence: f64) -> Reply {
    Reply {
        kind,
        blocks: Vec::new(),
        citations: Vec::new(),
        sources: Vec::new(),
        entry: None,
        topic: None,
        topic_confidence: 0.0,
        places: Vec::new(),
        choices: Vec::new(),
        related: Vec::new(),
        neighbours: Neighbours::default(),
        hotlines: Vec::new(),
        rule: None,
        confidence,
    }
}

fn notice() -> Block {
    Block::Notice(NOTICE.to_owned())
}

/// The hotlines named in `texts`, in the order they are named.
fn hotlines_in<'a>(library: &Library, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for text in texts {
        for number in text.split(|c: char| !c.is_ascii_digit()) {
            let known = library.hotlines.iter().any(|h| h.number == number);
            if known && !out.iter().any(|n| n == number) {
                out.push(number.to_owned());
            }
        }
    }
    out
}

pub(super) fn choice(entry: &Entry) -> Choice {
    Choice {
        entry: entry.id.clone(),
        question: entry.question.clone(),
        citations: entry.citations(),
    }
}

/// What an entry says beside its short answer; all of it may be folded away when `aside`.
fn sections(entry: &Entry, aside: bool) -> Vec<Block> {
    let section = |title, items: Vec<String>, ordered, foldable| Block::Section {
        title,
        items,
        ordered,
        foldable: foldable || aside,
    };
    let basis = entry.basis.iter();
    let basis = basis.map(|b| format!("{}：{}", b.citation, b.says));
    let mut sections = vec![
        section("怎么做", entry.steps.clone(), true, false),
        section("依据", basis.collect(), false, true),
        section("时限", entry.limits.clone(), false, true),
        section("找谁", entry.contacts.clone(), false, false),
    ];
    if !entry.pitfalls.is_empty() {
        sections.push(section("别踩坑", entry.pitfalls.clone(), false, true));
    }
    sections
}

/// An entry in full.
pub(super) fn answer(
    library: &Library,
    lawbook: &LawBook,
    entry: &Entry,
    related: Vec<Choice>,
    confidence: f64,
) -> Reply {
    let mut blocks = vec![
        Block::Title(entry.question.clone()),
        Block::Lead(entry.answer.clone()),
    ];
    blocks.extend(sections(entry, false));
    // Law changes: whoever reads this next year must see how old it is.
    let checked = format!("{NOTICE}条文核对到 {}。", entry.reviewed);
    blocks.push(Block::Notice(checked));
    let texts = std::iter::once(entry.answer.as_str())
        .chain(entry.steps.iter().map(String::as_str))
        .chain(entry.contacts.iter().map(String::as_str));
    Reply {
        blocks,
        citations: entry.citations(),
        sources: entry
            .basis
            .iter()
            .map(|b| source(library, lawbook, &b.citation))
            .collect(),
        entry: Some(entry.id.clone()),
        topic: Some(entry.topic.clone()),
        topic_confidence: confidence,
        places: entry.places.clone(),
        related,
        hotlines: hotlines_in(library, texts),
        ..empty(ReplyKind::Answer, confidence)
    }
}

/// The lines of a reply that speak of what something costs.
fn fees(blocks: &[Block]) -> Vec<String> {
    let costs = |line: &&String| ["费", "不收", "元"].iter().any(|word| line.contains(word));
    let lines = blocks.iter().flat_map(|block| match block {
        Block::Section { title, items, .. } if *title != "依据" => items.as_slice(),
        _ => &[],
    });
    lines.filter(costs).cloned().collect()
}

/// An answer to a turn that goes on with the matter in hand: what the turn points at comes first.
/// An entry that was shown a moment ago (`again`) is not told all over: what was asked for, the
/// short answer and what it rests on.
pub(super) fn go_on(mut reply: Reply, turn: &str, wanted: &[Wanted], again: bool) -> Reply {
    if reply.kind != ReplyKind::Answer {
        return reply;
    }
    // The basis that bears on the turn first; lines, citations and sources stay side by side.
    for block in &mut reply.blocks {
        if let Block::Section { title, items, .. } = block
            && *title == Wanted::Basis.name()
        {
            let order = bearing(turn, wanted, items);
            *items = order.iter().map(|n| items[*n].clone()).collect();
            reply.citations = order.iter().map(|n| reply.citations[*n].clone()).collect();
            reply.sources = order.iter().map(|n| reply.sources[*n].clone()).collect();
        }
    }
    let mut first: Vec<Block> = Vec::new();
    for wanted in wanted {
        if *wanted == Wanted::Fees {
            let items = fees(&reply.blocks);
            if !items.is_empty() {
                first.push(Block::Section {
                    title: wanted.name(),
                    items,
                    ordered: false,
                    foldable: false,
                });
            }
            continue;
        }
        let at = reply.blocks.iter().position(|block| {
            matches!(block, Block::Section { title, items, .. }
                if *title == wanted.name() && !items.is_empty())
        });
        if let Some(at) = at {
            let mut block = reply.blocks.remove(at);
            if let Block::Section { foldable, .. } = &mut block {
                *foldable = false;
            }
            first.push(block);
        }
    }
    if again && !first.is_empty() {
        reply.blocks.retain(|block| match block {
            Block::Section { title, .. } => *title == Wanted::Basis.name(),
            _ => true,
        });
    }
    // Behind the title.
    reply.blocks.splice(1..1, first);
    let line = "接着刚才的事说（想问别的事，请把谁、什么事说完整）：";
    reply.blocks.insert(0, Block::Lead(line.to_owned()));
    reply
}

/// Where to read the official text of a citation.
fn source(library: &Library, lawbook: &LawBook, citation: &Citation) -> Source {
    let number = citation.article.parse::<ArticleNumber>().ok();
    let number = number.map_or_else(|| citation.article.clone(), |n| n.arabic());
    let held = lawbook.articles().is_some();
    Source {
        name: format!("{}{number}", library.laws.short_name(&citation.law)),
        article: held.then(|| ArticleRef {
            law: citation.law.clone(),
            label: citation.article.clone(),
        }),
        page: library
            .laws
            .page(&citation.law)
            .filter(|_| !held)
            .map(str::to_owned),
    }
}

/// "您是想问": up to three entries to pick from, each with its short answer and an article it rests on
/// first, so that whoever finds tapping hard has read the answer already. The likeliest follows in
/// full, folded away.
pub(super) fn choices(
    library: &Library,
    entries: &[&Entry],
    support: &Support<'_>,
    confidence: f64,
) -> Reply {
    let lead = if confidence >= LIKELY {
        "您是想问第 1 件吧？也可能是后面的，都先说个大概，点一下看全部。都不是的话，请说清楚谁、什么事。"
    } else {
        "拿不准您是想问哪一件，先把最接近的说个大概，点一下看全部。都不是的话，请说清楚谁、什么事。"
    };
    let mut reply = offered(lead, entries, support, confidence);
    if let Some(first) = entries.first() {
        let detail = Block::Lead("如果是第 1 件，具体这样办：".to_owned());
        reply.blocks.push(detail);
        reply.blocks.extend(sections(first, true));
        for citation in first.citations() {
            if !reply.citations.contains(&citation) {
                reply.citations.push(citation);
            }
        }
        let texts = first.contacts.iter().map(String::as_str);
        reply.hotlines = hotlines_in(library, texts);
    }
    reply.blocks.push(notice());
    reply
}

/// Two matters in one message: the short answer to each, and a choice to see all of either.
pub(super) fn two_matters(entries: [&Entry; 2], support: &Support<'_>, confidence: f64) -> Reply {
    let lead = "您问了两件事，先各说个大概，点一下看全部。";
    let mut reply = offered(lead, &entries, support, confidence);
    reply.blocks.push(notice());
    reply
}

/// Entries to pick from, each with its short answer and the articles that are most supported.
fn offered(lead: &str, entries: &[&Entry], support: &Support<'_>, confidence: f64) -> Reply {
    let mut blocks = vec![Block::Lead(lead.to_owned())];
    let mut citations: Vec<Citation> = Vec::new();
    for (n, (entry, named)) in entries.iter().zip(support.name(entries)).enumerate() {
        blocks.push(Block::Title(format!("{}. {}", n + 1, entry.question)));
        let basis: Vec<String> = named.iter().map(ToString::to_string).collect();
        let basis = match basis.is_empty() {
            true => String::new(),
            false => format!("（依据{}）", basis.join("、")),
        };
        blocks.push(Block::Lead(entry.answer.clone() + &basis));
        for citation in named {
            if !citations.contains(citation) {
                citations.push(citation.clone());
            }
        }
    }
    Reply {
        blocks,
        citations,
        topic: entries.first().map(|e| e.topic.clone()),
        choices: entries.iter().map(|e| choice(e)).collect(),
        ..empty(ReplyKind::Choices, confidence)
    }
}

/// "This is not in the library": the nearest topics and a human to turn to.
pub(super) fn unknown(
    library: &Library,
    office: &Office,
    nearest: &[String],
    confidence: f64,
) -> Reply {
    let lead = "这个问题资料库里还没有，我不能乱说。";
    let mut blocks = vec![Block::Lead(lead.to_owned())];
    let names: Vec<String> = nearest
        .iter()
        .filter_map(|id| library.topic(id))
        .map(|t| t.name.clone())
        .collect();
    if !names.is_empty() {
        blocks.push(Block::Section {
            title: "相近的主题",
            items: names,
            ordered: false,
            foldable: false,
        });
    }
    blocks.push(Block::Lead(office.turn_to()));
    blocks.push(notice());
    Reply {
        blocks,
        topic: nearest.first().cloned(),
        hotlines: vec!["12348".to_owned()],
        ..empty(ReplyKind::Unknown, confidence)
    }
}

/// `第五编 婚姻家庭 › 第四章 离婚` and since when it is in force.
fn about(article: &ArticleText) -> String {
    let since = if article.since.is_empty() {
        "现行有效".to_owned()
    } else {
        format!("现行有效，自 {} 起施行", article.since)
    };
    if article.path.is_empty() {
        since
    } else {
        format!("{}\n{since}", article.path)
    }
}

fn article_ref(article: &ArticleText) -> ArticleRef {
    ArticleRef {
        law: article.law.clone(),
        label: article.label.clone(),
    }
}

fn citation(article: &ArticleText) -> Citation {
    Citation {
        law: article.law.clone(),
        article: article.label.clone(),
    }
}

/// Official text of articles that were looked up.
pub(super) fn statute(
    library: &Library,
    office: &Office,
    lawbook: &LawBook,
    shown: Shown,
) -> Reply {
    let mut blocks: Vec<Block> = shown.notes.iter().cloned().map(Block::Lead).collect();
    for article in &shown.articles {
        blocks.push(Block::Title(format!(
            "《{}》{}",
            article.law, article.label
        )));
        blocks.push(Block::Lead(about(article)));
        blocks.push(Block::Verbatim(article.text.clone()));
    }
    if shown.doubtful {
        let line = "来源没有标明这份文件现在的效力，引用前请向有关部门核对。";
        blocks.push(Block::Lead(line.to_owned()));
    }
    if shown.articles.is_empty() {
        blocks.push(Block::Lead(office.turn_to()));
    }
    blocks.push(notice());
    let neighbours = match shown.articles.as_slice() {
        [one] => neighbours(lawbook, one),
        _ => Neighbours::default(),
    };
    let citations: Vec<Citation> = shown.articles.iter().map(citation).collect();
    // The topic of the first entry that rests on the article: what the question is counted under.
    let topic = citations.first().and_then(|cited| {
        let mut entries = library.entries.iter();
        entries
            .find(|e| e.basis.iter().any(|b| b.citation == *cited))
            .map(|e| e.topic.clone())
    });
    Reply {
        blocks,
        citations,
        // Somebody looked up an article of that topic.
        topic_confidence: if topic.is_some() { 1.0 } else { 0.0 },
        topic,
        neighbours,
        ..empty(ReplyKind::Statute, 1.0)
    }
}

fn neighbours(lawbook: &LawBook, article: &ArticleText) -> Neighbours {
    let at = |ordinal: Option<u64>| {
        // A neighbour that cannot be read is a button less, not a failed answer.
        let found = lawbook.articles()?.at(&article.law, ordinal?).ok()??;
        Some(article_ref(&found))
    };
    Neighbours {
        previous: at(article.ordinal.checked_sub(1)),
        next: at(article.ordinal.checked_add(1)),
        chapter: (!article.path.is_empty()).then(|| article_ref(article)),
    }
}

/// No entry fits, but articles may: up to three, marked as what they are.
pub(super) fn possible_articles(office: &Office, hits: &[ArticleHit], confidence: f64) -> Reply {
    let lead =
        "资料库里没有现成的答案。下面是可能相关的法条，不一定正好适用：请看看说的是不是您的情况。";
    let mut blocks = vec![Block::Lead(lead.to_owned())];
    for hit in hits {
        let article = &hit.article;
        blocks.push(Block::Title(format!(
            "《{}》{}",
            article.law, article.label
        )));
        blocks.push(Block::Verbatim(article.text.clone()));
    }
    let check = "用之前要核对：谁对谁、什么事、什么时候，和条文说的对不对得上。";
    blocks.push(Block::Lead(check.to_owned()));
    blocks.push(Block::Lead(office.turn_to()));
    blocks.push(notice());
    Reply {
        blocks,
        citations: hits.iter().map(|hit| citation(&hit.article)).collect(),
        hotlines: vec!["12348".to_owned()],
        ..empty(ReplyKind::Statute, confidence)
    }
}

/// Nothing was said that could be answered.
pub(super) fn nothing_said(office: &Office) -> Reply {
    let lead = "我没看到文字。请用一句话说说遇到了什么事，比如“邻居把路堵了怎么办”。";
    Reply {
        blocks: vec![
            Block::Lead(lead.to_owned()),
            Block::Lead(office.turn_to()),
            notice(),
        ],
        hotlines: vec!["12348".to_owned()],
        ..empty(ReplyKind::Unknown, 0.0)
    }
}

/// The index cannot be read: our fault, said plainly.
pub(super) fn out_of_order(office: &Office) -> Reply {
    let lead = "对不起，我现在查不了资料，您的问题我没法回答。请过几分钟再发一次。";
    Reply {
        blocks: vec![
            Block::Lead(lead.to_owned()),
            Block::Lead(office.turn_to()),
            notice(),
        ],
        hotlines: vec!["12348".to_owned()],
        ..empty(ReplyKind::Unknown, 0.0)
    }
}

fn filled_in(text: &str, office: &Office) -> String {
    let contact = if office.contact.is_empty() {
        String::new()
    } else {
        format!("找人请联系：{}。", office.contact)
    };
    text.replace("{office}", &office.name)
        .replace("{contact}", &contact)
}

pub(super) fn smalltalk(talk: &SmallTalk, office: &Office) -> Reply {
    let text = filled_in(&talk.reply, office);
    Reply {
        blocks: vec![Block::Lead(text), notice()],
        ..empty(ReplyKind::Smalltalk, 1.0)
    }
}

/// What a rule of the guard says: its lines in order, and at most one line of law behind them.
pub(super) fn guarded(rule: &RiskRule, office: &Office) -> Reply {
    let kind = match rule.kind {
        RiskKind::Emergency => ReplyKind::Emergency,
        RiskKind::Refuse => ReplyKind::Refuse,
        RiskKind::Chat | RiskKind::Offtopic | RiskKind::Gibberish => ReplyKind::Smalltalk,
    };
    let say = filled_in(&rule.say, office);
    let lines = say.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut blocks: Vec<Block> = lines.map(|line| Block::Lead(line.to_owned())).collect();
    if let Some(law) = &rule.law {
        blocks.push(Block::Lead(format!("{}：{}", law.citation, law.says)));
    }
    blocks.push(notice());
    Reply {
        blocks,
        citations: rule.law.iter().map(|law| law.citation.clone()).collect(),
        topic: rule.topic.clone(),
        topic_confidence: 1.0,
        hotlines: rule.hotlines.clone(),
        rule: Some(rule.id.clone()),
        ..empty(kind, 1.0)
    }
}

/// The first line of a rule before everything else a reply says.
pub(super) fn warn(reply: &mut Reply, rule: &RiskRule, office: &Office) {
    let say = filled_in(&rule.say, office);
    let first = say.lines().map(str::trim).find(|line| !line.is_empty());
    let line = format!("如果眼下有危险：{}", first.unwrap_or_default());
    reply.blocks.insert(0, Block::Lead(line));
    for number in rule.hotlines.iter().rev() {
        reply.hotlines.retain(|n| n != number);
        reply.hotlines.insert(0, number.clone());
    }
    reply.rule = Some(rule.id.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emergency_starts_with_what_to_do() {
        let rule = RiskRule {
            id: "fire".into(),
            kind: RiskKind::Emergency,
            reason: "着火".into(),
            say: "马上打119。\n人先走。".into(),
            law: None,
            hotlines: vec!["119".into()],
            topic: None,
            when_unsure: false,
            when: Vec::new(),
        };
        let reply = guarded(&rule, &Office::default());
        assert_eq!(reply.kind, ReplyKind::Emergency);
        assert_eq!(reply.rule.as_deref(), Some("fire"));
        assert!(reply.text().starts_with("马上打119。"));
    }
}
