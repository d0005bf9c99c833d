//! Tables from figures: every figure that must not leave the office is held back here.

use chrono::{Datelike, NaiveDate};

use super::{Cell, Chart, Shape, Table, named};
use crate::insight::{
    AskerCount, Balance, Direction, Facet, Figures, Gap, Outcome, Period, REST, Tally,
    activity_cell, before_cell, day_cell, last_year_cell, region_top_cell, top_cell,
};
use crate::knowledge::Library;
use crate::ledger::Regions;

/// Most rows of sub-topics, gaps and entries.
const LONGEST: usize = 15;

/// Names that figures have for the reader.
pub(super) struct Names<'a>(pub &'a Library);

impl Names<'_> {
    /// Sub-topic or top topic; an empty key is 其他.
    pub fn topic(&self, id: &str) -> String {
        match id {
            "" => "其他".to_owned(),
            _ => self.0.topic(id).map_or(id, |topic| &topic.name).to_owned(),
        }
    }

    /// Place; an empty key is 未知.
    pub fn place(&self, id: &str) -> String {
        match id {
            "" => "未知".to_owned(),
            _ => self.0.place(id).map_or(id, |place| &place.name).to_owned(),
        }
    }
}

fn heads(heads: &[(&str, u32)]) -> Vec<(String, u32)> {
    heads.iter().map(|(h, w)| ((*h).to_owned(), *w)).collect()
}

fn askers(askers: AskerCount) -> Cell {
    match askers.exact {
        true => Cell::Count(askers.count),
        false => Cell::About(askers.count),
    }
}

/// Questions, share of all, askers; or three times nothing.
fn counts(shown: bool, questions: u64, all: u64, people: AskerCount) -> [Cell; 3] {
    if shown {
        let share = questions as f64 / all.max(1) as f64;
        [Cell::Count(questions), Cell::Share(share), askers(people)]
    } else {
        [Cell::Hidden, Cell::Hidden, Cell::Hidden]
    }
}

pub(super) fn row_of_tally(name: String, shown: bool, tally: &Tally, all: u64) -> Vec<Cell> {
    let mut row = vec![Cell::text(name)];
    row.extend(counts(shown, tally.questions, all, tally.asker_count()));
    row
}

/// What became of the questions.
pub(super) fn outcomes(figures: &Figures) -> Table {
    let all = figures.volume.questions;
    let means = |outcome| match outcome {
        Outcome::Answered => "库里有，直接给了答复",
        Outcome::Resolved => "给了选项，居民点开了",
        Outcome::Open => "给了选项，没有人点",
        Outcome::HandedOn => "居民要求找工作人员",
        Outcome::Unknown => "资料库里没有",
        Outcome::Refused => "不能帮忙的事",
        Outcome::Emergency => "有危险，已告知报警急救电话",
    };
    let rows = figures.kinds.iter().map(|kind| {
        let shown = figures.shows_outcome(kind.outcome);
        let mut row = vec![
            Cell::text(kind.outcome.name()),
            Cell::text(means(kind.outcome)),
        ];
        let nobody = AskerCount::default();
        let [count, share, _] = counts(shown, kind.share.of, all, nobody);
        row.extend([count, share]);
        row
    });
    Table {
        name: named::OUTCOMES,
        caption: "答复情况".to_owned(),
        heads: heads(&[("结果", 3), ("意思", 6), ("提问次数", 3), ("占全部提问", 3)]),
        rows: rows.collect(),
        keys: figures
            .kinds
            .iter()
            .map(|kind| kind.outcome.as_str().to_owned())
            .collect(),
        across: Vec::new(),
        note: Some("写“直接答复”的，说明资料库里有，不说明答对了多少。".to_owned()),
        chart: None,
    }
}

