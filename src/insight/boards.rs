//! Who came through which board, and through the boards of which activity.

use std::collections::BTreeMap;

use super::effect::Activity;
use super::{Tally, Totals};
use crate::journal::Board;

/// Questions that came through one board.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardFigure {
    /// Its code.
    pub code: String,
    /// What staff call it; `None` when no such board is known (any more).
    pub name: Option<String>,
    /// Region code.
    pub region: Option<String>,
    /// The activity it was put up for.
    pub activity: Option<i64>,
    /// The questions.
    pub tally: Tally,
}

/// Questions that came through the boards of one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityBoards {
    /// The activity.
    pub activity: i64,
    /// Its title.
    pub title: String,
    /// Its boards.
    pub boards: Vec<String>,
    /// The questions; an asker who came through two of them is one.
    pub tally: Tally,
}

/// Boards, in the order given, then codes of the journal that no board has; those that nobody came through
/// as well, unless they were taken down.
///
/// - Formula: questions of askers whose latest board is this one, when they asked.
/// - Unit: questions, people. Source: roll-ups by board, boards.
/// - Not to be read as: how many saw or read the board. Who reads it and does not ask is in no figure, and
///   who scanned once counts for it as long as they come through no other.
pub fn boards(totals: &Totals, known: &[Board]) -> Vec<BoardFigure> {
    let tally = |code: &str| totals.get(code).cloned().unwrap_or_default();
    let mut out: Vec<BoardFigure> = known
        .iter()
        .filter(|board| board.retired.is_none() || totals.contains_key(&board.code))
        .map(|board| BoardFigure {
            code: board.code.clone(),
            name: Some(board.about.name.clone()),
            region: board.about.region.clone(),
            activity: board.about.activity,
            tally: tally(&board.code),
        })
        .collect();
    let unknown = totals.keys().filter(|code| !code.is_empty());
    let unknown = unknown.filter(|code| known.iter().all(|board| board.code != **code));
    out.extend(unknown.map(|code| BoardFigure {
        code: code.clone(),
        name: None,
        region: None,
        activity: None,
        tally: tally(code),
    }));
    out
}

/// Boards by the activity they were put up for, in the order of the activities; an activity without boards
/// is not listed.
///
/// - Formula: questions through any board of the activity, in the whole period, before the activity as well.
/// - Unit: questions, people. Source: roll-ups by board, boards, ledger.
/// - Not to be read as: the effect of the activity: see [`mod@super::effect`].
pub fn activity_boards(boards: &[BoardFigure], activities: &[Activity]) -> Vec<ActivityBoards> {
    let mut of: BTreeMap<i64, (Vec<String>, Tally)> = BTreeMap::new();
    for board in boards {
        if let Some(activity) = board.activity {
            let (codes, tally) = of.entry(activity).or_default();
            codes.push(board.code.clone());
            tally.merge(&board.tally);
        }
    }
    let listed = activities.iter().filter_map(|activity| {
        let (boards, tally) = of.remove(&activity.id)?;
        Some(ActivityBoards {
            activity: activity.id,
            title: activity.title.clone(),
            boards,
            tally,
        })
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::NewBoard;
    use chrono::NaiveDate;

    fn tally(askers: std::ops::Range<u64>) -> Tally {
        Tally::asked(askers.end - askers.start, askers)
    }

    fn board(code: &str, activity: Option<i64>, up: bool) -> Board {
        Board {
            code: code.into(),
            about: NewBoard {
                name: format!("{code} 宣传栏"),
                place: None,
                region: Some("r01".into()),
                activity,
            },
            created: chrono::DateTime::default(),
            retired: (!up).then(chrono::DateTime::default),
        }
    }

    #[test]
    fn boards_are_counted_and_added_up_by_activity() {
        let totals = Totals::from([
            (String::new(), tally(0..90)),
            ("aa".to_owned(), tally(0..7)),
            ("bb".to_owned(), tally(4..10)),
            ("old".to_owned(), tally(0..5)),
        ]);
        let known = [
            board("aa", Some(3), true),
            board("bb", Some(3), true),
            board("cc", Some(9), true),
            board("gone", None, false),
        ];
        let found = boards(&totals, &known);
        let codes: Vec<&str> = found.iter().map(|b| b.code.as_str()).collect();
        assert_eq!(
            codes,
            ["aa", "bb", "cc", "old"],
            "nobody came by the one taken down"
        );
        assert_eq!(found[2].tally.questions, 0);
        assert_eq!(found[3].name, None);
        let day = NaiveDate::default();
        let activity = Activity {
            id: 3,
            title: "宣传周".into(),
            from: day,
            to: day,
            places: Vec::new(),
            topics: Vec::new(),
            regions: Vec::new(),
        };
        let by = activity_boards(&found, &[activity]);
        assert_eq!(by.len(), 1);
        assert_eq!(by[0].boards, ["aa", "bb"]);
        let (questions, askers) = (by[0].tally.questions, by[0].tally.asker_count().count);
        assert_eq!(
            (questions, askers),
            (13, 10),
            "who came through both is one"
        );
    }
}
