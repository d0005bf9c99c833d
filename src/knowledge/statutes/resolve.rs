//! The citation resolver: any way of naming an article → (law, article).
//!
//! `民法典1079条`, `《劳动合同法》第八十二条第一款`, `刑法266`, `第1062条民法典`, `劳动法44、46`,
//! `婚姻家庭编解释一第5条`, `第9至11条`, with typos in the law's name.
//!
//! A law's name is found in four steps, each less sure than the one before: the official name,
//! a short name from `law_names.toml`, letters left out (`工伤条例` is 工伤保险条例), and letters
//! mistaken (by sound or one or two strokes of the thumb).

use std::collections::HashMap;
use std::sync::LazyLock;

use pinyin::ToPinyin;
use regex::Regex;

use super::{ArticleNumber, Catalogue, Group, LawNames, numeral};
use crate::knowledge::citation::official_name;

/// How a law's name was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Letters are mistaken.
    Mistyped,
    /// Letters are left out.
    Abbreviated,
    /// The official name or a short name that is on record.
    Named,
}

/// A law as recognised in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawMatch {
    /// Official name; the law may be dead.
    pub law: String,
    /// How sure.
    pub certainty: Certainty,
}

/// Articles of one law, as named in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The law; `None` when the text names numbers only or a law nobody knows.
    pub law: Option<LawMatch>,
    /// What stood where the law's name should be, for a helpful reply.
    pub written: String,
    /// The articles, in the order named, each once.
    pub articles: Vec<ArticleNumber>,
}

/// What a text names, and what else it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The mentions in order.
    pub found: Vec<Mention>,
    /// The rest of the text without names, numbers and phrases of asking.
    pub rest: String,
}

#[derive(Debug)]
struct Name {
    official: String,
    /// The letters that count, as compared.
    letters: Vec<char>,
    /// Their sounds; the letter itself where there is none.
    sounds: Vec<String>,
    /// Preferred among equals: laws before rules, long laws before short ones.
    weight: f64,
}

/// Knows all names of laws. Build it once per library.
#[derive(Debug)]
pub struct Resolver {
    exact: HashMap<String, String>,
    names: Vec<Name>,
    longest: usize,
}

/// Ends of what may be a law's name.
const ENDINGS: [&str; 14] = [
    "法典", "法", "条例", "规定", "解释", "办法", "决定", "细则", "规则", "宪法", "通则", "批复",
    "意见", "规范",
];
/// How the last letter of a name sounds.
const LAST_SOUNDS: [&str; 13] = [
    "fa", "dian", "li", "ding", "shi", "xi", "ze", "fu", "jian", "fan", "yi", "er", "san",
];
/// An interpretation's part: 解释一, 解释(二).
const PARTS: [char; 5] = ['一', '二', '三', '四', '五'];

/// The letters of a name that count: no marks, no issuing country.
fn letters(name: &str) -> Vec<char> {
    official_name(name)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

fn sounds(letters: &[char]) -> Vec<String> {
    letters
        .iter()
        .map(|c| {
            c.to_pinyin()
                .map_or_else(|| c.to_string(), |p| p.plain().to_owned())
        })
        .collect()
}

/// Numbers with 条: `第一千零七十九条之一`, `1079 条`.
const NUMERAL: &str = "[0-9零〇○一二两三四五六七八九十百千]";
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"第?\s*(N{1,9})\s*条\s*(?:之\s*(N{1,3}))?|(?:第\s*(N{1,9})|(N{1,9}))\s*(?:[、,，和及与]|至|到|-|—|~)\s*",
    )
});
/// `第二款第（三）项` behind an article.
static PARAGRAPH: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\s*第?\s*[（(]?N{1,4}[）)]?\s*[款项目])+"));
static BARE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[\s的第]*([0-9]{1,4})(?:\s*之\s*([0-9]{1,2}))?"));
static JOIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:[、,，和及与/]|至|到|-|—|~)?\s*"));

