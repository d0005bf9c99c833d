//! What is asked in which village: regions by top topics, without sensitive topics.

use std::collections::BTreeSet;

use super::{FEWEST_ASKERS, Tally, Totals};
use crate::knowledge::Library;

/// Top topics told by region; the others are one column.
const TOPS: usize = 8;
/// The key of that column.
pub const REST: &str = "*";
/// Of the cells that are not empty, at least this share must have five askers.
const LARGE: f64 = 0.5;

/// Regions by top topics.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionTopics {
    /// Region codes; an empty one is unknown.
    pub regions: Vec<String>,
    /// The top topics asked for most, by name of their id.
    pub tops: Vec<String>,
    /// By `r01|labor`, and `r01|*` for everything else, sensitive topics and 其他 included.
    pub cells: Totals,
    /// Cells that are never told: those in which "everything else" is hardly more than sensitive topics.
    pub never: BTreeSet<String>,
}

/// Regions by top topics; `None` when most cells are about fewer than five people: then a table would
/// say nothing, and hiding its cells would cost other tables theirs.
///
/// - Formula: questions of the region whose sub-topic belongs to the top topic and is not sensitive. The
///   rest is one cell: it holds sensitive topics only together with other questions of at least five people.
/// - Unit: questions. Source: roll-ups by region and sub-topic; `topics` are those of the whole township.
/// - Not to be read as: disputes of the village. A village with a board at its market asks more.
pub fn region_topics(cells: &Totals, topics: &Totals, library: &Library) -> Option<RegionTopics> {
    let plain = |topic: &str| library.topic(topic).is_some_and(|t| !t.sensitive);
    let top_of = |topic: &str| topic.split('.').next().unwrap_or(topic).to_owned();
    let mut by_top: Totals = Totals::new();
    for (topic, tally) in topics.iter().filter(|(topic, _)| plain(topic)) {
        by_top.entry(top_of(topic)).or_default().merge(tally);
    }
    let mut tops: Vec<(&String, &Tally)> = by_top.iter().collect();
    tops.sort_by_key(|(top, tally)| (std::cmp::Reverse(tally.questions), *top));
    let mut tops: Vec<String> = tops
        .into_iter()
        .take(TOPS)
        .map(|(top, _)| top.clone())
        .collect();
    tops.sort();
    let (mut out, mut open) = (Totals::new(), Totals::new());
    let mut regions = BTreeSet::new();
    for (key, tally) in cells {
        let (region, topic) = key.split_once('|')?;
        regions.insert(region.to_owned());
        let top = top_of(topic);
        let named = plain(topic) && tops.contains(&top);
        let column = if named { &top } else { REST };
        out.entry(format!("{region}|{column}"))
            .or_default()
            .merge(tally);
        let sensitive = library.topic(topic).is_some_and(|t| t.sensitive);
        if !named && !sensitive {
            open.entry(region.to_owned()).or_default().merge(tally);
        }
    }
    let known = regions.iter().any(|region| !region.is_empty());
    let large = |tally: &Tally| tally.asker_count().count >= FEWEST_ASKERS;
    let enough = out.values().filter(|tally| large(tally)).count();
    if !known || (enough as f64) < out.len() as f64 * LARGE {
        return None;
    }
    let covered = |region: &String| open.get(region).is_some_and(large);
    let never = regions.iter().filter(|region| !covered(region));
    Some(RegionTopics {
        never: never.map(|region| format!("{region}|{REST}")).collect(),
        regions: regions.into_iter().collect(),
        tops,
        cells: out,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::knowledge::{LoadOptions, load};
    use chrono::NaiveDate;

    fn library() -> Library {
        let options = LoadOptions {
            preset: None,
            today: NaiveDate::from_ymd_opt(2026, 11, 25).unwrap(),
            own: "local".into(),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
        load(&root, &options).unwrap().library
    }

    fn tally(askers: std::ops::Range<u64>) -> Tally {
        Tally::asked(askers.end - askers.start, askers)
    }

    #[test]
    fn sensitive_topics_stand_only_among_others() {
        let library = library();
        let cells = |other: u64| {
            Totals::from([
                ("r01|crime.drugs".to_owned(), tally(0..9)),
                ("r01|crime.theft".to_owned(), tally(10..18)),
                ("r01|labor.wage_arrears".to_owned(), tally(20..27)),
                ("r01|".to_owned(), tally(30..30 + other)),
            ])
        };
        let topics = Totals::from([
            ("crime.drugs".to_owned(), tally(0..9)),
            ("crime.theft".to_owned(), tally(10..18)),
            ("labor.wage_arrears".to_owned(), tally(20..27)),
        ]);
        let found = region_topics(&cells(6), &topics, &library).unwrap();
        let count = |key: &str| found.cells[key].questions;
        assert_eq!(
            (count("r01|crime"), count("r01|labor"), count("r01|*")),
            (8, 7, 15)
        );
        assert!(found.never.is_empty());
        // With four others the cell would tell of the sensitive ones.
        let few = region_topics(&cells(4), &topics, &library).unwrap();
        assert!(few.never.contains("r01|*"));
    }

    #[test]
    fn too_few_people_or_no_known_region_make_no_table() {
        let library = library();
        let topics = Totals::from([("labor.wage_arrears".to_owned(), tally(0..8))]);
        let of = |key: &str, n: u64| Totals::from([(key.to_owned(), tally(0..n))]);
        assert!(region_topics(&of("r01|labor.wage_arrears", 8), &topics, &library).is_some());
        assert!(region_topics(&of("r01|labor.wage_arrears", 4), &topics, &library).is_none());
        assert!(region_topics(&of("|labor.wage_arrears", 8), &topics, &library).is_none());
    }
}
