//! Which tables of a period's figures are published together, and what that hides.

use chrono::NaiveDate;

use super::figures::Material;
use super::{ActivityBoards, Facet, Hidden, Publication, RegionTopics, Tally, Totals, cell_id};
use crate::knowledge::Library;

/// The cell of a top topic.
pub fn top_cell(top: &str) -> String {
    format!("Top:{top}")
}

/// The cell of a day.
pub fn day_cell(day: NaiveDate) -> String {
    format!("Day:{day}")
}

/// The cell of a key of [`RegionTopics::cells`].
pub fn region_top_cell(key: &str) -> String {
    format!("RegionTop:{key}")
}

/// The cell of an activity's boards.
pub fn activity_cell(activity: i64) -> String {
    format!("ActivityBoards:{activity}")
}

/// The cell of a sub-topic in the period before.
pub fn before_cell(topic: &str) -> String {
    format!("Before:{topic}")
}

/// The cell of a sub-topic in last year's weeks.
pub fn last_year_cell(topic: &str) -> String {
    format!("LastYear:{topic}")
}

/// The top topic of a sub-topic.
pub(super) fn top_of(topic: &str) -> &str {
    topic.split('.').next().unwrap_or(topic)
}

/// What may be told.
pub(super) struct Told {
    pub hidden: Hidden,
    pub place_topics: bool,
    pub topics: bool,
    pub region_topics: bool,
}

/// Protects all tables that a report of these figures may show: the coarse ones first, then each finer one
/// as far as that costs nothing of those before.
pub(super) fn protected(
    material: &Material,
    all: &Tally,
    top_topics: &Totals,
    activity_boards: &[ActivityBoards],
    crossed: Option<&RegionTopics>,
    library: &Library,
) -> Told {
    let mut published = coarse(material, all, top_topics);
    for of in activity_boards {
        published.tally(activity_cell(of.activity), &of.tally, false);
        let own = of.boards.iter().map(|code| cell_id(Facet::Board, code));
        published.sum(activity_cell(of.activity), own);
    }
    let mut hidden = published.clone().protect();
    let place_topics = published.extend(&mut hidden, by_place(material, top_topics));
    let topics = published.extend(&mut hidden, by_topic(material, top_topics));
    // Its columns add up to top topics only together with sensitive sub-topics.
    let region_topics = crossed.is_some_and(|crossed| {
        topics && published.extend(&mut hidden, by_region(crossed, material, library))
    });
    Told {
        hidden,
        place_topics,
        topics,
        region_topics,
    }
}

/// The coarse tables.
fn coarse(material: &Material, all: &Tally, top_topics: &Totals) -> Publication {
    let mut out = Publication::default();
    out.tally("", all, false);
    out.anchor("");
    for (facet, totals) in [
        (Facet::Outcome, &material.outcomes),
        (Facet::Place, &material.places),
        (Facet::Region, &material.regions),
        (Facet::Board, &material.by_board),
    ] {
        out.list(facet, totals);
    }
    for (key, tally) in &material.entries {
        // Not every question has an entry: they add up to nothing that is shown.
        out.tally(cell_id(Facet::Entry, key), tally, false);
    }
    for (day, tally) in &material.days {
        out.tally(day_cell(*day), tally, false);
    }
    out.sum("", material.days.keys().map(|day| day_cell(*day)));
    for (top, tally) in top_topics {
        out.tally(top_cell(top), tally, false);
    }
    out.sum("", top_topics.keys().map(|top| top_cell(top)));
    for (topic, tally) in &material.before {
        out.tally(before_cell(topic), tally, false);
    }
    for (topic, tally) in material.last_year.iter().flatten() {
        out.tally(last_year_cell(topic), tally, false);
    }
    out
}

/// Sub-topics, which add up to top topics.
fn by_topic(material: &Material, top_topics: &Totals) -> Publication {
    let mut out = Publication::default();
    for (topic, tally) in &material.topics {
        out.tally(cell_id(Facet::Topic, topic), tally, false);
    }
    for top in top_topics.keys() {
        let own = material.topics.keys().filter(|topic| top_of(topic) == top);
        out.sum(top_cell(top), own.map(|topic| cell_id(Facet::Topic, topic)));
    }
    out
}