fn pattern(text: &str) -> Regex {
    // The patterns are constants: every test in this file compiles all of them.
    Regex::new(&text.replace('N', NUMERAL)).expect("a constant pattern")
}

/// Phrases around a look-up that say nothing about it.
const ASKING: [&str; 44] = [
    "请问",
    "麻烦",
    "帮我",
    "帮忙",
    "我想",
    "想要",
    "想",
    "查一下",
    "查下",
    "查询",
    "查",
    "看一下",
    "看看",
    "看下",
    "看",
    "找一下",
    "找",
    "问一下",
    "问",
    "一下",
    "是什么意思",
    "什么意思",
    "是什么",
    "是啥",
    "啥",
    "什么内容",
    "内容",
    "规定了什么",
    "怎么规定的",
    "怎么规定",
    "怎么说的",
    "怎么说",
    "怎么写的",
    "讲的",
    "讲什么",
    "说的",
    "原文",
    "全文",
    "条文",
    "具体",
    "根据",
    "依据",
    "按照",
    "关于",
];

fn strip_asking(text: &str) -> String {
    let mut rest = text.to_owned();
    for phrase in ASKING {
        rest = rest.replace(phrase, "");
    }
    rest.chars()
        .filter(|c| c.is_alphanumeric() && !"的呢吗吧啊呀了是".contains(*c))
        .collect()
}

/// The least share of a name's letters that an abbreviation must have, squared against its length.
const MIN_ABBREVIATION: f64 = 0.2;

