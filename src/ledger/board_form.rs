//! A board (宣传点) as staff write it.

use std::fmt;

use super::Regions;
use crate::journal::{ActivityId, NewBoard, redact};
use crate::knowledge::Library;

/// The longest name of a board, in characters: it must fit a poster's foot.
pub const BOARD_NAME: usize = 40;

/// One field of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BoardField {
    /// 名称
    Name,
    /// 场所
    Place,
    /// 村(社区)
    Region,
    /// 活动
    Activity,
}

impl fmt::Display for BoardField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "名称",
            Self::Place => "场所",
            Self::Region => "村(社区)",
            Self::Activity => "活动",
        })
    }
}

/// Reads a board from its fields; an empty field says nothing.
///
/// # Errors
/// With everything that is wrong, each with its field. Whether the activity is in the ledger is for the
/// journal to say.
pub fn read_board<'a>(
    field: impl Fn(BoardField) -> &'a str,
    library: &Library,
    regions: &Regions,
) -> Result<NewBoard, Vec<(BoardField, String)>> {
    let mut faults = Vec::new();
    let mut told = |field, message: String| faults.push((field, message));
    let written = |of| Some(field(of).trim()).filter(|words| !words.is_empty());
    let name = field(BoardField::Name).trim();
    let chars = name.chars().count();
    if !(1..=BOARD_NAME).contains(&chars) || name.chars().any(char::is_control) {
        let message = format!("要有 1 到 {BOARD_NAME} 个字，没有换行");
        told(BoardField::Name, message);
    } else if redact(name) != name {
        let message = "像是有电话或证件号：海报上会印出来，请删掉";
        told(BoardField::Name, message.to_owned());
    }
    let place = written(BoardField::Place).and_then(|word| {
        let named = |p: &&crate::knowledge::Place| {
            p.id == word || p.name == word || p.aliases.iter().any(|a| a == word)
        };
        let found = library.places.iter().find(named).map(|p| p.id.clone());
        if found.is_none() {
            let names: Vec<&str> = library.places.iter().map(|p| p.name.as_str()).collect();
            let message = format!("没有“{word}”这个场所，可以是 {}", names.join("、"));
            told(BoardField::Place, message);
        }
        found
    });
    let region = written(BoardField::Region).and_then(|word| {
        let found = regions.code_of(word).map(str::to_owned);
        if found.is_none() {
            let message = format!("qijin.toml 的 [regions] 里没有“{word}”，先在设置里加上");
            told(BoardField::Region, message);
        }
        found
    });
    let activity = written(BoardField::Activity).and_then(|word| {
        let found = word.parse::<ActivityId>().ok();
        if found.is_none() {
            told(BoardField::Activity, format!("“{word}”不是台账里的编号"));
        }
        found
    });
    match faults.is_empty() {
        true => Ok(NewBoard {
            name: name.to_owned(),
            place,
            region,
            activity,
        }),
        false => Err(faults),
    }
}