/// Places by top topics.
fn by_place(material: &Material, top_topics: &Totals) -> Publication {
    let cell = |key: &str| cell_id(Facet::PlaceTopic, key);
    let mut out = Publication::default();
    for (key, tally) in &material.place_topics {
        out.tally(cell(key), tally, false);
    }
    for place in material.places.keys() {
        let cells = crossing(&material.place_topics, &cell, |p, _| p == place);
        out.sum(cell_id(Facet::Place, place), cells);
    }
    for top in top_topics.keys() {
        out.sum(
            top_cell(top),
            crossing(&material.place_topics, &cell, |_, t| t == top),
        );
    }
    out
}

/// Regions by top topics.
fn by_region(crossed: &RegionTopics, material: &Material, library: &Library) -> Publication {
    let mut out = Publication::default();
    for (key, tally) in &crossed.cells {
        out.tally(region_top_cell(key), tally, crossed.never.contains(key));
    }
    for region in &crossed.regions {
        let cells = crossing(&crossed.cells, &region_top_cell, |r, _| r == region);
        out.sum(cell_id(Facet::Region, region), cells);
    }
    for top in &crossed.tops {
        // A column adds up to the top topic less its sensitive sub-topics, which are told for the
        // whole township.
        let sensitive = material.topics.keys().filter(|topic| {
            let known = library.topic(topic);
            top_of(topic) == top && known.is_none_or(|topic| topic.sensitive)
        });
        let sensitive = sensitive.map(|topic| cell_id(Facet::Topic, topic));
        let cells = crossing(&crossed.cells, &region_top_cell, |_, t| t == top);
        out.sum(top_cell(top), cells.into_iter().chain(sensitive));
    }
    out
}

/// The cells of a table of two things whose keys, `a|b`, are wanted.
fn crossing(
    totals: &Totals,
    cell: &dyn Fn(&str) -> String,
    wanted: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let keys = totals.keys();
    keys.filter(|key| key.split_once('|').is_some_and(|(a, b)| wanted(a, b)))
        .map(|key| cell(key))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::Days;

    use super::*;
    use crate::insight::demo::{DemoYear, topics_of};
    use crate::insight::{Figures, Meanings, Period, region_topics};
    use crate::knowledge::{LoadOptions, load};
    use crate::text::Analyser;

    fn library(last: NaiveDate) -> Library {
        let options = LoadOptions {
            preset: None,
            today: last,
            own: "local".into(),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
        load(&root, &options).unwrap().library
    }

    #[test]
    fn what_is_published_adds_up_and_coarse_tables_do_not_pay_for_fine_ones() {
        let last = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap();
        let library = library(last);
        let year = DemoYear::new(7, last, &topics_of(&library));
        let facts = year.facts();
        let analyser = Analyser::new(library.terms.iter().map(String::as_str));
        let meanings = Meanings::new(&library, &analyser);
        let held = Period::new(year.first, year.last);
        let mut tables = Vec::new();
        for days in [7, 92, 365] {
            let from = last.checked_sub_days(Days::new(days - 1)).unwrap();
            let period = Period::new(from, last);
            let material = Material::of_facts(&facts, period, held, Vec::new());
            let figures = Figures::of(&material, &library, &meanings);
            let mut all = Tally::default();
            material.days.values().for_each(|tally| all.merge(tally));
            let tops = &figures.top_topics;
            let coarse = coarse(&material, &all, tops);
            assert_eq!(coarse.wrong_sums(), [""; 0]);
            let mut whole = coarse.clone();
            let hidden = coarse.clone().protect();
            for top in tops.keys() {
                let shown = hidden.shows(&top_cell(top));
                assert_eq!(
                    figures.hidden.shows(&top_cell(top)),
                    shown,
                    "{top}, {days} days"
                );
            }
            let crossed = region_topics(&material.region_topics, &material.topics, &library);
            let finer = [by_place(&material, tops), by_topic(&material, tops)];
            let finer = finer.into_iter().chain(
                crossed
                    .iter()
                    .map(|crossed| by_region(crossed, &material, &library)),
            );
            // Totals stand in the coarse tables: added up only together.
            for table in finer {
                whole.merge(table);
            }
            assert_eq!(whole.wrong_sums(), [""; 0], "{days} days");
            tables.push((
                figures.tells_place_topics,
                figures.tells_topics,
                figures.region_topics.is_some(),
            ));
        }
        assert!(!tables[0].0, "a week is too little for places by topics");
        assert_eq!(tables[2], (true, true, true), "a year is not");
    }
}
