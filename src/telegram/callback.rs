//! What a button carries: at most 64 bytes, read back with suspicion.

use crate::desk::RowId;
use crate::knowledge::{ArticleNumber, EntryId};

/// Telegram's limit for `callback_data`.
const MAX_BYTES: usize = 64;

/// What a tap asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Show an entry in place of the message: a choice, or from the menu.
    Open { entry: EntryId, row: Option<RowId> },
    /// Show a related entry as a new message.
    Related { entry: EntryId, row: Option<RowId> },
    /// 👍 / 👎
    Vote { row: RowId, helpful: bool },
    /// 找人问
    HandOver { row: Option<RowId> },
    /// The seven places.
    Places,
    /// The top topics of a place.
    Place { place: String },
    /// The sub-topics of a top topic, or the entries of a sub-topic, within a place.
    Topic {
        place: String,
        topic: String,
        page: usize,
    },
    /// Show an article's official text in place; `entry` is the answer to go back to.
    Article {
        law: String,
        number: Option<ArticleNumber>,
        entry: Option<EntryId>,
    },
    /// List the articles of the chapter in which an article stands.
    Chapter {
        law: String,
        number: Option<ArticleNumber>,
        page: usize,
        entry: Option<EntryId>,
    },
    /// Delete what is stored (confirmed), or keep it.
    Forget { yes: bool },
}

fn base36(mut n: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((n % 36) as u32, 36).unwrap_or('0'));
        n /= 36;
        if n == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}

fn row_text(row: Option<RowId>) -> String {
    row.and_then(|r| u64::try_from(r).ok())
        .map_or_else(String::new, base36)
}

fn row_of(text: &str) -> Option<Option<RowId>> {
    if text.is_empty() {
        return Some(None);
    }
    RowId::from_str_radix(text, 36)
        .ok()
        .filter(|r| *r >= 0)
        .map(Some)
}

/// `1079`, `133-1`; empty for a whole document.
fn number_text(number: Option<ArticleNumber>) -> String {
    match number {
        None => String::new(),
        Some(n) if n.inserted == 0 => n.number.to_string(),
        Some(n) => format!("{}-{}", n.number, n.inserted),
    }
}

fn number_of(text: &str) -> Option<Option<ArticleNumber>> {
    if text.is_empty() {
        return Some(None);
    }
    let (number, inserted) = text.split_once('-').unwrap_or((text, "0"));
    Some(Some(ArticleNumber {
        number: number.parse().ok()?,
        inserted: inserted.parse().ok()?,
    }))
}

fn entry_text(entry: &Option<EntryId>) -> &str {
    entry.as_ref().map_or("", |e| e.0.as_str())
}

fn entry_of(text: &str) -> Option<EntryId> {
    (!text.is_empty()).then(|| EntryId(text.to_owned()))
}

impl Action {
    /// As `callback_data`; `None` when it would not fit (such a button is left out).
    pub fn encode(&self) -> Option<String> {
        let text = match self {
            Self::Open { entry, row } => format!("e:{entry}:{}", row_text(*row)),
            Self::Related { entry, row } => format!("r:{entry}:{}", row_text(*row)),
            Self::Vote { row, helpful } => {
                format!("v:{}:{}", row_text(Some(*row)), u8::from(*helpful))
            }
            Self::HandOver { row } => format!("h:{}", row_text(*row)),
            Self::Places => "p".to_owned(),
            Self::Place { place } => format!("p:{place}"),
            Self::Topic { place, topic, page } => format!("t:{place}:{topic}:{page}"),
            Self::Article { law, number, entry } => {
                format!("s:{law}:{}:{}", number_text(*number), entry_text(entry))
            }
            Self::Chapter {
                law,
                number,
                page,
                entry,
            } => format!(
                "c:{law}:{}:{page}:{}",
                number_text(*number),
                entry_text(entry)
            ),
            Self::Forget { yes } => format!("f:{}", u8::from(*yes)),
        };
        (text.len() <= MAX_BYTES).then_some(text)
    }

    /// Reads `callback_data`; `None` for anything we did not write.
    pub fn decode(data: &str) -> Option<Self> {
        let parts: Vec<&str> = data.split(':').collect();
        let flag = |text: &str| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        };
        Some(match parts.as_slice() {
            ["e", entry, row] => Self::Open {
                entry: EntryId((*entry).to_owned()),
                row: row_of(row)?,
            },
            ["r", entry, row] => Self::Related {
                entry: EntryId((*entry).to_owned()),
                row: row_of(row)?,
            },
            ["v", row, helpful] => Self::Vote {
                row: row_of(row)??,
                helpful: flag(helpful)?,
            },
            ["h", row] => Self::HandOver { row: row_of(row)? },
            ["p"] => Self::Places,
            ["p", place] => Self::Place {
                place: (*place).to_owned(),
            },
            ["t", place, topic, page] => Self::Topic {
                place: (*place).to_owned(),
                topic: (*topic).to_owned(),
                page: page.parse().ok()?,
            },
            ["s", law, number, entry] => Self::Article {
                law: (*law).to_owned(),
                number: number_of(number)?,
                entry: entry_of(entry),
            },
            ["c", law, number, page, entry] => Self::Chapter {
                law: (*law).to_owned(),
                number: number_of(number)?,
                page: page.parse().ok()?,
                entry: entry_of(entry),
            },
            ["f", yes] => Self::Forget { yes: flag(yes)? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn action() -> impl Strategy<Value = Action> {
        let id = || "[a-z_.]{1,20}-[0-9a-f]{6}".prop_map(EntryId);
        let row = || prop::option::of(0..RowId::MAX);
        let name = || "[a-z_.]{1,22}";
        let number = || {
            prop::option::of(
                (1u32..1300, 0u32..5)
                    .prop_map(|(number, inserted)| ArticleNumber { number, inserted }),
            )
        };
        prop_oneof![
            (id(), row()).prop_map(|(entry, row)| Action::Open { entry, row }),
            (id(), row()).prop_map(|(entry, row)| Action::Related { entry, row }),
            (0..RowId::MAX, any::<bool>()).prop_map(|(row, helpful)| Action::Vote { row, helpful }),
            row().prop_map(|row| Action::HandOver { row }),
            Just(Action::Places),
            name().prop_map(|place| Action::Place { place }),
            (name(), name(), 0usize..500).prop_map(|(place, topic, page)| Action::Topic {
                place,
                topic,
                page
            }),
            any::<bool>().prop_map(|yes| Action::Forget { yes }),
            ("[0-9a-f]{8}", number(), prop::option::of(id()))
                .prop_map(|(law, number, entry)| Action::Article { law, number, entry }),
            ("[0-9a-f]{8}", number(), 0usize..99, prop::option::of(id())).prop_map(
                |(law, number, page, entry)| Action::Chapter {
                    law,
                    number,
                    page,
                    entry
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn reads_back_what_it_wrote(action in action()) {
            if let Some(data) = action.encode() {
                prop_assert!((1..=64).contains(&data.len()));
                prop_assert_eq!(Action::decode(&data), Some(action));
            }
        }

        #[test]
        fn anything_else_is_refused_quietly(data in "\\PC{0,70}") {
            if let Some(action) = Action::decode(&data) {
                // Only what re-encodes to something readable is accepted.
                prop_assert!(action.encode().is_none_or(|d| Action::decode(&d) == Some(action)));
            }
        }
    }
}