impl Resolver {
    /// A resolver for the laws of `catalogue` (dead ones too), with the short names of `names`
    /// and any further official names, such as those that a library's entries cite.
    pub fn new<'a>(
        catalogue: Option<&Catalogue>,
        names: &LawNames,
        further: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut resolver = Self {
            exact: HashMap::new(),
            names: Vec::new(),
            longest: 0,
        };
        for version in catalogue.iter().flat_map(|c| &c.versions) {
            if version.group == Group::Decision {
                continue;
            }
            let weight = match version.group {
                Group::Constitution | Group::Law => 0.3,
                Group::Regulation => 0.2,
                Group::Interpretation | Group::Resolution => 0.15,
                Group::Rule | Group::Decision => 0.0,
            };
            let alive = if version.status == super::Status::Repealed {
                0.0
            } else {
                0.1
            };
            let size = (version.articles as f64 + 1.0).ln() / 100.0;
            resolver.add(&version.name, weight + alive + size);
        }
        for name in further {
            resolver.add(name, 0.3);
        }
        for (short, official) in &names.short {
            let key: String = letters(short).into_iter().collect();
            resolver.longest = resolver.longest.max(key.chars().count());
            resolver.exact.insert(key, official.clone());
        }
        resolver
    }

    fn add(&mut self, name: &str, weight: f64) {
        let letters = letters(name);
        let key: String = letters.iter().collect();
        self.longest = self.longest.max(letters.len());
        if self.exact.contains_key(&key) {
            if let Some(known) = self.names.iter_mut().find(|n| n.official == name) {
                known.weight = known.weight.max(weight);
            }
            return;
        }
        self.exact.insert(key, name.to_owned());
        self.names.push(Name {
            official: name.to_owned(),
            sounds: sounds(&letters),
            letters,
            weight,
        });
    }

    /// The law that `written` names as a whole.
    pub fn law(&self, written: &str) -> Option<LawMatch> {
        let letters = letters(written);
        self.named(&letters)
            .or_else(|| self.abbreviated(&letters))
            .or_else(|| self.mistyped(&letters))
    }

    fn named(&self, letters: &[char]) -> Option<LawMatch> {
        if letters.len() < 2 || letters.len() > self.longest {
            return None;
        }
        let key: String = letters.iter().collect();
        self.exact.get(&key).map(|law| LawMatch {
            law: law.clone(),
            certainty: Certainty::Named,
        })
    }

    /// All letters of the abbreviation stand in the name, in order, and it ends alike.
    fn abbreviated(&self, letters: &[char]) -> Option<LawMatch> {
        if letters.len() < 3 || !looks_like_a_name(letters) {
            return None;
        }
        let best = self
            .names
            .iter()
            .filter_map(|name| Some((fit(letters, &name.letters)? + name.weight, name)))
            .max_by(|a, b| {
                a.0.total_cmp(&b.0)
                    .then_with(|| b.1.official.cmp(&a.1.official))
            })?;
        (best.0 - best.1.weight >= MIN_ABBREVIATION).then(|| LawMatch {
            law: best.1.official.clone(),
            certainty: Certainty::Abbreviated,
        })
    }

    /// The same sound, or one letter wrong in five.
    fn mistyped(&self, letters: &[char]) -> Option<LawMatch> {
        let said = sounds(letters);
        if letters.len() < 3
            || !said
                .last()
                .is_some_and(|s| LAST_SOUNDS.contains(&s.as_str()))
        {
            return None;
        }
        let allowed = letters.len().div_ceil(6);
        let best = self
            .names
            .iter()
            .filter(|name| name.letters.len().abs_diff(letters.len()) <= allowed)
            .filter_map(|name| {
                let by_sound = strsim::generic_damerau_levenshtein(&said, &name.sounds);
                let by_shape = strsim::generic_damerau_levenshtein(letters, &name.letters);
                // A wrong letter of the right sound is half a mistake.
                let distance = by_sound as f64 + (by_shape - by_sound.min(by_shape)) as f64 / 2.0;
                (by_sound <= allowed && distance <= allowed as f64 + 0.5)
                    .then_some((name.weight - distance, name))
            })
            .max_by(|a, b| {
                a.0.total_cmp(&b.0)
                    .then_with(|| b.1.official.cmp(&a.1.official))
            })?;
        Some(LawMatch {
            law: best.1.official.clone(),
            certainty: Certainty::Mistyped,
        })
    }

    /// The law whose name ends `text`: the longest official or short name, else the likeliest
    /// abbreviated or mistyped one. Returns it with where the name begins.
    fn law_at_end(&self, text: &str) -> Option<(LawMatch, usize)> {
        let text = text.trim_end_matches(|c: char| c.is_whitespace() || "的第,，:：".contains(c));
        if let Some(inner) = text.strip_suffix('》') {
            let start = opening(inner)?;
            let written = &text[start..];
            return Some((self.law(written)?, start));
        }
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let from = starts.len().saturating_sub(self.longest.min(48) + 8);
        let named = starts[from..]
            .iter()
            .find_map(|start| Some((self.named(&letters(&text[*start..]))?, *start)));
        // The less sure ways see the whole clause, without its phrases of asking.
        let clause = text
            .rfind(|c: char| "。！？；,，!?;\n ".contains(c))
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            });
        let clause = text[clause..].trim_start_matches('《');
        let asked = ASKING.iter().fold(clause, |rest, phrase| {
            rest.strip_prefix(phrase).unwrap_or(rest)
        });
        let start = text.len() - asked.len();
        let written = letters(asked);
        // 治安管里处罚法 is no 处罚法: letters before a short name may belong to a mistyped one.
        let whole = (written.len() <= 30 && named.as_ref().is_none_or(|(_, named)| *named > start))
            .then(|| {
                let mistyped = self.mistyped(&written);
                match named {
                    Some(_) => mistyped,
                    None => self.abbreviated(&written).or(mistyped),
                }
            })
            .flatten();
        whole.map(|found| (found, start)).or(named)
    }

    /// The law whose name begins `text`, for `第1062条民法典`, with where the name ends.
    fn law_at_start(&self, text: &str) -> Option<(LawMatch, usize)> {
        let trimmed = text.trim_start_matches(|c: char| c.is_whitespace() || "的,，《".contains(c));
        let offset = text.len() - trimmed.len();
        let ends: Vec<usize> = trimmed
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take(self.longest)
            .collect();
        ends.iter().rev().find_map(|end| {
            let found = self.named(&letters(&trimmed[..*end]))?;
            let close = trimmed[*end..].starts_with('》');
            Some((
                found,
                offset + end + if close { '》'.len_utf8() } else { 0 },
            ))
        })
    }

    /// Every article that `text` names. Expects normalised text (simplified, half width).
    pub fn mentions(&self, text: &str) -> Mentions {
        let mut found: Vec<Mention> = Vec::new();
        let mut rest = String::new();
        let mut from = 0;
        while let Some(group) = number_group(text, from) {
            let before = &text[from..group.start];
            let mut end = group.end;
            let mention = if let Some((law, start)) = self.law_at_end(before) {
                rest.push_str(&before[..start]);
                Mention {
                    law: Some(law),
                    written: before[start..].to_owned(),
                    articles: group.articles,
                }
            } else if let Some(previous) = found.last().filter(|_| strip_asking(before).is_empty())
            {
                Mention {
                    articles: group.articles,
                    ..previous.clone()
                }
            } else if let Some((law, length)) = self.law_at_start(&text[group.end..]) {
                rest.push_str(before);
                let written = text[group.end..group.end + length].to_owned();
                end += length;
                Mention {
                    law: Some(law),
                    written,
                    articles: group.articles,
                }
            } else {
                rest.push_str(before);
                Mention {
                    law: None,
                    written: before.trim().to_owned(),
                    articles: group.articles,
                }
            };
            found.push(mention);
            from = end;
        }
        if found.is_empty()
            && let Some((mention, before, end)) = self.bare(text)
        {
            rest.push_str(before);
            found.push(mention);
            from = end;
        }
        rest.push_str(&text[from..]);
        Mentions {
            found,
            rest: strip_asking(&rest),
        }
    }

    /// `刑法266`, `劳动法44 46`: numbers without 条 right behind a name.
    fn bare<'t>(&self, text: &'t str) -> Option<(Mention, &'t str, usize)> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (law, start) = self.law_at_end(&text[..digits])?;
        let mut articles = Vec::new();
        let mut at = digits;
        while let Some(number) = BARE.captures(&text[at..]) {
            let value = |n: usize| number.get(n).and_then(|m| numeral(m.as_str()));
            // 2023 behind a name is a year, and 3000元 an amount.
            let after = &text[at + number[0].len()..];
            if after.starts_with([
                '年', '元', '块', '万', '岁', '个', '天', '月', '号', '%', '部',
            ]) {
                break;
            }
            articles.push(ArticleNumber {
                number: value(1).filter(|n| *n > 0)?,
                inserted: value(2).unwrap_or(0),
            });
            at += number[0].len();
            at += JOIN.find(&text[at..]).map_or(0, |m| m.end());
        }
        if articles.is_empty() {
            return None;
        }
        let written = text[start..digits].to_owned();
        let mention = Mention {
            law: Some(law),
            written,
            articles,
        };
        Some((mention, &text[..start], at))
    }
}