/// Questions over time: by day, week or month, whichever makes a readable number of columns. Of days
/// outside `lived` nothing is known: they are left out and not 0.
pub(super) fn time(figures: &Figures, lived: Option<Period>) -> Table {
    let days = figures.period.days();
    let name_of = |day: NaiveDate| -> String {
        if days <= 31 {
            format!("{}月{}日", day.month(), day.day())
        } else if days <= 124 {
            let monday = day - chrono::Days::new(u64::from(day.weekday().num_days_from_monday()));
            let first = monday.max(figures.period.from);
            format!("{}月{}日起", first.month(), first.day())
        } else {
            format!("{}年{}月", day.year(), day.month())
        }
    };
    let mut rows: Vec<(String, Option<u64>)> = Vec::new();
    let mut spans: Vec<Period> = Vec::new();
    let known = figures.volume.days.iter();
    for day in known.filter(|day| lived.is_some_and(|lived| lived.contains(day.day))) {
        // A sum is told only when all its days may be told: then it says nothing new.
        let shown = figures.hidden.shows(&day_cell(day.day));
        let count = shown.then_some(day.questions);
        let name = name_of(day.day);
        match rows.last_mut().zip(spans.last_mut()) {
            Some(((last, sum), span)) if *last == name => {
                *sum = sum.zip(count).map(|(a, b)| a + b);
                span.to = day.day;
            }
            _ => {
                rows.push((name, count));
                spans.push(Period::new(day.day, day.day));
            }
        }
    }
    let head = match days {
        0..=31 => "日期",
        32..=124 => "周",
        _ => "月份",
    };
    let drawn = rows.len();
    Table {
        name: named::TIME,
        caption: "提问的时间分布".to_owned(),
        heads: heads(&[(head, 3), ("提问次数", 3)]),
        rows: rows
            .into_iter()
            .map(|(name, count)| vec![Cell::text(name), count.map_or(Cell::Hidden, Cell::Count)])
            .collect(),
        keys: spans
            .iter()
            .map(|span| format!("{}/{}", span.from, span.to))
            .collect(),
        across: Vec::new(),
        note: None,
        chart: Some(Chart {
            title: "提问的时间分布（次）".to_owned(),
            shape: Shape::Columns,
            column: 1,
            rows: drawn,
        }),
    }
}

/// Top topics, the most asked first, 其他 last; what is held back stands at the end by name, so that
/// the order gives nothing away.
fn ordered(figures: &Figures) -> Vec<(&String, &Tally)> {
    let mut tops: Vec<_> = figures.top_topics.iter().collect();
    tops.sort_by_key(|(top, tally)| {
        let shown = figures.hidden.shows(&top_cell(top));
        let questions = if shown { tally.questions } else { 0 };
        (top.is_empty(), !shown, std::cmp::Reverse(questions), *top)
    });
    tops
}

/// By top topic.
pub(super) fn top_topics(figures: &Figures, names: &Names<'_>) -> Table {
    let shown = |top: &str| figures.hidden.shows(&top_cell(top));
    let rows: Vec<_> = ordered(figures)
        .into_iter()
        .map(|(top, tally)| {
            row_of_tally(
                names.topic(top),
                shown(top),
                tally,
                figures.volume.questions,
            )
        })
        .collect();
    Table {
        name: named::TOP_TOPICS,
        caption: "各主题大类的提问".to_owned(),
        heads: heads(&[
            ("主题大类", 5),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
        ]),
        chart: Some(Chart {
            title: "各主题大类的提问（次）".to_owned(),
            shape: Shape::Bars,
            column: 1,
            rows: rows.len(),
        }),
        rows,
        keys: ordered(figures)
            .into_iter()
            .map(|(top, _)| top.clone())
            .collect(),
        across: Vec::new(),
        note: Some("同一个人可能问几个主题，人数不能相加。".to_owned()),
    }
}

/// Whether a trend may be told.
pub(super) fn shows_trend(figures: &Figures, trend: &crate::insight::Trend) -> bool {
    figures.shows(Facet::Topic, &trend.topic)
        && figures.hidden.shows(&before_cell(&trend.topic))
        && (!trend.season_free || figures.hidden.shows(&last_year_cell(&trend.topic)))
}

