//! What people say and what the law says: typing errors, empty phrases of chat, lay words.
//!
//! Pure: it is made from lists that the library holds (`knowledge/lexicon/`).

use std::collections::HashSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// A lay word and what the law calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct LayPair {
    /// What people say, normalised.
    pub lay: String,
    /// What the law and the entries say, normalised.
    pub legal: String,
    /// How surely the one means the other, 0..1.
    pub weight: f32,
    /// Whether it holds the other way round too.
    pub both_ways: bool,
}

/// A word of a question that means another one too.
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// What it means too.
    pub to: String,
    /// How surely, 0..1.
    pub weight: f32,
}

/// A lay word that stands in the library's own 问法 and 关键词 this often is found without translation.
const AT_HOME: usize = 3;

/// Leaves out pairs whose lay word `said` (normalised: questions and words of entries) holds often.
/// Whoever wrote entries in people's words has said what these mean; the law's word beside them only
/// draws in other entries (found by leaving the list out: fewer questions were answered with it).
fn not_at_home(mut pairs: Vec<LayPair>, said: &str) -> Vec<LayPair> {
    let words = AhoCorasick::new(pairs.iter().map(|pair| pair.lay.as_str()));
    let Ok(words) = words else { return pairs };
    let mut times = vec![0; pairs.len()];
    for found in words.find_overlapping_iter(said) {
        times[found.pattern().as_usize()] += 1;
    }
    let mut times = times.into_iter();
    pairs.retain(|_| times.next().is_some_and(|times| times < AT_HOME));
    pairs
}

/// See the module. Cheap to share, costly to make: once per library.
#[derive(Debug, Default)]
pub struct Lexicon {
    typos: Option<AhoCorasick>,
    corrections: Vec<String>,
    chat: Option<AhoCorasick>,
    /// All lay words.
    known: Dictionary,
    /// Those that the library does not say itself.
    needed: Dictionary,
    stop_words: HashSet<String>,
}

/// Lay words and what they mean.
#[derive(Debug, Default)]
struct Dictionary {
    words: Option<AhoCorasick>,
    meanings: Vec<Vec<(String, f32)>>,
}

/// More than this many second meanings drown the question itself.
const MAX_EXPANSIONS: usize = 32;

/// Finds the longest of `words`, leftmost first; `None` for an empty or unusable list.
fn finder<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<AhoCorasick> {
    let words: Vec<&str> = words.into_iter().collect();
    if words.is_empty() {
        return None;
    }
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(words)
        .ok()
}

impl Dictionary {
    fn new(lay: &[LayPair]) -> Self {
        let mut forms: Vec<String> = Vec::new();
        let mut meanings: Vec<Vec<(String, f32)>> = Vec::new();
        let mut at = std::collections::HashMap::new();
        let both = lay.iter().flat_map(|pair| {
            let back = pair
                .both_ways
                .then_some((&pair.legal, &pair.lay, pair.weight));
            [Some((&pair.lay, &pair.legal, pair.weight)), back]
        });
        for (from, to, weight) in both.flatten() {
            let place = *at.entry(from.clone()).or_insert_with(|| {
                forms.push(from.clone());
                meanings.push(Vec::new());
                forms.len() - 1
            });
            meanings[place].push((to.clone(), weight));
        }
        Self {
            words: finder(forms.iter().map(String::as_str)),
            meanings,
        }
    }

    fn expand(&self, text: &str) -> Vec<Expansion> {
        let Some(words) = &self.words else {
            return Vec::new();
        };
        let mut out: Vec<Expansion> = words
            .find_iter(text)
            .flat_map(|found| {
                let meanings = self.meanings[found.pattern().as_usize()].iter();
                meanings.map(move |(to, weight)| Expansion {
                    span: found.range(),
                    to: to.clone(),
                    weight: *weight,
                })
            })
            .filter(|e| !text.contains(&e.to))
            .collect();
        out.truncate(MAX_EXPANSIONS);
        out
    }
}

