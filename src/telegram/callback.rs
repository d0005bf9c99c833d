//! What a button carries: at most 64 bytes, read back with suspicion.

use crate::desk::RowId;
use crate::knowledge::EntryId;

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