/// The most asked sub-topics, with their change.
pub(super) fn sub_topics(figures: &Figures, names: &Names<'_>) -> Table {
    let mut topics: Vec<_> = figures.topics.iter().collect();
    topics.retain(|(topic, _)| !topic.is_empty() && figures.shows(Facet::Topic, topic));
    topics.sort_by_key(|(topic, tally)| (std::cmp::Reverse(tally.questions), *topic));
    topics.truncate(LONGEST);
    let rows = topics.iter().map(|(topic, tally)| {
        let mut row = row_of_tally(names.topic(topic), true, tally, figures.volume.questions);
        let trend = figures.trends.iter().find(|trend| trend.topic == **topic);
        let (change, times) = match trend {
            Some(trend) if shows_trend(figures, trend) => {
                let ratio = match trend.season_free {
                    true => trend.against_last_year,
                    false => trend.against_before,
                };
                let change = match trend.direction {
                    Direction::Rising => "问得多了",
                    Direction::Falling => "问得少了",
                    Direction::Steady => "看不出变化",
                    Direction::TooFew => "太少，不判断",
                };
                let finite = ratio.map(|r| r.ratio).filter(|r| r.is_finite());
                (Cell::text(change), finite.map_or(Cell::Blank, Cell::Times))
            }
            _ => (Cell::Hidden, Cell::Hidden),
        };
        row.extend([times, change]);
        row
    });
    let rows: Vec<_> = rows.collect();
    let season_free = figures.trends.iter().any(|trend| trend.season_free);
    let then = if season_free {
        "去年同期"
    } else {
        "前一期"
    };
    Table {
        name: named::SUB_TOPICS,
        caption: format!("提问最多的具体主题（前 {} 个）", rows.len()),
        heads: heads(&[
            ("具体主题", 6),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
            (
                if season_free {
                    "为去年同期的倍数"
                } else {
                    "为前一期的倍数"
                },
                3,
            ),
            ("变化", 4),
        ]),
        rows,
        keys: topics.into_iter().map(|(topic, _)| topic.clone()).collect(),
        across: Vec::new(),
        note: Some(format!(
            "倍数是在全部提问里占的份量与{then}相比，已去掉重复提问；不等于纠纷数量的变化。"
        )),
        chart: None,
    }
}

/// By place or by region, beside the activities held there; with the keys.
fn balance(
    figures: &Figures,
    balance: &Balance,
    facet: Facet,
    name: impl Fn(&str) -> String,
) -> (Vec<Vec<Cell>>, Vec<String>) {
    let all = figures.volume.questions;
    let mut rows: Vec<Vec<Cell>> = balance
        .rows
        .iter()
        .map(|row| {
            let shown = figures.shows(facet, &row.key);
            let mut cells = vec![Cell::text(name(&row.key))];
            // Out of all questions, not of those with a known place: that sum is not published.
            cells.extend(counts(shown, row.questions, all, row.askers));
            cells.push(Cell::Count(row.activities));
            cells
        })
        .collect();
    let outside = figures
        .place_topics
        .keys()
        .filter_map(|key| key.split_once('|'));
    let mut outside = outside.filter(|(place, _)| balance.rows.iter().all(|r| r.key != *place));
    let unknown = figures.shows(facet, "")
        && (facet != Facet::Place || outside.all(|(place, _)| figures.shows(facet, place)));
    let mut keys: Vec<String> = balance.rows.iter().map(|row| row.key.clone()).collect();
    if balance.unknown > 0 {
        keys.push(String::new());
        let [count, share, _] = counts(unknown, balance.unknown, all, AskerCount::default());
        rows.push(vec![
            Cell::text("未知"),
            count,
            share,
            Cell::Blank,
            Cell::Blank,
        ]);
    }
    (rows, keys)
}

/// By place.
pub(super) fn places(figures: &Figures, names: &Names<'_>) -> Table {
    let (rows, keys) = balance(figures, &figures.places, Facet::Place, |id| names.place(id));
    Table {
        name: named::PLACES,
        caption: "七进各场所的提问和普法活动".to_owned(),
        heads: heads(&[
            ("场所", 4),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
            ("活动场次", 3),
        ]),
        chart: Some(Chart {
            title: "七进各场所的提问（次）".to_owned(),
            shape: Shape::Bars,
            column: 1,
            rows: figures.places.rows.len(),
        }),
        rows,
        keys,
        across: Vec::new(),
        note: Some(
            "一场活动进几个场所就各算一场。不会用手机的人不会来问，提问少不等于不需要。".to_owned(),
        ),
    }
}

/// By region; `None` when none is known.
pub(super) fn regions(figures: &Figures, regions: &Regions) -> Option<Table> {
    let (rows, keys) = balance(figures, &figures.regions, Facet::Region, |code| {
        regions.name_of(code).to_owned()
    });
    (!figures.regions.rows.is_empty()).then(|| Table {
        name: named::REGIONS,
        caption: "各村(社区)的提问和普法活动".to_owned(),
        heads: heads(&[
            ("村(社区)", 4),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
            ("活动场次", 3),
        ]),
        rows,
        keys,
        across: Vec::new(),
        note: Some(
            "村(社区)看居民从哪个二维码来，不知道的算未知；没有写明村(社区)的活动，不算在各村里。"
                .to_owned(),
        ),
        chart: None,
    })
}

