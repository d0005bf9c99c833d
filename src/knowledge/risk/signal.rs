//! One signal: words in a row, `{list}` for any word of a list, `…` for a short gap.

use crate::text;

/// Letters that `…` may stand for.
const SHORT_GAP: usize = 6;
/// Letters that `……` may stand for.
const LONG_GAP: usize = 12;

/// A part of a signal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// These words, normalised.
    Words(String),
    /// Anything of the list of this name.
    List(String),
    /// A number written in digits or Chinese numerals; with a range only one that lies in it.
    Number(Option<(u32, u32)>),
}

/// Pieces in order, each with the letters that may stand before it (0 for the first).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signal(pub Vec<(usize, Piece)>);

impl Signal {
    /// Reads a signal as staff write it.
    ///
    /// # Errors
    /// What is wrong with it, in words for staff.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces: Vec<(usize, Piece)> = Vec::new();
        let mut gap = 0;
        let mut rest = text.trim();
        while let Some(first) = rest.chars().next() {
            match first {
                '…' => {
                    let after = rest.trim_start_matches('…');
                    gap = match (rest.len() - after.len()) / '…'.len_utf8() {
                        1 => SHORT_GAP,
                        2 => LONG_GAP,
                        _ => return Err("“…”最多连写两个"),
                    };
                    if pieces.is_empty() || after.is_empty() {
                        return Err("“…”要写在两个词中间");
                    }
                    rest = after;
                }
                '{' => {
                    let (name, after) = rest[1..].split_once('}').ok_or("“{”后面缺少“}”")?;
                    pieces.push((std::mem::take(&mut gap), reference(name)?));
                    rest = after;
                }
                '}' => return Err("“}”前面缺少“{”"),
                _ => {
                    let end = rest.find(['…', '{', '}']).unwrap_or(rest.len());
                    let words = text::normalize(&rest[..end]);
                    if words.is_empty() {
                        return Err("读不出字来");
                    }
                    pieces.push((std::mem::take(&mut gap), Piece::Words(words)));
                    rest = &rest[end..];
                }
            }
        }
        if pieces.is_empty() {
            return Err("是空的");
        }
        Ok(Self(pieces))
    }

    /// The lists it refers to.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, piece)| match piece {
            Piece::List(name) => Some(name.as_str()),
            Piece::Words(_) | Piece::Number(_) => None,
        })
    }
}

/// What stands between braces: `数`, a range of numbers, or a list.
fn reference(name: &str) -> Result<Piece, &'static str> {
    let name = name.trim();
    if name.is_empty() {
        return Err("“{}”里要写词表的名字");
    }
    if name == "数" {
        return Ok(Piece::Number(None));
    }
    let range = name
        .split_once('-')
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    Ok(match range {
        Some((from, to)) if from > to => return Err("数的范围要从小到大"),
        Some(range) => Piece::Number(Some(range)),
        None => Piece::List(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::{Piece, Signal};

    #[test]
    fn reads_words_lists_numbers_and_gaps() {
        let signal = Signal::parse("拿…{凶器}……{1-17}歲").unwrap();
        assert_eq!(
            signal.0,
            [
                (0, Piece::Words("拿".into())),
                (6, Piece::List("凶器".into())),
                (12, Piece::Number(Some((1, 17)))),
                (0, Piece::Words("岁".into())),
            ]
        );
        assert_eq!(Signal::parse("{数}").unwrap().0, [(0, Piece::Number(None))]);
    }

    #[test]
    fn says_what_is_wrong() {
        for bad in [
            "",
            "  ",
            "…刀",
            "拿…",
            "拿………刀",
            "{凶器",
            "凶器}",
            "{}",
            "{9-1}",
        ] {
            assert!(Signal::parse(bad).is_err(), "{bad}");
        }
    }
}
