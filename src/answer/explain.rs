//! How a reply came about, in words for staff and developers (`qijin ask --explain`).
//!
//! It tells what [`super::Thought`] holds from answering, and asks the same pure functions once
//! more for what they saw on the way; it decides nothing itself.

use tantivy::TantivyError;

use super::think::FOLLOWS;
use super::{Answerer, ReplyKind, Thought, Why};
use crate::knowledge::risk::RiskKind;
use crate::search::{Found, Sort};

/// How many entries are told.
const ENTRIES: usize = 5;
/// How many kinds of evidence are told of each.
const REASONS: usize = 3;
/// How many second meanings and rules are told.
const SEVERAL: usize = 8;

/// Lines with a label in front, aligned.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    /// A line; an empty label continues the one before.
    fn add(&mut self, label: &str, text: impl AsRef<str>) {
        // Four wide characters.
        let gap = "　".repeat(4usize.saturating_sub(label.chars().count()));
        self.0.push(format!("{label}{gap}  {}", text.as_ref()));
    }

    fn list(&mut self, label: &str, items: impl IntoIterator<Item = String>) {
        for (n, item) in items.into_iter().enumerate() {
            self.add(if n == 0 { label } else { "" }, item);
        }
    }
}

fn kind(kind: ReplyKind) -> &'static str {
    match kind {
        ReplyKind::Answer => "答复",
        ReplyKind::Choices => "请选择",
        ReplyKind::Statute => "法条",
        ReplyKind::Unknown => "资料库里没有",
        ReplyKind::Emergency => "紧急",
        ReplyKind::Refuse => "不帮这个忙",
        ReplyKind::Smalltalk => "闲聊或别的领域",
    }
}

fn risk(kind: RiskKind) -> &'static str {
    match kind {
        RiskKind::Emergency => "紧急",
        RiskKind::Refuse => "不帮",
        RiskKind::Chat => "闲聊",
        RiskKind::Offtopic => "别的领域",
        RiskKind::Gibberish => "乱码",
    }
}