/// Top topics by region, as a grid; `None` when that would be about too few people.
pub(super) fn region_topics(
    figures: &Figures,
    names: &Names<'_>,
    regions: &Regions,
) -> Option<Table> {
    let crossed = figures.region_topics.as_ref()?;
    let mut heads = vec![("村(社区)".to_owned(), 4)];
    heads.extend(crossed.tops.iter().map(|top| (names.topic(top), 3)));
    heads.push(("其余".to_owned(), 3));
    let mut across = crossed.tops.clone();
    across.push(REST.to_owned());
    // What is not known stands last.
    let mut keys = crossed.regions.clone();
    keys.sort_by_key(|region| (region.is_empty(), region.clone()));
    let rows = keys.iter().map(|region| {
        let name = match region.as_str() {
            "" => "未知",
            code => regions.name_of(code),
        };
        let cells = across.iter().map(|top| {
            let key = format!("{region}|{top}");
            match crossed.cells.get(&key) {
                None => Cell::Count(0),
                Some(_) if !figures.hidden.shows(&region_top_cell(&key)) => Cell::Hidden,
                Some(tally) => Cell::Count(tally.questions),
            }
        });
        std::iter::once(Cell::text(name)).chain(cells).collect()
    });
    Some(Table {
        name: named::REGION_TOPICS,
        caption: "各村(社区)、各主题大类的提问（次）".to_owned(),
        heads,
        rows: rows.collect(),
        keys,
        across,
        note: Some("敏感主题不按村列，和“其他”等主题一起算在“其余”里。".to_owned()),
        chart: None,
    })
}