/// Where the 《 stands that a final 》 closes.
fn opening(inner: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in inner.char_indices().rev() {
        match c {
            '》' => depth += 1,
            '《' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn looks_like_a_name(letters: &[char]) -> bool {
    let text: String = letters.iter().collect();
    let text = text.trim_end_matches(PARTS);
    ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// How well `short` abbreviates `name` (0..1), or `None` when its letters are not all there in order.
fn fit(short: &[char], name: &[char]) -> Option<f64> {
    // A part that is named must be the name's; one that is not named is the first.
    let part = |l: &[char]| l.last().filter(|c| PARTS.contains(c)).copied();
    let (mut short, mut name) = (short, name);
    match (part(short), part(name)) {
        (Some(a), Some(b)) if a == b => {
            short = &short[..short.len() - 1];
            name = &name[..name.len() - 1];
        }
        (None, Some('一')) => name = &name[..name.len() - 1],
        (None, None) => {}
        _ => return None,
    }
    if short.last() != name.last() {
        return None;
    }
    let mut at = 0;
    let mut runs = 0;
    let mut previous = None;
    for c in short {
        let found = at + name[at..].iter().position(|n| n == c)?;
        if previous.is_none_or(|p| found != p + 1) {
            runs += 1;
        }
        previous = Some(found);
        at = found + 1;
    }
    let share = short.len() as f64 / name.len() as f64;
    let whole = 1.0 - (f64::from(runs) - 1.0) / short.len() as f64;
    let begins = if short.first() == name.first() {
        0.2
    } else {
        0.0
    };
    Some((share * 0.5 + whole * 0.4 + begins).min(1.1))
}

struct NumberGroup {
    start: usize,
    end: usize,
    articles: Vec<ArticleNumber>,
}

/// More than this is no citation but an attack or a table.
const MAX_ARTICLES: usize = 50;

/// The next run of article numbers with at least one 条: `第38条、第46条`, `第9至11条`, `44、46条`.
fn number_group(text: &str, from: usize) -> Option<NumberGroup> {
    let mut at = from;
    let mut group: Option<NumberGroup> = None;
    // Numbers before a 条 wait for it: `44、46条`.
    let mut waiting: Vec<(u32, bool)> = Vec::new();
    let mut waiting_start = from;
    let mut range_from: Option<u32> = None;
    while let Some(found) = NUMBERED.captures_at(text, at) {
        let whole = found.get(0)?;
        let connected = match (&group, waiting.is_empty()) {
            (None, true) => true,
            (Some(group), true) => {
                let gap = &text[group.end..whole.start()];
                JOIN.find(gap).is_some_and(|m| m.end() == gap.len())
            }
            (_, false) => whole.start() == at,
        };
        if !connected {
            if group.is_some() {
                break;
            }
            waiting.clear();
            range_from = None;
        }
        if waiting.is_empty() {
            waiting_start = whole.start();
        }
        let Some(number) = found.get(1) else {
            // A number that waits, with what joins it to the next.
            let digits = found.get(3).or_else(|| found.get(4))?;
            let joint = &text[digits.end()..whole.end()];
            let is_range = joint.contains(['至', '到', '-', '—', '~']);
            match numeral(digits.as_str()).filter(|n| *n > 0) {
                Some(n) => waiting.push((n, is_range)),
                None => waiting.clear(),
            }
            at = whole.end();
            continue;
        };
        let inserted = found.get(2).map(|m| numeral(m.as_str()));
        at = whole.end();
        let (Some(n), Some(inserted)) = (
            numeral(number.as_str()).filter(|n| *n > 0),
            inserted.unwrap_or(Some(0)),
        ) else {
            waiting.clear();
            continue;
        };
        let open = group.get_or_insert(NumberGroup {
            start: waiting_start,
            end: at,
            articles: Vec::new(),
        });
        let gap = &text[open.end.min(whole.start())..whole.start()];
        if gap.contains(['至', '到', '-', '—', '~']) {
            range_from = open.articles.last().map(|a| a.number);
        }
        for (n, is_range) in waiting.drain(..) {
            open.articles.push(ArticleNumber::new(n));
            range_from = is_range.then_some(n);
        }
        if let Some(first) = range_from.take() {
            for between in (first + 1)..n {
                if open.articles.len() >= MAX_ARTICLES {
                    break;
                }
                open.articles.push(ArticleNumber::new(between));
            }
        }
        open.articles.push(ArticleNumber {
            number: n,
            inserted,
        });
        at += PARAGRAPH.find(&text[at..]).map_or(0, |m| m.end());
        open.end = at;
        if open.articles.len() >= MAX_ARTICLES {
            break;
        }
    }
    let mut group = group?;
    let mut seen = std::collections::HashSet::new();
    group.articles.retain(|a| seen.insert(*a));
    Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = include_str!("../../../tests/data/citations.tsv");

    fn resolver() -> Resolver {
        let names: LawNames =
            toml::from_str(include_str!("../../../knowledge/law_names.toml")).unwrap();
        let mut laws: Vec<String> = rows()
            .flat_map(|(_, expected)| expected.into_iter().map(|(law, _)| law))
            .collect();
        laws.extend(names.short.values().cloned());
        laws.sort();
        laws.dedup();
        Resolver::new(None, &names, laws.iter().map(String::as_str))
    }

    type Expected = Vec<(String, Vec<ArticleNumber>)>;

    fn rows() -> impl Iterator<Item = (&'static str, Expected)> {
        let rows = TABLE.lines().filter(|l| !l.starts_with('#'));
        rows.map(|row| {
            let (text, expected) = row.split_once('|').unwrap();
            let expected = expected.split(';').map(|law| {
                let (law, numbers) = law.split_once('#').unwrap();
                let numbers = numbers.split(',').map(|n| {
                    let (number, inserted) = n.split_once('-').unwrap_or((n, "0"));
                    ArticleNumber {
                        number: number.parse().unwrap(),
                        inserted: inserted.parse().unwrap(),
                    }
                });
                (law.to_owned(), numbers.collect())
            });
            (text, expected.collect())
        })
    }

    #[test]
    fn understands_every_spelling_of_the_table() {
        let resolver = resolver();
        let mut wrong = Vec::new();
        let mut count = 0;
        for (text, expected) in rows() {
            count += 1;
            let found: Expected = resolver
                .mentions(text)
                .found
                .into_iter()
                .map(|m| (m.law.map_or_else(String::new, |l| l.law), m.articles))
                .collect();
            if found != expected {
                wrong.push(format!("{text}: {found:?}"));
            }
        }
        assert!(count >= 150);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn ordinary_talk_names_no_law() {
        let resolver = resolver();
        for text in [
            "买了三条裤子不让退",
            "他打了我五拳",
            "欠我3000块钱",
            "三条狗咬人",
            "干了20年了",
            "没办法了要去法院",
            "劳动法规定加班给多少钱",
        ] {
            let found = resolver.mentions(text).found;
            assert!(found.iter().all(|m| m.law.is_none()), "{text}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_is_rendered(
            law in 0usize..1000, number in 1u32..=1300, inserted in 0u32..10, style in 0u8..6,
        ) {
            let resolver = resolver();
            let name = &resolver.names[law % resolver.names.len()].official;
            let article = ArticleNumber { number, inserted };
            let arabic = match inserted {
                0 => format!("{number}条"),
                i => format!("{number}条之{i}"),
            };
            let text = match style {
                0 => format!("《{name}》{article}"),
                1 => format!("{name}{article}"),
                2 => format!("《中华人民共和国{name}》第{arabic}"),
                3 => format!("{name}{arabic}"),
                4 => format!("请问《{name}》{article}第一款是什么意思"),
                _ => format!("查一下{name}第{arabic}第（二）项"),
            };
            let found = resolver.mentions(&text).found;
            prop_assert_eq!(found.len(), 1, "{}", text);
            prop_assert_eq!(&found[0].articles, &vec![article], "{}", text);
            prop_assert_eq!(&found[0].law.as_ref().unwrap().law, name);
        }

        #[test]
        fn never_panics(text in "[《》第条之款项至到、，（）零一二十百千0-9民法典刑劳动条例 \\-]{0,40}|\\PC{0,40}") {
            let mentions = resolver().mentions(&text);
            for mention in mentions.found {
                prop_assert!(mention.articles.len() <= MAX_ARTICLES + 1);
            }
        }
    }
}