impl Answerer {
    /// Tells how a reply came about.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn explain(&self, thought: &Thought) -> Result<String, TantivyError> {
        let mut lines = Lines::default();
        lines.add("听到", format!("“{}”", thought.normalized));
        self.explain_guard(thought, &mut lines);
        if let Some((words, found)) = &thought.alone {
            let reading = self.searcher().read(words)?;
            if reading.cleaned == thought.normalized {
                lines.add("整理", "没有要改的错字，也没有要去掉的空话");
            } else {
                lines.add(
                    "整理",
                    format!("“{}”（改错字、去空话、长话取要点）", reading.cleaned),
                );
            }
            let known = reading
                .words
                .iter()
                .map(|w| format!("{}（{} 条问答说到）", w.word, w.entries.len()));
            lines.add("关键词", known.collect::<Vec<_>>().join("、"));
            let meanings = reading.expansions.iter().take(SEVERAL).map(|e| {
                let said = &reading.cleaned[e.span.clone()];
                format!("{said} → {}（分量 {:.2}）", e.to, e.weight)
            });
            lines.list("也就是", meanings);
            self.explain_found("单独找到", found, &mut lines);
        }
        if let Some(beside) = &thought.beside {
            lines.add("连着前文", format!("“{}”", beside.text));
            self.explain_found("连着找到", &beside.found, &mut lines);
            let follows = beside.signs.follows();
            let meant = if follows >= FOLLOWS {
                "接着说"
            } else {
                "换了一件事"
            };
            lines.add(
                "对话",
                format!("{meant}：接着说的可能 {follows:.2}，到 {FOLLOWS} 算接着说"),
            );
            let told = beside.signs.told();
            lines.list(
                "",
                told.into_iter()
                    .map(|(sign, part)| format!("{part:+.2}  {sign}")),
            );
            let wanted: Vec<&str> = beside.wanted.iter().map(|w| w.name()).collect();
            if !wanted.is_empty() {
                lines.add("想知道", wanted.join("、"));
            }
        }
        let t = self.thresholds();
        lines.add(
            "界线",
            format!(
                "把握到 {} 就答，到 {} 请人选，再低算没有；法条到 {} 才给",
                t.answer, t.choices, t.articles
            ),
        );
        let reply = &thought.reply;
        if let (ReplyKind::Answer | ReplyKind::Choices, Some(rule)) = (reply.kind, &reply.rule) {
            let heard = format!("规则 {rule}：可能有危险，答复前先说怎么脱险");
            lines.add("提醒", heard);
        }
        lines.add(
            "结果",
            format!(
                "{}：{}（把握 {:.2}）",
                kind(reply.kind),
                self.reason(thought),
                reply.confidence
            ),
        );
        Ok(lines.0.join("\n"))
    }

    fn reason(&self, thought: &Thought) -> String {
        let sure = thought.reply.confidence;
        match thought.why {
            Why::NothingSaid => "没有说话的内容".to_owned(),
            Why::Guard => {
                let rule = thought.reply.rule.as_deref().unwrap_or_default();
                format!("安全闸的规则 {rule} 先说了算，没有检索")
            }
            Why::LookedUp => "点名查法条，没有检索问答".to_owned(),
            Why::Smalltalk => "整句就是寒暄".to_owned(),
            Why::StillRefused => "接着刚才不能帮的那件事".to_owned(),
            Why::StillInDanger => {
                "刚才听到危险，这句没有找到有把握的答复，先再说一遍怎么救急".to_owned()
            }
            Why::Redirected => "检索没有把握，又听到不是法律问题的说法".to_owned(),
            Why::TwoMatters => "一句话里有两件相差很远的事，都很有把握".to_owned(),
            Why::Followed => format!("接着前文答，把握 {sure:.2}"),
            Why::Articles => "问答里没有，法条有把握".to_owned(),
            Why::Alone => match thought.reply.kind {
                ReplyKind::Answer => "按这句话本身，把握够答".to_owned(),
                ReplyKind::Choices => "按这句话本身，把握只够请人选".to_owned(),
                _ => "按这句话本身，把握不够".to_owned(),
            },
        }
    }

    fn explain_guard(&self, thought: &Thought, lines: &mut Lines) {
        let heard = self.guard().listen(&thought.normalized);
        let rules = heard.overheard();
        if rules.is_empty() {
            lines.add("安全闸", "没有听到什么");
        }
        let told = rules.into_iter().take(SEVERAL).map(|rule| {
            let how = match (rule.met, rule.missing, rule.lifted) {
                (true, ..) => "成立".to_owned(),
                (_, _, true) => "不成立：有打消它的话".to_owned(),
                (_, 0, _) => "不成立：几处离得太远".to_owned(),
                (_, n, _) => format!("不成立：还缺 {n} 处"),
            };
            format!(
                "{}（{}）{how}；听到 {}",
                rule.rule,
                risk(rule.kind),
                rule.words.join("、")
            )
        });
        lines.list("安全闸", told);
        if let Some(intent) = self.searcher().intent() {
            let leaning = intent.lean(&thought.normalized);
            let sorts = [
                (Sort::Legal, "法律问题"),
                (Sort::Other, "别的话"),
                (Sort::Refuse, "不能帮的"),
                (Sort::Emergency, "危险"),
            ];
            for (n, (sort, name)) in sorts.into_iter().enumerate() {
                let pieces = intent.reasons(&thought.normalized, sort).join("、");
                let told = format!("{:.4}  {name}：{pieces}", leaning.of(sort));
                lines.add(if n == 0 { "像例子里的" } else { "" }, told);
            }
        }
    }

    fn explain_found(&self, label: &str, found: &Found, lines: &mut Lines) {
        if found.hits.is_empty() {
            lines.add(label, "什么也没有");
        }
        let told = found.hits.iter().take(ENTRIES).enumerate().map(|(n, hit)| {
            let entry = self.library().entry(&hit.entry);
            let question = entry.map_or(hit.entry.0.as_str(), |e| e.question.as_str());
            let why = self.searcher().reasons(hit).into_iter().take(REASONS);
            let why: Vec<String> = why
                .map(|(name, part)| format!("{name} {part:.2}"))
                .collect();
            format!(
                "{}. {:5.2} {question}〔{}〕",
                n + 1,
                hit.score,
                why.join("，")
            )
        });
        lines.list(label, told);
        if let Some(first) = found.hits.first() {
            let parts = self.searcher().model().doubts(&first.features);
            lines.add("把握", format!("{:.2}", found.confidence));
            let told = parts.into_iter();
            lines.list(
                "",
                told.map(|(name, x, part)| format!("{part:+6.2}  {name} {x:.2}")),
            );
        }
    }
}