/// By board; `None` when there are no boards.
pub(super) fn boards(figures: &Figures, regions: &Regions) -> Option<Table> {
    let all = figures.volume.questions;
    let rows = figures.boards.iter().map(|board| {
        let shown = figures.shows(Facet::Board, &board.code);
        let name = board.name.clone();
        let name = name.unwrap_or_else(|| format!("{}（没有登记）", board.code));
        let mut row = row_of_tally(name, shown, &board.tally, all);
        let region = board.region.as_deref();
        row.insert(
            1,
            Cell::text(region.map_or("", |code| regions.name_of(code))),
        );
        row
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| {
        Table {
        name: named::BOARDS,
        caption: "从各宣传点来的提问".to_owned(),
        heads: heads(&[
            ("宣传点", 6),
            ("村(社区)", 4),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
        ]),
        rows,
        keys: figures.boards.iter().map(|board| board.code.clone()).collect(),
        across: Vec::new(),
        note: Some(
            "扫过哪个宣传点的二维码，以后的提问就算哪个的，直到扫了另一个。看了没有问的人不在里面。"
                .to_owned(),
        ),
        chart: None,
    }
    })
}

/// By the activity that boards were put up for; `None` when there is none.
pub(super) fn activity_boards(figures: &Figures) -> Option<Table> {
    let all = figures.volume.questions;
    let rows = figures.activity_boards.iter().map(|of| {
        let shown = figures.hidden.shows(&activity_cell(of.activity));
        let mut row = row_of_tally(of.title.clone(), shown, &of.tally, all);
        row.insert(1, Cell::Count(of.boards.len() as u64));
        row
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| Table {
        name: named::ACTIVITY_BOARDS,
        caption: "从各场活动的宣传点来的提问".to_owned(),
        heads: heads(&[
            ("活动", 6),
            ("宣传点", 3),
            ("提问次数", 3),
            ("占全部提问", 3),
            ("提问人数", 3),
        ]),
        rows,
        keys: Vec::new(),
        across: Vec::new(),
        note: Some(
            "本期里经这些宣传点来的全部提问，不只是活动那几天的；不等于活动的效果。".to_owned(),
        ),
        chart: None,
    })
}

/// Top topics by place, as a grid.
///
/// `None` when it is held back whole, its zeros too.
pub(super) fn place_topics(figures: &Figures, names: &Names<'_>) -> Option<Table> {
    if !figures.tells_place_topics {
        return None;
    }
    let mut places: Vec<&str> = names.0.places.iter().map(|p| p.id.as_str()).collect();
    for key in figures.place_topics.keys() {
        let place = key.split_once('|').map_or("", |(place, _)| place);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut heads = vec![("主题大类".to_owned(), 5)];
    heads.extend(places.iter().map(|place| (names.place(place), 3)));
    let rows: Vec<Vec<Cell>> = ordered(figures)
        .into_iter()
        .map(|(top, _)| {
            let mut row = vec![Cell::text(names.topic(top))];
            row.extend(places.iter().map(|place| {
                let key = format!("{place}|{top}");
                match figures.place_topics.get(&key) {
                    None => Cell::Count(0),
                    Some(_) if !figures.shows(Facet::PlaceTopic, &key) => Cell::Hidden,
                    Some(tally) => Cell::Count(tally.questions),
                }
            }));
            row
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        name: named::PLACE_TOPICS,
        caption: "各场所、各主题大类的提问（次）".to_owned(),
        heads,
        rows,
        keys: ordered(figures)
            .into_iter()
            .map(|(top, _)| top.clone())
            .collect(),
        across: places.iter().map(|place| (*place).to_owned()).collect(),
        note: None,
        chart: None,
    })
}

/// Activities and what can be said of their effect.
pub(super) fn effects(figures: &Figures, days: &[(i64, String)]) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = figures
        .effects
        .iter()
        .map(|effect| {
            let when = days.iter().find(|(id, _)| *id == effect.activity);
            let ratio = effect
                .ratio
                .filter(|r| r.ratio.is_finite() && r.high.is_finite());
            vec![
                Cell::text(&effect.title),
                Cell::text(when.map_or("", |(_, day)| day)),
                ratio.map_or(Cell::Blank, |r| Cell::Times(r.ratio)),
                ratio.map_or(Cell::Blank, |r| {
                    Cell::text(format!("{:.2} 到 {:.2}", r.low, r.high))
                }),
                Cell::text(effect.verdict.name()),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        name: "活动效果",
        caption: "普法活动前后 28 天的提问".to_owned(),
        heads: heads(&[
            ("活动", 5),
            ("日期", 5),
            ("活动后是活动前的倍数", 3),
            ("95% 区间", 4),
            ("结论", 4),
        ]),
        rows,
        keys: Vec::new(),
        across: Vec::new(),
        note: Some("倍数以同期其他主题作对照。问得多了说明更多人来问，不等于纠纷多了。".to_owned()),
        chart: None,
    })
}

/// Gaps that may be told, the largest first.
pub(super) fn gaps(told: &[Gap], names: &Names<'_>) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = told
        .iter()
        .take(LONGEST)
        .map(|gap| {
            let topic = gap.topic.as_deref().unwrap_or("");
            let nearest = gap.nearest.as_ref().and_then(|(id, _)| names.0.entry(id));
            vec![
                Cell::text(gap.examples.first().map_or("", String::as_str)),
                Cell::text(names.topic(topic)),
                Cell::Count(gap.questions),
                Cell::Count(gap.askers),
                Cell::text(gap.since.to_string()),
                Cell::text(nearest.map_or("", |entry| &entry.question)),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        name: "知识缺口",
        caption: format!("没有答好的问题（前 {} 类）", rows.len()),
        heads: heads(&[
            ("居民怎么问（举例）", 7),
            ("主题", 4),
            ("提问次数", 2),
            ("提问人数", 2),
            ("从哪天起", 4),
            ("最接近的问答", 7),
        ]),
        rows,
        keys: Vec::new(),
        across: Vec::new(),
        note: Some("原话已去掉姓名、电话等；原话只保留一段时间，更早的提问不在表里。".to_owned()),
        chart: None,
    })
}

/// The entries shown most, without counts: a sub-topic's total less its entries' could be a rest of a few.
pub(super) fn entries(figures: &Figures, names: &Names<'_>) -> Option<Table> {
    let used = figures.entries_used.iter();
    let entries: Vec<_> = used
        .filter(|(id, _)| figures.shows(Facet::Entry, &id.0))
        .filter_map(|(id, _)| names.0.entry(id))
        .take(LONGEST)
        .collect();
    let rows: Vec<Vec<Cell>> = entries
        .iter()
        .map(|entry| {
            vec![
                Cell::text(&entry.question),
                Cell::text(names.topic(&entry.topic)),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        name: named::ENTRIES,
        caption: format!("用得最多的问答（前 {} 条，从多到少）", rows.len()),
        heads: heads(&[("问答", 10), ("主题", 5)]),
        rows,
        keys: entries.iter().map(|entry| entry.id.0.clone()).collect(),
        across: Vec::new(),
        note: None,
        chart: None,
    })
}