impl Lexicon {
    /// Puts the lists together; all normalised. `said` is what entries say in people's words.
    pub fn new(
        typos: Vec<(String, String)>,
        chat: Vec<String>,
        lay: Vec<LayPair>,
        stop_words: Vec<String>,
        said: &str,
    ) -> Self {
        Self {
            typos: finder(typos.iter().map(|(wrong, _)| wrong.as_str())),
            corrections: typos.into_iter().map(|(_, right)| right).collect(),
            chat: finder(chat.iter().map(String::as_str)),
            known: Dictionary::new(&lay),
            needed: Dictionary::new(&not_at_home(lay, said)),
            stop_words: stop_words.into_iter().collect(),
        }
    }

    /// Mends typing errors and leaves empty phrases out; a message of nothing but such phrases
    /// stays as it is. Expects normalised text.
    pub fn clean(&self, text: &str) -> String {
        let mended = match &self.typos {
            Some(typos) => typos.replace_all(text, &self.corrections),
            None => text.to_owned(),
        };
        let Some(chat) = &self.chat else {
            return mended;
        };
        let mut rest = String::with_capacity(mended.len());
        let mut from = 0;
        for found in chat.find_iter(&mended) {
            rest.push_str(&mended[from..found.start()]);
            // A gap, so that the words around it do not grow together.
            rest.push(' ');
            from = found.end();
        }
        rest.push_str(&mended[from..]);
        // Less than two letters left say nothing.
        if rest.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
            return mended;
        }
        rest.trim().to_owned()
    }

    /// What words of `text` mean too that the library does not say itself: what to search for.
    pub fn expand(&self, text: &str) -> Vec<Expansion> {
        self.needed.expand(text)
    }

    /// What words of `text` mean too, at home or not: to tell whether two questions mean the same.
    pub fn meanings(&self, text: &str) -> Vec<Expansion> {
        self.known.expand(text)
    }

    /// Whether a word says nothing about a question's subject.
    pub fn is_stop_word(&self, word: &str) -> bool {
        self.stop_words.contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        let pair = |lay: &str, legal: &str, both_ways| LayPair {
            lay: lay.to_owned(),
            legal: legal.to_owned(),
            weight: 0.8,
            both_ways,
        };
        Lexicon::new(
            vec![("仲才".into(), "仲裁".into())],
            vec!["我想问一下".into(), "请问".into()],
            vec![pair("老公", "丈夫", true), pair("血汗钱", "工资", false)],
            vec!["的".into()],
            "",
        )
    }

    #[test]
    fn words_that_the_library_says_itself_are_not_translated() {
        let pair = |lay: &str| LayPair {
            lay: lay.into(),
            legal: "工资".into(),
            weight: 1.0,
            both_ways: false,
        };
        let said = "工钱不给 工钱拖着 要工钱 饷钱";
        let left = not_at_home(vec![pair("工钱"), pair("饷钱"), pair("血汗钱")], said);
        let left: Vec<&str> = left.iter().map(|p| p.lay.as_str()).collect();
        assert_eq!(left, ["饷钱", "血汗钱"]);
    }

    #[test]
    fn mends_and_shortens() {
        assert_eq!(lexicon().clean("我想问一下劳动仲才在哪"), "劳动仲裁在哪");
        assert_eq!(lexicon().clean("请问"), "请问");
        assert_eq!(Lexicon::default().clean("请问"), "请问");
    }

    #[test]
    fn expands_one_way_or_both() {
        let to = |text: &str| -> Vec<String> {
            lexicon().expand(text).into_iter().map(|e| e.to).collect()
        };
        assert_eq!(to("老公打我"), ["丈夫"]);
        assert_eq!(to("丈夫打我"), ["老公"]);
        assert_eq!(to("血汗钱"), ["工资"]);
        assert_eq!(to("工资"), Vec::<String>::new());
        assert_eq!(to("老公是我丈夫"), Vec::<String>::new(), "said already");
    }
}
