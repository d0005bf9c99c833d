//! One message heard: where each set of the grammar stands in it.

use super::grammar::{Grammar, Sequence, SetId};
use crate::knowledge::numeral;

/// Marks that end a sentence: no signal reaches across.
const ENDS: &str = "。!?;\n";
/// What a number is written with.
const NUMERALS: &str = "零〇一二三四五六七八九十百千两几半";

/// A stretch of a message, counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

/// Those of `spans`, which are in order of their ends, that end in `from..=to`.
fn ending_in(spans: &[Span], from: usize, to: usize) -> &[Span] {
    let first = spans.partition_point(|s| s.end < from);
    let behind = spans.partition_point(|s| s.end <= to);
    &spans[first..behind]
}

/// Where everything stands.
pub(super) struct Heard<'a> {
    text: &'a str,
    /// Byte offset of each character, and of the end.
    offsets: Vec<usize>,
    /// The sentence that each character belongs to.
    sentence: Vec<usize>,
    /// The stretches of each set, in order of their ends.
    sets: Vec<Vec<Span>>,
    letters: usize,
}

impl<'a> Heard<'a> {
    /// Hears `text`; words inside a stretch of `harmless` are not heard.
    pub fn new(grammar: &Grammar, harmless: SetId, text: &'a str) -> Self {
        let mut offsets = Vec::with_capacity(text.len() / 2 + 1);
        let mut sentence = Vec::with_capacity(text.len() / 2 + 1);
        let mut ended = 0;
        for (at, c) in text.char_indices() {
            offsets.push(at);
            sentence.push(ended);
            ended += usize::from(ENDS.contains(c));
        }
        offsets.push(text.len());
        sentence.push(ended);
        let mut heard = Self {
            text,
            letters: text.chars().filter(|c| c.is_alphanumeric()).count(),
            offsets,
            sentence,
            sets: Vec::new(),
        };
        let words = heard.words(grammar);
        let numbers = heard.numbers();
        heard.sets = heard.fill(grammar, &words, &numbers);
        let masks = heard.sets[harmless].clone();
        if !masks.is_empty() {
            let masked =
                |s: &Span| (masks.iter()).any(|mask| mask.start <= s.start && s.end <= mask.end);
            let words: Vec<(usize, Span)> = words.into_iter().filter(|(_, s)| !masked(s)).collect();
            heard.sets = heard.fill(grammar, &words, &numbers);
        }
        heard
    }

    /// How many letters and digits were said.
    pub fn letters(&self) -> usize {
        self.letters
    }

    /// Whether a set is met anywhere.
    pub fn has(&self, set: SetId) -> bool {
        !self.sets[set].is_empty()
    }

    /// The first words that meet a set.
    pub fn word(&self, set: SetId) -> Option<String> {
        let span = self.sets[set].first()?;
        Some(self.text[self.offsets[span.start]..self.offsets[span.end]].to_owned())
    }

    /// The words that meet every set, within so many characters of each other if `within`.
    pub fn together(&self, all: &[SetId], within: Option<usize>) -> Option<Vec<String>> {
        let words = |spans: Vec<Span>| {
            let words = spans.into_iter().map(|s| {
                let (from, to) = (self.offsets[s.start], self.offsets[s.end]);
                self.text[from..to].to_owned()
            });
            Some(words.collect())
        };
        let Some(within) = within else {
            let first = all.iter().map(|set| self.sets[*set].first().copied());
            return words(first.collect::<Option<Vec<_>>>()?);
        };
        let mut starts: Vec<usize> = all
            .iter()
            .flat_map(|set| self.sets[*set].iter().map(|s| s.start))
            .collect();
        starts.sort_unstable();
        starts.dedup();
        starts.into_iter().find_map(|from| {
            let near = all.iter().map(|set| {
                let mut near = ending_in(&self.sets[*set], from, from + within).iter();
                near.find(|s| s.start >= from).copied()
            });
            words(near.collect::<Option<Vec<_>>>()?)
        })
    }

    fn words(&self, grammar: &Grammar) -> Vec<(usize, Span)> {
        let Some(words) = &grammar.words else {
            return Vec::new();
        };
        // Bytes are turned into characters as they go by: the ends of matches only grow.
        let mut end = 0;
        words
            .find_overlapping_iter(self.text)
            .map(|found| {
                while self.offsets[end] < found.end() {
                    end += 1;
                }
                let length = self.text[found.start()..found.end()].chars().count();
                let span = Span {
                    start: end - length,
                    end,
                };
                (found.pattern().as_usize(), span)
            })
            .collect()
    }

    /// Runs of digits or numerals, with their value when they have one.
    fn numbers(&self) -> Vec<(Option<u32>, Span)> {
        let chars: Vec<char> = self.text.chars().collect();
        let kind = |c: char| (c.is_ascii_digit(), NUMERALS.contains(c));
        let mut out = Vec::new();
        let mut start = 0;
        while start < chars.len() {
            let mut end = start + 1;
            if kind(chars[start]) == (false, false) {
                start = end;
                continue;
            }
            while end < chars.len() && kind(chars[end]) == kind(chars[start]) {
                end += 1;
            }
            let digits = &self.text[self.offsets[start]..self.offsets[end]];
            out.push((numeral(digits), Span { start, end }));
            start = end;
        }
        out
    }

    fn fill(
        &self,
        grammar: &Grammar,
        words: &[(usize, Span)],
        numbers: &[(Option<u32>, Span)],
    ) -> Vec<Vec<Span>> {
        let mut sets: Vec<Vec<Span>> = vec![Vec::new(); grammar.sequences.len()];
        for (word, span) in words {
            for set in &grammar.sets_of_word[*word] {
                sets[*set].push(*span);
            }
        }
        for wanted in &grammar.numbers {
            let fits = |value: Option<u32>| match (wanted.range, value) {
                (None, _) => true,
                (Some((from, to)), Some(value)) => (from..=to).contains(&value),
                (Some(_), None) => false,
            };
            let spans = numbers.iter().filter(|(value, _)| fits(*value));
            sets[wanted.set].extend(spans.map(|(_, span)| *span));
        }
        for (set, sequences) in grammar.sequences.iter().enumerate() {
            let before = sets[set].len();
            for sequence in sequences {
                if !sets[sequence.first].is_empty() {
                    let found = self.in_a_row(sequence, &sets);
                    sets[set].extend(found);
                }
            }
            if sets[set].len() > before {
                sets[set].sort_unstable_by_key(|s| (s.end, s.start));
                sets[set].dedup();
            }
        }
        sets
    }

    /// Where the pieces of a sequence stand in a row.
    fn in_a_row(&self, sequence: &Sequence, sets: &[Vec<Span>]) -> Vec<Span> {
        let mut so_far = sets[sequence.first].clone();
        for (gap, piece) in &sequence.rest {
            let next = &sets[*piece];
            if so_far.is_empty() || next.is_empty() {
                return Vec::new();
            }
            so_far = next
                .iter()
                .filter_map(|piece| {
                    let from = piece.start.saturating_sub(*gap);
                    let near = ending_in(&so_far, from, piece.start);
                    // Of all that may stand before it, the latest: the shortest stretch.
                    let before = near
                        .iter()
                        .filter(|s| self.sentence[s.start] == self.sentence[piece.start]);
                    let start = before.map(|s| s.start).max()?;
                    Some(Span {
                        start,
                        end: piece.end,
                    })
                })
                .collect();
        }
        so_far
    }
}
